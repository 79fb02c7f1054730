"""Where a drill may take place: only in stacks that carry the workshop's tag, with an API that a load can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workshop.aws.errors import AwsError
from workshop.aws.target import Target
from workshop.drill.scene import Stage, find_scene
from workshop.errors import WorkshopError

TARGET = Target("aws", Path("sites"))
STAGE = Stage("ours", "t", "api-stack", "ApiId", "api", ("us-west-2", "eu-west-1"))
PATHS = ("/update/{PK}/{SK}/{VAL}/{THUMB+}", "/get/{PK}/{SK}", "/health")


class Stacks:
    """CloudFormation and API Gateway with one stack in every region."""

    account = "0"

    def __init__(self, tag: str = "ours", *, stands: bool = True, functions: int = 2, paths: tuple[str, ...] = PATHS) -> None:
        self.tag, self.stands, self.functions, self.paths = tag, stands, functions, paths
        self.asked: list[str] = []

    async def call(self, service: str, region: str, operation: str, **given: Any) -> dict[str, Any]:
        self.asked.append(operation)
        if operation == "describe_stacks":
            if not self.stands:
                raise AwsError("ValidationError", "Stack does not exist", service=service, operation=operation, region=region)
            return {"Stacks": [{
                "StackId": "arn:stack", "StackName": given["StackName"], "StackStatus": "CREATE_COMPLETE",
                "Tags": [{"Key": "workshop", "Value": self.tag}], "Outputs": [{"OutputKey": "ApiId", "OutputValue": "abc"}],
            }]}  # fmt: skip
        if operation == "list_stack_resources":
            kinds = [("AWS::Lambda::Function", f"fn{n}") for n in range(self.functions)] + [("AWS::IAM::Role", "role")]
            rows = [
                {"ResourceType": kind, "PhysicalResourceId": name, "ResourceStatus": "CREATE_COMPLETE"} for kind, name in kinds
            ]
            return {"StackResourceSummaries": rows}
        method = {"GET": {"methodIntegration": {"uri": "u"}}}
        half = len(self.paths) // 2
        page = self.paths[half:] if given.get("position") else self.paths[:half]
        rows = [{"id": path, "path": path, "resourceMethods": method} for path in page] + [{"id": "/", "path": "/"}]
        return {"items": rows, **({} if given.get("position") else {"position": "2"})}


async def test_functions_api_and_address_come_from_the_stack_of_each_region():
    scene = await find_scene(Stacks(), TARGET, STAGE)
    assert scene.regions == ("us-west-2", "eu-west-1")
    place = scene.place("eu-west-1")
    assert place.functions == ("fn0", "fn1")
    assert place.url == "https://abc.execute-api.eu-west-1.amazonaws.com/api/"
    assert place.health is not None and place.health.resource == "/health"


@pytest.mark.parametrize(
    ("stacks", "code"),
    [
        (Stacks("somebody-elses"), "ForeignStack"),
        (Stacks(stands=False), "NoStack"),
        (Stacks(functions=0), "NoApi"),
        (Stacks(paths=PATHS[1:]), "NoRoute"),
    ],
)
async def test_a_stack_that_is_not_fit_is_refused(stacks: Stacks, code: str):
    with pytest.raises(WorkshopError) as caught:
        await find_scene(stacks, TARGET, STAGE)
    assert caught.value.code == code and caught.value.fix


async def test_a_stack_that_is_not_ours_is_not_even_looked_into():
    stacks = Stacks("somebody-elses")
    with pytest.raises(WorkshopError):
        await find_scene(stacks, TARGET, STAGE)
    assert stacks.asked == ["describe_stacks"]


async def test_one_region_has_nowhere_to_go():
    with pytest.raises(WorkshopError, match="one region"):
        await find_scene(Stacks(), TARGET, Stage("ours", "t", "s", "ApiId", "api", ("us-west-2",)))
