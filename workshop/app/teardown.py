"""Removes a workshop, asks every region what is left, and writes the receipt.

In: a session, where events go and who is asked to stop. Out: a `TeardownReport`. Only what carries the workshop's tags, or
what the journal shows it made, is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workshop.app.connections import Notice
from workshop.app.drill import revert_faults
from workshop.app.locking import claim_left, claims_elsewhere
from workshop.app.runs import Watch, run
from workshop.app.session import Session
from workshop.aws.regions import enabled_regions
from workshop.console.receipt import write_page
from workshop.console.report import TeardownReport
from workshop.engine.discover import Search, find_orphans, with_discovered_regions, with_replicated_regions
from workshop.engine.events import Emit
from workshop.engine.execute import StopSignal, unless_stopped
from workshop.engine.observe import NodeState, observe_all, with_data_at_risk
from workshop.engine.plan import Plan
from workshop.engine.receipt import make_receipt, write_receipt
from workshop.engine.results import NodeResult
from workshop.engine.teardown import sweep, tear_down
from workshop.engine.workspace import Contexts
from workshop.errors import ExitCode
from workshop.steps.base import Resource
from workshop.steps.registry import noted_resources

__all__ = ["located", "planned_removal", "teardown"]


async def located(session: Session, emit: Emit, notice: Notice, *, everywhere: bool) -> tuple[Session, Search | None]:
    """The session with the home and the regions in which the workshop really is; `everywhere` searches all regions for it."""
    if not everywhere:
        return replace(session, workspace=await with_replicated_regions(session.workspace, emit)), None
    search = Search(await enabled_regions(session.workspace.clients[session.account], session.workspace.home))
    notice(f"Searching {len(search.regions)} regions.")
    return replace(session, workspace=await with_discovered_regions(session.workspace, search, emit)), search


async def planned_removal(session: Session) -> list[NodeState]:
    """What a teardown would remove, with the data that would go with it; reads only."""
    contexts = Contexts(session.workspace, lambda _: None)
    return list(await with_data_at_risk(await observe_all(session.workspace, session.workspace.plan(), contexts), contexts))


async def teardown(session: Session, watch: Watch, *, search: Search | None = None) -> TeardownReport:
    """Remove everything under the locks and the journal, and write the receipt.

    In the regions of the search, what carries our tags under other names is reported too.
    """
    workspace, journal = session.workspace, session.workspace.journal
    contexts, plan, stop = Contexts(workspace, watch.emit), workspace.plan(), watch.stop
    resume = session.command_line("teardown --sweep" if search else "teardown")
    unsearched = search.denied if search else []
    leftovers: list[Resource] = []
    receipt = None
    async with run(session, "teardown", watch) as begun:
        await revert_faults(session, watch.notice)
        results = await tear_down(workspace, plan, contexts, watch.emit, stop)
        found = await unless_stopped(stop, _everything_left(session, plan, contexts, results, search, watch))
        if found is not None and not stop.asked:
            leftovers = [*found, *await claim_left(session, begun.lock)]
            made = make_receipt(
                workspace, session.account, results, leftovers,
                since=session.since, by=session.identity, again=resume, unsearched=unsearched,
            )  # fmt: skip
            receipt = write_receipt(session.folder / "receipts", made)
            write_page(receipt, made)
        code = _exit_code(results, leftovers, stop)
        begun.ok = code == ExitCode.DONE
    if receipt is not None and not any(result.error for result in results) and not any(left.ours for left in leftovers):
        # Forgotten although foreign things of our names are there: a note that outlived its thing would claim theirs.
        journal.record_removed(session.scope)
    return TeardownReport(
        command="teardown",
        workshop=workspace.name,
        target=workspace.target.name,
        account=session.account,
        regions=workspace.settings.regions,
        results=results,
        code=code,
        resume=resume,
        seconds=session.elapsed(),
        leftovers=leftovers,
        receipt=receipt,
        unsearched=unsearched,
        notices=_installed_on_aws(session),
    )


async def _everything_left(
    session: Session, plan: Plan, contexts: Contexts, results: Sequence[NodeResult], search: Search | None, watch: Watch
) -> list[Resource]:
    """What two sweeps of the plan, and a look for what the plan does not know, still find."""
    workspace = session.workspace
    left = await sweep(plan, contexts, watch.emit, results)
    if search is not None:
        left += await claims_elsewhere(session, search.regions, watch.notice)
    elif workspace.journal.remembers_made(session.scope, noted_resources()):
        search = Search(workspace.settings.regions)  # the definition may have changed since
    if search is not None:
        left += await find_orphans(workspace, search, left, watch.emit)
        left += search.silent.values()
    return left


def _exit_code(results: Sequence[NodeResult], leftovers: Sequence[Resource], stop: StopSignal) -> ExitCode:
    if stop.asked:
        return ExitCode.FAILED if stop.fatal else ExitCode.INTERRUPTED
    if leftovers:
        return ExitCode.PARTLY
    errors = [result.error for result in results if result.error]
    if all(error.exit_code is ExitCode.PARTLY for error in errors):
        return ExitCode.PARTLY if errors else ExitCode.DONE
    return ExitCode.FAILED


def _installed_on_aws(session: Session) -> list[str]:
    """What costs money is never forgotten: other installations on AWS, each with its removal."""
    name = session.workspace.name
    others = [s for s in session.workspace.journal.installations(name) if s.scope.target == "aws" and s.scope != session.scope]
    return [
        f"! {name} is still deployed on AWS, in account {other.scope.account} since {other.since}."
        f" Remove it: {replace(session.invocation.recorded(), profile=other.profile).command_line('teardown', 'aws')}"
        for other in others
    ]
