"""One drill from beginning to end: load, fault, failover, recovery, failback, comparison, and everything put back.

In: a deployment, a spec, the context. Out: a `DrillResult` with figures and evidence. Every change is in the undo log before, and
is reverted whatever happens: success, failure, Ctrl-C. Only the death of the process prevents that, and the undo log outlives it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from workshop.drill.api_client import ApiClient
from workshop.drill.base import FaultContext, RegionFault, already_failing
from workshop.drill.bookmarks import Bookmarks, bookmarks_in, bookmarks_snapshot
from workshop.drill.commands import Commands
from workshop.drill.deployment import Deployment
from workshop.drill.failover import FailoverPhase
from workshop.drill.load import LagProbe, LoadGenerator
from workshop.drill.measure import Figures, measure, missing, rto_bound
from workshop.drill.settings import FailoverSettings
from workshop.drill.timeline import Acknowledged, Emit, Lag, Milestone, Moment, TimedRequest
from workshop.drill.undo_log import UndoLog, Undone
from workshop.engine.undos import BY_DRILL, Undo
from workshop.errors import PartlyDoneError, WorkshopError
from workshop.waiting import WaitTimeout, wait_for

__all__ = ["DrillResult", "DrillSpec", "Timeouts", "check_health", "run_drill", "shielded"]

T = TypeVar("T")
HEARTBEAT_SECONDS = 20.0
"""Of silence before a wait reports that it goes on."""
COMPARE_EVERY_SECONDS = 1.0
"""Between two comparisons of the tables, at most."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each phase lasts: in acknowledged writes, or in seconds at most."""

    calm_writes: int = 8
    """Before the fault, and after the failback."""
    failover_writes: int = 8
    """In the other region, before the fault is reverted."""
    fault_seconds: float = 10.0
    """How long a fault that stops no writes lasts."""
    effect: float = 90.0
    """Until a fault shows: settings take seconds to reach every part of a region (docs/aws-behaviours.md, section 4)."""
    recovery: float = 240.0
    """Until the region is healthy again, and once more until it takes writes."""
    converge: float = 120.0
    """Until every table has every acknowledged write."""
    margin: float = 60.0
    """Beyond the arithmetic bound, until a failover is given up."""


@dataclass(frozen=True, slots=True)
class DrillSpec:
    """What to drill: the region to fail, how, with which settings; `run` names the drill and its items."""

    run: str
    region: str
    fault: RegionFault
    settings: FailoverSettings
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def key(self) -> str:
        """The partition key of the drill's own items."""
        return f"drill-{self.run}"


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


@dataclass(frozen=True, slots=True)
class _Findings:
    """What the phases found: writes that were in one region only at the switch, writes that never arrived, the fault's undo."""

    behind: Sequence[Acknowledged]
    lost: Sequence[Acknowledged]
    reverted: Undone


async def check_health(deployment: Deployment, client: ApiClient, settings: FailoverSettings, commands: Commands) -> None:
    """Raise `WorkshopError` when the API of any region fails already: a drill would prove nothing, and might hide the cause."""
    for regional in deployment.regional:
        for path in ("", f"get/drill-{deployment.workshop}/none", *(["health"] if regional.health else [])):
            response = await client(regional.url + path, settings.probe_timeout_ms / 1000)
            if not response.ok:
                raise already_failing(
                    regional.region,
                    why=f"Its API responds to GET /{path} with: {response.why}.",
                    fix=f"Find the cause first: {commands.status}\nA fault set by hand is reverted by: {commands.recover}",
                )


async def run_drill(
    deployment: Deployment, spec: DrillSpec, context: FaultContext, client: ApiClient, undo_log: UndoLog, emit: Emit
) -> DrillResult:
    """Drill, and put everything back before returning, or before raising the error that ended it early.

    Raises `WorkshopError` when a region fails before the fault or the fault is not possible, `PartlyDoneError` when something
    could not be restored.
    """
    moments: list[Moment] = []

    def keep(moment: Moment) -> None:
        moments.append(moment)
        emit(moment)

    await check_health(deployment, client, spec.settings, context.commands)
    await spec.fault.snapshot(context, deployment, deployment.in_region(spec.region))  # raises before anything has begun
    load = LoadGenerator(deployment, spec.settings, client, key=spec.key, preferred=spec.region, emit=keep)
    drill = _Drill(deployment, spec, context, undo_log, load)
    snapshot = bookmarks_snapshot(deployment.table, deployment.regions, spec.key)
    undo_log.record(Bookmarks.name, deployment.regions[0], snapshot, BY_DRILL)
    try:
        findings = await drill.play()
    finally:
        restored = await shielded(drill.put_back())
    return drill.result(findings, restored, moments)


