"""One drill from beginning to end: load, fault, failover, recovery, failback, comparison, and everything put back.

In: a scene, an order, the means. Out: a `Drilled` with figures and evidence. What is changed is in the ledger before, and is put
back whatever happens: success, failure, Ctrl-C. Only the death of the process prevents that, and the ledger outlives it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from workshop.clock import WaitTimeout, wait_for
from workshop.drill.bookmarks import Bookmarks, held, memory_of
from workshop.drill.caller import Caller
from workshop.drill.failover import Phase
from workshop.drill.fault import Fault, Means, already
from workshop.drill.lag import Lags
from workshop.drill.ledger import Ledger, Settled
from workshop.drill.load import Load
from workshop.drill.measure import Figures, bound, measure, missing
from workshop.drill.scene import Place, Scene
from workshop.drill.settings import FailoverSettings
from workshop.drill.timeline import Acknowledged, Emit, Lag, Mark, Moment, Request
from workshop.engine.undos import BY_DRILL, Undo
from workshop.errors import PartlyDoneError, WorkshopError

__all__ = ["Drilled", "Order", "Patience", "check_health", "run_drill", "undisturbed"]

T = TypeVar("T")
HEARTBEAT = 20.0
"""Seconds of silence before a wait says that it goes on."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many acknowledged writes each phase takes, and how long each wait may last, in seconds."""

    calm_writes: int = 8
    held_writes: int = 8
    held_seconds: float = 10.0
    """How long a fault that stops no writes is held."""
    effect: float = 90.0
    """Until a fault shows: settings take seconds to reach every part of a region (docs/aws-behaviours.md, section 4)."""
    mend: float = 240.0
    converge: float = 120.0
    margin: float = 60.0
    """Beyond the arithmetic bound, until a failover is given up."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be drilled: the region to fail, how, with which settings; `run` names the drill and its items."""

    run: str
    region: str
    fault: Fault
    settings: FailoverSettings
    patience: Patience = field(default_factory=Patience)

    @property
    def key(self) -> str:
        """The partition key of the drill's own items."""
        return f"drill-{self.run}"


@dataclass(frozen=True)
class Drilled:
    """A drill that came to its end. `undone` is True only when the settings were read back as they were."""

    order: Order
    scene: Scene
    figures: Figures
    moments: tuple[Moment, ...]
    requests: tuple[Request, ...]
    acknowledged: tuple[Acknowledged, ...]
    lags: tuple[Lag, ...]
    settled: tuple[Settled, ...]
    undone: bool
    seconds: float


async def check_health(scene: Scene, caller: Caller, settings: FailoverSettings) -> None:
    """Raise `WorkshopError` when the API of any region fails already: a drill would prove nothing, and might hide why."""
    for place in scene.places:
        for path in ("", f"get/drill-{scene.workshop}/none", *(["health"] if place.health else [])):
            answer = await caller(place.url + path, settings.probe_timeout_ms / 1000)
            if not answer.ok:
                raise already(
                    place.region, f"Its API answers GET /{path} with: {answer.why}.",
                    "Find out why first: workshop status. A fault set by hand is mended by: workshop drill recover",
                )  # fmt: skip


async def run_drill(scene: Scene, order: Order, means: Means, caller: Caller, ledger: Ledger, emit: Emit) -> Drilled:
    """Drill, and put everything back before answering, or before raising whatever ended it early."""
    moments: list[Moment] = []

    def tell(moment: Moment) -> None:
        moments.append(moment)
        emit(moment)

    await check_health(scene, caller, order.settings)
    await order.fault.remember(means, scene, scene.place(order.region))  # refuses before anything has begun
    load = Load(
        scene, order.settings, caller, means.clock, key=order.key, preferred=order.region, emit=tell
    )  # fmt: skip
    drill = _Drill(scene, order, means, ledger, load, moments)
    ledger.owe(Bookmarks.name, scene.regions[0], memory_of(scene.table, scene.regions, order.key), BY_DRILL)
    try:
        await drill.play()
    finally:
        await undisturbed(drill.put_back())
    return drill.result()


