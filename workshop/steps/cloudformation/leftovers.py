"""What a stack leaves behind: by the names that its template declares, and what it kept when it was deleted.

In: the template's resources; the id of a deleted stack, by which it is found for 90 days (docs/aws-behaviours.md, sections 3.1
and 9). Out: leftovers. Only log groups are deleted here: what a stack kept, by a DeletionPolicy of Retain or by hand, was kept on
purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.resources.edges import certificates, custom_domain
from workshop.aws.resources.listing import Found, buckets, delete_log_group, functions, log_groups, rest_apis, roles, tables
from workshop.aws.resources.stacks import deleted_stacks, describe_stack, logical_names, retained_of, template_of
from workshop.aws.resources.user_pools import user_pools
from workshop.errors import DefinitionError
from workshop.steps.base import Context, Resource
from workshop.steps.cloudformation.hosting_leftovers import LISTED, hosting_found
from workshop.steps.cloudformation.identity_leftovers import identity_found
from workshop.steps.cloudformation.identity_permissions import USER_POOL
from workshop.steps.cloudformation.in_the_way import is_foreign_group
from workshop.steps.cloudformation.notes import deleted_unknown_stack, had_stack, is_noted_gone
from workshop.steps.cloudformation.template import FUNCTION_LOGS, Declared, parsed
from workshop.steps.context import ADOPTED_TAG
from workshop.steps.ownership import LEFT_ALONE

__all__ = ["clear_log_groups", "leftover_of", "stack_leftovers"]

RETAINED = "kept by its stack, which is deleted: its template says Retain"
LEFT_BEHIND = "its stack is deleted and left it behind"
NOT_READABLE = "whether it still exists cannot be read here, so this is reported once"
RETAINING = ("Retain", "RetainExceptOnCreate")


async def stack_leftovers(ctx: Context[Any], resources: Sequence[Declared]) -> list[Resource]:
    """What deleted stacks of ours kept, and everything of the declared types and names in the region, each once.

    What a stack of ours kept is ours, whatever its tags are.
    """
    kept = await _retained(ctx)
    identities = {resource.identity for resource in kept}
    return [*kept, *(each for each in await _declared(ctx, resources) if each.identity not in identities)]


async def _declared(ctx: Context[Any], resources: Sequence[Declared]) -> list[Resource]:
    """Everything of the declared types and names that exists in the region, ours or not."""
    found: list[Found] = []
    for resource in resources:
        match resource.type:
            case "AWS::Lambda::Function" if resource.name:
                found += await functions(ctx.aws, ctx.region, resource.name)
            case "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" if resource.name:
                found += await tables(ctx.aws, ctx.region, resource.name)
            case "AWS::ApiGateway::DomainName" if resource.name:
                found += await custom_domain(ctx.aws, ctx.region, resource.name)
            case "AWS::CertificateManager::Certificate" if resource.name:
                found += await certificates(ctx.aws, ctx.region, resource.name)
            case "AWS::ApiGateway::RestApi":
                found += [api for api in await rest_apis(ctx.aws, ctx.region) if _is_api(ctx, resource, api)]
            case "AWS::IAM::Role":
                # CloudFormation names a role STACK-LOGICAL-RANDOM when the template does not.
                prefix = resource.name or f"{ctx.params.name}-{resource.logical}-"
                found += [role for role in await roles(ctx.aws, ctx.region, prefix) if not resource.name or role.name == prefix]
            case _:
                found += [*await hosting_found(ctx, resource), *await identity_found(ctx, resource)]
    left = [leftover_of(each, ours=_owned(ctx, each)) for each in found]
    for group in await _log_groups(ctx, resources):
        left.append(leftover_of(group, ours=had_stack(ctx) and not await is_foreign_group(ctx, group)))
    return left


async def clear_log_groups(ctx: Context[Any], resources: Sequence[Declared]) -> None:
    """Delete the log groups that functions and APIs of the stack made by themselves, after their stack is gone."""
    for group in await _log_groups(ctx, resources):
        if not await is_foreign_group(ctx, group):
            await delete_log_group(ctx.aws, ctx.region, group.id)


async def _log_groups(ctx: Context[Any], resources: Sequence[Declared]) -> list[Found]:
    names = {r.name for r in resources if r.type == "AWS::Logs::LogGroup" and r.name}
    names |= {f"{FUNCTION_LOGS}{r.name}" for r in resources if r.type == "AWS::Lambda::Function" and r.name}
    found = [group for name in sorted(names) for group in await log_groups(ctx.aws, ctx.region, name) if group.name == name]
    api = ctx.known.get("ApiId", "")
    if api:
        found += await log_groups(ctx.aws, ctx.region, f"API-Gateway-Execution-Logs_{api}/")
    return found


def _is_api(ctx: Context[Any], resource: Declared, api: Found) -> bool:
    return api.id == ctx.known.get("ApiId") or (api.name == resource.name and bool(resource.name))


def _owned(ctx: Context[Any], found: Found) -> bool:
    return ctx.owns(found.tags or {}) or found.id == ctx.known.get("ApiId")


def leftover_of(found: Found, *, ours: bool) -> Resource:
    """What was found, as it is reported."""
    # A log group has no tags: it is ours through the function or API of our stack that it is named after.
    return Resource(
        found.kind,
        found.name,
        found.region,
        why=found.why if ours else LEFT_ALONE,
        fix=found.fix,
        show=found.show,
        ours=ours,
        created=found.created,
        size=found.size,
        adopted=(found.tags or {}).get(ADOPTED_TAG, "") if ours else "",
        id="" if found.id == found.name else found.id,
    )


async def _retained(ctx: Context[Any]) -> list[Resource]:
    """What the deleted stacks of ours kept that this machine's outputs name, or that this run deleted."""
    left: list[Resource] = []
    for identity in await _identities(ctx):
        stack = await describe_stack(ctx.aws, ctx.region, identity)
        if stack is not None and stack.status == "DELETE_COMPLETE":
            left += await _kept_by(ctx, identity)
    return left


