"""Deletes a stack of ours until CloudFormation says that it is gone, and clears out of its way what it cannot clear itself.

In: a stack that carries our tags. Out: nothing, or a `WorkshopError` with the first real cause (docs/aws-behaviours.md,
sections 3.1, 5 and 9). Protection that somebody switched on is reported, never undone.
"""

from __future__ import annotations

from typing import Any

from workshop.aws.errors import CredentialsError
from workshop.aws.resources.buckets import empty_bucket
from workshop.aws.resources.stacks import Stack, stack_resources
from workshop.errors import WorkshopError
from workshop.shell import aws_line
from workshop.steps.base import Context
from workshop.steps.stack_waits import failure, mark, paced, pause, wait_settled

__all__ = ["delete_stack"]

MOST_DELETES = 4
"""Deletions asked for before DELETE_FAILED is reported: a paced DeleteRestApi makes the first ones fail (section 5)."""
PACE = 30.0
"""Seconds in which API Gateway takes one DeleteRestApi of an account and region (section 5)."""


async def delete_stack(ctx: Context[Any], stack: Stack) -> None:
    """Ask for the deletion, by id, until the stack is gone."""
    if stack.protected:
        raise WorkshopError(
            f"The stack {stack.name} in {ctx.region} has termination protection on.", "Somebody switched it on after setup.",
            aws_line("cloudformation update-termination-protection", region=ctx.region, stack_name=stack.name,
                     no_enable_termination_protection=True), code="TerminationProtection",
        )  # fmt: skip
    refused: WorkshopError | None = None
    for asked in range(MOST_DELETES):
        now = await wait_settled(ctx, stack.id)
        if now is None or now.status == "DELETE_COMPLETE":
            return
        if asked:
            ctx.progress(f"{stack.name} is {now.status}: asking again")
            if await paced(ctx, now):
                await pause(ctx, PACE, f"API Gateway in {ctx.region} to take another deletion: it takes one in {PACE:.0f} s")
        before = await mark(ctx, stack.id)
        await ctx.aws.call("cloudformation", ctx.region, "delete_stack", StackName=stack.id)
        now = await wait_settled(ctx, stack.id, leaving=before)
        if now is None or now.status == "DELETE_COMPLETE":
            return
        refused = await _clear_buckets(ctx, stack)
    raise _with(await failure(ctx, stack.id, "could not be deleted"), refused)


async def _clear_buckets(ctx: Context[Any], stack: Stack) -> WorkshopError | None:
    """Empty the buckets of our stack whose deletion failed: CloudFormation cannot (section 9).

    A refusal is answered and not raised: what failed in the stack is the cause that people need first.
    """
    try:
        for kind, name, status in await stack_resources(ctx.aws, ctx.region, stack.id):
            if kind == "AWS::S3::Bucket" and status == "DELETE_FAILED":
                emptied = await empty_bucket(ctx.aws, ctx.region, name)
                ctx.progress(f"emptied the bucket {name} of {emptied} objects")
    except CredentialsError:
        raise
    except WorkshopError as error:
        return error
    return None


def _with(cause: WorkshopError, refused: WorkshopError | None) -> WorkshopError:
    """The cause, and after it what kept its remedy from being tried."""
    if refused is None:
        return cause
    why = f"{cause.why.rstrip('.')}. What stood in its way was not cleared: {refused.what} {refused.why}".strip()
    return WorkshopError(cause.what, why, refused.fix or cause.fix, code=cause.code)
