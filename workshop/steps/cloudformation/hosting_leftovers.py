"""What a stack that hosts pages may have left: buckets without a name of their own, distributions, and what belongs to them.

In: a resource that a template declares, or what a deleted stack kept. Out: `Found` values. Reads only.
"""

from __future__ import annotations

from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.resources.buckets import bucket_region, list_buckets
from workshop.aws.resources.distributions import access_controls, distributions, headers_policies
from workshop.aws.resources.listing import Found, buckets
from workshop.steps.base import Context
from workshop.steps.cloudformation.hosting_permissions import BUCKET, bucket_prefix
from workshop.steps.cloudformation.template import Declared

__all__ = ["LISTED", "buckets_with_prefix", "hosting_found", "hosting_named"]

DISTRIBUTION = "AWS::CloudFront::Distribution"
NAMED = {
    "AWS::CloudFront::OriginAccessControl": access_controls,
    "AWS::CloudFront::ResponseHeadersPolicy": headers_policies,
}
LISTED = {DISTRIBUTION: distributions, **NAMED}
"""How everything of a type of CloudFront's is listed, whose physical ids are its ids."""


async def hosting_found(ctx: Context[Any], resource: Declared) -> list[Found]:
    """What exists of a declared resource; nothing for every other type. What has no name is found by our tags."""
    if resource.type == BUCKET:
        if resource.name:
            return await buckets(ctx.aws, ctx.region, resource.name)
        found = await buckets_with_prefix(ctx, bucket_prefix(ctx.params.name, resource.logical))
        return [each for each in found if each.region == ctx.region and ctx.owns(each.tags or {})]
    if resource.type == DISTRIBUTION:
        return [each for each in await distributions(ctx.aws) if ctx.owns(each.tags or {})]
    return await hosting_named(ctx, resource)


async def hosting_named(ctx: Context[Any], resource: Declared) -> list[Found]:
    """What has exactly the declared name, of the types of CloudFront's that have one."""
    if resource.type not in NAMED or not resource.name:
        return []
    return [each for each in await NAMED[resource.type](ctx.aws) if each.name == resource.name]


async def buckets_with_prefix(ctx: Context[Any], *prefixes: str) -> list[Found]:
    """The account's buckets whose name begins with one of these, each with its own region and tags."""
    found: list[Found] = []
    for name in (name for name in await list_buckets(ctx.aws, ctx.region) if name.startswith(prefixes)):
        try:
            found += await buckets(ctx.aws, await bucket_region(ctx.aws, ctx.region, name), name)
        except AwsError as error:
            if error.code != "NoSuchBucket":  # it went away since it was listed
                raise
    return found
