"""Doors that lie the way AWS sometimes does, for what the local cloud has no fault rule for. Each wraps a real door."""

from __future__ import annotations

from typing import Any

from workshop.aws.door import Answer, Door

__all__ = ["TAKEN", "CreationFailed", "DeleteFailedOnce", "Mischief", "NeverProcessed", "RoleNotAssumable"]

TAKEN = "/torture/taken"
"""A log group that somebody else has."""


class Mischief:
    """A door that hands everything on."""

    def __init__(self, inner: Door) -> None:
        self.inner = inner

    @property
    def account(self) -> str:
        return self.inner.account

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Answer:
        return await self.inner.call(service, region, operation, **parameters)


class CreationFailed(Mischief):
    """The first replica fails and stays in the list as CREATION_FAILED until somebody removes it."""

    def __init__(self, inner: Door) -> None:
        super().__init__(inner)
        self.failed, self.asked = "", 0

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Answer:
        if operation == "update_table":
            (change,) = parameters["ReplicaUpdates"]
            if "Create" in change and not self.asked:
                self.asked, self.failed = 1, change["Create"]["RegionName"]
                return {}
            if "Delete" in change and self.failed:
                self.failed = ""
                return {}
        answer = await super().call(service, region, operation, **parameters)
        if operation == "describe_table" and self.failed and region != self.failed:
            answer["Table"]["Replicas"] = [{"RegionName": self.failed, "ReplicaStatus": "CREATION_FAILED"}]
        return answer


class NeverProcessed(Mischief):
    """BatchWriteItem takes nothing and says so."""

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Answer:
        if operation == "batch_write_item":
            return {"UnprocessedItems": parameters["RequestItems"]}
        return await super().call(service, region, operation, **parameters)


class RoleNotAssumable(Mischief):
    """The first stack fails and is rolled back, and its events give the reason that a new role has (section 4)."""

    def __init__(self, inner: Door) -> None:
        super().__init__(inner)
        self.stack = ""

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Answer:
        first = operation == "create_stack" and not self.stack
        if first:
            parameters["TemplateBody"] = parameters["TemplateBody"].replace("/aws/lambda/small-function", TAKEN)
        answer = await super().call(service, region, operation, **parameters)
        if first:
            self.stack = answer["StackId"]
        if operation == "describe_stack_events" and parameters["StackName"] == self.stack:
            for event in answer["StackEvents"]:
                if event["ResourceStatus"] == "CREATE_FAILED":
                    event["ResourceStatusReason"] = "The role defined for the function cannot be assumed by Lambda."
        return answer


class DeleteFailedOnce(Mischief):
    """The first deletion of a stack ends in DELETE_FAILED, as when DeleteRestApi is paced (section 5)."""

    def __init__(self, inner: Door) -> None:
        super().__init__(inner)
        self.failed: set[str] = set()
        self.let: set[str] = set()

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Answer:
        stack = str(parameters.get("StackName", ""))
        if operation == "delete_stack" and stack not in self.failed | self.let:
            self.failed.add(stack)
            return {}
        if operation == "delete_stack":
            self.failed.discard(stack)
            self.let.add(stack)
        answer = await super().call(service, region, operation, **parameters)
        if operation == "describe_stacks":
            for found in answer["Stacks"]:
                if found["StackId"] in self.failed:
                    found.update(StackStatus="DELETE_FAILED", StackStatusReason="Too Many Requests (Service: ApiGateway)")
        return answer