class _Drill:
    """The phases of one drill."""

    def __init__(self, scene: Scene, order: Order, means: Means, ledger: Ledger, load: Load, moments: list[Moment]) -> None:
        self._scene, self._order, self._means, self._ledger, self._load = scene, order, means, ledger, load
        self._moments = moments
        self._place: Place = scene.place(order.region)
        self._lags = Lags(means.aws, scene, load, means.clock, order.key)
        self._behind: list[Acknowledged] = []
        self._lost: list[Acknowledged] = []
        self._settled: list[Settled] = []
        self._looking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._looking.set_result(None)

    async def play(self) -> None:
        """Every phase in turn. Whatever is still failed or running at its end is for `put_back`."""
        load, patience = self._load, self._order.patience
        load.start()
        lags = asyncio.create_task(self._lags.run())
        try:
            load.note(Mark.LOAD, self._place.region, f"writes go to {self._place.region}, reads to every region")
            if not await self._until(
                "writes to be taken", lambda: len(load.acknowledged) >= patience.calm_writes, patience.effect
            ):
                why = next((r.why for r in reversed(load.requests) if r.why), "")
                raise already(self._place.region, f"Writes are not taken: {why}.", "Find out why first: workshop status")
            owed = await self._strike()
            await self._watch()
            await self._mend(owed)
            await self._return()
        finally:
            await load.stop()
            lags.cancel()
            ended = await asyncio.gather(lags, self._looking, return_exceptions=True)
        for problem in ended:
            if isinstance(problem, WorkshopError):
                load.note(Mark.NOTE, "", f"not everything was measured: {problem.what}")
            elif isinstance(problem, Exception):
                raise problem
        load.note(Mark.STOPPED, "", f"the load ends: {len(load.acknowledged)} writes acknowledged")
        await self._compare()

    async def _strike(self) -> Undo:
        """Remember, write down, strike: in this order."""
        fault, region = self._order.fault, self._place.region
        memory = await fault.remember(self._means, self._scene, self._place)
        owed = self._ledger.owe(fault.name, region, memory, BY_DRILL)
        self._load.note(Mark.STRUCK, region, f"{fault.name}: {fault.plan(self._place, memory)}")
        await fault.inject(self._means, self._place, memory)
        return owed

    async def _watch(self) -> None:
        """Until another region has taken writes for a while, or until it is clear that none will."""
        load, order, patience, region = self._load, self._order, self._order.patience, self._place.region
        if not order.fault.stops_writes:
            await load.wait(lambda: False, patience.held_seconds)
            self._behind = await self._not_in(self._others())
            return
        if not await self._until("the fault to show", lambda: load.state.phase is not Phase.STEADY, patience.effect):
            load.note(Mark.NOTE, region, f"the fault had no effect within {patience.effect:.0f} s")
            return
        request = order.settings.write_timeout_ms / 1000
        limit = bound(order.settings, request) + patience.margin
        if not await self._until("the failover", lambda: load.state.active != region, limit):
            load.note(Mark.NOTE, region, f"no failover within {limit:.0f} s")
            return
        since = load.now()
        self._looking = asyncio.create_task(self._look())
        if not await self._until(
            "writes to be taken", lambda: load.writes_in(load.state.active, since) >= patience.held_writes, patience.effect
        ):
            load.note(Mark.NOTE, load.state.active, f"{load.state.active} took over and does not take writes")

    async def _until(self, what: str, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait, with a sign of life now and then."""
        began = self._load.now()
        while True:
            left = began + seconds - self._load.now()
            if await self._load.wait(condition, min(HEARTBEAT, max(0.0, left))):
                return True
            waited = self._load.now() - began
            if waited >= seconds:
                return False
            self._load.note(Mark.NOTE, self._place.region, f"still waiting for {what}, {waited:.0f} s")

    async def _look(self) -> None:
        """What the surviving region lacks at the moment of the switch: what would be lost if the other never came back."""
        self._behind = await self._not_in((self._load.state.active,))

    async def _not_in(self, regions: tuple[str, ...]) -> list[Acknowledged]:
        until = list(self._load.acknowledged)
        there = {region: await held(self._means.aws, region, self._scene.table, self._order.key) for region in regions}
        return missing([each for each in until if each.region not in regions], there)

    def _others(self) -> tuple[str, ...]:
        return tuple(region for region in self._scene.regions if region != self._place.region)

    async def _mend(self, owed: Undo) -> None:
        settled = await undisturbed(self._ledger.settle(self._means, owed))
        self._settled.append(settled)
        self._load.note(Mark.MENDED, self._place.region, settled.text)

    async def _return(self) -> None:
        """Go back once the region has proved itself; a region that was never left only has to take writes again."""
        load, patience, region = self._load, self._order.patience, self._place.region
        if load.state.active != region:
            if not await self._until(f"{region} to answer again", lambda: load.state.phase is Phase.OFFERING, patience.mend):
                load.note(Mark.NOTE, region, f"{region} does not answer again within {patience.mend:.0f} s")
                return
            load.choose(region)
        since = load.now()
        if not await self._until(
            f"{region} to take writes", lambda: load.writes_in(region, since) >= patience.calm_writes, patience.mend
        ):
            load.note(Mark.NOTE, region, f"{region} does not take writes again within {patience.mend:.0f} s")

    async def _compare(self) -> None:
        """Ask every table until each holds every acknowledged write, or until the patience ends; what is missing then is lost."""
        scene, order, load = self._scene, self._order, self._load

        async def converged() -> bool | None:
            there = {region: await held(self._means.aws, region, scene.table, order.key) for region in scene.regions}
            self._lost = missing(load.acknowledged, there)
            return None if self._lost else True

        try:
            await wait_for(
                converged, clock=self._means.clock, reason="every region to hold every write", deadline=order.patience.converge,
                interval=1.0, waiting=lambda _reason, _seconds: None,
            )  # fmt: skip
            text = f"every region's table holds all {len(load.acknowledged)} acknowledged writes"
        except WaitTimeout:
            text = f"{len(self._lost)} acknowledged writes are missing from some region's table"
        load.note(Mark.CONVERGED, "", text)

    async def put_back(self) -> None:
        """Everything of this drill that the ledger still holds, the fault before the items."""
        pending = self._ledger.pending(lambda undo: undo.run == self._ledger.run and undo.by == BY_DRILL)
        for settled in await self._ledger.settle_all(self._means, pending):
            self._settled.append(settled)
            self._load.note(Mark.NOTE, settled.undo.region, settled.text)

    def result(self) -> Drilled:
        """The drill as values."""
        load, order = self._load, self._order
        if self._ledger.pending(lambda undo: undo.run == self._ledger.run):
            raise PartlyDoneError("Not everything is put back.", "", "Try again: workshop drill recover", code="NotRestored")
        figures = measure(
            order.settings, order.region, load.requests, load.acknowledged, self._moments, self._lags.found,
            lost=self._lost, behind=self._behind,
        )  # fmt: skip
        undone = any(settled.undo.kind == order.fault.name for settled in self._settled)
        return Drilled(
            order, self._scene, figures, tuple(self._moments), tuple(load.requests), tuple(load.acknowledged),
            tuple(self._lags.found), tuple(self._settled), undone, load.now(),
        )  # fmt: skip


async def undisturbed(work: Coroutine[Any, Any, T]) -> T:
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
