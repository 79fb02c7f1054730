"""What the journal knows of a stack: that one of ours may stand, that this run removed it, and which one was seen gone.

A log group has no tags, so it is ours only through a stack of ours; a note that outlived its stack would claim what somebody
makes later under the same names. Notes are memory, never proof.
"""

from __future__ import annotations

from typing import Any

from workshop.steps.base import Context

__all__ = ["announced", "closed", "expected", "refused", "removed_unknown", "saw_gone", "stood"]

STACK = "stack"
"""A stack of ours was asked for or found under that name, and has not been seen gone since."""
REMOVED = "removed stack"
"""The run in the name saw the stack of that name gone: what comes back late, in the same run, is still ours."""
UNKNOWN = "removed unknown stack"
"""The run in the name saw a stack gone whose id its outputs do not tell: another machine made it."""
GONE = "gone stack"
"""The stack with this id was seen gone: outputs that are remembered of it claim nothing any more."""


def stood(ctx: Context[Any]) -> bool:
    """Whether a stack of ours stood here: without one, a log group of a declared name belongs to somebody else's function."""
    return expected(ctx) or _made(ctx, REMOVED, _of_this_run(ctx)) or _remembered(ctx)


def expected(ctx: Context[Any]) -> bool:
    """Whether a stack of ours was asked for and not seen gone since."""
    return _made(ctx, STACK, ctx.params.name)


def announced(ctx: Context[Any]) -> None:
    """Before a stack is asked for, and when one of ours is found by a machine that did not make it."""
    ctx.record(STACK, ctx.params.name)


def refused(ctx: Context[Any]) -> None:
    """AWS made no stack."""
    ctx.forget(STACK, ctx.params.name)


def closed(ctx: Context[Any], identity: str) -> None:
    """The stack and its log groups were seen gone: from the next run on, what stands under their names is not ours.

    `identity` is the id of the stack that was deleted just now, empty when none stood any more.
    """
    known = ctx.known.get("StackId", "")
    ctx.record(REMOVED, _of_this_run(ctx))
    if identity not in ("", known):
        ctx.record(UNKNOWN, _of_this_run(ctx))
    for gone in {identity, known} - {""}:
        ctx.record(GONE, gone)
    ctx.forget(STACK, ctx.params.name)


def removed_unknown(ctx: Context[Any]) -> bool:
    """Whether this run deleted a stack whose id it cannot tell from its outputs."""
    return _made(ctx, UNKNOWN, _of_this_run(ctx))


def saw_gone(ctx: Context[Any], identity: str) -> bool:
    """Whether the stack with this id was ours and was seen gone."""
    return _made(ctx, GONE, identity)


def _remembered(ctx: Context[Any]) -> bool:
    return bool(ctx.known) and not _made(ctx, GONE, ctx.known.get("StackId", ""))


def _of_this_run(ctx: Context[Any]) -> str:
    return f"{ctx.params.name} {ctx.run}"


def _made(ctx: Context[Any], kind: str, name: str) -> bool:
    return ctx.made(kind, name, ctx.region) is not None
