"""Waits for stacks and change sets, by stack id, with every event reported, and explains failures.

In: a stack's id. Out: the settled stack, the change set, or the error with the first real cause. Botocore's waiters are not used:
they poll every 30 s and take an old state for a failure (docs/aws-behaviours.md, section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workshop.aws.resources.stacks import ChangeSet, Event, Stack, describe_change_set, describe_stack, events_since, root_cause
from workshop.errors import WorkshopError
from workshop.shell import command_line
from workshop.steps.base import Context
from workshop.waiting import monotonic

__all__ = ["Mark", "failure", "is_rate_limited", "mark", "pause", "wait_change_set", "wait_settled"]

DEADLINE = 3600.0
CHANGE_SET_DEADLINE = 600.0
INTERVAL = 6.0
OLD_STATE = 30.0
"""Seconds for which a stack may still show the state from before an operation that AWS has accepted."""
STARTS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"})
SHOWN = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"})
SPREAD = "CloudFront to bring the distribution to every edge, which takes about 5 minutes"
SLOW = {
    ("AWS::CloudFront::Distribution", "CREATE_IN_PROGRESS"): SPREAD,
    ("AWS::CloudFront::Distribution", "UPDATE_IN_PROGRESS"): SPREAD,
    ("AWS::CloudFront::Distribution", "DELETE_IN_PROGRESS"): (
        "CloudFront to disable the distribution at every edge and delete it, which takes 5 to 15 minutes"
    ),
}
"""What takes minutes on AWS whatever the stack, and the reason that people are shown (docs/aws-behaviours.md, section 14)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stack's state and its newest event at one moment."""

    status: str
    event: str


@dataclass
class _Progress:
    """What the events of a stack show so far: how many resources are done, and the slow ones that are not."""

    done: int = 0
    latest: str = ""
    slow: dict[str, str] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        self.slow.pop(event.resource, None)
        if reason := SLOW.get((event.type, event.status)):
            self.slow[event.resource] = reason
        elif event.status in SHOWN:
            self.done, self.latest = self.done + 1, f"{event.resource} ({event.type.removeprefix('AWS::')})"

    def shown(self, reason: str) -> str:
        """What is waited for now; `reason` while nothing is known."""
        so_far = f"{self.done} resources done, the latest {self.latest}" if self.latest else ""
        return "; ".join(filter(None, (*dict.fromkeys(self.slow.values()), so_far))) or reason


async def wait_settled(ctx: Context[Any], identity: str, *, leaving: Mark | None = None) -> Stack | None:
    """Wait until no operation runs on the stack with this id; None when it does not exist.

    `leaving` is the stack as it was before an operation that was just asked for: that state does not count as settled until
    an event shows that the operation began, or 30 s have passed.
    """
    start = monotonic()
    progress = _Progress()
    seen = leaving.event if leaving else await _newest(ctx, identity, progress)
    name = identity.rpartition(":stack/")[2].partition("/")[0] or identity
    began = leaving is None

    def waiting(reason: str, seconds: float) -> None:
        ctx.report.waiting(progress.shown(reason), seconds)

    async def settled() -> tuple[Stack | None] | None:
        nonlocal seen, began
        stack = await describe_stack(ctx.aws, ctx.region, identity)
        if stack is None:
            return (None,)
        for event in await events_since(ctx.aws, ctx.region, stack.id, seen):
            seen, began = event.id, True
            progress.take(event)
            if event.status.endswith("_FAILED"):
                ctx.report.progress(f"{event.status} {event.resource} ({event.type}): {event.reason}")
        old = not began and leaving is not None and stack.status == leaving.status and monotonic() - start < OLD_STATE
        return (stack,) if stack.settled and not old else None

    reason = f"stack {name} in {ctx.region}"
    (stack,) = await ctx.wait_for(settled, reason=reason, deadline=DEADLINE, interval=INTERVAL, waiting=waiting)
    return stack


