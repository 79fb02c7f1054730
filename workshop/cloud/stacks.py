"""CloudFormation takes its time, and does not take what is somebody else's.

What comes in: MiniStack's CloudFormation. What goes out: the same, one resource after the other at the profile's pace, a failure
where a name is taken, and AWS's refusals of what a stack's state forbids (docs/aws-behaviours.md, sections 3.1, 3.6 and 8).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from workshop.cloud.pacing import Pacing
from workshop.cloud.patches import point, replace_point

__all__ = ["extend_stacks", "mend_stacks"]

Operation = Callable[[Any], Any]
TAKEN = (
    'Resource handler returned message: "{kind} with name {name} already exists. (Service: {service}, Status Code: 409)" '
    "(HandlerErrorCode: AlreadyExists)"
)


STOPPED = "The local cloud was stopped while this was going on."
INTERRUPTED = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
}
NOT_NOW = "Stack:{stack} is in {status} state and can not be updated."
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


def extend_stacks(
    stacks: Any,
    handlers: Any,
    roles: Any,
    pacing: Pacing,
    *,
    forbid_removal: Callable[[str], None],
    turn: Callable[[str], float],
) -> None:
    """Waiting happens in MiniStack's worker threads, so the server goes on answering. `forbid_removal` raises for a table that
    DeleteTable would refuse; `turn` takes the turn of a paced operation or answers the seconds until it comes."""
    actions, error, find = (point(handlers, name) for name in ("_ACTION_HANDLERS", "_error", "_resolve_stack"))

    def created(original: Operation) -> Operation:
        def create(parameters: Any) -> Any:
            stack = find(_value(parameters, "StackName"))
            if stack and stack.get("StackStatus") == "ROLLBACK_COMPLETE":  # it can only be deleted (section 3.1)
                return error("AlreadyExistsException", f"Stack [{stack['StackName']}] already exists")
            return original(parameters)

        return create

    def updated(original: Operation) -> Operation:
        def update(parameters: Any) -> Any:
            stack = find(_value(parameters, "StackName"))
            first = _value(parameters, "ChangeSetType") in ("CREATE", "IMPORT")
            status = stack.get("StackStatus", "") if stack else ""
            if stack and status not in (UPDATABLE | {"REVIEW_IN_PROGRESS"} if first else UPDATABLE):
                return error("ValidationError", NOT_NOW.format(stack=stack["StackId"], status=status))
            return original(parameters)

        return update

    for action, wrap in (("CreateStack", created), ("UpdateStack", updated), ("CreateChangeSet", updated)):
        actions[action] = wrap(actions[action])
    replace_point(handlers, "_capabilities_enforced", lambda _: lambda: True)

    def threaded(original: Callable[[str], bool]) -> Callable[[str], bool]:
        return lambda kind: pacing.seconds("stack.resource") > 0 or original(kind)

    def provision(original: Callable[..., Any]) -> Callable[..., Any]:
        def create(kind: str, logical_id: str, properties: Any, *rest: Any) -> Any:
            name = properties.get("RoleName") if isinstance(properties, dict) else None
            if kind == "AWS::IAM::Role" and isinstance(name, str) and name in roles:
                raise ValueError(TAKEN.format(kind="Role", name=name, service="Iam"))
            _pause(pacing)
            return original(kind, logical_id, properties, *rest)

        return create

    def delete(original: Callable[..., Any]) -> Callable[..., Any]:
        def remove(kind: str, physical_id: str, *rest: Any) -> Any:
            _pause(pacing)
            if kind.startswith("AWS::DynamoDB::"):
                forbid_removal(physical_id)
            if kind == "AWS::ApiGateway::RestApi":
                _await_turn(turn)
            return original(kind, physical_id, *rest)

        return remove

    replace_point(stacks, "_runs_on_worker_thread", threaded)
    replace_point(stacks, "_provision_keeping_seed", provision)
    replace_point(stacks, "_delete_resource", delete)


def mend_stacks(stores: Any, stacks: Any, request_scope: Any) -> None:
    """After a restart nobody works on the stacks that were in progress: they have failed where they were, with what they had made
    by then on their record, so that deleting them leaves nothing."""
    add_event = point(stacks, "_add_event")
    for (account, region, name), stack in point(stores, "_stacks").all_items():
        status = INTERRUPTED.get(stack.get("StackStatus", ""))
        if status is not None:
            stack["StackStatus"], stack["StackStatusReason"] = status, STOPPED
            with request_scope(account, region):
                add_event(stack["StackId"], name, name, "AWS::CloudFormation::Stack", status, STOPPED, stack["StackId"])


def _value(parameters: Any, name: str) -> str:
    found = parameters.get(name, "")
    return str(found[0] if isinstance(found, list) and found else found)


def _await_turn(turn: Callable[[str], float]) -> None:
    """CloudFormation repeats a DeleteRestApi that came too fast until it is let through (docs/aws-behaviours.md, section 5)."""
    while (wait := turn("DeleteRestApi")) and threading.current_thread() is not threading.main_thread():
        time.sleep(wait)


def _pause(pacing: Pacing) -> None:
    """Take a resource's time, unless MiniStack works on the server's own thread (then nothing else could be answered)."""
    seconds = pacing.seconds("stack.resource")
    if seconds and threading.current_thread() is not threading.main_thread():
        time.sleep(seconds)
