"""Runs all checks at once, each with its own deadline. In: checks. Out: a result for every one of them, in their order.

A check that does not end in time, or breaks, has a result like any other; one that depends on a check that failed is skipped,
with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from workshop.checks.base import Check, CheckStatus, Finding, Key, Result, failed, skipped
from workshop.errors import ExitCode, WorkshopError
from workshop.waiting import monotonic

__all__ = ["CheckListener", "CheckReport", "run_checks"]

CheckListener = Callable[[Check, Result | None], None]
"""Is called with a check that begins (no result yet), and again when it has ended."""


@dataclass(frozen=True)
class CheckReport:
    """All results. `seconds` is how long the whole took."""

    results: tuple[Result, ...]
    seconds: float = 0.0
    families: dict[str, str] = field(default_factory=dict)
    """The families in the order of the report, each with its title."""

    def of(self, *statuses: CheckStatus) -> list[Result]:
        return [result for result in self.results if result.status in statuses]

    @property
    def go(self) -> bool:
        """Whether nothing failed. What a crashed check looked at is unknown, so it counts as a failure."""
        return not self.of(CheckStatus.FAIL, CheckStatus.CRASH)

    def exit_code(self, *, strict: bool) -> ExitCode:
        """3 for no-go, 4 for a go with warnings under --strict, 0 otherwise."""
        if not self.go:
            return ExitCode.NO_GO
        return ExitCode.WARNINGS if strict and self.of(CheckStatus.WARN) else ExitCode.DONE


async def run_checks(checks: Sequence[Check], listener: CheckListener) -> list[Result]:
    """Run every check; whatever happens to one, the others have their results."""
    pending: dict[Key, asyncio.Future[Result]] = {check.key: asyncio.get_running_loop().create_future() for check in checks}
    late: set[asyncio.Task[Finding]] = set()

    async def complete(check: Check) -> Result:
        missing = await _missing(check.depends_on, pending)
        listener(check, None)
        start = monotonic()
        finding = skipped(f"Not run, because this failed: {missing}.") if missing else await _bounded(check, late)
        result = Result(check.id, check.family, check.region, check.heading, finding, monotonic() - start)
        pending[check.key].set_result(result)
        listener(check, result)
        return result

    results = list(await asyncio.gather(*(complete(check) for check in checks)))
    if late:  # a call in flight ends by itself within its own timeout
        await asyncio.wait(late)
    return results


async def _missing(after: Iterable[Key], pending: dict[Key, asyncio.Future[Result]]) -> str:
    """The title of the first of these checks that failed; empty when none did. One that is not run counts as passed."""
    for key in after:
        if key in pending:
            result = await pending[key]
            if result.status in (CheckStatus.FAIL, CheckStatus.CRASH):
                return f"{result.title} ({result.region})" if result.region else result.title
    return ""


async def _bounded(check: Check, late: set[asyncio.Task[Finding]]) -> Finding:
    """The check's finding, or a failure when it does not end within its deadline."""
    task = asyncio.create_task(_caught(check))
    done, _ = await asyncio.wait({task}, timeout=check.deadline)
    if done:
        return task.result()
    task.cancel()
    late.add(task)
    where = f" in {check.region}" if check.region else ""
    return failed(
        f"No answer within {check.deadline:.0f} s{where}.",
        f"Check the network, then run it again by itself: workshop check --only {check.family}{check.context.flags()}",
    )


async def _caught(check: Check) -> Finding:
    try:
        return await check.run()
    except WorkshopError as error:
        again = f"Fix that, then run: workshop check{check.context.flags()}"
        return failed(" ".join(part for part in (error.what, error.why) if part), error.fix or again)
    except Exception as defect:  # the families must not lose each other's results
        return Finding(
            CheckStatus.CRASH,
            f"The check itself failed: {type(defect).__name__}: {defect}"[:300],
            f"Look at it by hand, and report this. Without it: workshop check --skip {check.family}{check.context.flags()}",
        )
