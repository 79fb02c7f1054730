"""What is in the way of a stack: a foreign one of its name, and foreign resources with the names that its template declares.

In: the template's resources. Out: foreign resources, each with its age and size and what adoption does with it. AWS creates no
stack over a resource that exists (docs/aws-behaviours.md, section 3.1), so what is adopted is replaced by the stack's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.resources.edges import custom_domain
from workshop.aws.resources.listing import (
    Found,
    buckets,
    delete_function,
    delete_log_group,
    functions,
    log_group_tags,
    log_groups,
    roles,
    tables,
    tag_function,
    tag_log_group,
)
from workshop.aws.resources.stacks import Stack, stack_resources
from workshop.steps.base import Context, Resource
from workshop.steps.cloudformation.hosting_leftovers import hosting_named
from workshop.steps.cloudformation.notes import had_stack
from workshop.steps.cloudformation.template import FUNCTION_LOGS, Declared
from workshop.steps.context import ADOPTED_TAG

__all__ = ["adopt_resource", "clear_adopted", "foreign_resources", "foreign_stack", "is_foreign_group", "updatable"]

UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})
REPLACED = "it gets our tags and is replaced by the stack's own, so what is in it is lost"
UPDATED = "it gets our tags and the template of this workshop, so what only its own template has is deleted"
ADOPTIONS = {"function": REPLACED, "log-group": REPLACED}
"""Kinds that the stack's own can replace; what holds data by itself is never replaced."""


async def foreign_stack(ctx: Context[Any], stack: Stack, fix: str, show: str) -> Resource:
    """A stack of our name that another hand made."""
    held = len(await stack_resources(ctx.aws, ctx.region, stack.id))
    return Resource(
        "stack",
        stack.name,
        ctx.region,
        fix=fix,
        show=show,
        ours=False,
        created=stack.created,
        size=f"{stack.status}, {held} {'resource' if held == 1 else 'resources'}",
        adoption=UPDATED if updatable(stack) else "",
    )


def updatable(stack: Stack) -> bool:
    """Whether the stack is in a state in which AWS takes an update of it."""
    return stack.status in UPDATABLE


async def foreign_resources(ctx: Context[Any], resources: Sequence[Declared]) -> list[Resource]:
    """What exists under the names that the template declares and is not ours, so that AWS would not create the stack."""
    found = [each for resource in resources if resource.name for each in await _named(ctx, resource)]
    return [
        Resource(
            each.kind,
            each.name,
            each.region,
            fix=each.fix,
            show=each.show,
            ours=False,
            created=each.created,
            size=each.size,
            adoption=ADOPTIONS.get(each.kind, ""),
        )
        for each in {(each.kind, each.name): each for each in found}.values()
        if not await _is_ours(ctx, each)
    ]


async def adopt_resource(ctx: Context[Any], resource: Resource) -> None:
    """Tag a function or a log group as ours."""
    tag = tag_function if resource.kind == "function" else tag_log_group
    await tag(ctx.aws, ctx.account, ctx.region, resource.name, ctx.adoption_tags)


async def clear_adopted(ctx: Context[Any], resources: Sequence[Declared]) -> None:
    """Delete what was adopted and is in the way of the stack that is about to be created; functions first, which write logs."""
    for kind, delete in (("AWS::Lambda::Function", delete_function), ("AWS::Logs::LogGroup", delete_log_group)):
        for resource in (each for each in resources if each.type == kind and each.name):
            for found in await _named(ctx, resource):
                tags = await _tags(ctx, found)
                if ctx.owns(tags) and ADOPTED_TAG in tags:
                    ctx.report.progress(f"replacing the adopted {found.kind.replace('-', ' ')} {found.name}")
                    await delete(ctx.aws, ctx.region, found.name)


async def is_foreign_group(ctx: Context[Any], group: Found) -> bool:
    """Whether a function that does not carry our tags writes into the log group (docs/aws-behaviours.md, section 4)."""
    if not group.name.startswith(FUNCTION_LOGS):
        return False
    writers = await functions(ctx.aws, ctx.region, group.name.removeprefix(FUNCTION_LOGS))
    return any(not ctx.owns(writer.tags or {}) for writer in writers)


async def _named(ctx: Context[Any], resource: Declared) -> list[Found]:
    """What has exactly the declared name."""
    aws, region, name = ctx.aws, ctx.region, resource.name
    match resource.type:
        case "AWS::Lambda::Function":
            return await functions(aws, region, name)
        case "AWS::ApiGateway::DomainName":
            return await custom_domain(aws, region, name)
        case "AWS::Logs::LogGroup":
            return [group for group in await log_groups(aws, region, name) if group.name == name]
        case "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable":
            return await tables(aws, region, name)
        case "AWS::IAM::Role":
            return [role for role in await roles(aws, region, name) if role.name == name]
        case "AWS::S3::Bucket":
            try:
                return await buckets(aws, region, name)
            except AwsError as error:  # a bucket of another account: CloudFormation reports it
                if error.denied:
                    return []
                raise
    return await hosting_named(ctx, resource)


async def _is_ours(ctx: Context[Any], found: Found) -> bool:
    """By its tags; a log group also by the stack of ours whose function wrote into it, for functions make them without tags."""
    if ctx.owns(await _tags(ctx, found)):
        return True
    return found.kind == "log-group" and had_stack(ctx) and not await is_foreign_group(ctx, found)


async def _tags(ctx: Context[Any], found: Found) -> dict[str, str]:
    if found.kind == "log-group":
        return await log_group_tags(ctx.aws, ctx.account, ctx.region, found.name)
    return dict(found.tags or {})
