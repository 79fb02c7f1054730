"""Doors that lie the way AWS sometimes does, for what the local cloud has no fault rule for. Each wraps a real client."""

from __future__ import annotations

from typing import Any

from workshop.aws.client import AwsClient, AwsResponse

__all__ = ["CreationFailed", "DeleteFailedOnce", "FaultyClient", "NeverProcessed", "RoleNotAssumable", "RolledBack"]


class FaultyClient:
    """A client that hands everything on."""

    title = ""
    """What it does, in the words of a table."""

    def __init__(self, inner: AwsClient) -> None:
        self.inner = inner

    @property
    def account(self) -> str:
        return self.inner.account

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> AwsResponse:
        return await self.inner.call(service, region, operation, **parameters)


class CreationFailed(FaultyClient):
    """The first replica fails and stays in the list as CREATION_FAILED until somebody removes it."""

    title = "a replica is CREATION_FAILED"

    def __init__(self, inner: AwsClient) -> None:
        super().__init__(inner)
        self.failed, self.asked = "", 0

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> AwsResponse:
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


class NeverProcessed(FaultyClient):
    """BatchWriteItem takes nothing and says so."""

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> AwsResponse:
        if operation == "batch_write_item":
            return {"UnprocessedItems": parameters["RequestItems"]}
        return await super().call(service, region, operation, **parameters)


API = "Value: !Ref Api"
"""The output of a stack that has an API."""


class RolledBack(FaultyClient):
    """The first stack of an API fails and is rolled back."""

    reason = ""

    def __init__(self, inner: AwsClient) -> None:
        super().__init__(inner)
        self.stack = ""

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> AwsResponse:
        first = operation == "create_stack" and not self.stack and API in parameters["TemplateBody"]
        if first:
            self.stack = "asked for"
            parameters["TemplateBody"] = parameters["TemplateBody"].replace(API, "Value: !GetAtt LogGroup.Nothing")
        answer = await super().call(service, region, operation, **parameters)
        if first:
            self.stack = answer["StackId"]
        if operation == "describe_stack_events" and parameters["StackName"] == self.stack and self.reason:
            answer["StackEvents"].insert(1, {
                "EventId": "assumed", "StackId": self.stack, "LogicalResourceId": "Function", "PhysicalResourceId": "",
                "ResourceType": "AWS::Lambda::Function", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": self.reason,
            })  # fmt: skip
        return answer


class RoleNotAssumable(RolledBack):
    """The same, for the reason that a new role has for some seconds (section 4)."""

    title = "a role that Lambda cannot assume yet"
    reason = "The role defined for the function cannot be assumed by Lambda."


class DeleteFailedOnce(FaultyClient):
    """The first deletion of a stack ends in DELETE_FAILED, as when DeleteRestApi is paced (section 5)."""

    title = "DELETE_FAILED: DeleteRestApi is paced"

    def __init__(self, inner: AwsClient) -> None:
        super().__init__(inner)
        self.failed: set[str] = set()
        self.let: set[str] = set()

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> AwsResponse:
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
