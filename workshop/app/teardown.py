"""Removes a workshop, queries every region for what is left, and writes the receipt.

In: a session, where events go, and the signal to stop. Out: a `TeardownReport`. Only what carries the workshop's tags, or
what the journal shows it made, is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workshop.app.connections import Notice
from workshop.app.drill import revert_faults
from workshop.app.locking import claim_left, claims_elsewhere
from workshop.app.machine_access import left_clients, remove_left_clients
from workshop.app.runs import Watch, run
from workshop.app.session import Session
from workshop.aws.regions import enabled_regions
from workshop.console.receipt import write_page
from workshop.console.report import PlanReport, TeardownReport
from workshop.engine.discover import RegionSearch, find_orphans, with_discovered_regions, with_replicated_regions
from workshop.engine.events import Emit
from workshop.engine.execute import StopSignal, unless_stopped
from workshop.engine.observe import observe_all, with_data_at_risk
from workshop.engine.plan import Plan
from workshop.engine.receipt import Receipt, make_receipt, write_receipt
from workshop.engine.results import NodeResult
from workshop.engine.teardown import sweep, tear_down
from workshop.engine.workspace import Contexts
from workshop.errors import ExitCode
from workshop.state_dir import UnwritableError, unwritable
from workshop.steps.base import Resource
from workshop.steps.registry import noted_resources

NOWHERE = frozenset({"", "global"})
"""In place of the region, of what belongs to none."""
__all__ = ["located", "planned_removal", "teardown"]


async def located(session: Session, emit: Emit, notice: Notice, *, everywhere: bool) -> tuple[Session, RegionSearch | None]:
    """The session with the home and the regions in which the workshop really is.

    All regions are searched for it when `everywhere` is asked for, or when nothing is recorded of it here.
    """
    if session.installed is None and not everywhere:
        notice("No setup is recorded here.")
    elif not everywhere:
        return replace(session, workspace=await with_replicated_regions(session.workspace, emit)), None
    search = RegionSearch(await enabled_regions(session.workspace.clients[session.account], session.workspace.home))
    notice(f"Searching {len(search.regions)} regions.")
    return replace(session, workspace=await with_discovered_regions(session.workspace, search, emit)), search


async def planned_removal(session: Session) -> PlanReport:
    """What a teardown would remove, with the data that would go with it; reads only."""
    workspace = session.workspace
    contexts = Contexts(workspace, lambda _: None)
    return PlanReport(
        command="teardown",
        workshop=workspace.name,
        target=workspace.target.name,
        account=session.account,
        identity=session.identity,
        regions=workspace.everywhere(former=True),
        points=await with_data_at_risk(await observe_all(workspace, workspace.plan(former=True), contexts), contexts),
    )


async def teardown(session: Session, watch: Watch, *, search: RegionSearch | None = None) -> TeardownReport:
    """Remove everything under the locks and the journal, and write the receipt.

    In the regions of the search, what carries our tags under other names is reported too.
    """
    workspace, journal = session.workspace, session.workspace.journal
    contexts, plan, stop = Contexts(workspace, watch.emit), workspace.plan(former=True), watch.stop
    asked = _Asked(_regions(session, search), search)
    resume = session.command_line("teardown --sweep" if search else "teardown")
    leftovers: list[Resource] = []
    receipt = None
    async with run(session, "teardown", watch) as begun:
        await revert_faults(session, watch.notice)
        await remove_left_clients(session, watch.notice)
        results = await tear_down(workspace, plan, contexts, watch.emit, stop)
        found = await unless_stopped(stop, _everything_left(session, plan, contexts, results, search, watch))
        if found is not None and not stop.asked:
            leftovers = [*found, *await claim_left(session, begun.lock)]
            receipt = _written(session, _receipt(session, results, leftovers, asked, resume), watch.notice)
            journal.record_left(session.scope, {left.region for left in leftovers if left.ours} - NOWHERE)
        code = _exit_code([*leftovers, *asked.denied], stop)
        begun.ok = code == ExitCode.DONE
    if receipt is not None and not asked.denied and not any(left.ours for left in leftovers):
        # Also when foreign resources have our names: a note that outlived our resource would make theirs look like ours.
        journal.record_removed(session.scope)
    return TeardownReport(
        command="teardown",
        workshop=workspace.name,
        target=workspace.target.name,
        account=session.account,
        regions=workspace.everywhere(former=True),
        results=results,
        code=code,
        resume=resume,
        seconds=session.elapsed(),
        leftovers=leftovers,
        receipt=receipt,
        unsearched=asked.denied,
        searched=asked.searched,
        notices=_installed_on_aws(session),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """The regions that a teardown asks what is left; which of them were closed or denied shows while it does."""

    regions: Sequence[str]
    search: RegionSearch | None

    @property
    def denied(self) -> list[str]:
        """Where the caller has no permission to look."""
        return self.search.denied if self.search else []

    @property
    def searched(self) -> list[str]:
        """Where it was looked."""
        left_out = {*self.denied, *(self.search.disabled if self.search else ())}
        return [region for region in self.regions if region not in left_out]


def _regions(session: Session, search: RegionSearch | None) -> list[str]:
    """The workshop's regions, those of the search, and those in which the last teardown left something."""
    workspace = session.workspace
    also = search.regions if search else workspace.journal.left_in(session.scope)
    return list(dict.fromkeys((*workspace.everywhere(former=True), *also)))


