"""The dress rehearsal: everything for real, apart from any deployed workshop, with the time of each module.

In: an invocation. Out: results like those of the checks; anything that is left is a failure. On the local target it works in a
temporary state folder with a local cloud of its own; on AWS it uses the account, after a yes, and only when nothing of the
workshop is deployed there.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from workshop.app.connections import Notice
from workshop.app.drill import DrillRequest, drill
from workshop.app.invocation import Invocation
from workshop.app.runs import Watch
from workshop.app.session import Session, open_session
from workshop.app.setup import observed, plan_report, planned, setup
from workshop.app.teardown import teardown
from workshop.checks.base import Finding, Result, failed, passed, skipped
from workshop.cloud import daemon
from workshop.cloud.ports import ANY_FREE_PORT
from workshop.console.report import PlanReport, SetupReport, TeardownReport
from workshop.drill.report import Targets
from workshop.durations import format_duration
from workshop.engine.results import NodeResult
from workshop.errors import ExitCode, UsageError, WorkshopError
from workshop.state_dir import open_folder
from workshop.steps.base import State
from workshop.steps.registry import kinds

__all__ = ["TITLE", "Prompts", "not_rehearsed", "rehearse"]

TITLE = "Dress rehearsal"
FAMILY = "rehearsal"


class Prompts(Protocol):
    """What a rehearsal asks of the person who started it."""

    def grant(self, session: Session, remembered: Path | None) -> Session:
        """The session with the right to run the definition's code; `remembered` is the state folder that keeps the grant."""

    def confirm(self, session: Session, plan: PlanReport) -> None:
        """Show the plan, and go on only after a yes."""

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """Who follows the next part of the rehearsal."""


def not_rehearsed() -> list[Result]:
    """What is in the report instead of a rehearsal when the checks end in a no-go."""
    return [_result("setup", "The rehearsal", skipped("Not rehearsed, because the checks ended in a no-go."))]


async def rehearse(invocation: Invocation, prompts: Prompts, notice: Notice) -> list[Result]:
    """Set up, verify, drill and tear down, each with its result. Raises `UsageError` when the workshop is deployed on AWS."""
    if invocation.target == "aws":
        async with open_session(invocation, notice) as session:
            granted = prompts.grant(session, None)
            await _require_free(granted, prompts)
            return await _Rehearsal(granted, prompts).run()
    local = replace(invocation, target="local", expect_account="")
    async with _own_cloud(notice) as state, open_session(local, lambda _: None, state=state) as session:
        return await _Rehearsal(prompts.grant(session, open_folder()), prompts).run()


