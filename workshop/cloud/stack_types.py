"""Types of resources that stacks can have: adding them to MiniStack's CloudFormation, and waiting in them.

In: a type and its functions. Out: MiniStack's tables of types with it, each checked when the cloud starts; the record of a
resource that is still being created; waits of a stack's worker thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners, stacks

from workshop.cloud.patches import patch_around, require_attribute

__all__ = [
    "Properties",
    "StackWaitEnded",
    "StackWaits",
    "beginning",
    "failed",
    "handled",
    "is_being_deleted",
    "register",
    "tags_of",
]

Properties = dict[str, Any]
LOOK = 0.05
"""Seconds between two looks of a wait: reading a record of this process costs next to nothing."""
TOKEN = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - AWS's word for the id of a request


class StackWaitEnded(Exception):
    """The wait is over although its condition does not hold."""


class StackWaits:
    """Waits for what takes its time: a certificate, a replica, a distribution. One per cloud; `end` ends every wait."""

    def __init__(self) -> None:
        self._ending = threading.Event()

    def until(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds. Must not be called on the server's own thread: nothing else would be served.

        Raises `StackWaitEnded` when the cloud ends, and whatever the condition raises.
        """
        if threading.current_thread() is threading.main_thread():
            raise AssertionError("the server's own thread must not wait")
        while not condition():
            if self._ending.wait(LOOK):
                raise StackWaitEnded("The local cloud was stopped while this was in progress.")

    def end(self) -> None:
        self._ending.set()


def register(
    kind: str,
    *,
    create: Callable[[str, Properties, str], tuple[str, Properties]] | None = None,
    update: Callable[[str, Properties, Properties, str, str | None], tuple[str, Properties]] | None = None,
    delete: Callable[[str, Properties], None] | None = None,
    tags: str = "",
    waits: bool = False,
) -> None:
    """Handle a type with these functions; what is left out stays as it is. `tags` is the property that takes the stack's tags;
    types that wait are handled in worker threads in every profile.

    `create` gets logical id, properties and stack; `update` physical id, old and new properties, stack and logical id; `delete`
    physical id and properties. An update that returns another physical id is a replacement.
    """
    require_attribute(cloudformation, "_stacks")
    handlers = require_attribute(provisioners, "_RESOURCE_HANDLERS")
    new: dict[str, Any] = dict(handlers.get(kind, {}))
    if create is not None:
        new["create"] = create
    if update is not None:
        new.update(update=update, update_with_logical_id=True)
    if delete is not None:
        new["delete"] = delete
        new.pop("delete_with_logical_id", None)
    handlers[kind] = new
    if tags:
        require_attribute(provisioners, "_STACK_TAG_PROPERTY")[kind] = (tags, "list")
    if waits:
        patch_around(stacks, "_runs_on_worker_thread", lambda original, each: each == kind or original(each))


def handled(kind: str, action: str) -> Callable[..., Any]:
    """MiniStack's own function for an action on a type."""
    found: Callable[..., Any] = require_attribute(provisioners, "_RESOURCE_HANDLERS")[kind][action]
    return found


@contextlib.contextmanager
def beginning(
    stack: str, logical_id: str, kind: str, physical_id: str, properties: Properties, *, undo: Callable[[], object]
) -> Iterator[None]:
    """Within it a resource that is still being created is on its stack's record, so that a stack that is deleted or interrupted
    meanwhile has it. If its creation fails, `undo` takes it away, and it leaves the record."""
    found = require_attribute(cloudformation, "_stacks").get(stack) or {}
    resources: dict[str, Any] = found.setdefault("_resources", {})
    row = {"ResourceType": kind, "ResourceStatus": "CREATE_IN_PROGRESS", "LogicalResourceId": logical_id, "Timestamp": now_iso()}
    resources.setdefault(logical_id, {**row, "PhysicalResourceId": physical_id, "Properties": properties, "Attributes": {}})
    try:
        yield
    except Exception:
        undo()
        if resources.get(logical_id, {}).get("ResourceStatus") == "CREATE_IN_PROGRESS":
            resources.pop(logical_id, None)
        raise


def is_being_deleted(stack: str) -> bool:
    """Whether a stack is deleted while something still works on it."""
    found = require_attribute(cloudformation, "_stacks").get(stack) or {}
    return str(found.get("StackStatus", "DELETE_COMPLETE")).startswith("DELETE_")


def failed(service: str, message: str, *, status: int = 400, code: str = "InvalidRequest") -> ValueError:
    """The failure of a resource whose service refused a call, in CloudFormation's words."""
    text = f"{message} (Service: {service}, Status Code: {status}, Request ID: {TOKEN})"
    return ValueError(f'Resource handler returned message: "{text}" (RequestToken: {TOKEN}, HandlerErrorCode: {code})')


def tags_of(properties: Mapping[str, Any], name: str = "Tags") -> dict[str, str]:
    """A property's tags by their keys."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in properties.get(name) or () if isinstance(tag, Mapping)}
