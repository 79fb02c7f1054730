"""Where a drill takes place: the API, its functions and its table in each region, found from the workshop's own stacks.

In: a door, the names of the stacks. Out: a frozen `Scene`. Reads only. A stack that does not carry the workshop's tag is never
looked into, so nothing that is not ours can ever be failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workshop.aws.door import Door
from workshop.aws.stacks import describe_stack, stack_resources
from workshop.aws.target import Target
from workshop.errors import WorkshopError

__all__ = ["Place", "Route", "Scene", "Stage", "find_scene"]

FUNCTION = "AWS::Lambda::Function"
WRITE, READ, HEALTH = "/update/{}/{}/{}/{}", "/get/{}/{}", "/health"
"""The routes that the load uses; HEALTH where the API has it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What is to be looked for: the workshop's name, its table, its API's stack, and how the stack's outputs are read."""

    workshop: str
    table: str
    stack: str
    output: str
    stage: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One GET route of a REST API: its resource and the integration behind it."""

    resource: str
    uri: str


@dataclass(frozen=True, slots=True)
class Place:
    """One region: its stack's functions, its API, and the address that the load calls (ends in a slash)."""

    region: str
    stack: str
    functions: tuple[str, ...]
    api: str
    stage: str
    url: str
    health: Route | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """All regions of one workshop, the home region first."""

    workshop: str
    table: str
    target: str
    places: tuple[Place, ...]

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(place.region for place in self.places)

    def place(self, region: str) -> Place:
        """The place in a region; raises `KeyError` for one that is not part of the scene."""
        return next(place for place in self.places if place.region == region)


async def find_scene(aws: Door, target: Target, stage: Stage) -> Scene:
    """The scene as it stands; raises `WorkshopError` when a stack is missing, not ours, or has no API to put a load on."""
    if len(stage.regions) < 2:
        raise WorkshopError(
            f"{stage.workshop} stands in one region only.", "A failover needs a second one to go to.",
            "Set it up in two: workshop setup --region us-west-2 --region eu-west-1", code="OneRegion",
        )  # fmt: skip
    places = tuple([await _place(aws, target, stage, region) for region in stage.regions])
    return Scene(stage.workshop, stage.table, target.name, places)


async def _place(aws: Door, target: Target, stage: Stage, region: str) -> Place:
    stack = await describe_stack(aws, region, stage.stack)
    if stack is None or stack.status == "DELETE_COMPLETE":
        raise WorkshopError(
            f"There is no API in {region}.", f"The stack {stage.stack} does not stand there.",
            "Bring the workshop to ready first: workshop setup", code="NoStack",
        )  # fmt: skip
    if stack.tags.get("workshop") != stage.workshop:
        raise WorkshopError(
            f"The stack {stage.stack} in {region} is not this workshop's.",
            f"It does not carry the tag workshop={stage.workshop}, and a drill only ever fails what the workshop made.",
            "See what stands: workshop status", code="ForeignStack",
        )  # fmt: skip
    api = stack.outputs.get(stage.output, "")
    functions = tuple(sorted(name for kind, name, _ in await stack_resources(aws, region, stack.id) if kind == FUNCTION))
    if not api or not functions:
        missing = "API" if not api else "function"
        raise WorkshopError(
            f"The stack {stage.stack} in {region} has no {missing} that a drill could use.", f"It is {stack.status}.",
            "Bring the workshop to ready first: workshop setup", code="NoApi",
        )  # fmt: skip
    routes = await _routes(aws, region, api)
    for wanted in (WRITE, READ):
        if wanted not in routes:
            raise WorkshopError(
                f"The API in {region} has no route GET {wanted}.", "The drill's load writes and reads numbered bookmarks.",
                "See docs/drills.md for what a drill needs of an API.", code="NoRoute",
            )  # fmt: skip
    url = target.api_path_url(api, region, stage.stage)
    return Place(region, stage.stack, functions, api, stage.stage, url, routes.get(HEALTH))


async def _routes(aws: Door, region: str, api: str) -> Mapping[str, Route]:
    """The GET routes by path, with the names of path parameters left out."""
    found: dict[str, Route] = {}
    page: dict[str, Any] = {}
    while True:
        answer = await aws.call("apigateway", region, "get_resources", restApiId=api, embed=["methods"], limit=500, **page)
        for resource in answer.get("items", []):
            method = resource.get("resourceMethods", {}).get("GET")
            if method is not None:
                path = re.sub(r"\{[^}]*\}", "{}", resource.get("path", ""))
                found[path] = Route(resource["id"], method.get("methodIntegration", {}).get("uri", ""))
        if not answer.get("position"):
            return found
        page = {"position": answer["position"]}
