"""Checks a workshop before its event, and gathers the policy that it needs.

In: an invocation and what is planned. Out: a `CheckReport`, or the statements of a policy. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from workshop.app.check_session import open_for_checks, open_for_policy
from workshop.app.connections import Notice
from workshop.app.invocation import Invocation
from workshop.app.rehearse import TITLE, Prompts, not_rehearsed, rehearse
from workshop.checks.context import CheckContext, EventPlan
from workshop.checks.policy import Statement, needed_permissions, statements
from workshop.checks.registry import all_checks, chosen, family_named
from workshop.checks.runner import CheckListener, CheckReport, run_checks
from workshop.console.checks import About
from workshop.errors import UsageError
from workshop.waiting import monotonic

__all__ = ["check", "needed_policy", "with_rehearsal"]

ANY_ACCOUNT = "*"
"""IAM accepts it in place of an account number; a policy only ever grants access to its own account."""
Listening = Callable[[], AbstractAsyncContextManager[CheckListener]]
"""Opens a listener to the checks."""


async def check(
    invocation: Invocation, event: EventPlan, only: Sequence[str], skip: Sequence[str], listening: Listening, notice: Notice
) -> tuple[CheckReport, About]:
    """Run the checks of the families that remain, and describe what they looked at."""
    families = chosen(only, skip)
    async with open_for_checks(invocation, event, notice) as context:
        start = monotonic()
        async with listening() as listener:
            results = await run_checks(all_checks(context, families), listener)
        report = CheckReport(tuple(results), monotonic() - start, {name: family_named(name).title for name in families})
        return report, _about(context)


async def with_rehearsal(invocation: Invocation, report: CheckReport, prompts: Prompts, notice: Notice) -> CheckReport:
    """The report with the rehearsal's results; a no-go is not rehearsed."""
    results = await rehearse(invocation, prompts, notice) if report.go else not_rehearsed()
    seconds = report.seconds + sum(result.seconds for result in results)
    families = {**report.families, "rehearsal": TITLE}
    return replace(report, results=(*report.results, *results), seconds=seconds, families=families)


async def needed_policy(invocation: Invocation, phases: Sequence[str], notice: Notice) -> list[Statement]:
    """The statements that the phases (none given: all) need; raises `UsageError` when there are none."""
    if invocation.target == "aws" and not invocation.expect_account:
        opened = open_for_checks(invocation, EventPlan(), notice)
    else:
        opened = open_for_policy(invocation, invocation.expect_account or ANY_ACCOUNT)
    async with opened as context:
        if context.caller is None and context.caller_error is not None:
            raise context.caller_error
        if context.problems and not context.planned_steps:
            raise context.problems[0].error()
        wanted = [p for p in needed_permissions(context) if not phases or p.phase.value in phases]
    parts = statements(wanted)
    if not parts:
        raise UsageError(
            what=f"No step needs a permission in the phase {', '.join(phases)}.",
            fix="Leave --phase out to see all",
            code="EmptyPolicy",
        )
    return parts


def _about(context: CheckContext) -> About:
    return About(
        context.workshop,
        context.target,
        context.account if context.caller else "unknown",
        context.caller.arn if context.caller else "",
        context.regions,
        context.event.participants,
        context.clock.now(),
    )
