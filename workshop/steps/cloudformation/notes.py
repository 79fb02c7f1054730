"""The journal's notes about a stack: that one of ours may exist, that this run deleted it, and which one was seen gone.

In: a context, a stack's id. Out: notes and what they mean. A log group has no tags, so it is ours only through a stack of ours; a
note that outlived its stack would claim what others make later under the same names. Notes are memory, never proof.
"""

from __future__ import annotations

from typing import Any

from workshop.steps.base import Context

__all__ = [
    "STACK_NOTE",
    "deleted_unknown_stack",
    "had_stack",
    "is_noted",
    "is_noted_gone",
    "note_deleted",
    "note_identity",
    "note_refused",
    "note_requested",
]

STACK_NOTE = "stack"
"""A stack of ours with that name was requested or found, and has not been seen gone since."""
REMOVED = "removed stack"
"""The run in the name saw the stack of that name gone: what comes back late, in the same run, is still ours."""
UNKNOWN = "removed unknown stack"
"""The run in the name saw a stack gone whose id is not in its outputs: another machine made it."""
GONE = "gone stack"
"""The stack with this id was seen gone: remembered outputs of it claim nothing any more."""


def had_stack(ctx: Context[Any]) -> bool:
    """Whether a stack of ours existed here: without one, a log group of a declared name belongs to a function of others."""
    return is_noted(ctx) or _made(ctx, REMOVED, _of_this_run(ctx)) or _remembered(ctx)


def is_noted(ctx: Context[Any]) -> bool:
    """Whether a stack of ours was requested and not seen gone since."""
    return _made(ctx, STACK_NOTE, ctx.params.name)


def note_requested(ctx: Context[Any]) -> None:
    """Before a stack is requested, and when one of ours is found by a machine that did not make it."""
    ctx.notes.record(STACK_NOTE, ctx.params.name)


def note_identity(ctx: Context[Any], identity: str) -> None:
    """AWS accepted the stack and gave it this id, which no other stack will have."""
    ctx.notes.record(STACK_NOTE, ctx.params.name, identity)


def note_refused(ctx: Context[Any]) -> None:
    """AWS made no stack."""
    ctx.notes.forget(STACK_NOTE, ctx.params.name)


def note_deleted(ctx: Context[Any], identity: str) -> None:
    """The stack and its log groups were seen gone: from the next run on, what has their names is not ours.

    `identity` is the id of the stack that was deleted just now, empty when there was none any more.
    """
    known = ctx.known.get("StackId", "")
    ctx.notes.record(REMOVED, _of_this_run(ctx))
    if identity not in ("", known):
        ctx.notes.record(UNKNOWN, _of_this_run(ctx))
    for gone in {identity, known} - {""}:
        ctx.notes.record(GONE, gone)
    ctx.notes.forget(STACK_NOTE, ctx.params.name)


def deleted_unknown_stack(ctx: Context[Any]) -> bool:
    """Whether this run deleted a stack whose id is not in its outputs."""
    return _made(ctx, UNKNOWN, _of_this_run(ctx))


def is_noted_gone(ctx: Context[Any], identity: str) -> bool:
    """Whether the stack with this id was ours and was seen gone."""
    return _made(ctx, GONE, identity)


def _remembered(ctx: Context[Any]) -> bool:
    return bool(ctx.known) and not _made(ctx, GONE, ctx.known.get("StackId", ""))


def _of_this_run(ctx: Context[Any]) -> str:
    return f"{ctx.params.name} {ctx.run}"


def _made(ctx: Context[Any], kind: str, name: str) -> bool:
    return ctx.notes.made(kind, name, ctx.region) is not None
