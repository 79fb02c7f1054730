"""The dress rehearsal: everything for real, in a place of its own, with the time of each module; fails if anything is left.

In: the command line's options. Out: results like those of the checks. On the local target it works in a temporary state
folder with a cloud of its own, so that a workshop that stands is not touched; on AWS it uses the account, after a yes, and
only when nothing of the workshop stands there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from workshop.checks.interface import Finding, Result, failed, passed, skipped
from workshop.cli.app import COMMANDS
from workshop.cli.compose import Opened, open_workspace
from workshop.cli.confirm import confirm
from workshop.cli.folder import open_folder
from workshop.cli.grant import require_grant
from workshop.cli.guard import guard
from workshop.cli.options import Common, retyped
from workshop.cli.running import interruptible
from workshop.cloud import daemon
from workshop.console.progress import progress
from workshop.engine.execute import Stop
from workshop.engine.results import NodeResult
from workshop.engine.setup import check_files, set_up
from workshop.engine.survey import survey
from workshop.engine.teardown import sweep, take_down
from workshop.engine.workspace import Contexts
from workshop.errors import UsageError
from workshop.shell import command_line
from workshop.steps.base import Resource, State
from workshop.steps.registry import kinds

__all__ = ["TITLE", "not_rehearsed", "rehearse"]

TITLE = "Dress rehearsal"
FAMILY = "rehearsal"
WORDS = "check --rehearse"
Say = Callable[[str], None]


def not_rehearsed() -> list[Result]:
    """What stands in the report instead of a rehearsal when the checks say no-go."""
    return [_result("setup", "The rehearsal", skipped("Not rehearsed, because the checks say no-go."))]


async def rehearse(common: Common, say: Say) -> list[Result]:
    """Set up, verify, drill and tear down; answers what came of each. Raises `UsageError` when the workshop stands on AWS."""
    if common.target == "aws":
        async with open_workspace(common, say) as opened:
            granted = require_grant(common, opened, WORDS)
            await _prove_free(common, granted)
            return await _Rehearsal(common, granted).run()
    local, state = replace(common, target="local", expect_account=""), open_folder()
    async with _place_of_its_own(say), open_workspace(local, lambda _: None) as opened:
        return await _Rehearsal(common, require_grant(common, opened, WORDS, state=state)).run()


@contextlib.asynccontextmanager
async def _place_of_its_own(say: Say) -> AsyncIterator[None]:
    """A state folder that is gone afterwards, with its cloud; what the shell says of others is put back."""
    kept = {name: os.environ.pop(name, None) for name in ("WORKSHOP_HOME", "WORKSHOP_PORT")}
    with tempfile.TemporaryDirectory(prefix="workshop-rehearsal-") as folder:
        os.environ["WORKSHOP_HOME"] = folder
        say("Rehearsing in a local cloud of its own; what stands in yours is not touched.")
        try:
            yield
        finally:
            await asyncio.to_thread(daemon.stop, Path(folder))
            for name, value in kept.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


async def _prove_free(common: Common, opened: Opened) -> None:
    """Nothing of the workshop may stand in the account: the rehearsal removes what it finds under these names."""
    points = await survey(opened.workspace, opened.workspace.plan(), Contexts(opened.workspace, lambda _: None))
    stands = [str(p.node.key) for p in points if p.observed.state is not State.ABSENT]
    if opened.standing is not None or stands:
        raise UsageError(
            f"{opened.workspace.name} stands in account {opened.account} already: {', '.join(stands[:3]) or 'see the journal'}.",
            "A rehearsal ends with a teardown, and must not remove what somebody uses.",
            f"Rehearse in another account (--profile NAME), or remove it first: {retyped(common, 'teardown', 'aws')}",
            code="Stands",
        )
    shown = progress()
    confirm(common, "rehearsal", opened, points, shown)


@dataclass
class _Rehearsal:
    """One rehearsal in one opened workspace."""

    common: Common
    opened: Opened
    found: list[Result] = field(default_factory=list)

    async def run(self) -> list[Result]:
        workspace, account = self.opened.workspace, self.opened.account
        scope, plan, shown = workspace.scope(account), workspace.plan(), progress()
        contexts = Contexts(workspace, shown)
        await check_files(workspace, plan)
        async with interruptible(shown) as stop, guard(self.opened, "rehearsal", shown) as claim:
            claim.listen(stop.end)
            workspace.journal.begin_run(workspace.run, "rehearsal", scope)
            workspace.journal.stands(workspace.standing(account))
            results = await set_up(workspace, plan, contexts, shown, stop)
            self.modules(results)
        good = all(result.outcome.good for result in results)
        self.found.append(await self.drill() if good else _result("drill", "The drill", skipped("Setup did not end well.")))
        shown = progress()
        contexts.emit = shown
        async with interruptible(shown) as again, guard(self.opened, "rehearsal", shown) as claim:
            claim.listen(again.end)
            start = time.monotonic()
            removed = await take_down(workspace, plan, contexts, shown, again)
            left = [] if again.asked else await sweep(plan, contexts, shown, removed)
            self.teardown(removed, left, again, time.monotonic() - start)
            workspace.journal.end_run(workspace.run, ok=not left and not again.asked)
            if not left and not again.asked:
                workspace.journal.gone(scope)
        return self.found

    def modules(self, results: Sequence[NodeResult]) -> None:
        """One result for each module, and one for the steps that only verify."""
        for name in self.opened.workspace.workshop.definition.module_names():
            mine = [r for r in results if r.node.module == name and not kinds()[r.node.spec.kind].verifies]
            if mine:
                self.found.append(_setup_result(f"setup.{name}", f"Setup of module {name}", mine))
        verified = [r for r in results if kinds()[r.node.spec.kind].verifies]
        if verified:
            self.found.append(_setup_result("verify", "Everything that was set up answers", verified))

    async def drill(self) -> Result:
        """The drill through its own command: its exit code and document are the contract."""
        title = "The drill"
        if "drill" not in COMMANDS:
            return _result("drill", title, skipped("This version has no drill."))
        start = time.monotonic()
        words = ["drill", "run", "--json", "--yes", "--workshop", self.common.workshop]
        words += ["--target", self.opened.workspace.target.name]
        words += ["--profile", self.common.profile] if self.common.profile else []
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "workshop", *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        seconds = time.monotonic() - start
        try:
            answer = json.loads(output)
        except ValueError:
            answer = {}
        if process.returncode == 0:
            rto, rpo = answer.get("rto", {}), answer.get("rpo", {})
            lost = f"{rpo.get('lost_writes')} of {rpo.get('acknowledged_writes')} writes lost"
            return _result("drill", title, passed(f"recovered after {rto.get('seconds')} s, {lost}"), seconds)
        why = answer.get("error", {}).get("what") or f"It ended with exit code {process.returncode}."
        return _result("drill", title, failed(str(why), "Look at it by itself: workshop drill run"), seconds)

    def teardown(self, removed: Sequence[NodeResult], left: Sequence[Resource], stop: Stop, seconds: float) -> None:
        again = command_line(["workshop", "teardown", *self.opened.workspace.given])
        errors = [r.error for r in removed if r.error]
        count = sum(r.outcome.value == "removed" for r in removed)
        finding = passed(f"{count} removed")
        if errors:
            finding = failed(f"{errors[0].what} {errors[0].why}", errors[0].fix or again)
        elif stop.asked:
            finding = failed("It was interrupted.", again)
        self.found.append(_result("teardown", "Teardown", finding, seconds))
        if left:
            named = ", ".join(f"{r.kind} {r.name} in {r.region}" for r in left)
            finding = failed(f"Left behind: {named}", "; ".join(r.fix for r in left))
        elif stop.asked:
            finding = skipped("Nobody looked, because the teardown was interrupted.")
        else:
            finding = passed("every region was asked twice")
        self.found.append(_result("leftovers", "Nothing is left", finding))


def _setup_result(name: str, title: str, results: Sequence[NodeResult]) -> Result:
    """What came of some nodes, and how long it took from the first start to the last end."""
    begin = min(result.at - result.seconds for result in results)
    seconds = max(result.at for result in results) - begin
    errors = [result.error for result in results if result.error]
    bad = [result for result in results if not result.outcome.good]
    if errors:
        return _result(name, title, failed(f"{errors[0].what} {errors[0].why}", errors[0].fix or "workshop setup"), seconds)
    if bad:
        return _result(name, title, failed(f"{bad[0].node.key} did not come to its turn.", "Mend what failed before it"), seconds)
    steps = len({result.node.key.step for result in results})
    return _result(name, title, passed(f"{steps} {'step' if steps == 1 else 'steps'} in {seconds:.1f} s"), seconds)


def _result(name: str, title: str, finding: Finding, seconds: float = 0.0) -> Result:
    return Result(f"{FAMILY}.{name}", FAMILY, "", title, finding, seconds)
