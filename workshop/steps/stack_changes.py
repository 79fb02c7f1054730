"""Changes of a stack that stands: by change set, where "no changes" is success and a lost answer does no harm."""

from __future__ import annotations

import uuid
from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.resources.stacks import Stack
from workshop.errors import WorkshopError
from workshop.steps.base import Context
from workshop.steps.stack_waits import failure, mark, wait_change_set, wait_settled

__all__ = ["call_once", "update_by_change_set"]


async def update_by_change_set(ctx: Context[Any], stack: Stack, *, source: str, **request: Any) -> Stack:
    """Bring the stack to what `request` says (template, parameters, capabilities), keeping its tags; answers the stack.

    `source` names the template in errors. Raises `WorkshopError` with the first real cause when AWS refuses or rolls back.
    """
    name = f"workshop-{uuid.uuid4().hex[:12]}"
    # By the stack's name: an emulator may not find a change set by its stack's id, and this set's own name is unique.
    where = {"StackName": stack.name, "ChangeSetName": name}
    tags = [{"Key": key, "Value": value} for key, value in stack.tags.items()]
    await call_once(
        ctx, "create_change_set", "AlreadyExistsException", **where, ChangeSetType="UPDATE", Tags=tags, ClientToken=name,
        **request,
    )  # fmt: skip
    changes = await wait_change_set(ctx, stack.name, name)
    if changes.status != "CREATE_COMPLETE":
        await ctx.aws.call("cloudformation", ctx.region, "delete_change_set", **where)
        if changes.empty:
            return stack
        raise WorkshopError(
            f"The update of {stack.name} in {ctx.region} was refused.", changes.reason,
            f"Mend {source}, then run the same command again.", code="ChangeSetFailed",
        )  # fmt: skip
    before = await mark(ctx, stack.id)
    # Explicit, because the documentation contradicts itself about the default (docs/aws-behaviours.md, section 3.5).
    await call_once(ctx, "execute_change_set", "InvalidChangeSetStatus", **where, DisableRollback=False)
    updated = await wait_settled(ctx, stack.id, leaving=before)
    if updated is None or updated.status != "UPDATE_COMPLETE":
        raise await failure(ctx, stack.id, "could not be updated and was rolled back")
    return updated


async def call_once(ctx: Context[Any], operation: str, repeated: str, **parameters: Any) -> None:
    """A CloudFormation call that a retry may send twice: the refusal `repeated` then says that the first one arrived."""
    try:
        await ctx.aws.call("cloudformation", ctx.region, operation, **parameters)
    except AwsError as error:
        if error.code != repeated:
            raise
