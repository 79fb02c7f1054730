"""A load like the player's: numbered writes through the failover, reads from every region's own API.

In: a deployment, settings, what to send. Out: every request with its outcome, every acknowledged write, and the moments at which
the failover decided something. The load reads only what it wrote itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import Any

from workshop.drill.api_client import ApiResponse
from workshop.drill.deployment import Deployment, RegionDeployment
from workshop.drill.failover import EventKind, FailoverEvent, FailoverPhase, FailoverState, start, step
from workshop.drill.load import Load, LoadParts
from workshop.drill.load_requests import ApiCall
from workshop.drill.settings import FailoverSettings
from workshop.drill.timeline import Milestone, RequestKind
from workshop.waiting import monotonic

__all__ = ["NOTHING_YET", "TICK_MS", "FailoverLoad", "not_found_is_fine"]

TICK_MS = 200
"""How often time alone may move the failover, as in the player."""
NOTHING_YET = "000000"
"""The id that is read before anything is written."""
NOT_FOUND = 404


class FailoverLoad(Load):
    """One writer that fails over by itself, one reader for each region."""

    def __init__(self, deployment: Deployment, settings: FailoverSettings, parts: LoadParts, *, preferred: str) -> None:
        super().__init__(parts)
        self.state: FailoverState = start(deployment.regions, preferred, preferred)
        self._deployment, self._settings = deployment, settings
        self._attempt_task: asyncio.Task[ApiResponse] | None = None
        self._moved = asyncio.Event()

    def work(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Write, read and tick."""
        return [self._write(), self._tick(), *(self._read(regional) for regional in self._deployment.regional)]

    def choose(self, region: str) -> None:
        """Send the writes to a region, as a click on it does."""
        self._handle(EventKind.CHOOSE, region)

    async def _write(self) -> None:
        """One number after the other. Its value is the same in every attempt, so that a late attempt can do no harm."""
        number, value = 1, f"{self.now():.3f}"
        while True:
            began = monotonic()
            self._moved.clear()
            if await self._one_write(number, value):
                number, value = number + 1, f"{self.now():.3f}"
            elapsed = monotonic() - began
            await self._pause(max(0.0, self._settings.write_every_ms / 1000 - elapsed))

    async def _pause(self, seconds: float) -> None:
        """Sleep, or less when the writes move to another region."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._moved.wait()

    async def _one_write(self, number: int, value: str) -> bool:
        """One attempt; returns whether it was acknowledged. It is cancelled when the failover leaves its region meanwhile."""
        self.cover(number)
        regional = self._deployment.in_region(self.state.active)
        sent = self.now()
        attempt = asyncio.create_task(self._attempt(regional, number, value))
        attempt.add_done_callback(_retrieve_exception)
        self._attempt_task = attempt
        try:
            await asyncio.wait([attempt])
            given_up = attempt.cancelled()
        finally:
            attempt.cancel()
        if given_up:
            why = "given up: the writes moved to another region"
            self.record(RequestKind.WRITE, regional.region, sent, ApiResponse(why=why))
            return False
        response = attempt.result()
        if response.ok:
            self.acknowledge(number, regional.region, value, sent, response)
        self._handle(EventKind.WRITE_OK if response.ok else EventKind.WRITE_FAILED, regional.region)
        return response.ok

    async def _attempt(self, regional: RegionDeployment, number: int, value: str) -> ApiResponse:
        """The write. Where the load has a health route, it is called first and obeyed, as a load balancer would do."""
        health = await self._health(regional)
        if not health.ok:
            return health
        sent, deadline = self.now(), self._settings.write_timeout_ms / 1000
        response = await self.sent_write(regional.url, number, value, deadline, region=regional.region)
        self.record(RequestKind.WRITE, regional.region, sent, response)
        return response

    async def _read(self, regional: RegionDeployment) -> None:
        while True:
            item = self.acknowledged[-1].item if self.acknowledged else NOTHING_YET
            health = await self._health(regional)
            call = self.plan.read(item, regional.region)
            response = await self._call(RequestKind.READ, regional, call, self._settings.probe_timeout_ms)
            ok = health.ok and response.ok
            if regional.region != self.state.active:
                self._handle(EventKind.PROBE_OK if ok else EventKind.PROBE_FAILED, regional.region)
            await asyncio.sleep((self._settings.read_every_ms if ok else self._settings.probe_every_ms) / 1000)

    async def _health(self, regional: RegionDeployment) -> ApiResponse:
        if self.plan.health is None:
            return ApiResponse()
        return await self._call(RequestKind.HEALTH, regional, self.plan.health, self._settings.probe_timeout_ms)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_MS / 1000)
            self._handle(EventKind.TICK)

    async def _call(self, kind: RequestKind, regional: RegionDeployment, call: ApiCall, deadline_ms: int) -> ApiResponse:
        sent = self.now()
        response = await self.sent(regional.url, call, deadline_ms / 1000)
        if kind is RequestKind.READ:
            response = not_found_is_fine(response)
        self.record(kind, regional.region, sent, response)
        return response

    def _handle(self, kind: EventKind, region: str = "") -> None:
        before = self.state
        self.state = step(self._settings, before, FailoverEvent(kind, self.now() * 1000, region))
        if self.state.active != before.active:
            self._moved.set()
            if self._attempt_task is not None and kind is not EventKind.CHOOSE:
                self._attempt_task.cancel()  # it may hang; a move by choice lets it finish
        self._note_transition(before, self.state)
        self.woken()

    def _note_transition(self, before: FailoverState, after: FailoverState) -> None:
        region, changed = after.active, after.phase is not before.phase
        if region != before.active:
            if before.phase is FailoverPhase.STEADY and after.cause == "countdown-ended":
                text = f"writes to {before.active} fail; they move at once"
                self.note(Milestone.FIRST_FAILURE, text, region=before.active)
            milestone = Milestone.RETURNED if after.cause == "chosen" else Milestone.SWITCHED
            self.note(milestone, f"writes move from {before.active} to {region}", region=region)
        elif changed and after.phase is FailoverPhase.FAILING:
            seconds, failures = self._settings.countdown_ms / 1000, self._settings.min_failures
            text = f"writes to {region} fail; they move after {failures} failures and {seconds:g} s unless it recovers"
            self.note(Milestone.FIRST_FAILURE, text, region=region)
        elif changed and after.phase is FailoverPhase.OFFERING:
            text = f"{after.preferred} is healthy again; going back is possible"
            self.note(Milestone.OFFERED, text, region=after.preferred)
        elif changed and after.phase is FailoverPhase.STRANDED:
            text = "no other region is known to be healthy; the first that responds takes the writes"
            self.note(Milestone.NOTE, text, region=region)
        elif before.phase is FailoverPhase.FAILING and after.phase is FailoverPhase.STEADY:
            self.note(Milestone.NOTE, f"{region} takes writes again before the countdown ended", region=region)


def not_found_is_fine(response: ApiResponse) -> ApiResponse:
    """The response to a read: a region that lacks an item responds well. What it lacks in the end is counted in its table."""
    return ApiResponse("", response.status, response.body) if response.status == NOT_FOUND else response


def _retrieve_exception(done: asyncio.Task[ApiResponse]) -> None:
    """An attempt that ends after its writer has no one to retrieve its exception."""
    if not done.cancelled():
        done.exception()
