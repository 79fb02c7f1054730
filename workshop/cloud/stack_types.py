"""Types of resources that stacks can have: adding them to MiniStack's CloudFormation, and replacing how one is handled.

In: a type and its functions. Out: MiniStack's tables of types with it, each checked when the cloud starts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners, stacks

from workshop.cloud.patches import patch_around, require_attribute

__all__ = [
    "failed",
    "forget_beginning",
    "handled",
    "is_being_deleted",
    "note_beginning",
    "register",
    "tags_of",
    "work_in_threads",
]

Attributes = dict[str, Any]
HANDLER = 'Resource handler returned message: "{text}" (RequestToken: {token}, HandlerErrorCode: {code})'
TOKEN = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - AWS's word for the id of a request


def register(
    kind: str,
    *,
    create: Callable[[str, Attributes, str], tuple[str, Attributes]] | None = None,
    update: Callable[[str, Attributes, Attributes, str, str | None], tuple[str, Attributes]] | None = None,
    delete: Callable[[str, Attributes], None] | None = None,
    tags: str = "",
) -> None:
    """Handle a type with these functions; what is left out stays as it is. `tags` is the property that takes the stack's tags.

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


def handled(kind: str, action: str) -> Callable[..., Any]:
    """MiniStack's own function for an action on a type."""
    found: Callable[..., Any] = require_attribute(provisioners, "_RESOURCE_HANDLERS")[kind][action]
    return found


def work_in_threads(kinds: Collection[str]) -> None:
    """Handle these types in worker threads in every profile, because they wait for something that the server does meanwhile."""

    def runs_on_worker_thread(original: Callable[[str], bool], kind: str) -> bool:
        return kind in kinds or original(kind)

    patch_around(stacks, "_runs_on_worker_thread", runs_on_worker_thread)


def note_beginning(stack: str, logical_id: str, kind: str, physical_id: str, properties: Attributes) -> None:
    """Put a resource on its stack's record while it is still being created, so that a stack that is deleted or interrupted
    meanwhile has it."""
    resources = _resources(stack)
    if logical_id not in resources:
        resources[logical_id] = {
            "PhysicalResourceId": physical_id,
            "ResourceType": kind,
            "ResourceStatus": "CREATE_IN_PROGRESS",
            "LogicalResourceId": logical_id,
            "Properties": properties,
            "Attributes": {},
            "Timestamp": now_iso(),
        }


def forget_beginning(stack: str, logical_id: str) -> None:
    """Take a resource off the record whose creation failed, and which is gone again."""
    resources = _resources(stack)
    if resources.get(logical_id, {}).get("ResourceStatus") == "CREATE_IN_PROGRESS":
        resources.pop(logical_id, None)


def _resources(stack: str) -> dict[str, Any]:
    found: dict[str, Any] = (require_attribute(cloudformation, "_stacks").get(stack) or {}).setdefault("_resources", {})
    return found


def is_being_deleted(stack: str) -> bool:
    """Whether a stack is deleted while something still works on it."""
    found = require_attribute(cloudformation, "_stacks").get(stack) or {}
    return str(found.get("StackStatus", "DELETE_COMPLETE")).startswith("DELETE_")


def failed(service: str, message: str, *, status: int = 400, code: str = "InvalidRequest") -> ValueError:
    """The failure of a resource whose service refused a call, in CloudFormation's words."""
    text = f"{message} (Service: {service}, Status Code: {status}, Request ID: {TOKEN})"
    return ValueError(HANDLER.format(text=text, token=TOKEN, code=code))


def tags_of(properties: Mapping[str, Any], name: str = "Tags") -> dict[str, str]:
    """A property's tags by their keys."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in properties.get(name) or () if isinstance(tag, Mapping)}
