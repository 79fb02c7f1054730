"""The fault `bad-deploy`: the health route is pointed to another function of the same stack and deployed.

A deployment is a snapshot, so the change takes effect with a new deployment and is reverted by pointing the stage at the one
before (docs/aws-behaviours.md, section 5).
"""

from __future__ import annotations

import contextlib

from pydantic import BaseModel

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.drill.base import FaultContext, RegionFault, not_possible
from workshop.drill.deployment import Deployment, RegionDeployment
from workshop.errors import UsageError, WorkshopError

__all__ = ["FAULT", "BadDeploy"]

LABEL = "workshop drill: bad-deploy"
"""The description of the deployment that the fault makes, by which it is found again."""


class BadDeploySnapshot(BaseModel):
    """The health route's integration and the stage's deployment before the drill, and the wrong integration."""

    api: str
    stage: str
    deployment: str
    resource: str
    uri: str
    wrong: str
    functions: tuple[str, str]
    """The right one and the wrong one."""


class BadDeploy(RegionFault):
    """The mistake that a health route exists to catch."""

    name = "bad-deploy"
    summary = "the health route is deployed with another function behind it"
    permissions = ("apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:DELETE")

    async def snapshot(self, context: FaultContext, deployment: Deployment, regional: RegionDeployment) -> str:  # noqa: ARG002
        if regional.health is None:
            raise self._not_possible(context, regional, "This workshop's API has no route /health.")
        uri = regional.health.uri
        right = next((name for name in regional.functions if f":function:{name}/" in uri), "")
        others = [name for name in regional.functions if name != right]
        if not right or not others:
            why = "Its stack has no second function that the health route could be pointed to by mistake."
            raise self._not_possible(context, regional, why)
        stage = await context.aws.call(
            "apigateway", regional.region, "get_stage", restApiId=regional.api, stageName=regional.stage
        )
        return BadDeploySnapshot(
            api=regional.api,
            stage=regional.stage,
            deployment=stage["deploymentId"],
            resource=regional.health.resource,
            uri=uri,
            wrong=uri.replace(f":function:{right}/", f":function:{others[0]}/"),
            functions=(right, others[0]),
        ).model_dump_json()

    def plan(self, regional: RegionDeployment, snapshot: str) -> str:
        right, wrong = BadDeploySnapshot.model_validate_json(snapshot).functions
        return f"In {regional.region} the route /health is pointed from {right} to {wrong}, deployed, and both are reverted."

    async def inject(self, context: FaultContext, regional: RegionDeployment, snapshot: str) -> None:
        known = BadDeploySnapshot.model_validate_json(snapshot)
        await _point_route(context.aws, regional.region, known, known.wrong)
        await context.aws.call(
            "apigateway",
            regional.region,
            "create_deployment",
            restApiId=known.api,
            stageName=known.stage,
            description=LABEL,
        )

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        known = BadDeploySnapshot.model_validate_json(snapshot)
        try:
            await _revert(context, region, known)
        except AwsError as error:
            if error.code != "NotFoundException":
                raise
            return f"{region}: the API no longer exists."
        return f"{region}: /health leads to {known.functions[0]} again, deployment {known.deployment} is active, read back."

    def _not_possible(self, context: FaultContext, regional: RegionDeployment, why: str) -> UsageError:
        fix = f"Use the fault throttle: {context.commands.throttle(regional.region)}"
        return not_possible(self.name, regional.region, why=why, fix=fix)


async def _revert(context: FaultContext, region: str, known: BadDeploySnapshot) -> None:
    aws = context.aws
    if await _route_uri(aws, region, known) == known.wrong:
        await _point_route(aws, region, known, known.uri)
    ours = await _own_deployments(aws, region, known)
    if await _active_deployment(aws, region, known) in ours:
        await _activate(aws, region, known)
    for deployment in ours:
        with contextlib.suppress(AwsError):  # a deployment that no stage uses does no harm and is deleted with the API
            await aws.call("apigateway", region, "delete_deployment", restApiId=known.api, deploymentId=deployment)
    if await _route_uri(aws, region, known) == known.wrong or await _active_deployment(aws, region, known) in ours:
        raise WorkshopError(
            what=f"The route /health in {region} is not restored.",
            why=f"It should lead to {known.functions[0]} again.",
            fix=f"Try again: {context.commands.recover}",
            code="NotRestored",
        )


async def _point_route(aws: AwsClient, region: str, known: BadDeploySnapshot, uri: str) -> None:
    await aws.call(
        "apigateway",
        region,
        "update_integration",
        restApiId=known.api,
        resourceId=known.resource,
        httpMethod="GET",
        patchOperations=[{"op": "replace", "path": "/uri", "value": uri}],
    )


async def _activate(aws: AwsClient, region: str, known: BadDeploySnapshot) -> None:
    await aws.call(
        "apigateway",
        region,
        "update_stage",
        restApiId=known.api,
        stageName=known.stage,
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": known.deployment}],
    )


async def _route_uri(aws: AwsClient, region: str, known: BadDeploySnapshot) -> str:
    response = await aws.call(
        "apigateway", region, "get_integration", restApiId=known.api, resourceId=known.resource, httpMethod="GET"
    )
    return str(response.get("uri", ""))


async def _active_deployment(aws: AwsClient, region: str, known: BadDeploySnapshot) -> str:
    response = await aws.call("apigateway", region, "get_stage", restApiId=known.api, stageName=known.stage)
    return str(response.get("deploymentId", ""))


async def _own_deployments(aws: AwsClient, region: str, known: BadDeploySnapshot) -> list[str]:
    response = await aws.call("apigateway", region, "get_deployments", restApiId=known.api, limit=500)
    return [d["id"] for d in response.get("items", []) if d.get("description") == LABEL and d["id"] != known.deployment]


FAULT = BadDeploy()
