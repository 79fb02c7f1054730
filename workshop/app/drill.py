"""Drills and experiments on a deployed workshop: prepare, run, fail, recover, observe.

In: a session, a request, where events go. Out: values, which the commands render.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from workshop.app.cloud_controls import LocalGatewayControl, LocalReplicationControl
from workshop.app.connections import Notice
from workshop.app.drill_name import routed_name, with_checks
from workshop.app.locking import locked
from workshop.app.machine_access import machine_access, machine_change
from workshop.app.runs import Watch
from workshop.app.session import Session
from workshop.definition.builtins import builtin_folder
from workshop.drill.api_client import http_client
from workshop.drill.base import FaultContext
from workshop.drill.commands import Commands
from workshop.drill.deployment import Deployment, StackNames, find_deployment
from workshop.drill.load_requests import LoadRequests
from workshop.drill.manual import fail_region
from workshop.drill.pending import recover_command
from workshop.drill.registry import DEFAULT_FAULT, OWN_ROWS, fault_named
from workshop.drill.report import ReportFiles, ReportHeader, Targets, Verdict, judge, write_report
from workshop.drill.routed_name import RoutedName
from workshop.drill.run import DrillResult, DrillSpec, run_drill
from workshop.drill.settings import FILE, FailoverSettings, read_settings
from workshop.drill.timeline import Emit
from workshop.drill.undo_log import UndoLog, Undone
from workshop.engine.undos import BY_HAND
from workshop.engine.workspace import Contexts
from workshop.errors import UsageError, WorkshopError

__all__ = [
    "DrillReport",
    "DrillRequest",
    "PreparedDrill",
    "anything_pending",
    "commands_for",
    "deployment_of",
    "drill",
    "fail",
    "fault_context",
    "load_requests",
    "not_drillable",
    "prepare",
    "recover",
    "report",
    "revert_faults",
    "revert_left_over",
    "run_prepared",
    "stack_names",
    "targets_of",
    "undo_log_of",
    "unknown_region",
]

HEALTH = "health"
"""The health route of a workshop that describes no load."""


@dataclass(frozen=True, slots=True)
class DrillRequest:
    """What was asked for. An empty `region` is home; None leaves the player's own setting; `countdown` in seconds.

    `path` is `dns` (the load calls the name), `direct` (it fails over by itself) or empty: as the definition has it. `anyway`
    drills a name whose wiring is wrong.
    """

    fault: str = DEFAULT_FAULT
    region: str = ""
    failures: int | None = None
    countdown: float | None = None
    path: str = ""
    anyway: bool = False


@dataclass(frozen=True)
class PreparedDrill:
    """A drill that can begin; `change` is one sentence about what will be changed. Nothing is changed yet."""

    deployment: Deployment
    spec: DrillSpec
    context: FaultContext
    undo_log: UndoLog
    change: str
    routed: RoutedName | None = None


@dataclass(frozen=True)
class DrillReport:
    """What a drill measured, the verdict on it, and the files of its report."""

    result: DrillResult
    verdict: Verdict
    files: ReportFiles


def commands_for(session: Session) -> Commands:
    """The commands to offer, with the options that were given."""
    given = session.invocation
    options = replace(given, regions=()).options(session.workspace.target.name)
    return Commands(options, given.regions)


async def prepare(session: Session, request: DrillRequest, notice: Notice) -> PreparedDrill:
    """Find the deployment, revert what a killed drill left, and check that the fault is possible.

    Raises `UsageError` for a region or fault that is not possible, `WorkshopError` when a region is failed by hand.
    """
    undo_log, context = undo_log_of(session), fault_context(session)
    regions = session.workspace.settings.regions
    if request.region and request.region not in regions:
        raise unknown_region(session, request.region, "A drill fails one of the workshop's regions.", "one")
    requests = load_requests(session)
    deployment = await with_checks(session, await deployment_of(session))
    await revert_left_over(undo_log, context, notice)
    access = machine_access(session, deployment, requests, commands_for(session))
    spec = DrillSpec(
        run=session.workspace.run,
        region=request.region or regions[0],
        fault=fault_named(request.fault),
        settings=_settings(session, request),
        requests=requests,
        machine=access,
    )
    regional = deployment.in_region(spec.region)
    snapshot = await spec.fault.snapshot(context, deployment, regional)
    routed = None
    if _through_dns(session, request):
        routed = await routed_name(session, deployment, spec.region, commands_for(session), notice, anyway=request.anyway)
    change = spec.fault.plan(regional, snapshot) + machine_change(session, access)
    return PreparedDrill(deployment, spec, context, undo_log, change, routed)


async def drill(session: Session, request: DrillRequest, targets: Targets, watch: Watch, emit: Emit) -> DrillReport | None:
    """A whole drill under the locks; None when it was stopped."""
    async with locked(session, "drill run", watch.notice):
        prepared = await prepare(session, request, watch.notice)
        result = await run_prepared(session, prepared, watch, emit)
    return None if result is None else report(session, result, targets)


async def run_prepared(session: Session, prepared: PreparedDrill, watch: Watch, emit: Emit) -> DrillResult | None:
    """Drill and put everything back; None when it was stopped. The run is in the journal."""
    stop = watch.stop
    journal, run, done = session.workspace.journal, session.workspace.run, False
    journal.begin_run(run, "drill run", session.scope)
    try:
        async with http_client() as client:
            task = asyncio.create_task(
                run_drill(prepared.deployment, prepared.spec, prepared.context, client, prepared.undo_log, emit, prepared.routed)
            )

            def stopped() -> None:
                watch.notice("Stopping: everything is being put back. Press Ctrl-C again to end at once.")
                task.cancel()

            stop.listen(stopped)
            if stop.asked:
                stopped()
            try:
                result = await task
            except asyncio.CancelledError:
                return None
        done = True
        return result
    finally:
        journal.end_run(run, ok=done)


def report(session: Session, result: DrillResult, targets: Targets) -> DrillReport:
    """Compare with the targets and write the report into the state folder."""
    workspace, verdict = session.workspace, judge(result, targets)
    when = f"{workspace.clock.now().astimezone():%d %B %Y, %H:%M %Z}"
    header = ReportHeader(workspace.name, workspace.target.name, session.account, when)
    return DrillReport(result, verdict, write_report(session.folder / "reports", result, targets, verdict, header))


def targets_of(session: Session, rto: float | None, rpo: float | None) -> Targets:
    """The given targets in seconds, else those of the definition."""
    spec = session.workspace.workshop.definition.drill
    own = Targets(spec.targets.rto, spec.targets.rpo) if spec is not None else Targets()
    return Targets(own.rto if rto is None else rto, own.rpo if rpo is None else rpo)


def anything_pending(session: Session) -> bool:
    """Whether something that this run has changed is not restored."""
    return any(undo.run == session.workspace.run for undo in session.workspace.journal.undos.pending(session.scope))


async def fail(prepared: PreparedDrill) -> str:
    """Fail the region until `recover`; returns one sentence about what was changed."""
    spec = prepared.spec
    async with http_client() as client:
        return await fail_region(prepared.deployment, spec, prepared.context, client, prepared.undo_log)


async def recover(session: Session, region: str) -> list[Undone]:
    """Restore everything that is pending; with a region, only what is pending there. Raises `PartlyDoneError`."""
    undo_log = undo_log_of(session)
    pending = undo_log.pending(lambda undo: region in ("", undo.region))
    return await undo_log.undo_all(fault_context(session), pending)


async def revert_faults(session: Session, notice: Notice) -> None:
    """Before a teardown: revert every fault, left by a killed drill or set by hand, and remove app clients of drills.

    A failure is a notice.
    """
    undo_log = undo_log_of(session)
    try:
        faults = undo_log.pending(lambda undo: undo.kind != OWN_ROWS)
        for undone in await undo_log.undo_all(fault_context(session), faults):
            notice(f"Put back before the teardown: {undone.text}")
    except WorkshopError as error:
        notice(f"! {error.what} {error.why}")


async def revert_left_over(undo_log: UndoLog, context: FaultContext, notice: Notice) -> None:
    """Revert what a killed drill left. A region that is failed by hand is left to the user, so the drill is refused."""
    manual = undo_log.pending(lambda undo: undo.by == BY_HAND)
    if manual:
        raise WorkshopError(
            what=f"{manual[0].region} is failed by hand ({manual[0].kind}) since {manual[0].since}.",
            why="A drill begins with every region healthy.",
            fix=f"Put it back first: {recover_command(manual[0])}",
            code="AlreadyFailing",
        )
    for undone in await undo_log.undo_all(context, undo_log.pending()):
        notice(f"Put back, left by a drill that was killed: {undone.text}")


async def deployment_of(session: Session, routes: tuple[tuple[str, str], ...] = ()) -> Deployment:
    """The deployment of the workshop, whose APIs have these routes, else those of its load.

    Raises `UsageError` when its definition has no API, `WorkshopError` when it is not deployed or has other routes.
    """
    names, workspace = stack_names(session), session.workspace
    names = replace(names, routes=routes) if routes else names
    return await find_deployment(workspace.clients[session.account], workspace.target, names, commands_for(session))


def stack_names(session: Session) -> StackNames:
    """What a drill looks for; without a load no routes. Raises `UsageError` for a definition without an API."""
    workspace = session.workspace
    definition = workspace.workshop.definition
    if definition.apis is None:
        raise not_drillable(session, "lists no `apis:`, so there is nothing to put a load on")
    contexts = Contexts(workspace, lambda _: None)
    steps = [(node, *contexts.context(node, missing="blank")) for node in workspace.plan().nodes]
    of_api = ((node.key.region, step.stack_name(ctx)) for node, step, ctx in steps if node.key.step in definition.apis.made_by)
    stacks = {region: name for region, name in of_api if name}
    if not stacks:
        raise not_drillable(session, "has no stack that makes its `apis:`")
    load = load_requests(session) if definition.drill is not None else None
    return StackNames(
        workshop=workspace.name,
        table=load.table if load else next((table for _, step, ctx in steps if (table := step.data_table(ctx))), ""),
        stacks=stacks,
        output=definition.apis.output,
        stage=definition.apis.stage,
        regions=workspace.settings.regions,
        routes=load.routes if load else (),
        token_routes=load.token_routes if load else (),
        health=(load.health.path if load.health else "") if load else HEALTH,
    )


def load_requests(session: Session, run: str = "") -> LoadRequests:
    """The load that the definition describes, of this run or another; raises `UsageError` for a definition without one."""
    workspace = session.workspace
    spec = workspace.workshop.definition.drill
    if spec is None:
        raise not_drillable(session, "describes no load (`drill:`)")
    return LoadRequests(spec, workspace.plan_variables(session.account), run or workspace.run)


def _through_dns(session: Session, request: DrillRequest) -> bool:
    """Whether the load calls the name; raises `UsageError` for a path or a setting that this workshop has not."""
    spec = session.workspace.workshop.definition.drill
    named = spec is not None and bool(spec.name)
    if request.path == "dns" and not named:
        raise UsageError(
            what=f"{session.workspace.name} has no name that a drill could call.",
            why="Its `drill:` names none of `names:`.",
            fix="Leave --path out: the load then fails over by itself",
            code="NoName",
        )
    through = named and request.path != "direct"
    if through and (request.failures is not None or request.countdown is not None):
        raise UsageError(
            what="--failures and --countdown are settings of a client that fails over by itself.",
            why="Through a name, health checks and TTL decide.",
            fix="Give --path direct with them, or change the checks: workshop setup --param threshold=1",
            code="Usage",
        )
    return through


def _settings(session: Session, request: DrillRequest) -> FailoverSettings:
    """The settings of the workshop's own player, else of the built-in one, with those of the request."""
    own = session.workspace.workshop.files.root / FILE
    settings = read_settings(own if own.is_file() else builtin_folder("global-serverless") / FILE)
    if request.failures is not None:
        settings = replace(settings, min_failures=request.failures)
    if request.countdown is not None:
        settings = replace(settings, countdown_ms=round(request.countdown * 1000))
    return settings


def fault_context(session: Session) -> FaultContext:
    workspace = session.workspace
    local = workspace.target.name == "local"
    return FaultContext(
        workspace.clients[session.account],
        LocalReplicationControl(session.folder) if local else None,
        commands_for(session),
        gateway=LocalGatewayControl(session.folder) if local else None,
    )


def undo_log_of(session: Session) -> UndoLog:
    workspace = session.workspace
    source = workspace.name if workspace.workshop.builtin else str(workspace.workshop.source)
    return UndoLog(workspace.journal.undos, session.scope, source, workspace.profile, workspace.run)


def unknown_region(session: Session, region: str, why: str, how_many: str) -> UsageError:
    regions = ", ".join(session.workspace.settings.regions)
    what = f"{session.workspace.name} is not deployed in {region}."
    return UsageError(what=what, why=why, fix=f"Name {how_many} of: {regions}", code="UnknownRegion")


def not_drillable(session: Session, why: str) -> UsageError:
    return UsageError(
        what=f"{session.workspace.name} cannot be drilled.",
        why=f"Its definition {why}.",
        fix="See docs/drills.md for what a drill needs.",
        code="NoScene",
    )
