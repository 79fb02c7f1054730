"""Updates and deletes a stack of ours.

In: a stack that carries our tags. Out: the updated stack, or nothing when it is gone, or a `WorkshopError` with the first real
cause (docs/aws-behaviours.md, sections 3.1, 5 and 9). "No changes" is success, and a lost response does no harm. Termination
protection is reported, never switched off.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from workshop.aws.errors import AwsError, CredentialsError
from workshop.aws.resources.buckets import empty_bucket
from workshop.aws.resources.stacks import Stack, stack_resources
from workshop.errors import WorkshopError
from workshop.shell import aws_line
from workshop.steps.base import Context
from workshop.steps.cloudformation.waits import failure, is_rate_limited, mark, pause, wait_change_set, wait_settled

__all__ = ["call_once", "delete_stack", "update_by_change_set"]

MOST_DELETES = 4
"""Deletions asked for before DELETE_FAILED is reported: a paced DeleteRestApi makes the first ones fail (section 5)."""
MIN_INTERVAL = 30.0
"""Seconds in which API Gateway takes one DeleteRestApi of an account and region (section 5)."""


async def update_by_change_set(
    ctx: Context[Any], stack: Stack, *, source: str, more_tags: Mapping[str, str] = MappingProxyType({}), **request: Any
) -> Stack:
    """Bring the stack to the template, parameters and capabilities in `request`, keeping its tags; returns the stack.

    `source` names the template in errors, `more_tags` are added to the tags that the stack has. Raises `WorkshopError` with the
    first real cause when AWS refuses or rolls back.
    """
    name = f"workshop-{uuid.uuid4().hex[:12]}"
    # By the stack's name: an emulator may not find a change set by its stack's id, and this set's own name is unique.
    where = {"StackName": stack.name, "ChangeSetName": name}
    tags = [{"Key": key, "Value": value} for key, value in {**stack.tags, **more_tags}.items()]
    await call_once(
        ctx,
        "create_change_set",
        "AlreadyExistsException",
        **where,
        ChangeSetType="UPDATE",
        Tags=tags,
        ClientToken=name,
        **request,
    )
    changes = await wait_change_set(ctx, stack.name, name)
    if changes.status != "CREATE_COMPLETE":
        await ctx.aws.call("cloudformation", ctx.region, "delete_change_set", **where)
        if changes.empty:
            return stack
        raise WorkshopError(
            what=f"The update of {stack.name} in {ctx.region} was refused.",
            why=changes.reason,
            fix=f"Correct {source}, then run the same command again.",
            code="ChangeSetFailed",
        )
    before = await mark(ctx, stack.id)
    # Explicit, because the documentation contradicts itself about the default (docs/aws-behaviours.md, section 3.5).
    await call_once(ctx, "execute_change_set", "InvalidChangeSetStatus", **where, DisableRollback=False)
    updated = await wait_settled(ctx, stack.id, leaving=before)
    if updated is None or updated.status != "UPDATE_COMPLETE":
        raise await failure(ctx, stack.id, "could not be updated and was rolled back")
    return updated


async def call_once(ctx: Context[Any], operation: str, repeated: str, **parameters: Any) -> None:
    """A CloudFormation call that a retry may send twice: the refusal `repeated` then means that the first one arrived."""
    try:
        await ctx.aws.call("cloudformation", ctx.region, operation, **parameters)
    except AwsError as error:
        if error.code != repeated:
            raise


async def delete_stack(ctx: Context[Any], stack: Stack) -> None:
    """Ask for the deletion, by id, until the stack is gone."""
    if stack.protected:
        raise WorkshopError(
            what=f"The stack {stack.name} in {ctx.region} has termination protection on.",
            why="It was switched on after setup.",
            fix=aws_line(
                "cloudformation update-termination-protection",
                region=ctx.region,
                stack_name=stack.name,
                no_enable_termination_protection=True,
            ),
            code="TerminationProtection",
        )
    refused: WorkshopError | None = None
    for asked in range(MOST_DELETES):
        now = await wait_settled(ctx, stack.id)
        if now is None or now.status == "DELETE_COMPLETE":
            return
        if asked:
            ctx.report.progress(f"{stack.name} is {now.status}: asking again")
            if await is_rate_limited(ctx, now):
                reason = f"API Gateway in {ctx.region} to take another deletion: it takes one in {MIN_INTERVAL:.0f} s"
                await pause(ctx, MIN_INTERVAL, reason)
        before = await mark(ctx, stack.id)
        await ctx.aws.call("cloudformation", ctx.region, "delete_stack", StackName=stack.id)
        now = await wait_settled(ctx, stack.id, leaving=before)
        if now is None or now.status == "DELETE_COMPLETE":
            return
        refused = await _clear_buckets(ctx, stack)
    raise _with(await failure(ctx, stack.id, "could not be deleted"), refused)


async def _clear_buckets(ctx: Context[Any], stack: Stack) -> WorkshopError | None:
    """Empty the buckets of our stack whose deletion failed: CloudFormation cannot (section 9).

    A refusal is returned and not raised: what failed in the stack is the cause that people need first.
    """
    try:
        for kind, name, status in await stack_resources(ctx.aws, ctx.region, stack.id):
            if kind == "AWS::S3::Bucket" and status == "DELETE_FAILED":
                emptied = await empty_bucket(ctx.aws, ctx.region, name)
                ctx.report.progress(f"emptied the bucket {name} of {emptied} objects")
    except CredentialsError:
        raise
    except WorkshopError as error:
        return error
    return None


def _with(cause: WorkshopError, refused: WorkshopError | None) -> WorkshopError:
    """The cause, and after it why the buckets could not be emptied."""
    if refused is None:
        return cause
    why = f"{cause.why.rstrip('.')}. Its buckets were not emptied: {refused.what} {refused.why}".strip()
    return WorkshopError(what=cause.what, why=why, fix=refused.fix or cause.fix, code=cause.code)
