"""CloudFormation stacks as the steps need them: described, their events read, their refusals distinguished.

In: an `AwsClient`, a region, a name or a stack id. Out: frozen descriptions. It decides nothing and waits for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError

__all__ = [
    "ChangeSet",
    "Event",
    "Stack",
    "deleted_stacks",
    "describe_change_set",
    "describe_stack",
    "events_since",
    "is_missing",
    "list_stacks",
    "logical_names",
    "retained_of",
    "root_cause",
    "stack_resources",
    "template_of",
]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as DescribeStacks describes it. `id` is the ARN, which stays valid after the stack is gone."""

    id: str
    name: str
    status: str
    reason: str
    tags: Mapping[str, str]
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    protected: bool
    created: str = ""
    """When it was created, ISO 8601 in UTC."""

    @property
    def settled(self) -> bool:
        """No operation is under way."""
        return not self.status.endswith("_IN_PROGRESS") or self.status == "REVIEW_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one resource of a stack."""

    id: str
    resource: str
    type: str
    status: str
    reason: str
    physical: str


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set's state: `changes` counts what it would do."""

    status: str
    reason: str
    execution: str
    changes: int

    @property
    def empty(self) -> bool:
        """AWS has two texts for a change set without changes, and calls both a failure (section 3.1)."""
        reason = self.reason.lower()
        return self.status == "FAILED" and ("didn't contain changes" in reason or "no updates are to be performed" in reason)


async def describe_stack(aws: AwsClient, region: str, name: str) -> Stack | None:
    """The stack by name or id, or None when there is none."""
    try:
        response = await aws.call("cloudformation", region, "describe_stacks", StackName=name)
    except AwsError as error:
        if is_missing(error):
            return None
        raise
    stacks = response.get("Stacks", [])
    return _stack(stacks[0]) if stacks else None


async def list_stacks(aws: AwsClient, region: str) -> list[Stack]:
    """All stacks of a region that are not deleted."""
    found: list[Stack] = []
    page: dict[str, str] = {}
    while True:
        response = await aws.call("cloudformation", region, "describe_stacks", **page)
        found += [_stack(stack) for stack in response.get("Stacks", [])]
        if not response.get("NextToken"):
            return found
        page = {"NextToken": response["NextToken"]}


async def deleted_stacks(aws: AwsClient, region: str, name: str) -> list[str]:
    """The ids of the stacks of that name that were deleted in the last 90 days (docs/aws-behaviours.md, section 3.1)."""
    found: list[str] = []
    page: dict[str, str] = {}
    while True:
        response = await aws.call("cloudformation", region, "list_stacks", StackStatusFilter=["DELETE_COMPLETE"], **page)
        found += [stack["StackId"] for stack in response.get("StackSummaries", []) if stack["StackName"] == name]
        if not response.get("NextToken"):
            return found
        page = {"NextToken": response["NextToken"]}


async def events_since(aws: AwsClient, region: str, stack: str, seen: str) -> list[Event]:
    """The events after the one with id `seen` (empty: all), oldest first. The API returns the newest first."""
    found: list[Event] = []
    page: dict[str, str] = {}
    while True:
        response = await aws.call("cloudformation", region, "describe_stack_events", StackName=stack, **page)
        for event in response.get("StackEvents", []):
            if event["EventId"] == seen:
                return found[::-1]
            found.append(_event(event))
        if not response.get("NextToken"):
            return found[::-1]
        page = {"NextToken": response["NextToken"]}


def root_cause(events: list[Event], stack: Stack) -> Event | None:
    """The first thing that really failed: the earliest *_FAILED event that is neither an echo nor the stack's own row."""
    for event in events:
        own = event.type == "AWS::CloudFormation::Stack" and event.physical == stack.id
        if event.status.endswith("_FAILED") and not own and "cancelled" not in event.reason.lower():
            return event
    return None


async def describe_change_set(aws: AwsClient, region: str, stack: str, name: str) -> ChangeSet:
    """The state of one change set."""
    response = await aws.call("cloudformation", region, "describe_change_set", StackName=stack, ChangeSetName=name)
    return ChangeSet(
        response.get("Status", ""),
        response.get("StatusReason", ""),
        response.get("ExecutionStatus", ""),
        len(response.get("Changes", [])),
    )


async def template_of(aws: AwsClient, region: str, stack: str) -> str:
    """The template that a stack was made from: YAML as it was sent, JSON in json.dumps' form, because botocore parses it."""
    response = await aws.call("cloudformation", region, "get_template", StackName=stack, TemplateStage="Original")
    body = response.get("TemplateBody", "")
    return body if isinstance(body, str) else json.dumps(body)


async def stack_resources(aws: AwsClient, region: str, stack: str) -> list[tuple[str, str, str]]:
    """What a stack holds: `(type, physical id, status)`; for a deleted stack, by id, what was kept."""
    found: list[tuple[str, str, str]] = []
    page: dict[str, str] = {}
    while True:
        response = await aws.call("cloudformation", region, "list_stack_resources", StackName=stack, **page)
        found += [
            (r["ResourceType"], r.get("PhysicalResourceId", ""), r["ResourceStatus"])
            for r in response.get("StackResourceSummaries", [])
        ]
        if not response.get("NextToken"):
            return found
        page = {"NextToken": response["NextToken"]}


async def retained_of(aws: AwsClient, region: str, stack: str) -> list[tuple[str, str]]:
    """What a deleted stack, by id, left behind: `(type, physical id)`, each once.

    The listing has what it held last; the events also show what an earlier update replaced and kept
    (docs/aws-behaviours.md, section 9).
    """
    listed = await stack_resources(aws, region, stack)
    last = {(kind, name): status for kind, name, status in listed if name}
    for event in await events_since(aws, region, stack, ""):
        if event.physical and event.physical != stack and event.status.startswith("DELETE_"):
            last[event.type, event.physical] = event.status
    # What failed to be created never existed.
    return sorted(each for each, status in last.items() if status not in ("DELETE_COMPLETE", "CREATE_FAILED"))


async def logical_names(aws: AwsClient, region: str, stack: str) -> dict[tuple[str, str], str]:
    """The name in its template of everything that a stack, by id, ever held, by type and physical id."""
    events = await events_since(aws, region, stack, "")
    return {(event.type, event.physical): event.resource for event in events if event.physical}


def is_missing(error: AwsError) -> bool:
    """Whether CloudFormation means that there is no such stack: a ValidationError like many others (section 3.1)."""
    return error.code == "ValidationError" and error.mentions("does not exist")


def _stack(found: Mapping[str, Any]) -> Stack:
    created = found.get("CreationTime")
    return Stack(
        id=found["StackId"],
        name=found["StackName"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        outputs={o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])},
        parameters={p["ParameterKey"]: p.get("ParameterValue", "") for p in found.get("Parameters", [])},
        protected=bool(found.get("EnableTerminationProtection")),
        created=created.astimezone(UTC).isoformat(timespec="seconds") if isinstance(created, datetime) else "",
    )


def _event(found: Mapping[str, Any]) -> Event:
    return Event(
        id=found["EventId"],
        resource=found.get("LogicalResourceId", ""),
        type=found.get("ResourceType", ""),
        status=found.get("ResourceStatus", ""),
        reason=found.get("ResourceStatusReason", ""),
        physical=found.get("PhysicalResourceId", ""),
    )
