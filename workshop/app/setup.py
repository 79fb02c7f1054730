"""Brings a workshop to ready, and reports it.

In: a session, a plan, where events go, and the signal to stop. Out: a `SetupReport`. Nothing is changed before the files
that the plan needs have been read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from workshop.app.runs import Watch, run
from workshop.app.session import Session
from workshop.console.report import PlanReport, SetupReport
from workshop.engine.adoption import Adoption, adoptions
from workshop.engine.brings import brought
from workshop.engine.execute import StopSignal
from workshop.engine.observe import NodeState, observe_all
from workshop.engine.plan import Plan
from workshop.engine.results import NodeResult
from workshop.engine.setup import check_files, set_up
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import ExitCode, UsageError, WorkshopError
from workshop.steps.base import State

__all__ = ["adoptions", "needed_plan", "observed", "plan_report", "planned", "selected", "setup"]

OFFERED = ("open", "status", "teardown")


async def planned(session: Session, through: str | None = None) -> Plan:
    """The plan up to a module, its files read; raises `UsageError` for the first that is wrong."""
    plan = session.workspace.plan(through)
    await check_files(session.workspace, plan)
    return plan


async def observed(session: Session, plan: Plan) -> list[NodeState]:
    """What is deployed of each node of a plan; reads only."""
    return list(await observe_all(session.workspace, plan, Contexts(session.workspace, lambda _: None)))


def plan_report(session: Session, points: Sequence[NodeState], command: str = "setup", *, adopts: bool = False) -> PlanReport:
    """What a command that makes things (`setup`, `rehearsal`) would do with nodes as they were observed.

    `adopts` shows what would be adopted, where it can be.
    """
    workspace = session.workspace
    return PlanReport(
        command=command,
        workshop=workspace.name,
        target=workspace.target.name,
        account=session.account,
        identity=session.identity,
        regions=workspace.everywhere(),
        points=points,
        brings=brought(workspace),
        adopts=adopts,
    )


async def setup(
    session: Session,
    plan: Plan,
    watch: Watch,
    *,
    step: str = "",
    agreed: Collection[Adoption] = (),
    needed: Sequence[NodeState] = (),
) -> SetupReport:
    """Run a plan under the locks and the journal.

    `step` is the one step that `step run` was asked for, `agreed` what a person agreed to adopt; `needed` are the nodes before
    the plan, as they were observed, for their outputs.
    """
    workspace, journal = session.workspace, session.workspace.journal
    command = "step run" if step else "setup"
    title = f"{command} {step}".rstrip()
    contexts = Contexts(workspace, watch.emit)
    contexts.outputs.update({point.node.key: point.observed.outputs for point in needed if point.observed.outputs})
    async with run(session, title, watch) as begun:
        journal.record_installed(workspace.installation(session.account, session.since))
        results = await set_up(workspace, plan, contexts, watch.emit, watch.stop, agreed)
        begun.ok = all(result.outcome.good for result in results)
    links = contexts.links(session.account)
    return SetupReport(
        command=command,
        workshop=workspace.name,
        target=workspace.target.name,
        account=session.account,
        regions=workspace.everywhere(),
        results=results,
        code=_exit_code(results, watch.stop),
        resume=session.command_line(title),
        seconds=session.elapsed(),
        apis=contexts.api_addresses(session.account),
        names=contexts.named(session.account),
        signin=contexts.signin(session.account),
        links=links,
        next_commands={words: session.next_command(words) for words in OFFERED if links or words != "open"},
    )


def selected(workspace: Workspace, plan: Plan, step: str | None, region: str | None) -> Plan:
    """The nodes of one step, or of all, in one region, or in all; raises `UsageError` for names that do not exist."""
    names = sorted({node.key.step for node in plan.nodes})
    if step is not None and any(step in workspace.places(account).off for account in workspace.clients):
        raise UsageError(
            what=f"The step {step} is switched off.",
            why="Its condition in the definition (`when`) is false with these parameters on this target.",
            fix="See the condition in the definition, and the parameters with: --param NAME=VALUE",
            code="SwitchedOff",
        )
    if step is not None and step not in names:
        raise UsageError(what=f"There is no step {step!r}.", fix=f"Steps: {', '.join(names)}", code="UnknownStep")
    found = plan.select(lambda node: step in (None, node.key.step) and region in (None, node.key.region))
    if not found.nodes:
        regions = sorted({node.key.region for node in plan.nodes if step in (None, node.key.step)})
        raise UsageError(what=f"Nothing of that runs in {region}.", fix=f"It runs in: {', '.join(regions)}", code="UnknownRegion")
    return found


async def needed_plan(session: Session, whole: Plan, wanted: Plan) -> list[NodeState]:
    """What is deployed of the wanted nodes and of all before them; raises `WorkshopError` when a direct need is not ready."""
    by_key = {node.key: node for node in whole.nodes}
    keys, pending = set(), [node.key for node in wanted.nodes]
    while pending:
        key = pending.pop()
        if key not in keys:
            keys.add(key)
            pending += by_key[key].needs
    points = await observed(session, whole.select(lambda node: node.key in keys))
    own = {node.key for node in wanted.nodes}
    direct = {need for key in own for need in by_key[key].needs if need not in own}
    for point in points:
        if point.node.key in direct and point.observed.state is not State.READY:
            first = session.command_line(f"step run {point.node.key.step}")
            raise WorkshopError(
                what=f"The step {wanted.nodes[0].key.step} needs {point.node.key} first.",
                why=f"That is {point.observed.state.value}.",
                fix=f"Run: {first}, or all of it: {session.command_line('setup')}",
                code="Needs",
            )
    return points


def _exit_code(results: Sequence[NodeResult], stop: StopSignal) -> ExitCode:
    failures = [result for result in results if not result.outcome.good]
    if stop.asked and stop.fatal is None:
        return ExitCode.INTERRUPTED
    codes = {result.error.exit_code for result in failures if result.error}
    if len(codes) == 1:
        return codes.pop()
    return ExitCode.FAILED if failures else ExitCode.DONE