class _Drill:
    """The phases of one drill. Each takes what it needs and returns what it found."""

    def __init__(
        self, deployment: Deployment, spec: DrillSpec, context: FaultContext, undo_log: UndoLog, load: LoadGenerator
    ) -> None:
        self._deployment, self._spec, self._context, self._undo_log = deployment, spec, context, undo_log
        self._load, self._region, self._timeouts = load, spec.region, spec.timeouts
        self._lag_probe = LagProbe(context.aws, deployment, load, spec.key)

    async def play(self) -> _Findings:
        """Every phase in turn. What is still failed or running when it raises is for `put_back`."""
        load = self._load
        load.start()
        probing = asyncio.create_task(self._lag_probe.run())
        try:
            await self._warm_up()
            undo = await self._inject()
            behind = await self._watch()
            reverted = await self._revert(undo)
            await self._fail_back()
        finally:
            await load.stop()
            probing.cancel()
            (problem,) = await asyncio.gather(probing, return_exceptions=True)
        self._note_unmeasured(problem)
        load.note(Milestone.STOPPED, f"the load ends: {len(load.acknowledged)} writes acknowledged")
        return _Findings(behind, await self._compare(), reverted)

    async def _warm_up(self) -> None:
        """Until the region has taken some writes; raises `WorkshopError` when it takes none."""
        load, timeouts = self._load, self._timeouts
        load.note(Milestone.LOAD, f"writes go to {self._region}, reads to every region", region=self._region)
        if not await self._until("writes to be taken", lambda: len(load.acknowledged) >= timeouts.calm_writes, timeouts.effect):
            why = next((request.why for request in reversed(load.requests) if request.why), "")
            fix = f"Find the cause first: {self._context.commands.status}"
            raise already_failing(self._region, why=f"Writes are not taken: {why}.", fix=fix)

    async def _inject(self) -> Undo:
        """Take the snapshot, record it, change the settings: in this order."""
        fault, regional = self._spec.fault, self._deployment.in_region(self._region)
        snapshot = await fault.snapshot(self._context, self._deployment, regional)
        undo = self._undo_log.record(fault.name, self._region, snapshot, BY_DRILL)
        self._load.note(Milestone.INJECTED, f"{fault.name}: {fault.plan(regional, snapshot)}", region=self._region)
        await fault.inject(self._context, regional, snapshot)
        return undo

    async def _watch(self) -> list[Acknowledged]:
        """Until another region has taken some writes, or until it is clear that none will.

        Returns the writes that the surviving region lacked at the switch: lost, if the failed region never came back.
        """
        load, timeouts = self._load, self._timeouts
        if not self._spec.fault.stops_writes:
            await load.wait(lambda: False, timeouts.fault_seconds)
            return await self._behind([region for region in self._deployment.regions if region != self._region])
        if not await self._switched():
            return []
        since, region = load.now(), load.state.active
        reading = asyncio.create_task(self._behind([region]))
        try:
            if not await self._until(
                "writes to be taken",
                lambda: load.writes_in(load.state.active, since) >= timeouts.failover_writes,
                timeouts.effect,
            ):
                load.note(Milestone.NOTE, f"{load.state.active} took over and does not take writes", region=load.state.active)
            return await reading
        finally:
            reading.cancel()

    async def _switched(self) -> bool:
        """Whether the writes moved to another region in time; if not, a note has the reason."""
        load, spec, effect = self._load, self._spec, self._timeouts.effect
        if not await self._until("the fault to show", lambda: load.state.phase is not FailoverPhase.STEADY, effect):
            load.note(Milestone.NOTE, f"the fault had no effect within {effect:.0f} s", region=self._region)
            return False
        limit = rto_bound(spec.settings, spec.settings.write_timeout_ms / 1000) + self._timeouts.margin
        if not await self._until("the failover", lambda: load.state.active != self._region, limit):
            load.note(Milestone.NOTE, f"no failover within {limit:.0f} s", region=self._region)
            return False
        return True

    async def _revert(self, undo: Undo) -> Undone:
        reverted = await shielded(self._undo_log.undo(self._context, undo))
        self._load.note(Milestone.REVERTED, reverted.text, region=self._region)
        return reverted

    async def _fail_back(self) -> None:
        """Go back when the region is healthy again; a region that was never left only has to take writes again."""
        load, region, recovery = self._load, self._region, self._timeouts.recovery
        if load.state.active != region:
            healthy = f"{region} to be healthy again"
            if not await self._until(healthy, lambda: load.state.phase is FailoverPhase.OFFERING, recovery):
                load.note(Milestone.NOTE, f"{region} is not healthy again within {recovery:.0f} s", region=region)
                return
            load.choose(region)
        since, wanted = load.now(), self._timeouts.calm_writes
        if not await self._until(f"{region} to take writes", lambda: load.writes_in(region, since) >= wanted, recovery):
            load.note(Milestone.NOTE, f"{region} does not take writes again within {recovery:.0f} s", region=region)

    async def _compare(self) -> list[Acknowledged]:
        """Read every table until each has every acknowledged write, or until the timeout; returns what is missing then."""
        load, lost = self._load, await self._converge()
        if lost:
            text = f"{len(lost)} acknowledged writes are missing from some region's table"
        else:
            text = f"every region's table has all {len(load.acknowledged)} acknowledged writes"
        load.note(Milestone.CONVERGED, text)
        return lost

    async def _converge(self) -> list[Acknowledged]:
        async def nothing_missing() -> bool | None:
            return None if await self._missing_from(self._deployment.regions, self._load.acknowledged) else True

        try:
            await wait_for(
                nothing_missing,
                reason="every region to have every write",
                deadline=self._timeouts.converge,
                interval=COMPARE_EVERY_SECONDS,
                waiting=lambda _reason, _seconds: None,
            )
        except WaitTimeout:
            return await self._missing_from(self._deployment.regions, self._load.acknowledged)
        return []

    async def _behind(self, regions: Sequence[str]) -> list[Acknowledged]:
        """The writes that other regions have acknowledged until now and these regions' tables lack."""
        try:
            return await self._missing_from(regions, [w for w in self._load.acknowledged if w.region not in regions])
        except WorkshopError as problem:
            self._note_unmeasured(problem)
            return []

    async def _missing_from(self, regions: Sequence[str], writes: Sequence[Acknowledged]) -> list[Acknowledged]:
        aws, table, key = self._context.aws, self._deployment.table, self._spec.key
        return missing(writes, {region: await bookmarks_in(aws, region, table, key) for region in regions})

    async def _until(self, what: str, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait, with a note now and then that it goes on; returns whether the condition came true in time."""
        began = self._load.now()
        while True:
            left = began + seconds - self._load.now()
            if await self._load.wait(condition, min(HEARTBEAT_SECONDS, max(0.0, left))):
                return True
            waited = self._load.now() - began
            if waited >= seconds:
                return False
            self._load.note(Milestone.NOTE, f"still waiting for {what}, {waited:.0f} s", region=self._region)

    def _note_unmeasured(self, problem: object) -> None:
        """A measurement that failed is a note, never the end of the drill; raises what is a defect."""
        if isinstance(problem, WorkshopError):
            self._load.note(Milestone.NOTE, f"not everything was measured: {problem.what}")
        elif isinstance(problem, Exception):
            raise problem

    async def put_back(self) -> list[Undone]:
        """Undo everything of this drill that is still in the undo log, the fault before the items."""
        pending = self._undo_log.pending(lambda undo: undo.run == self._undo_log.run and undo.by == BY_DRILL)
        restored = await self._undo_log.undo_all(self._context, pending)
        for undone in restored:
            self._load.note(Milestone.NOTE, undone.text, region=undone.undo.region)
        return restored

    def result(self, findings: _Findings, restored: Sequence[Undone], moments: Sequence[Moment]) -> DrillResult:
        """The drill as values; raises `PartlyDoneError` when something of this run is still to be undone."""
        load, spec = self._load, self._spec
        if self._undo_log.pending(lambda undo: undo.run == self._undo_log.run):
            what, fix = "Not everything is put back.", f"Try again: {self._context.commands.recover}"
            raise PartlyDoneError(what=what, fix=fix, code="NotRestored")
        figures = measure(
            spec.settings,
            spec.region,
            load.requests,
            load.acknowledged,
            moments,
            self._lag_probe.found,
            lost=findings.lost,
            behind=findings.behind,
        )
        return DrillResult(
            spec=spec,
            deployment=self._deployment,
            figures=figures,
            moments=tuple(moments),
            requests=tuple(load.requests),
            acknowledged=tuple(load.acknowledged),
            lags=tuple(self._lag_probe.found),
            restored=(findings.reverted, *restored),
            undone=findings.reverted.undo.kind == spec.fault.name,
            seconds=load.now(),
        )


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Finish `work` even when the caller is cancelled meanwhile; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        with contextlib.suppress(WorkshopError):
            task.result()
        raise cancelled
    return task.result()
