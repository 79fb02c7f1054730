"""What a drill acts on: only stacks that carry the workshop's tag, with an API that a load can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workshop.aws.errors import AwsError
from workshop.aws.target import Target
from workshop.drill.commands import Commands
from workshop.drill.deployment import StackNames, find_deployment
from workshop.errors import WorkshopError

TARGET = Target("aws", Path("sites"))
NAMES = StackNames(
    "ours", "t", dict.fromkeys(("us-west-2", "eu-west-1"), "api-stack"), "ApiId", "api", ("us-west-2", "eu-west-1"),
    (("GET", "update/drill-r1/000001/1.000/ZHJpbGw"), ("GET", "get/drill-r1/000001")), "health",
)  # fmt: skip
PATHS = ("/update/{PK}/{SK}/{VAL}/{THUMB+}", "/get/{PK}/{SK}", "/health")


class Stacks:
    """CloudFormation and API Gateway with one stack in every region."""

    account = "0"

    def __init__(self, tag: str = "ours", *, exists: bool = True, functions: int = 2, paths: tuple[str, ...] = PATHS) -> None:
        self.tag, self.exists, self.functions, self.paths = tag, exists, functions, paths
        self.operations: list[str] = []

    async def call(self, service: str, region: str, operation: str, **given: Any) -> dict[str, Any]:
        self.operations.append(operation)
        if operation == "describe_stacks":
            return {"Stacks": [self._stack(service, region, operation, given["StackName"])]}
        if operation == "list_stack_resources":
            return {"StackResourceSummaries": self._resources()}
        method = {"GET": {"methodIntegration": {"uri": "u"}}}
        half = len(self.paths) // 2
        page = self.paths[half:] if given.get("position") else self.paths[:half]
        rows = [{"id": path, "path": path, "resourceMethods": method} for path in page] + [{"id": "/", "path": "/"}]
        return {"items": rows, **({} if given.get("position") else {"position": "2"})}

    def _stack(self, service: str, region: str, operation: str, name: str) -> dict[str, Any]:
        if not self.exists:
            raise AwsError("ValidationError", "Stack does not exist", service=service, operation=operation, region=region)
        return {
            "StackId": "arn:stack",
            "StackName": name,
            "StackStatus": "CREATE_COMPLETE",
            "Tags": [{"Key": "workshop", "Value": self.tag}],
            "Outputs": [{"OutputKey": "ApiId", "OutputValue": "abc"}],
        }

    def _resources(self) -> list[dict[str, str]]:
        kinds = [("AWS::Lambda::Function", f"fn{n}") for n in range(self.functions)] + [("AWS::IAM::Role", "role")]
        return [{"ResourceType": kind, "PhysicalResourceId": name, "ResourceStatus": "CREATE_COMPLETE"} for kind, name in kinds]


async def test_functions_api_and_address_come_from_the_stack_of_each_region() -> None:
    deployment = await find_deployment(Stacks(), TARGET, NAMES, Commands())
    assert deployment.regions == ("us-west-2", "eu-west-1")
    regional = deployment.in_region("eu-west-1")
    assert regional.functions == ("fn0", "fn1")
    assert regional.url == "https://abc.execute-api.eu-west-1.amazonaws.com/api/"
    assert regional.health is not None
    assert regional.health.resource == "/health"


async def test_a_region_without_a_deployment_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        (await find_deployment(Stacks(), TARGET, NAMES, Commands())).in_region("ap-south-1")


@pytest.mark.parametrize(
    ("stacks", "code"),
    [
        (Stacks("theirs"), "ForeignStack"),
        (Stacks(exists=False), "NoStack"),
        (Stacks(functions=0), "NoApi"),
        (Stacks(paths=PATHS[1:]), "NoRoute"),
    ],
)
async def test_a_stack_that_cannot_be_drilled_is_refused(stacks: Stacks, code: str) -> None:
    with pytest.raises(WorkshopError) as caught:
        await find_deployment(stacks, TARGET, NAMES, Commands())
    assert caught.value.code == code
    assert caught.value.fix


async def test_a_foreign_stack_is_not_looked_into() -> None:
    stacks = Stacks("theirs")
    with pytest.raises(WorkshopError):
        await find_deployment(stacks, TARGET, NAMES, Commands())
    assert stacks.operations == ["describe_stacks"]


async def test_one_region_has_nowhere_to_go() -> None:
    with pytest.raises(WorkshopError, match="one region"):
        await find_deployment(
            Stacks(), TARGET, StackNames("ours", "t", {"us-west-2": "s"}, "ApiId", "api", ("us-west-2",)), Commands()
        )
