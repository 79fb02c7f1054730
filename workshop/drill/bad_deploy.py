"""The fault `bad-deploy`: the health route is pointed to another function of the same stack and deployed.

A deployment is a snapshot, so the change takes effect with a new deployment and is taken back by pointing the stage at the one
before (docs/aws-behaviours.md, section 5).
"""

from __future__ import annotations

import contextlib

from pydantic import BaseModel

from workshop.aws.errors import AwsError
from workshop.drill.fault import Fault, Means, refusal
from workshop.drill.scene import Place, Scene
from workshop.errors import WorkshopError

__all__ = ["BadDeploy"]

LABEL = "workshop drill: bad-deploy"
"""The description of the deployment that the fault makes, by which it is found again."""


class Memory(BaseModel):
    """The health route's integration and the stage's deployment before the drill, and the wrong integration."""

    api: str
    stage: str
    deployment: str
    resource: str
    uri: str
    wrong: str
    functions: tuple[str, str]
    """The right one and the wrong one."""


class BadDeploy(Fault):
    """The mistake that a health route exists to catch."""

    name = "bad-deploy"
    summary = "the health route is deployed with another function behind it"

    async def remember(self, means: Means, scene: Scene, place: Place) -> str:  # noqa: ARG002
        if place.health is None:
            raise refusal(
                self.name, place.region, "This workshop's API has no route /health.", "Use the fault throttle: workshop drill run"
            )
        right = next((name for name in place.functions if f":function:{name}/" in place.health.uri), "")
        others = [name for name in place.functions if name != right]
        if not right or not others:
            raise refusal(
                self.name, place.region, "Its stack has no second function that the health route could be pointed to by mistake.",
                "Use the fault throttle: workshop drill run",
            )  # fmt: skip
        stage = await means.aws.call("apigateway", place.region, "get_stage", restApiId=place.api, stageName=place.stage)
        wrong = place.health.uri.replace(f":function:{right}/", f":function:{others[0]}/")
        return Memory(
            api=place.api, stage=place.stage, deployment=stage["deploymentId"], resource=place.health.resource,
            uri=place.health.uri, wrong=wrong, functions=(right, others[0]),
        ).model_dump_json()  # fmt: skip

    def plan(self, place: Place, memory: str) -> str:
        right, wrong = Memory.model_validate_json(memory).functions
        return f"In {place.region} the route /health is pointed from {right} to {wrong}, deployed, and both are taken back."

    async def inject(self, means: Means, place: Place, memory: str) -> None:
        known = Memory.model_validate_json(memory)
        await _point(means, place.region, known, known.wrong)
        await means.aws.call(
            "apigateway", place.region, "create_deployment", restApiId=known.api, stageName=known.stage, description=LABEL
        )

    async def undo(self, means: Means, region: str, memory: str) -> str:
        known = Memory.model_validate_json(memory)
        try:
            await self._take_back(means, region, known)
        except AwsError as error:
            if error.code != "NotFoundException":
                raise
            return f"{region}: the API is gone."
        return f"{region}: /health leads to {known.functions[0]} again, deployment {known.deployment} is served, read back."

    async def _take_back(self, means: Means, region: str, known: Memory) -> None:
        if await _uri(means, region, known) == known.wrong:
            await _point(means, region, known, known.uri)
        ours = await _ours(means, region, known)
        if await _served(means, region, known) in ours:
            await means.aws.call(
                "apigateway", region, "update_stage", restApiId=known.api, stageName=known.stage,
                patchOperations=[{"op": "replace", "path": "/deploymentId", "value": known.deployment}],
            )  # fmt: skip
        for deployment in ours:
            with contextlib.suppress(AwsError):  # a snapshot that nothing serves does no harm and goes with the API
                await means.aws.call("apigateway", region, "delete_deployment", restApiId=known.api, deploymentId=deployment)
        if await _uri(means, region, known) == known.wrong or await _served(means, region, known) in ours:
            raise WorkshopError(
                f"The route /health in {region} is not as it was.", f"It should lead to {known.functions[0]} again.",
                "Try again: workshop drill recover", code="NotRestored",
            )  # fmt: skip


async def _point(means: Means, region: str, known: Memory, uri: str) -> None:
    await means.aws.call(
        "apigateway", region, "update_integration", restApiId=known.api, resourceId=known.resource, httpMethod="GET",
        patchOperations=[{"op": "replace", "path": "/uri", "value": uri}],
    )  # fmt: skip


async def _uri(means: Means, region: str, known: Memory) -> str:
    answer = await means.aws.call(
        "apigateway", region, "get_integration", restApiId=known.api, resourceId=known.resource, httpMethod="GET"
    )
    return str(answer.get("uri", ""))


async def _served(means: Means, region: str, known: Memory) -> str:
    answer = await means.aws.call("apigateway", region, "get_stage", restApiId=known.api, stageName=known.stage)
    return str(answer.get("deploymentId", ""))


async def _ours(means: Means, region: str, known: Memory) -> list[str]:
    answer = await means.aws.call("apigateway", region, "get_deployments", restApiId=known.api, limit=500)
    return [d["id"] for d in answer.get("items", []) if d.get("description") == LABEL and d["id"] != known.deployment]
