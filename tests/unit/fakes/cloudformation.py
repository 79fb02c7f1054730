"""CloudFormation in virtual time: stacks, events and change sets, as `docs/aws-behaviours.md`, section 3, tells it.

It reads no template: a stack holds one function named `Handler` and outputs `ApiId`, and the knobs say what fails.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tests.unit.fakes.agenda import Agenda
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.errors import AwsError

__all__ = ["FakeCloudFormation", "FakeStack"]

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
STACK = "AWS::CloudFormation::Stack"


@dataclass
class FakeStack:
    """One stack; `shown` is what DescribeStacks answers, which may lag behind."""

    id: str
    name: str
    region: str
    status: str
    template: str = "{}"
    tags: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    protected: bool = False
    events: list[dict[str, str]] = field(default_factory=list)
    change_sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    retains: list[tuple[str, str]] = field(default_factory=list)
    """(type, physical id) of what its deletion skips."""


class FakeCloudFormation:
    """The stacks of one account in all regions."""

    def __init__(self, clock: VirtualClock, account: str) -> None:
        self._clock, self._account, self._agenda = clock, account, Agenda(clock)
        self._numbers = itertools.count(1)
        self.stacks: list[FakeStack] = []
        self.seconds = 60.0
        """How long an operation takes."""
        self.starts_late = 0.0
        """Seconds for which a stack still shows its old state after an operation was accepted."""
        self.create_fails: list[tuple[str, str, str]] = []
        """(logical id, type, reason) of what fails in the next creation, in order; it is then rolled back."""
        self.update_fails = ""
        """The reason why the next update is rolled back."""
        self.rollback_fails = 0
        self.deletes_fail = 0
        """How many deletions end in DELETE_FAILED."""
        self.delete_failure = ("Api", "AWS::ApiGateway::RestApi", "Too Many Requests")
        """(logical id, type, reason) of what keeps them from ending well."""
        self.change_set_refused = ""

    def put(self, region: str, name: str, status: str, **more: Any) -> FakeStack:
        """A stack that stands already."""
        stack = FakeStack(self._id(region, name), name, region, status, **more)
        self.stacks.append(stack)
        return stack

    def note(self, stack: FakeStack, logical: str, kind: str, status: str) -> None:
        """An event of a resource that this fake does not have."""
        self._event(stack, logical, kind, status)

    def find(self, region: str, name: str) -> FakeStack | None:
        """The stack of that name or id as it is now; a deleted one by its id only."""
        self._agenda.catch_up()
        for stack in self.stacks:
            if stack.region == region and (stack.id == name or (stack.name == name and stack.status != "DELETE_COMPLETE")):
                return stack
        return None

    # The operations, under their botocore names.

    def describe_stacks(self, region: str, StackName: str = "", NextToken: str = "") -> dict[str, Any]:
        if not StackName:
            self._agenda.catch_up()
            mine = [s for s in self.stacks if s.region == region and s.status != "DELETE_COMPLETE"]
            start = int(NextToken or 0)
            more = {"NextToken": str(start + 1)} if start + 1 < len(mine) else {}
            return {"Stacks": [self._described(s) for s in mine[start : start + 1]], **more}
        return {"Stacks": [self._described(self._stack(region, StackName, "DescribeStacks"))]}

    def create_stack(
        self, region: str, StackName: str, TemplateBody: str, Tags: list[dict[str, str]], **rest: Any
    ) -> dict[str, Any]:
        if self.find(region, StackName) is not None:
            _refuse("AlreadyExistsException", f"Stack [{StackName}] already exists", "CreateStack", region)
        stack = self.put(region, StackName, "CREATE_IN_PROGRESS", template=TemplateBody, tags=_pairs(Tags, "Key", "Value"))
        stack.parameters = _pairs(rest["Parameters"], "ParameterKey", "ParameterValue")
        self._row(stack, "CREATE_IN_PROGRESS")
        failures, self.create_fails = self.create_fails, []
        if failures:
            self._agenda.after(self.seconds / 2, lambda: self._roll_back(stack, failures))
            self._agenda.after(self.seconds, lambda: self._end(stack, "ROLLBACK_COMPLETE"))
        else:
            self._agenda.after(
                self.seconds / 2, lambda: self._event(stack, "Handler", "AWS::Lambda::Function", "CREATE_COMPLETE")
            )
            self._agenda.after(self.seconds, lambda: self._end(stack, "CREATE_COMPLETE"))
        return {"StackId": stack.id}

    def create_change_set(
        self, region: str, StackName: str, ChangeSetName: str, TemplateBody: str, **rest: Any
    ) -> dict[str, Any]:
        stack = self._stack(region, StackName, "CreateChangeSet")
        if stack.status in ("ROLLBACK_COMPLETE", "CREATE_FAILED") or stack.status.endswith("IN_PROGRESS"):
            message = f"Stack:{stack.id} is in {stack.status} state and can not be updated."
            _refuse("ValidationError", message, "CreateChangeSet", region)
        parameters = _pairs(rest["Parameters"], "ParameterKey", "ParameterValue")
        made: dict[str, Any] = {"Status": "CREATE_PENDING", "template": TemplateBody, "parameters": parameters}
        made["tags"] = _pairs(rest["Tags"], "Key", "Value")
        stack.change_sets[ChangeSetName] = made
        same = _meaning(TemplateBody) == _meaning(stack.template) and parameters == stack.parameters
        same = same and made["tags"] == stack.tags
        reason = self.change_set_refused or (NO_CHANGES if same else "")
        self.change_set_refused = ""
        done = {"Status": "FAILED", "StatusReason": reason} if reason else {"Status": "CREATE_COMPLETE"}
        self._agenda.after(3, lambda: made.update(done))
        return {"Id": ChangeSetName}

    def describe_change_set(self, region: str, StackName: str, ChangeSetName: str) -> dict[str, Any]:
        stack = self._stack(region, StackName, "DescribeChangeSet")
        return {k: v for k, v in stack.change_sets[ChangeSetName].items() if k[0].isupper()}

    def delete_change_set(self, region: str, StackName: str, ChangeSetName: str) -> dict[str, Any]:
        del self._stack(region, StackName, "DeleteChangeSet").change_sets[ChangeSetName]
        return {}

    def execute_change_set(self, region: str, StackName: str, ChangeSetName: str, DisableRollback: bool) -> dict[str, Any]:
        assert DisableRollback is False
        stack = self._stack(region, StackName, "ExecuteChangeSet")
        made = stack.change_sets.pop(ChangeSetName)

        def start() -> None:
            stack.status = "UPDATE_IN_PROGRESS"
            self._row(stack, "UPDATE_IN_PROGRESS")

        self._later(start)
        if self.update_fails:
            reason, self.update_fails = self.update_fails, ""
            self._agenda.after(self.seconds / 2, lambda: self._undo_update(stack, reason))
        else:
            self._agenda.after(self.seconds, lambda: self._updated(stack, made))
        return {}

    def continue_update_rollback(self, region: str, StackName: str) -> dict[str, Any]:
        stack = self._stack(region, StackName, "ContinueUpdateRollback")
        self._later(lambda: self._end(stack, "UPDATE_ROLLBACK_IN_PROGRESS"))
        self.rollback_fails -= 1
        end = "UPDATE_ROLLBACK_FAILED" if self.rollback_fails >= 0 else "UPDATE_ROLLBACK_COMPLETE"
        self._agenda.after(self.seconds, lambda: self._end(stack, end))
        return {}

    def delete_stack(self, region: str, StackName: str) -> dict[str, Any]:
        stack = self.find(region, StackName)
        if stack is None or stack.status == "DELETE_COMPLETE":
            return {}
        if stack.protected:
            message = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            _refuse("ValidationError", message, "DeleteStack", region)

        def start() -> None:
            stack.status = "DELETE_IN_PROGRESS"
            self._row(stack, "DELETE_IN_PROGRESS")

        self._later(start)
        self.deletes_fail -= 1
        if self.deletes_fail >= 0:
            self._agenda.after(self.seconds, lambda: self._fail_delete(stack))
        else:
            self._agenda.after(self.seconds, lambda: self._deleted(stack))
        return {}

    def list_stacks(self, region: str, StackStatusFilter: list[str], NextToken: str = "") -> dict[str, Any]:
        self._agenda.catch_up()
        mine = [s for s in self.stacks if s.region == region and s.status in StackStatusFilter]
        start = int(NextToken or 0)
        more = {"NextToken": str(start + 1)} if start + 1 < len(mine) else {}
        return {"StackSummaries": [{"StackId": s.id, "StackName": s.name} for s in mine[start : start + 1]], **more}

    def describe_stack_events(self, region: str, StackName: str, NextToken: str = "") -> dict[str, Any]:
        stack = self._stack(region, StackName, "DescribeStackEvents")
        newest, start = stack.events[::-1], int(NextToken or 0)
        more = {"NextToken": str(start + 2)} if start + 2 < len(newest) else {}
        return {"StackEvents": newest[start : start + 2], **more}

    def get_template(self, region: str, StackName: str, TemplateStage: str) -> dict[str, Any]:
        body = self._stack(region, StackName, "GetTemplate").template
        return {"TemplateBody": json.loads(body) if body.startswith("{") else body}  # as botocore does

    def list_stack_resources(self, region: str, StackName: str, NextToken: str = "") -> dict[str, Any]:
        rows = [e for e in self._stack(region, StackName, "ListStackResources").events if e["ResourceType"] != STACK]
        return {"StackResourceSummaries": rows}

    # What goes on behind them.

    def _later(self, start: Any) -> None:
        if self.starts_late:
            self._agenda.after(self.starts_late, start)
        else:
            start()

    def _roll_back(self, stack: FakeStack, failures: list[tuple[str, str, str]]) -> None:
        for logical, kind, reason in failures:
            self._event(stack, logical, kind, "CREATE_FAILED", reason)
        stack.status = "ROLLBACK_IN_PROGRESS"
        self._row(stack, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create.")

    def _undo_update(self, stack: FakeStack, reason: str) -> None:
        self._event(stack, "Handler", "AWS::Lambda::Function", "UPDATE_FAILED", reason)
        stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        self._row(stack, "UPDATE_ROLLBACK_IN_PROGRESS")
        self._agenda.after(self.seconds / 2, lambda: self._end(stack, "UPDATE_ROLLBACK_COMPLETE"))

    def _updated(self, stack: FakeStack, made: dict[str, Any]) -> None:
        stack.template, stack.parameters, stack.tags = made["template"], made["parameters"], made["tags"]
        self._end(stack, "UPDATE_COMPLETE")

    def _fail_delete(self, stack: FakeStack) -> None:
        logical, kind, reason = self.delete_failure
        self._event(stack, logical, kind, "DELETE_FAILED", reason)
        self._end(stack, "DELETE_FAILED")

    def _deleted(self, stack: FakeStack) -> None:
        made = {e["LogicalResourceId"]: e["ResourceType"] for e in stack.events if e["ResourceType"] != STACK}
        for logical, kind in made.items():
            self._event(stack, logical, kind, "DELETE_COMPLETE")
        for kind, physical in stack.retains:
            self._event(stack, physical, kind, "DELETE_SKIPPED", physical=physical)
        self._end(stack, "DELETE_COMPLETE")

    def _end(self, stack: FakeStack, status: str) -> None:
        stack.status = status
        self._row(stack, status)

    def _row(self, stack: FakeStack, status: str, reason: str = "") -> None:
        self._event(stack, stack.name, STACK, status, reason, physical=stack.id)

    def _event(self, stack: FakeStack, logical: str, kind: str, status: str, reason: str = "", physical: str = "") -> None:
        stack.events.append(
            {
                "EventId": f"event-{next(self._numbers)}",
                "LogicalResourceId": logical,
                "PhysicalResourceId": physical or f"{stack.name}-{logical}",
                "ResourceType": kind,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }
        )

    def _described(self, stack: FakeStack) -> dict[str, Any]:
        return {
            "StackId": stack.id,
            "StackName": stack.name,
            "StackStatus": stack.status,
            "Tags": [{"Key": k, "Value": v} for k, v in stack.tags.items()],
            "Outputs": [{"OutputKey": "ApiId", "OutputValue": f"api{stack.region.replace('-', '')}"}],
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in stack.parameters.items()],
            "EnableTerminationProtection": stack.protected,
        }

    def _stack(self, region: str, name: str, operation: str) -> FakeStack:
        stack = self.find(region, name)
        if stack is None:
            _refuse("ValidationError", f"Stack with id {name} does not exist", operation, region)
        return stack

    def _id(self, region: str, name: str) -> str:
        return f"arn:aws:cloudformation:{region}:{self._account}:stack/{name}/{next(self._numbers):08x}"


def _meaning(template: str) -> list[str]:
    """A template without its comments: they are no change."""
    return [line for line in template.splitlines() if not line.lstrip().startswith("#") and line.strip()]


def _pairs(rows: list[dict[str, str]], key: str, value: str) -> dict[str, str]:
    return {row[key]: row[value] for row in rows}


def _refuse(code: str, message: str, operation: str, region: str) -> NoReturn:
    raise AwsError(code, message, service="cloudformation", operation=operation, region=region, status=400)
