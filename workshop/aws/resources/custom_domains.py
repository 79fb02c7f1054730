"""Custom domains of API Gateway, and the routes of its REST APIs, as far as a request from DNS meets them.

In: an `AwsClient`, a region. Out: frozen values; reads only (docs/aws-behaviours.md, sections 6.8 and 6.9).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from workshop.aws.client import AwsClient, AwsResponse
from workshop.aws.errors import AwsError
from workshop.aws.resources.route53 import plain_name

__all__ = ["CustomDomain", "Mapping", "custom_domains", "get_routes", "get_stages"]

ROOT = "(none)"
"""What API Gateway calls the base path of a mapping that has none."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a custom domain makes of the paths below `base` (empty: all): an API and its stage (empty: the first part of the
    path names it)."""

    base: str
    api: str
    stage: str


@dataclass(frozen=True, slots=True)
class CustomDomain:
    """A custom domain of one region. `target` is the regional name that DNS records point at, `target_zone` the id of the hosted
    zone for alias records."""

    region: str
    name: str
    target: str
    target_zone: str
    mappings: tuple[Mapping, ...]


async def custom_domains(aws: AwsClient, region: str) -> list[CustomDomain]:
    """The custom domains of a region that have a regional name, each with its mappings."""
    found = []
    async for page in _pages(aws, region, "get_domain_names"):
        for domain in page.get("items", []):
            target = plain_name(domain.get("regionalDomainName") or "")
            if target:
                name = domain["domainName"]
                mappings = await _mappings(aws, region, name)
                found.append(CustomDomain(region, plain_name(name), target, domain.get("regionalHostedZoneId", ""), mappings))
    return found


async def get_routes(aws: AwsClient, region: str, api: str) -> frozenset[str] | None:
    """The paths of a REST API whose GET has an integration; None when the API does not exist."""
    found = set()
    try:
        async for page in _pages(aws, region, "get_resources", restApiId=api, embed=["methods"]):
            for resource in page.get("items", []):
                methods = resource.get("resourceMethods") or {}
                method = methods.get("GET") or methods.get("ANY") or {}
                if method.get("methodIntegration"):
                    found.add(resource.get("path", ""))
    except AwsError as error:
        if error.code == "NotFoundException":
            return None
        raise
    return frozenset(found)


async def get_stages(aws: AwsClient, region: str, api: str) -> frozenset[str]:
    """The stages of a REST API; none when the API does not exist."""
    try:
        response = await aws.call("apigateway", region, "get_stages", restApiId=api)
    except AwsError as error:
        if error.code == "NotFoundException":
            return frozenset()
        raise
    return frozenset(stage["stageName"] for stage in response.get("item", []))


async def _mappings(aws: AwsClient, region: str, name: str) -> tuple[Mapping, ...]:
    found = []
    try:
        async for page in _pages(aws, region, "get_base_path_mappings", domainName=name):
            for each in page.get("items", []):
                base = each.get("basePath") or ""
                found.append(Mapping("" if base == ROOT else base, each.get("restApiId", ""), each.get("stage") or ""))
    except AwsError as error:
        if error.code != "NotFoundException":  # the domain went away since it was listed
            raise
    return tuple(found)


async def _pages(aws: AwsClient, region: str, operation: str, **parameters: Any) -> AsyncIterator[AwsResponse]:
    page: dict[str, str] = {}
    while True:
        response = await aws.call("apigateway", region, operation, limit=500, **parameters, **page)
        yield response
        if not response.get("position"):
            return
        page = {"position": response["position"]}
