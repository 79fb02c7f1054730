"""What a stack may leave behind, looked for by the names that its template declares (docs/aws-behaviours.md, section 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workshop.aws.resources.listing import Found, buckets, delete_log_group, functions, log_groups, rest_apis, roles, tables
from workshop.steps.base import Context, Resource
from workshop.steps.stack_notes import stood
from workshop.steps.template import FUNCTION_LOGS, Declared

__all__ = ["clear_log_groups", "log_groups_in_the_way", "remains"]

FOREIGN = "not made by this workshop: left alone"


async def remains(ctx: Context[Any], resources: Sequence[Declared]) -> list[Resource]:
    """Everything of the declared kinds and names that stands in the region, ours or not."""
    found: list[Found] = []
    for resource in resources:
        match resource.type:
            case "AWS::Lambda::Function" if resource.name:
                found += await functions(ctx.aws, ctx.region, resource.name)
            case "AWS::S3::Bucket" if resource.name:
                found += await buckets(ctx.aws, ctx.region, resource.name)
            case "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" if resource.name:
                found += await tables(ctx.aws, ctx.region, resource.name)
            case "AWS::ApiGateway::RestApi":
                found += [api for api in await rest_apis(ctx.aws, ctx.region) if _is_api(ctx, resource, api)]
            case "AWS::IAM::Role":
                # CloudFormation names a role STACK-LOGICAL-RANDOM when the template does not.
                prefix = resource.name or f"{ctx.params.name}-{resource.logical}-"
                found += [role for role in await roles(ctx.aws, ctx.region, prefix) if not resource.name or role.name == prefix]
    left = [_resource(each, ours=_owned(ctx, each)) for each in found]
    for group in await _log_groups(ctx, resources):
        left.append(_resource(group, ours=stood(ctx) and not await _is_strangers(ctx, group)))
    return left


async def log_groups_in_the_way(ctx: Context[Any], resources: Sequence[Declared]) -> list[Found]:
    """The log groups that the template declares and that stand already, so that the stack could not be created."""
    names = [resource.name for resource in resources if resource.type == "AWS::Logs::LogGroup" and resource.name]
    return [group for name in names for group in await log_groups(ctx.aws, ctx.region, name) if group.name == name]


async def clear_log_groups(ctx: Context[Any], resources: Sequence[Declared]) -> None:
    """Delete the log groups that functions and APIs of the stack made by themselves, after their stack is gone."""
    for group in await _log_groups(ctx, resources):
        if not await _is_strangers(ctx, group):
            await delete_log_group(ctx.aws, ctx.region, group.id)


async def _log_groups(ctx: Context[Any], resources: Sequence[Declared]) -> list[Found]:
    names = {r.name for r in resources if r.type == "AWS::Logs::LogGroup" and r.name}
    names |= {f"{FUNCTION_LOGS}{r.name}" for r in resources if r.type == "AWS::Lambda::Function" and r.name}
    found = [group for name in sorted(names) for group in await log_groups(ctx.aws, ctx.region, name) if group.name == name]
    api = ctx.known.get("ApiId", "")
    if api:
        found += await log_groups(ctx.aws, ctx.region, f"API-Gateway-Execution-Logs_{api}/")
    return found


async def _is_strangers(ctx: Context[Any], group: Found) -> bool:
    """Whether a function that does not carry our tags writes into the log group (docs/aws-behaviours.md, section 4)."""
    if not group.name.startswith(FUNCTION_LOGS):
        return False
    writers = await functions(ctx.aws, ctx.region, group.name.removeprefix(FUNCTION_LOGS))
    return any(not ctx.owns(writer.tags or {}) for writer in writers)


def _is_api(ctx: Context[Any], resource: Declared, api: Found) -> bool:
    return api.id == ctx.known.get("ApiId") or (api.name == resource.name and bool(resource.name))


def _owned(ctx: Context[Any], found: Found) -> bool:
    return ctx.owns(found.tags or {}) or found.id == ctx.known.get("ApiId")


def _resource(found: Found, *, ours: bool) -> Resource:
    # A log group has no tags: it is ours through the function or API of our stack that it is named after.
    return Resource(found.kind, found.name, found.region, why="" if ours else FOREIGN, fix=found.fix, show=found.show, ours=ours)
