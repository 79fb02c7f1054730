"""User pools that a stack may have left: those of its region that carry the workshop's tags.

In: a context. Out: `Found` values. Reads only. Several pools may have one name, so a name shows nothing, and a pool of another
hand is in no one's way.
"""

from __future__ import annotations

from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.resources.listing import Found
from workshop.aws.resources.user_pools import user_pools
from workshop.steps.base import Context
from workshop.steps.cloudformation.declaring import stacks_declaring
from workshop.steps.cloudformation.identity_permissions import USER_POOL
from workshop.steps.cloudformation.template import Declared

__all__ = ["identity_found", "tagged_pools"]


async def identity_found(ctx: Context[Any], resource: Declared) -> list[Found]:
    """What exists of ours where a template declares a pool, whatever its name; nothing for the types that a pool holds."""
    if resource.type != USER_POOL:
        return []
    return await _ours(ctx)


async def tagged_pools(ctx: Context[Any]) -> list[Found]:
    """The pools of the region that carry the workshop's tags. None where the caller may not look and no template of the workshop
    declares a pool, because such a workshop asks for no permission to; every other denial is raised, so that the region does not
    count as searched."""
    try:
        return await _ours(ctx)
    except AwsError as error:
        if error.denied and not stacks_declaring(ctx, USER_POOL):
            return []
        raise


async def _ours(ctx: Context[Any]) -> list[Found]:
    return [pool for pool in await user_pools(ctx.aws, ctx.region) if ctx.owns(pool.tags or {})]
