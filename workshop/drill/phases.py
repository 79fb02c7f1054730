"""What every drill does, whatever its load: fail the region, put it back, compare the tables, remove its own items.

In: a deployment, a spec, the context, a load. Out: phases, which the drills put in their order. Every change is in the undo log
before, and is reverted whatever happens: success, failure, Ctrl-C. Only the death of the process prevents that, and the undo log
outlives it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from workshop.drill.base import FaultContext, RegionFault
from workshop.drill.deployment import Deployment
from workshop.drill.lag import LagProbe
from workshop.drill.load import Load
from workshop.drill.load_requests import LoadRequests
from workshop.drill.machine_client import MachineAccess
from workshop.drill.measure import Outage, missing
from workshop.drill.own_rows import rows_in
from workshop.drill.settings import FailoverSettings
from workshop.drill.shielding import shielded
from workshop.drill.timeline import Acknowledged, Milestone
from workshop.drill.undo_log import UndoLog, Undone
from workshop.engine.undos import BY_DRILL, Undo
from workshop.errors import WorkshopError
from workshop.waiting import WaitTimeout, wait_for

__all__ = ["NEVER", "DrillSpec", "Findings", "Phases", "Timeouts"]

L = TypeVar("L", bound=Load)
HEARTBEAT_SECONDS = 20.0
"""Of silence before a wait reports that it goes on."""
NEVER = float("inf")
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
    """What to drill: the region to fail, how, with which load and settings; `run` names the drill and its items."""

    run: str
    region: str
    fault: RegionFault
    settings: FailoverSettings
    requests: LoadRequests
    timeouts: Timeouts = field(default_factory=Timeouts)
    machine: MachineAccess | None = None
    """How the requests of the load get their tokens; None where none needs one."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What the phases found: writes that were in one region only at the switch, writes that never arrived, the fault's undo."""

    behind: Sequence[Acknowledged]
    lost: Sequence[Acknowledged]
    reverted: Undone


class Phases(ABC, Generic[L]):
    """The phases of one drill that do not depend on its load. `play` is the order of all of them."""

    def __init__(self, deployment: Deployment, spec: DrillSpec, context: FaultContext, undo_log: UndoLog, load: L) -> None:
        self.deployment, self.spec, self.context, self.undo_log = deployment, spec, context, undo_log
        self.load, self.region, self.timeouts = load, spec.region, spec.timeouts
        self.lag_probe = LagProbe(context.aws, deployment, load)
        self.injected_at = self.reverted_at = NEVER
        """Seconds since the beginning of the load."""

    async def play(self) -> Findings:
        """Every phase in turn. What is still failed or running when it raises is for `put_back`."""
        self.load.start()
        beside = [asyncio.create_task(each) for each in (self.lag_probe.run(), *self.beside())]
        try:
            await self.warm_up()
            undo = await self._inject()
            behind = await self.watch()
            reverted = await self._revert(undo)
            await self.fail_back()
        finally:
            await self.load.stop()
            for task in beside:
                task.cancel()
            problems = await asyncio.gather(*beside, return_exceptions=True)
        for problem in problems:
            self.note_unmeasured(problem)
        self.load.note(Milestone.STOPPED, f"the load ends: {len(self.load.acknowledged)} writes acknowledged")
        return Findings(behind, await self._compare(), reverted)

    def beside(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs beside the load until it ends."""
        return ()

    @abstractmethod
    async def warm_up(self) -> None:
        """Until the load runs well; raises `WorkshopError` when it does not."""

    @abstractmethod
    async def watch(self) -> list[Acknowledged]:
        """Until the region is left, or until it is clear that it will not be; returns the writes that the others lacked then."""

    @abstractmethod
    async def fail_back(self) -> None:
        """Until the region is used again."""

    @abstractmethod
    def outage(self) -> Outage:
        """The outage that was measured; to be called at the end."""

    async def _inject(self) -> Undo:
        """Take the snapshot, record it, change the settings: in this order."""
        fault, regional = self.spec.fault, self.deployment.in_region(self.region)
        snapshot = await fault.snapshot(self.context, self.deployment, regional)
        undo = self.undo_log.record(fault.name, self.region, snapshot, BY_DRILL)
        self.injected_at = self.load.now()
        self.load.note(Milestone.INJECTED, f"{fault.name}: {fault.plan(regional, snapshot)}", region=self.region)
        await fault.inject(self.context, regional, snapshot)
        return undo

    async def _revert(self, undo: Undo) -> Undone:
        reverted = await shielded(self.undo_log.undo(self.context, undo))
        self.load.note(Milestone.REVERTED, reverted.text, region=self.region)
        self.reverted_at = self.load.now()
        return reverted

    async def _compare(self) -> list[Acknowledged]:
        """Read every table until each has every acknowledged write, or until the timeout; returns what is missing then."""
        load, lost = self.load, await self._converge()
        if lost:
            text = f"{len(lost)} acknowledged writes are missing from some region's table"
        else:
            text = f"every region's table has all {len(load.acknowledged)} acknowledged writes"
        load.note(Milestone.CONVERGED, text)
        return lost

    async def _converge(self) -> list[Acknowledged]:
        async def nothing_missing() -> bool | None:
            return None if await self._missing_from(self.deployment.regions, self.load.acknowledged) else True

        try:
            await wait_for(
                nothing_missing,
                reason="every region to have every write",
                deadline=self.timeouts.converge,
                interval=COMPARE_EVERY_SECONDS,
                waiting=lambda _reason, _seconds: None,
            )
        except WaitTimeout:
            return await self._missing_from(self.deployment.regions, self.load.acknowledged)
        return []

    async def behind(self, regions: Sequence[str]) -> list[Acknowledged]:
        """The writes that other regions have acknowledged until now and these regions' tables lack."""
        try:
            return await self._missing_from(regions, [w for w in self.load.acknowledged if w.region not in regions])
        except WorkshopError as problem:
            self.note_unmeasured(problem)
            return []

    async def _missing_from(self, regions: Sequence[str], writes: Sequence[Acknowledged]) -> list[Acknowledged]:
        aws, writes, rows = self.context.aws, list(writes), [write.row for write in writes]
        return missing(writes, {region: await rows_in(aws, region, self.spec.requests, rows) for region in regions})

    async def until(self, what: str, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait, with a note now and then that it goes on; returns whether the condition came true in time."""
        began = self.load.now()
        while True:
            left = began + seconds - self.load.now()
            if await self.load.wait(condition, min(HEARTBEAT_SECONDS, max(0.0, left))):
                return True
            waited = self.load.now() - began
            if waited >= seconds:
                return False
            self.load.note(Milestone.NOTE, f"still waiting for {what}, {waited:.0f} s", region=self.region)

    def note_unmeasured(self, problem: object) -> None:
        """A measurement that failed is a note, never the end of the drill; raises what is a defect."""
        if isinstance(problem, WorkshopError):
            self.load.note(Milestone.NOTE, f"not everything was measured: {problem.what}")
        elif isinstance(problem, Exception):
            raise problem

    async def put_back(self) -> list[Undone]:
        """Undo everything of this drill that is still in the undo log, the fault before the items."""
        pending = self.undo_log.pending(lambda undo: undo.run == self.undo_log.run and undo.by == BY_DRILL)
        restored = await self.undo_log.undo_all(self.context, pending)
        for undone in restored:
            self.load.note(Milestone.NOTE, undone.text, region=undone.undo.region)
        return restored
