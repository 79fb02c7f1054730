"""What carries pages and outlived its stack: distributions, what belongs to them, and buckets, found by whose they are.

In: a context of any workshop. Out: leftovers that carry its tags, or its mark where AWS knows no tags. Reads only.
"""

from __future__ import annotations

from workshop.aws.errors import AwsError
from workshop.aws.resources.distributions import access_controls, distributions, headers_policies
from workshop.aws.resources.listing import Found
from workshop.steps.base import Context, Resource
from workshop.steps.cloudformation.hosting_leftovers import buckets_with_prefix
from workshop.steps.cloudformation.hosting_permissions import bucket_prefix
from workshop.steps.cloudformation.leftovers import leftover_of
from workshop.steps.web_site.by_hand import stacks_with_buckets
from workshop.steps.web_site.params import SiteParams

__all__ = ["tagged_carriers"]


async def tagged_carriers(ctx: Context[SiteParams]) -> list[Resource]:
    """Of the whole account. Buckets are many and have no listing with tags: of them those are looked at whose name begins as
    CloudFormation begins those of the workshop's stacks."""
    hosts = any(settings.get("bucket") is not None for settings in ctx.others("web.site"))
    try:
        found = [*await distributions(ctx.aws), *await access_controls(ctx.aws), *await headers_policies(ctx.aws)]
        found += await _buckets(ctx)
    except AwsError as error:
        if error.denied and not hosts:
            return []  # a definition without hosted pages asks for no permission to look for them
        raise
    return [leftover_of(each, ours=True) for each in found if ctx.owns(each.tags or {})]


async def _buckets(ctx: Context[SiteParams]) -> list[Found]:
    prefixes = [bucket_prefix(stack) for stack in stacks_with_buckets(ctx)]
    return await buckets_with_prefix(ctx, *prefixes) if prefixes else []
