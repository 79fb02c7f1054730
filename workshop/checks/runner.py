"""Asks all checks at once, each with its own deadline. In: checks. Out: a result for every one of them, in their order.

A check that does not answer in time, or breaks, is a result like any other; one that relies on a check that failed is not
asked and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from workshop.checks.base import Check, Finding, Key, Result, Status, failed, skipped
from workshop.errors import ExitCode, WorkshopError
from workshop.waiting import monotonic

__all__ = ["Report", "run_checks"]

Heard = Callable[[Check, Result | None], None]
"""Hears a check that begins (no result yet) and one that ended."""


@dataclass(frozen=True)
class Report:
    """All results. `seconds` is how long the whole took."""

    results: tuple[Result, ...]
    seconds: float = 0.0
    families: dict[str, str] = field(default_factory=dict)
    """The families in the order of the report, each with its title."""

    def of(self, *statuses: Status) -> list[Result]:
        return [result for result in self.results if result.status in statuses]

    @property
    def go(self) -> bool:
        """Whether nothing failed. A check that crashed looked at something that nobody knows now, so it counts as a failure."""
        return not self.of(Status.FAIL, Status.CRASH)

    def exit_code(self, *, strict: bool) -> ExitCode:
        """3 for no-go, 4 for a go with warnings under --strict, 0 otherwise."""
        if not self.go:
            return ExitCode.NO_GO
        return ExitCode.WARNINGS if strict and self.of(Status.WARN) else ExitCode.DONE


async def run_checks(checks: Sequence[Check], heard: Heard) -> list[Result]:
    """Ask every check; whatever happens to one, the others are answered."""
    answers: dict[Key, asyncio.Future[Result]] = {check.key: asyncio.get_running_loop().create_future() for check in checks}

    late: set[asyncio.Task[Finding]] = set()

    async def settle(check: Check) -> Result:
        missing = await _missing(check.depends_on, answers)
        heard(check, None)
        start = monotonic()
        finding = skipped(f"Not asked, because this failed: {missing}.") if missing else await _bounded(check, late)
        result = Result(check.id, check.family, check.region, check.heading, finding, monotonic() - start)
        answers[check.key].set_result(result)
        heard(check, result)
        return result

    results = list(await asyncio.gather(*(settle(check) for check in checks)))
    if late:  # a call in flight ends by itself within its own timeout
        await asyncio.wait(late)
    return results


async def _missing(after: Iterable[Key], answers: dict[Key, asyncio.Future[Result]]) -> str:
    """The title of the first check that this one relies on and that failed; one that was left out is taken to have passed."""
    for key in after:
        if key in answers:
            result = await answers[key]
            if result.status in (Status.FAIL, Status.CRASH):
                return f"{result.title} ({result.region})" if result.region else result.title
    return ""


async def _bounded(check: Check, late: set[asyncio.Task[Finding]]) -> Finding:
    """The check's finding, or what became of it within its deadline."""
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
        return Finding(Status.FAIL, " ".join(part for part in (error.what, error.why) if part), error.fix or _again(check))
    except Exception as defect:  # the families must not lose each other's results
        return Finding(
            Status.CRASH, f"The check itself failed: {type(defect).__name__}: {defect}"[:300],
            f"Look at it by hand, and report this. Without it: workshop check --skip {check.family}{check.context.flags()}",
        )  # fmt: skip


def _again(check: Check) -> str:
    return f"Mend that, then run: workshop check{check.context.flags()}"
