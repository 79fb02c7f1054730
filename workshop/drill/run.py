"""One drill from beginning to end: load, fault, failover, recovery, failback, comparison, and everything put back.

In: a deployment, a spec, the context, and for a drill through DNS the name. Out: a `DrillResult` with figures and evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workshop.drill.api_client import ApiClient
from workshop.drill.base import FaultContext, already_failing
from workshop.drill.commands import Commands
from workshop.drill.deployment import Deployment
from workshop.drill.failover_drill import FailoverDrill
from workshop.drill.failover_load import FailoverLoad, not_found_is_fine
from workshop.drill.load import LoadParts
from workshop.drill.load_requests import LoadRequests
from workshop.drill.machine_client import machine_tokens
from workshop.drill.measure import Figures, measure
from workshop.drill.name_drill import NameDrill
from workshop.drill.name_load import Answered, NameLoad
from workshop.drill.name_outage import Marks
from workshop.drill.own_rows import OwnRows, RowsJournal
from workshop.drill.phases import DrillSpec, Findings, Timeouts
from workshop.drill.routed_name import Bound, RoutedName
from workshop.drill.settings import FailoverSettings
from workshop.drill.shielding import shielded
from workshop.drill.timeline import Acknowledged, Emit, Lag, Moment, TimedRequest
from workshop.drill.tokens import MachineTokens, send
from workshop.drill.undo_log import UndoLog, Undone
from workshop.engine.undos import BY_DRILL
from workshop.errors import PartlyDoneError
from workshop.steps.route53.proof import Mismatch

__all__ = ["DrillResult", "DrillSpec", "NameResult", "Timeouts", "check_health", "run_drill"]

NOTHING = "none"
"""The id of an item that no load writes."""
NO_TOKEN = 401
"""The status of a response to a request without the token that it needs."""


@dataclass(frozen=True)
class NameResult:
    """What a drill through a name found beside its figures; `mismatches` are what the failure showed of the wiring."""

    routed: RoutedName
    bound: Bound
    marks: Marks
    mismatches: tuple[Mismatch, ...]
    answers: tuple[Answered, ...]


@dataclass(frozen=True)
class DrillResult:
    """A drill that was completed; times in seconds. `undone` is True only when the settings were read back as they were."""

    spec: DrillSpec
    deployment: Deployment
    figures: Figures
    moments: tuple[Moment, ...]
    requests: tuple[TimedRequest, ...]
    acknowledged: tuple[Acknowledged, ...]
    lags: tuple[Lag, ...]
    restored: tuple[Undone, ...]
    undone: bool
    seconds: float
    name: NameResult | None = None


async def check_health(
    deployment: Deployment,
    requests: LoadRequests,
    client: ApiClient,
    settings: FailoverSettings,
    commands: Commands,
    tokens: MachineTokens | None = None,
) -> None:
    """Raise `WorkshopError` when the API of any region fails already: a drill would prove nothing, and might hide the cause.

    Without `tokens` an API that asks for one responds well.
    """
    for regional in deployment.regional:
        for call in (requests.read(NOTHING, regional.region), *([requests.health] if requests.health else [])):
            deadline = settings.probe_timeout_ms / 1000
            response = not_found_is_fine(await send(client, tokens, regional.url, call, deadline))
            if not response.ok and not (call.token and tokens is None and response.status == NO_TOKEN):
                raise already_failing(
                    regional.region,
                    why=f"Its API responds to {call.method} /{call.path} with: {response.why}.",
                    fix=f"Find the cause first: {commands.status}\nA fault set by hand is reverted by: {commands.recover}",
                )


async def run_drill(
    deployment: Deployment,
    spec: DrillSpec,
    context: FaultContext,
    client: ApiClient,
    undo_log: UndoLog,
    emit: Emit,
    routed: RoutedName | None = None,
) -> DrillResult:
    """Drill, and put everything back before returning, or before raising the error that ended it early.

    Raises `WorkshopError` when a region fails before the fault or the fault is not possible, `PartlyDoneError` when something
    could not be restored. With `routed` the load calls that name, else it fails over by itself.
    """
    await spec.fault.snapshot(context, deployment, deployment.in_region(spec.region))  # raises before anything has begun
    async with machine_tokens(spec.machine, deployment.workshop, client, context, undo_log) as tokens:
        return await _drilled(deployment, spec, context, client, undo_log, emit, routed, tokens)


async def _drilled(
    deployment: Deployment,
    spec: DrillSpec,
    context: FaultContext,
    client: ApiClient,
    undo_log: UndoLog,
    emit: Emit,
    routed: RoutedName | None,
    tokens: MachineTokens | None,
) -> DrillResult:
    moments: list[Moment] = []

    def keep(moment: Moment) -> None:
        moments.append(moment)
        emit(moment)

    await check_health(deployment, spec.requests, client, spec.settings, context.commands, tokens)
    rows = RowsJournal(
        spec.requests, deployment.regions, lambda text: undo_log.record(OwnRows.name, deployment.regions[0], text, BY_DRILL)
    )
    parts = LoadParts(spec.requests, client, keep, rows.cover, tokens)
    drill: NameDrill | FailoverDrill
    if routed is not None:
        drill = NameDrill(deployment, spec, context, undo_log, NameLoad(routed, parts))
        await drill.require_named()
    else:
        load = FailoverLoad(deployment, spec.settings, parts, preferred=spec.region)
        drill = FailoverDrill(moments, deployment, spec, context, undo_log, load)
    rows.cover(1)
    try:
        findings = await drill.play()
    finally:
        restored = await shielded(drill.put_back())
    return _result(drill, findings, restored, moments)


def _result(
    drill: NameDrill | FailoverDrill, findings: Findings, restored: Sequence[Undone], moments: Sequence[Moment]
) -> DrillResult:
    """The drill as values; raises `PartlyDoneError` when something of this run is still to be undone."""
    load, spec, undo_log = drill.load, drill.spec, drill.undo_log
    if undo_log.pending(lambda undo: undo.run == undo_log.run):
        what, fix = "Not everything is put back.", f"Try again: {drill.context.commands.recover}"
        raise PartlyDoneError(what=what, fix=fix, code="NotRestored")
    figures = measure(
        drill.outage(),
        load.requests,
        load.acknowledged,
        moments,
        drill.lag_probe.found,
        lost=findings.lost,
        behind=findings.behind,
    )
    return DrillResult(
        spec=spec,
        deployment=drill.deployment,
        figures=figures,
        moments=tuple(sorted(moments, key=lambda moment: moment.at)),
        requests=tuple(load.requests),
        acknowledged=tuple(load.acknowledged),
        lags=tuple(drill.lag_probe.found),
        restored=(findings.reverted, *restored),
        undone=findings.reverted.undo.kind == spec.fault.name,
        seconds=load.now(),
        name=_name_result(drill) if isinstance(drill, NameDrill) else None,
    )


def _name_result(drill: NameDrill) -> NameResult | None:
    if drill.marks is None:
        return None
    return NameResult(drill.routed, drill.bound, drill.marks, drill.mismatches, tuple(drill.load.answers))
