"""CloudFormation as on AWS: it takes time, fails on names that are taken, and refuses what a stack's state forbids.

In: MiniStack's CloudFormation. Out: the same, one resource after the other at the profile's pace
(docs/aws-behaviours.md, sections 3.1, 3.6 and 3.7).
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

import yaml

from workshop.cloud.patches import patch, patch_around, require_attribute
from workshop.cloud.state_gate import PATIENCE, QUICK, StateGate
from workshop.cloud.taken_names import TakenNames
from workshop.cloud.timing import Timing

__all__ = ["StackPatches", "fail_interrupted_stacks", "patch_template_reader"]

Operation = Callable[[Any], Any]
STOPPED = "The local cloud was stopped while this was in progress."
INTERRUPTED = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
}
NOT_UPDATABLE = "Stack:{stack} is in {status} state and can not be updated."
UPDATABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_FAILED",
    "DELETE_COMPLETE",
}


CREATIONS = {"AWS::ApiGateway::DomainName": "CreateDomainName"}
DELETIONS = {"AWS::ApiGateway::DomainName": "DeleteDomainName", "AWS::ApiGateway::RestApi": "DeleteRestApi"}
"""The calls that creating or deleting a resource makes and that are accepted once per so many seconds."""


def patch_template_reader(engine: Any) -> None:
    """Templates are read by libyaml: in Python alone, reading one took longer than making its stack."""
    patch(engine, "CfnLoader", _by_libyaml)


def _by_libyaml(loader: type[yaml.SafeLoader]) -> type[yaml.CSafeLoader] | type[yaml.SafeLoader]:
    """The same tags and the same values; MiniStack's own loader where PyYAML was built without the library."""
    if not yaml.__with_libyaml__:
        return loader
    members = ("yaml_constructors", "yaml_multi_constructors", "yaml_implicit_resolvers")
    return type("CfnLoader", (yaml.CSafeLoader,), {name: require_attribute(loader, name) for name in members})


