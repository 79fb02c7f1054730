"""A load like the player's: numbered bookmark writes through the failover, reads from every region's own API.

In: a scene, settings, a caller, a clock. Out: every request with its outcome, every acknowledged write, and the moments at which
the failover decided something. A write that failed is sent again under the same number until a region takes it, so what is
acknowledged can be counted afterwards. It reads only what it wrote itself.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from workshop.clock import Clock
from workshop.drill.caller import Answer, Caller
from workshop.drill.failover import Event, Happened, Phase, State, start, step
from workshop.drill.scene import Place, Scene
from workshop.drill.settings import FailoverSettings
from workshop.drill.timeline import Acknowledged, Emit, Mark, Moment, Request, Use

__all__ = ["TICK_MS", "Load"]

TICK_MS = 200
"""How often time alone may move the failover, as in the player."""


class Load:
    """One load. `start` begins it, `wait` waits for something that it sees, `stop` ends it."""

    def __init__(
        self,
        scene: Scene,
        settings: FailoverSettings,
        caller: Caller,
        clock: Clock,
        *,
        key: str,
        preferred: str,
        emit: Emit,
    ) -> None:
        self.requests: list[Request] = []
        self.acknowledged: list[Acknowledged] = []
        self.state: State = start(scene.regions, preferred, preferred)
        self._scene, self._settings, self._caller, self._clock, self._key, self._emit = scene, settings, caller, clock, key, emit
        self._origin = clock.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._flight: asyncio.Task[Answer] | None = None
        self._moved = asyncio.Event()
        self._changed = asyncio.Event()

    def now(self) -> float:
        """Seconds since the load was made."""
        return self._clock.monotonic() - self._origin

    def note(self, mark: Mark, region: str, text: str) -> None:
        """Emit a moment that is now."""
        self._emit(Moment(self.now(), mark, region, text))

    def start(self) -> None:
        """Begin to write, to read and to tick."""
        work: list[Coroutine[Any, Any, None]] = [self._write(), self._tick()]
        work += [self._read(place) for place in self._scene.places]
        self._tasks = [asyncio.create_task(each) for each in work]
        for task in self._tasks:
            task.add_done_callback(lambda _: self._changed.set())

    async def stop(self) -> None:
        """End it; what is under way is given up and counts neither as taken nor as failed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition holds; False when it did not within `seconds`. Raises what broke the load, if anything did."""
        end = self._clock.monotonic() + seconds
        while not condition():
            for task in self._tasks:
                if task.done():
                    task.result()
            if self._clock.monotonic() >= end:
                return False
            self._changed.clear()
            await self._changed.wait()  # the tick sees to it that this ends
        return True

    def choose(self, region: str) -> None:
        """Send the writes to a region, as a click on it does."""
        self._hear(Happened.CHOOSE, region)

    def writes_in(self, region: str, since: float) -> int:
        """How many writes a region has acknowledged since a moment."""
        return sum(1 for done in self.acknowledged if done.region == region and done.at >= since)

    async def _write(self) -> None:
        """One number after the other. Its value stays the same until it is taken, so that a late attempt can do no harm."""
        number, value = 1, f"{self.now():.3f}"
        while True:
            began = self._clock.monotonic()
            self._moved.clear()
            if await self._one_write(number, value):
                number, value = number + 1, f"{self.now():.3f}"
            if not self._moved.is_set():
                pause = self._settings.write_every_ms / 1000 - (self._clock.monotonic() - began)
                await self._rest(max(0.0, pause))

    async def _one_write(self, number: int, value: str) -> bool:
        """One attempt; whether it was acknowledged. An attempt is given up when the failover leaves its region meanwhile."""
        place = self._scene.place(self.state.active)
        sent = self.now()
        thumb = base64.urlsafe_b64encode(place.region.encode()).decode().rstrip("=")
        self._flight = asyncio.create_task(self._attempt(place, f"update/{self._key}/{number:06d}/{value}/{thumb}"))
        self._flight.add_done_callback(_noted)
        try:
            await asyncio.wait([self._flight])
            given_up = self._flight.cancelled()
        finally:
            self._flight.cancel()
        if given_up:
            self._record(Use.WRITE, place.region, sent, Answer("given up: the writes moved to another region"))
            return False
        answer = self._flight.result()
        if answer.ok:
            self.acknowledged.append(Acknowledged(number, place.region, value, sent, self.now()))
        self._hear(Happened.WRITE_OK if answer.ok else Happened.WRITE_FAILED, place.region)
        return answer.ok

    async def _attempt(self, place: Place, path: str) -> Answer:
        """The write; where the API has a health route it is asked first and obeyed, as health checks in front of it would do."""
        health = await self._health(place)
        if not health.ok:
            return health
        return await self._call(Use.WRITE, place, path, self._settings.write_timeout_ms)

    async def _read(self, place: Place) -> None:
        while True:
            number = self.acknowledged[-1].sort if self.acknowledged else "000000"
            health = await self._health(place)
            answer = await self._call(Use.READ, place, f"get/{self._key}/{number}", self._settings.probe_timeout_ms)
            ok = health.ok and answer.ok
            if place.region != self.state.active:
                self._hear(Happened.PROBE_OK if ok else Happened.PROBE_FAILED, place.region)
            await self._clock.sleep((self._settings.read_every_ms if ok else self._settings.probe_every_ms) / 1000)

    async def _health(self, place: Place) -> Answer:
        if place.health is None:
            return Answer()
        return await self._call(Use.HEALTH, place, "health", self._settings.probe_timeout_ms)

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(TICK_MS / 1000)
            self._hear(Happened.TICK, "")

    async def _call(self, use: Use, place: Place, path: str, deadline_ms: int) -> Answer:
        sent = self.now()
        answer = await self._caller(place.url + path, deadline_ms / 1000)
        self._record(use, place.region, sent, answer)
        return answer

    def _record(self, use: Use, region: str, sent: float, answer: Answer) -> None:
        self.requests.append(Request(use, region, sent, self.now(), answer.status, answer.why))
        self._changed.set()

    async def _rest(self, seconds: float) -> None:
        """Sleep, or less when the writes move."""
        sleeping = asyncio.create_task(_sleep(self._clock, seconds))
        moving = asyncio.create_task(self._moved.wait())
        try:
            await asyncio.wait([sleeping, moving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, moving):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _hear(self, happened: Happened, region: str) -> None:
        before = self.state
        self.state = step(self._settings, before, Event(happened, self.now() * 1000, region))
        if self.state.active != before.active:
            self._moved.set()
            if self._flight is not None and happened is not Happened.CHOOSE:
                self._flight.cancel()  # it may hang; whoever chooses freely lets it finish
        self._tell(before, self.state)
        self._changed.set()

    def _tell(self, before: State, after: State) -> None:
        if after.active != before.active:
            if before.phase is Phase.STEADY and after.cause == "countdown-ended":
                self.note(Mark.FIRST_FAILURE, before.active, f"writes to {before.active} fail; they move at once")
            text = f"writes move from {before.active} to {after.active}"
            self.note(Mark.RETURNED if after.cause == "chosen" else Mark.SWITCHED, after.active, text)
        elif after.phase is not before.phase and after.phase is Phase.FAILING:
            seconds = self._settings.countdown_ms / 1000
            text = (
                f"writes to {after.active} fail; they move after {self._settings.min_failures} failures and {seconds:g} s "
                "unless it recovers"
            )
            self.note(Mark.FIRST_FAILURE, after.active, text)
        elif after.phase is not before.phase and after.phase is Phase.OFFERING:
            self.note(Mark.OFFERED, after.preferred, f"{after.preferred} answers again; going back is possible")
        elif after.phase is not before.phase and after.phase is Phase.STRANDED:
            self.note(Mark.NOTE, after.active, "no other region is known to be well; the first that answers takes the writes")
        elif before.phase is Phase.FAILING and after.phase is Phase.STEADY:
            self.note(Mark.NOTE, after.active, f"{after.active} takes writes again before the countdown ended")


async def _sleep(clock: Clock, seconds: float) -> None:
    await clock.sleep(seconds)


def _noted(done: asyncio.Task[Answer]) -> None:
    """An attempt that ends after its writer has nobody to hear of it."""
    if not done.cancelled():
        done.exception()