def _receipt(
    session: Session, results: Sequence[NodeResult], leftovers: Sequence[Resource], asked: _Asked, resume: str
) -> Receipt:
    return make_receipt(
        session.workspace,
        session.account,
        results,
        leftovers,
        since=session.since,
        by=session.identity,
        again=resume,
        unsearched=asked.denied,
    )


def _written(session: Session, receipt: Receipt, notice: Notice) -> Path | None:
    """The file of the receipt; None with a notice on a disk that takes none: what was removed is removed all the same."""
    try:
        path = write_receipt(session.folder / "receipts", receipt)
        write_page(path, receipt)
    except (OSError, UnwritableError) as error:
        full = error if isinstance(error, UnwritableError) else unwritable(error)
        if full is None:
            raise
        notice(f"! No receipt was written. {full.what} {full.why}")
        return None
    return path


async def _everything_left(
    session: Session, plan: Plan, contexts: Contexts, results: Sequence[NodeResult], search: RegionSearch | None, watch: Watch
) -> list[Resource]:
    """What two sweeps of the plan, and a look for what is not in the plan, still find."""
    workspace = session.workspace
    left = (await sweep(plan, contexts, watch.emit, results))[session.account]
    left += await left_clients(session)
    if search is not None:
        left += await claims_elsewhere(session, search.regions, watch.notice)
    elif workspace.journal.remembers_made(session.scope, noted_resources()) or workspace.journal.left_in(session.scope):
        search = RegionSearch(_regions(session, None))  # the definition may have changed since
    if search is not None:
        left += await find_orphans(workspace, search, left, watch.emit)
        left += search.unreadable.values()
    return left


def _exit_code(leftovers: Sequence[object], stop: StopSignal) -> ExitCode:
    """What is left decides: a step that failed and of which both sweeps found nothing has nothing left to do."""
    if stop.asked:
        return ExitCode.FAILED if stop.fatal else ExitCode.INTERRUPTED
    return ExitCode.PARTLY if leftovers else ExitCode.DONE


def _installed_on_aws(session: Session) -> list[str]:
    """What costs money is never forgotten: other installations on AWS, each with its removal."""
    name = session.workspace.name
    others = [s for s in session.workspace.journal.installations(name) if s.scope.target == "aws" and s.scope != session.scope]
    return [
        f"! {name} is still deployed on AWS, in account {other.scope.account} since {other.since}."
        f" Remove it: {replace(session.invocation.recorded(), profile=other.profile).command_line('teardown', 'aws')}"
        for other in others
    ]