async def _newest(ctx: Context[Any], identity: str, progress: _Progress) -> str:
    """The newest event of a stack on which an operation may run already, for a run that goes on with what another one began."""
    stack = await describe_stack(ctx.aws, ctx.region, identity)
    events = await events_since(ctx.aws, ctx.region, stack.id, "") if stack else []
    if stack is not None and not stack.settled:
        for event in _current_operation(events):
            progress.take(event)
    return events[-1].id if events else ""


async def wait_change_set(ctx: Context[Any], stack: str, name: str) -> ChangeSet:
    """Wait until a change set is made or refused; "no changes" is a refusal with `ChangeSet.empty`."""

    async def made() -> ChangeSet | None:
        changes = await describe_change_set(ctx.aws, ctx.region, stack, name)
        return changes if changes.status in ("CREATE_COMPLETE", "FAILED") else None

    reason = f"the changes of the stack in {ctx.region} to be worked out"
    return await ctx.wait_for(made, reason=reason, deadline=CHANGE_SET_DEADLINE, interval=INTERVAL)


async def failure(ctx: Context[Any], identity: str, what: str) -> WorkshopError:
    """The error for a stack that ended badly, with its first real cause."""
    stack = await describe_stack(ctx.aws, ctx.region, identity)
    name = stack.name if stack else identity.rpartition("/")[0].rpartition("/")[2]
    if stack is None:
        return WorkshopError(
            what=f"The stack {name} in {ctx.region} {what}.",
            why="It is gone.",
            fix="Run the same command again.",
            code="StackGone",
        )
    cause = root_cause(_current_operation(await events_since(ctx.aws, ctx.region, stack.id, "")), stack)
    why = f"{cause.resource} ({cause.type}): {cause.reason}" if cause else stack.reason or stack.status
    again = "Correct that, then run the same command again: a stack that failed is deleted and created again."
    return WorkshopError(
        what=f"The stack {name} in {ctx.region} {what} ({stack.status}).",
        why=why,
        fix=_remedy(ctx, why) or again,
        code=stack.status,
    )


def _remedy(ctx: Context[Any], why: str) -> str:
    """The command that helps against this failure, if the definition names one."""
    remedies: dict[str, dict[str, str]] = ctx.params.remedies
    values = next((values for text, values in remedies.items() if text in why), {})
    flags = [word for name, value in values.items() for word in ("--param", f"{name}={value}")]
    return f"Run: {command_line([*ctx.again('setup'), *flags])}" if flags else ""


async def is_rate_limited(ctx: Context[Any], stack: Stack) -> bool:
    """Whether the stack's latest operation failed because AWS asks for fewer requests (docs/aws-behaviours.md, section 5)."""
    events = _current_operation(await events_since(ctx.aws, ctx.region, stack.id, ""))
    reasons = [stack.reason, *(event.reason for event in events if event.status.endswith("_FAILED"))]
    return any("too many requests" in reason.lower() for reason in reasons)


async def pause(ctx: Context[Any], seconds: float, reason: str) -> None:
    """Wait that many seconds, and report the reason."""
    start = monotonic()

    async def over() -> bool:
        return monotonic() - start >= seconds

    await ctx.wait_until(over, reason=reason, deadline=seconds + 1, interval=INTERVAL)


def _current_operation(events: list[Event]) -> list[Event]:
    """The events since the stack's own latest *_IN_PROGRESS row that began an operation."""
    starts = [i for i, event in enumerate(events) if event.type == "AWS::CloudFormation::Stack" and event.status in STARTS]
    return events[starts[-1] :] if starts else events


async def mark(ctx: Context[Any], identity: str) -> Mark:
    """The stack as it is now, taken before an operation is asked for."""
    stack = await describe_stack(ctx.aws, ctx.region, identity)
    events = await events_since(ctx.aws, ctx.region, stack.id, "") if stack else []
    return Mark(stack.status if stack else "", events[-1].id if events else "")