@contextlib.asynccontextmanager
async def _own_cloud(notice: Notice) -> AsyncIterator[Path]:
    """A state folder with a local cloud on a free port; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="workshop-rehearsal-") as folder:
        notice("Rehearsing in a local cloud of its own; what is deployed in yours is not touched.")
        await asyncio.to_thread(daemon.start, open_folder(Path(folder)), port=ANY_FREE_PORT)
        try:
            yield Path(folder)
        finally:
            await asyncio.to_thread(daemon.stop, Path(folder))


async def _require_free(session: Session, prompts: Prompts) -> None:
    """Nothing of the workshop may be in the account: the rehearsal removes what it finds under these names."""
    points = await observed(session, session.workspace.plan(former=True))
    present = [str(point.node.key) for point in points if point.observed.state is not State.ABSENT]
    if session.installed is not None or present:
        found = ", ".join(present[:3]) or "see the journal"
        raise UsageError(
            what=f"{session.workspace.name} is already deployed in account {session.account}: {found}.",
            why="A rehearsal ends with a teardown, and must not remove what is in use.",
            fix=f"Rehearse in another account (--profile NAME), or remove it first: {session.command_line('teardown')}",
            code="Stands",
        )
    prompts.confirm(session, plan_report(session, points, "rehearsal"))


@dataclass
class _Rehearsal:
    """One rehearsal in one session."""

    session: Session
    prompts: Prompts
    found: list[Result] = field(default_factory=list)

    async def run(self) -> list[Result]:
        plan = await planned(self.session)
        async with self.prompts.watch() as watch:
            made = await setup(self.session, plan, watch)
        self._add_modules(made)
        if made.code == ExitCode.DONE:
            self.found.append(await self._drill())
        else:
            self.found.append(_result("drill", "The drill", skipped("Setup did not end well.")))
        start = time.monotonic()
        async with self.prompts.watch() as watch:
            removed = await teardown(self.session.next_run(), watch)
        self._add_teardown(removed, time.monotonic() - start)
        return self.found

    def _add_modules(self, made: SetupReport) -> None:
        """One result for each module, and one for the steps that only verify."""
        for name in self.session.workspace.workshop.definition.module_names():
            own = [r for r in made.results if r.node.module == name and not kinds()[r.node.spec.kind].is_verification]
            if own:
                self.found.append(self._setup_result(f"setup.{name}", f"Setup of module {name}", own))
        verified = [result for result in made.results if kinds()[result.node.spec.kind].is_verification]
        if verified:
            self.found.append(self._setup_result("verify", "Everything that was set up works", verified))

    async def _drill(self) -> Result:
        title, start = "The drill", time.monotonic()
        again = self.session.command_line("drill run")
        try:
            async with self.prompts.watch() as watch:
                found = await drill(self.session.next_run(), DrillRequest(), Targets(), watch, lambda _: None)
        except WorkshopError as error:
            return _result("drill", title, failed(error.what, f"Run it by itself: {again}"), time.monotonic() - start)
        seconds = time.monotonic() - start
        if found is None:
            return _result("drill", title, failed("It was interrupted.", f"Run it by itself: {again}"), seconds)
        if not found.verdict.ok:
            return _result("drill", title, failed(" ".join(found.verdict.reasons), f"Run it by itself: {again}"), seconds)
        outage, recovery = found.result.figures.outage, found.result.figures.recovery
        rto = "no failover" if outage.rto is None else f"recovered after {format_duration(outage.rto)}"
        lost = f"{len(recovery.lost)} of {recovery.acknowledged} writes lost"
        return _result("drill", title, passed(f"{rto}, {lost}"), seconds)

    def _add_teardown(self, removed: TeardownReport, seconds: float) -> None:
        errors = [result.error for result in removed.results if result.error]
        interrupted = removed.code == ExitCode.INTERRUPTED
        count = sum(result.outcome.value == "removed" for result in removed.results)
        finding = passed(f"{count} removed")
        if errors:
            finding = failed(f"{errors[0].what} {errors[0].why}", errors[0].fix or removed.resume)
        elif interrupted:
            finding = failed("It was interrupted.", removed.resume)
        self.found.append(_result("teardown", "Teardown", finding, seconds))
        if removed.leftovers:
            named = ", ".join(f"{left.kind} {left.name} in {left.region}" for left in removed.leftovers)
            finding = failed(f"Left behind: {named}", "; ".join(left.fix for left in removed.leftovers))
        elif interrupted:
            finding = skipped("The regions were not searched, because the teardown was interrupted.")
        else:
            finding = passed("every region was queried twice")
        self.found.append(_result("leftovers", "Nothing is left", finding))

    def _setup_result(self, name: str, title: str, results: Sequence[NodeResult]) -> Result:
        """The verdict on some nodes, and how long they took from the first start to the last end."""
        begin = min(result.at - result.seconds for result in results)
        seconds = max(result.at for result in results) - begin
        errors = [result.error for result in results if result.error]
        bad = [result for result in results if not result.outcome.good]
        if errors:
            again = self.session.command_line("setup")
            return _result(name, title, failed(f"{errors[0].what} {errors[0].why}", errors[0].fix or again), seconds)
        if bad:
            return _result(name, title, failed(f"{bad[0].node.key} was not run.", "Fix what failed before it"), seconds)
        steps = len({result.node.key.step for result in results})
        return _result(name, title, passed(f"{steps} {'step' if steps == 1 else 'steps'} in {format_duration(seconds)}"), seconds)


def _result(name: str, title: str, finding: Finding, seconds: float = 0.0) -> Result:
    return Result(f"{FAMILY}.{name}", FAMILY, "", title, finding, seconds)