async def _identities(ctx: Context[Any]) -> list[str]:
    found = [ctx.known["StackId"]] if ctx.known.get("StackId") else []
    if deleted_unknown_stack(ctx):
        found += [each for each in await deleted_stacks(ctx.aws, ctx.region, ctx.params.name) if is_noted_gone(ctx, each)]
    return list(dict.fromkeys(found))


async def _kept_by(ctx: Context[Any], identity: str) -> list[Resource]:
    """What the deleted stack with this id kept."""
    left: list[Resource] = []
    retained = await retained_of(ctx.aws, ctx.region, identity)
    on_purpose = await _on_purpose(ctx, identity) if retained else set()
    for kind, name in retained:
        existing = await _existing(ctx, kind, name)
        why = RETAINED if (kind, name) in on_purpose else LEFT_BEHIND
        if existing is None:
            # Not ours any more: as ours it would keep every later teardown from ending clean, even after it was removed.
            fix = f"Remove it by hand when it is not needed: {kind} {name} in {ctx.region}"
            left.append(Resource(kind, name, ctx.region, why=f"{why}; {NOT_READABLE}", fix=fix, ours=False))
        else:
            left += [replace(leftover_of(each, ours=True), why="; ".join(filter(None, (why, each.why)))) for each in existing]
    return left


async def _on_purpose(ctx: Context[Any], identity: str) -> set[tuple[str, str]]:
    """What the template of a deleted stack says to keep, by type and physical id; empty when it cannot be read."""
    try:
        body = await template_of(ctx.aws, ctx.region, identity)
        resources = parsed(body, ctx.params.template)["Resources"]
    except (AwsError, DefinitionError):
        return set()
    kept = {
        logical
        for logical, resource in resources.items()
        if any(resource.get(policy) in RETAINING for policy in ("DeletionPolicy", "UpdateReplacePolicy"))
    }
    names = await logical_names(ctx.aws, ctx.region, identity)
    return {each for each, logical in names.items() if logical in kept}


async def _existing(ctx: Context[Any], kind: str, name: str) -> list[Found] | None:
    """The resource as its service describes it, empty when it is gone; None for a type that cannot be read here."""
    aws, region = ctx.aws, ctx.region
    if kind in LISTED:
        return [each for each in await LISTED[kind](aws) if each.id == name]
    match kind:
        case "AWS::S3::Bucket":
            return await buckets(aws, region, name)
        case _ if kind == USER_POOL:
            return [pool for pool in await user_pools(aws, region) if pool.id == name]
        case "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable":
            return await tables(aws, region, name)
        case "AWS::Lambda::Function":
            return await functions(aws, region, name)
        case "AWS::Logs::LogGroup":
            return [group for group in await log_groups(aws, region, name) if group.name == name]
        case "AWS::IAM::Role":
            return [role for role in await roles(aws, region, name) if role.name == name]
        case "AWS::ApiGateway::DomainName":
            return await custom_domain(aws, region, name)
        case "AWS::CertificateManager::Certificate":
            return await certificates(aws, region, name)
        case "AWS::ApiGateway::RestApi":
            return [api for api in await rest_apis(aws, region) if api.id == name]
    return None