class StackPatches:
    """Our operations around MiniStack's; each takes the original first.

    Waiting happens in MiniStack's worker threads, so the server goes on serving. `forbid_removal(table)` raises for a table that
    DeleteTable would refuse; `acquire(operation)` takes the slot of a rate-limited operation, or returns the seconds until it is
    free; `gate` is told of each resource that is being made, until MiniStack notes it on the stack.
    """

    def __init__(
        self,
        stacks: Any,
        handlers: Any,
        taken: TakenNames,
        timing: Timing,
        *,
        forbid_removal: Callable[[str], None],
        acquire: Callable[[str], float],
        gate: StateGate,
    ) -> None:
        self._gate = gate
        self._stacks, self._handlers, self._taken, self._timing = stacks, handlers, taken, timing
        self._forbid_removal, self._acquire = forbid_removal, acquire
        self._actions = require_attribute(handlers, "_ACTION_HANDLERS")
        self._error = require_attribute(handlers, "_error")
        self._find = require_attribute(handlers, "_resolve_stack")
        self._is_slow: Callable[[str], bool] = require_attribute(stacks, "_runs_on_worker_thread")

    def apply(self) -> None:
        """Patch MiniStack's CloudFormation."""
        for action, operation in (
            ("CreateStack", self._create_stack),
            ("UpdateStack", self._update_stack),
            ("CreateChangeSet", self._update_stack),
        ):
            self._actions[action] = functools.partial(operation, self._actions[action])
        patch(self._handlers, "_capabilities_enforced", lambda _: lambda: True)
        patch_around(self._stacks, "_runs_on_worker_thread", self._runs_on_worker_thread)
        patch_around(self._stacks, "_provision_keeping_seed", self._create_resource)
        patch_around(self._stacks, "_update_keeping_seed", self._update_resource)
        patch_around(self._stacks, "_delete_resource", self._delete_resource)
        patch_around(self._stacks, "_roll_back_operation", _roll_back)

    def _create_stack(self, original: Operation, parameters: Any) -> Any:
        """A stack in ROLLBACK_COMPLETE can only be deleted (section 3.1)."""
        stack = self._find(_value(parameters, "StackName"))
        if stack and stack.get("StackStatus") == "ROLLBACK_COMPLETE":
            return self._error("AlreadyExistsException", f"Stack [{stack['StackName']}] already exists")
        return original(parameters)

    def _update_stack(self, original: Operation, parameters: Any) -> Any:
        """UpdateStack, or CreateChangeSet, which may also be the first operation on a stack."""
        stack = self._find(_value(parameters, "StackName"))
        first = _value(parameters, "ChangeSetType") in ("CREATE", "IMPORT")
        status = stack.get("StackStatus", "") if stack else ""
        if stack and status not in (UPDATABLE | {"REVIEW_IN_PROGRESS"} if first else UPDATABLE):
            return self._error("ValidationError", NOT_UPDATABLE.format(stack=stack["StackId"], status=status))
        return original(parameters)

    def _runs_on_worker_thread(self, original: Callable[[str], bool], kind: str) -> bool:
        return self._timing.seconds("stack.resource") > 0 or original(kind)

    def _create_resource(self, original: Callable[..., Any], kind: str, logical_id: str, properties: Any, *rest: Any) -> Any:
        self._take_time()
        self._taken.check(kind, properties)
        self._await_slot(CREATIONS.get(kind, ""))
        self._begin((rest[0] if rest else "", logical_id), kind)
        return original(kind, logical_id, properties, *rest)

    def _update_resource(self, original: Callable[..., Any], kind: str, physical_id: str, old: Any, new: Any, *rest: Any) -> Any:
        """An update may make another resource in place of the one on record."""
        self._taken.check_replacement(kind, physical_id, new)
        self._begin((rest[0], rest[1]), kind)
        return original(kind, physical_id, old, new, *rest)

    def _begin(self, key: Hashable, kind: str) -> None:
        """No state is read from here until the change is on the stack's record; on the server's thread both are one step."""
        if not _on_server_thread():
            self._gate.begin(key, PATIENCE if self._is_slow(kind) else QUICK)

    def _delete_resource(self, original: Callable[..., Any], kind: str, physical_id: str, *rest: Any) -> Any:
        self._take_time()
        if kind == "AWS::DynamoDB::Table":
            self._forbid_removal(physical_id)
        self._await_slot(DELETIONS.get(kind, ""))
        key = ("delete", kind, physical_id)
        self._begin(key, kind)
        try:
            return original(kind, physical_id, *rest)
        finally:
            self._gate.end(key)

    def _take_time(self) -> None:
        """Take a resource's time, unless MiniStack works on the server's own thread (then nothing else could be served)."""
        seconds = self._timing.seconds("stack.resource")
        if seconds and not _on_server_thread():
            time.sleep(seconds)

    def _await_slot(self, operation: str) -> None:
        """CloudFormation repeats a call that was throttled until it is accepted (docs/aws-behaviours.md, section 5)."""
        while (wait := self._acquire(operation)) and not _on_server_thread():
            time.sleep(wait)


async def _roll_back(original: Callable[..., Awaitable[None]], name: str, stack_id: str, stack: Any, *rest: Any) -> None:
    """A stack that was deleted while it was being created is not rolled back as well (section 3.1)."""
    if not str(stack.get("StackStatus", "")).startswith("DELETE_"):
        await original(name, stack_id, stack, *rest)


def fail_interrupted_stacks(stores: Any, stacks: Any, request_scope: Any) -> None:
    """After a restart no thread works on the stacks that were in progress: they have failed where they were. What they had made
    by then is on their record, so that deleting them leaves nothing."""
    add_event = require_attribute(stacks, "_add_event")
    for (account, region, name), stack in require_attribute(stores, "_stacks").all_items():
        status = INTERRUPTED.get(stack.get("StackStatus", ""))
        if status is not None:
            stack["StackStatus"], stack["StackStatusReason"] = status, STOPPED
            with request_scope(account, region):
                add_event(stack["StackId"], name, name, "AWS::CloudFormation::Stack", status, STOPPED, stack["StackId"])


def _value(parameters: Any, name: str) -> str:
    found = parameters.get(name, "")
    return str(found[0] if isinstance(found, list) and found else found)


def _on_server_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
