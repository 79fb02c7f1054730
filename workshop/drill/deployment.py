"""Finds what a drill acts on: the API, its functions and its table in each region, from the workshop's own stacks.

In: a client of AWS, the names of the stacks. Out: a frozen `Deployment`. Reads only. A stack that does not carry the workshop's
tag is never looked into, so nothing that belongs to others can ever be failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.resources.stacks import describe_stack, stack_resources
from workshop.aws.target import Target
from workshop.drill.commands import Commands
from workshop.errors import WorkshopError
from workshop.steps.route53.world import Api

__all__ = ["ApiRoute", "Deployment", "RegionDeployment", "StackNames", "find_deployment", "find_regions"]

FUNCTION = "AWS::Lambda::Function"
SHOWN_ROUTES = 8
"""Routes of an API that a message lists at most."""


@dataclass(frozen=True, slots=True)
class StackNames:
    """What to look for: the workshop's name, its table, its API's stack by region, the output with the API's id, its stage.

    `routes` are a method and a path for each request that the load sends, `health` is the path of the health route, if any.
    `token_routes` are those of the requests that carry a token.
    """

    workshop: str
    table: str
    stacks: Mapping[str, str]
    output: str
    stage: str
    regions: tuple[str, ...]
    routes: tuple[tuple[str, str], ...] = ()
    health: str = ""
    token_routes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """One route of a REST API: its resource, the integration behind it, and the scopes of which a token needs one."""

    resource: str
    uri: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionDeployment:
    """One region: its stack's functions, its API, the address that the load calls (ends in a slash), the health route, the id of
    the health check that watches it where a name leads here, and the scopes that the API names for the load's tokens."""

    region: str
    stack: str
    functions: tuple[str, ...]
    api: str
    stage: str
    url: str
    health: ApiRoute | None = None
    check: str = ""
    scopes: tuple[str, ...] = ()


Routes = Mapping[tuple[str, str], ApiRoute]
"""The routes of an API by method and path, as API Gateway writes it: `/items/{id}`."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One workshop in all its regions, the home region first."""

    workshop: str
    table: str
    target: str
    regional: tuple[RegionDeployment, ...]

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(regional.region for regional in self.regional)

    def in_region(self, region: str) -> RegionDeployment:
        """The deployment in one region; raises `KeyError` for a region that has none."""
        return {regional.region: regional for regional in self.regional}[region]


async def find_deployment(aws: AwsClient, target: Target, names: StackNames, commands: Commands) -> Deployment:
    """The workshop as it is deployed; raises `WorkshopError` when a stack is missing, foreign, or has no API for the load."""
    found = await _all_regions(aws, target, names, commands)
    for regional, routes in found:
        _require_routes(routes, names, regional.region)
    return _deployed(target, names, found)


async def find_regions(aws: AwsClient, target: Target, names: StackNames, commands: Commands) -> Deployment:
    """The same for a drill without a load, which needs no routes."""
    return _deployed(target, names, await _all_regions(aws, target, names, commands))


def _deployed(target: Target, names: StackNames, found: Sequence[tuple[RegionDeployment, Routes]]) -> Deployment:
    return Deployment(names.workshop, names.table, target.name, tuple(regional for regional, _ in found))


async def _all_regions(
    aws: AwsClient, target: Target, names: StackNames, commands: Commands
) -> list[tuple[RegionDeployment, Routes]]:
    if len(names.regions) < 2:
        raise WorkshopError(
            what=f"{names.workshop} is deployed in one region only.",
            why="A failover needs a second one to go to.",
            fix=f"Set it up in two: {commands.setup_in_two(names.regions[0])}",
            code="OneRegion",
        )
    return [await _in_region(aws, target, names, region, commands) for region in names.regions]


async def _in_region(
    aws: AwsClient, target: Target, names: StackNames, region: str, commands: Commands
) -> tuple[RegionDeployment, Routes]:
    setup = f"Bring the workshop to ready first: {commands.setup}"
    name = names.stacks.get(region, "")
    stack = await describe_stack(aws, region, name) if name else None
    if stack is None or stack.status == "DELETE_COMPLETE":
        raise WorkshopError(
            what=f"There is no API in {region}.",
            why=f"The stack {name} does not exist there." if name else "No step that makes the API runs there.",
            fix=setup,
            code="NoStack",
        )
    if stack.tags.get("workshop") != names.workshop:
        raise WorkshopError(
            what=f"The stack {name} in {region} is not this workshop's.",
            why=f"It does not carry the tag workshop={names.workshop}, and a drill fails only what the workshop made.",
            fix=f"See what is deployed: {commands.status}",
            code="ForeignStack",
        )
    api = stack.outputs.get(names.output, "")
    functions = tuple(sorted(name for kind, name, _ in await stack_resources(aws, region, stack.id) if kind == FUNCTION))
    if not api or not functions:
        raise WorkshopError(
            what=f"The stack {name} in {region} has no {'function' if api else 'API'} that a drill could use.",
            why=f"It is {stack.status}.",
            fix=setup,
            code="NoApi",
        )
    routes = await _routes(aws, region, api)
    url = target.api_path_url(api, region, names.stage)
    health = routes.get(("GET", f"/{names.health}")) if names.health else None
    scopes = _scopes(routes, names.token_routes)
    return RegionDeployment(region, name, functions, api, names.stage, url, health, scopes=scopes), routes


def _scopes(routes: Routes, sent: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What the routes of these requests name."""
    found: set[str] = set()
    for (method, route), known in routes.items():
        api = Api(frozenset(), frozenset({route}))
        if any(wanted == method and api.serves(path) for wanted, path in sent):
            found |= set(known.scopes)
    return tuple(sorted(found))


def _require_routes(routes: Routes, names: StackNames, region: str) -> None:
    for method, path in names.routes:
        of_method = frozenset(route for known, route in routes if known == method)
        if not Api(frozenset(), of_method).serves(path):
            listed = ", ".join(f"{known} {route}" for known, route in sorted(routes)[:SHOWN_ROUTES])
            raise WorkshopError(
                what=f"The API in {region} has no route for {method} /{path}.",
                why=f"The drill's load sends it, and the API has: {listed or 'none'}.",
                fix="Correct `drill:` in the workshop's definition; see docs/drills.md for what a drill needs of an API.",
                code="NoRoute",
            )


async def _routes(aws: AwsClient, region: str, api: str) -> Routes:
    found: dict[tuple[str, str], ApiRoute] = {}
    page: dict[str, Any] = {}
    while True:
        response = await aws.call("apigateway", region, "get_resources", restApiId=api, embed=["methods"], limit=500, **page)
        for resource in response.get("items", []):
            for name, method in resource.get("resourceMethods", {}).items():
                uri = method.get("methodIntegration", {}).get("uri", "")
                scopes = tuple(method.get("authorizationScopes") or ())
                found[name, resource.get("path", "")] = ApiRoute(resource["id"], uri, scopes)
        if not response.get("position"):
            return found
        page = {"position": response["position"]}
