"""What a stack of ours kept standing when it was deleted: resources with a DeletionPolicy of Retain, or kept by hand.

In: the stack's id, by which a deleted stack is found for 90 days (docs/aws-behaviours.md, section 3.1). Out: leftovers, those
that are certainly gone by now left out. It deletes nothing: somebody decided that they stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workshop.aws.resources.listing import Found, buckets, functions, log_groups, rest_apis, roles, tables
from workshop.aws.resources.stacks import deleted_stacks, describe_stack, retained_of
from workshop.steps.base import Context, Resource
from workshop.steps.stack_notes import removed_unknown, saw_gone

__all__ = ["merged", "retained"]

WHY = "kept by its stack, which is deleted: its template says Retain"
UNASKED = f"{WHY}; whether it still stands cannot be asked here, so this is said once"


async def retained(ctx: Context[Any]) -> list[Resource]:
    """What the deleted stacks of ours kept that this machine's outputs name, or that this run deleted."""
    left: list[Resource] = []
    for identity in await _identities(ctx):
        stack = await describe_stack(ctx.aws, ctx.region, identity)
        if stack is not None and stack.status == "DELETE_COMPLETE":
            left += await _kept_by(ctx, identity)
    return left


async def _identities(ctx: Context[Any]) -> list[str]:
    found = [ctx.known["StackId"]] if ctx.known.get("StackId") else []
    if removed_unknown(ctx):
        found += [each for each in await deleted_stacks(ctx.aws, ctx.region, ctx.params.name) if saw_gone(ctx, each)]
    return list(dict.fromkeys(found))


async def _kept_by(ctx: Context[Any], identity: str) -> list[Resource]:
    """What the deleted stack with this id kept."""
    left: list[Resource] = []
    for kind, name in await retained_of(ctx.aws, ctx.region, identity):
        standing = await _standing(ctx, kind, name)
        if standing is None:
            # Not ours any more: as ours it would stand in the way of every later teardown's end, whoever removed it.
            fix = f"Remove it by hand when nobody needs it: {kind} {name} in {ctx.region}"
            left.append(Resource(kind, name, ctx.region, why=UNASKED, fix=fix, ours=False))
        else:
            left += [Resource(each.kind, each.name, each.region, why=WHY, fix=each.fix, show=each.show) for each in standing]
    return left


def merged(kept: Sequence[Resource], found: Sequence[Resource]) -> list[Resource]:
    """Each once: what a stack of ours kept is ours, whatever its tags say."""
    known = {resource.identity for resource in kept}
    return [*kept, *(resource for resource in found if resource.identity not in known)]


async def _standing(ctx: Context[Any], kind: str, name: str) -> list[Found] | None:
    """The resource as its service tells it, empty when it is gone; None for a type that nobody here can ask about."""
    aws, region = ctx.aws, ctx.region
    match kind:
        case "AWS::S3::Bucket":
            return await buckets(aws, region, name)
        case "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable":
            return await tables(aws, region, name)
        case "AWS::Lambda::Function":
            return await functions(aws, region, name)
        case "AWS::Logs::LogGroup":
            return [group for group in await log_groups(aws, region, name) if group.name == name]
        case "AWS::IAM::Role":
            return [role for role in await roles(aws, region, name) if role.name == name]
        case "AWS::ApiGateway::RestApi":
            return [api for api in await rest_apis(aws, region) if api.id == name]
    return None
