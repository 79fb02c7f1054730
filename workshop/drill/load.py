"""A load like the player's: numbered bookmark writes through the failover, reads from every region's own API.

In: a deployment, settings, an API client. Out: every request with its outcome, every acknowledged write, the lag of
replication, and the moments at which the failover decided something. A write that failed is sent again under the same number
until a region takes it, so what is acknowledged can be counted afterwards. The load reads only what it wrote itself.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.drill.api_client import ApiClient, ApiResponse
from workshop.drill.deployment import Deployment, RegionDeployment
from workshop.drill.failover import EventKind, FailoverEvent, FailoverPhase, FailoverState, start, step
from workshop.drill.settings import FailoverSettings
from workshop.drill.timeline import Acknowledged, Emit, Lag, Milestone, Moment, RequestKind, TimedRequest
from workshop.waiting import monotonic

__all__ = ["TICK_MS", "LagProbe", "LoadGenerator"]

TICK_MS = 200
"""How often time alone may move the failover, as in the player."""
LAG_POLL_SECONDS = 0.1
"""Between two reads of one lag measurement."""
LAG_PAUSE_SECONDS = 0.5
"""Between two lag measurements."""
LAG_TIMEOUT_SECONDS = 30.0
"""Until a lag measurement is given up."""


class LoadGenerator:
    """One load. `start` begins it, `wait` waits for a condition on what it has recorded, `stop` ends it."""

    def __init__(
        self,
        deployment: Deployment,
        settings: FailoverSettings,
        client: ApiClient,
        *,
        key: str,
        preferred: str,
        emit: Emit,
    ) -> None:
        self.requests: list[TimedRequest] = []
        self.acknowledged: list[Acknowledged] = []
        self.state: FailoverState = start(deployment.regions, preferred, preferred)
        self._deployment, self._settings, self._client = deployment, settings, client
        self._key, self._emit = key, emit
        self._origin = monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._attempt_task: asyncio.Task[ApiResponse] | None = None
        self._moved = asyncio.Event()
        self._changed = asyncio.Event()

    def now(self) -> float:
        """Seconds since the load was made."""
        return monotonic() - self._origin

    def note(self, milestone: Milestone, text: str, *, region: str = "") -> None:
        """Emit a moment at the present time; without a region it concerns all of them."""
        self._emit(Moment(self.now(), milestone, region, text))

    def start(self) -> None:
        """Begin to write, to read and to tick."""
        work: list[Coroutine[Any, Any, None]] = [self._write(), self._tick()]
        work += [self._read(regional) for regional in self._deployment.regional]
        self._tasks = [asyncio.create_task(each) for each in work]
        for task in self._tasks:
            task.add_done_callback(lambda _: self._changed.set())

    async def stop(self) -> None:
        """End it. A request in flight is cancelled and counts neither as acknowledged nor as failed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition is true; False when it was not within `seconds`. Raises the error of the load, if any."""
        end = monotonic() + seconds
        while not condition():
            for task in self._tasks:
                if task.done():
                    task.result()
            if monotonic() >= end:
                return False
            self._changed.clear()
            await self._changed.wait()  # every tick sets it, so this ends
        return True

    def choose(self, region: str) -> None:
        """Send the writes to a region, as a click on it does."""
        self._handle(EventKind.CHOOSE, region)

    def writes_in(self, region: str, since: float) -> int:
        """How many writes a region has acknowledged since a time."""
        return sum(1 for done in self.acknowledged if done.region == region and done.at >= since)

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
        regional = self._deployment.in_region(self.state.active)
        sent = self.now()
        thumb = base64.urlsafe_b64encode(regional.region.encode()).decode().rstrip("=")
        attempt = asyncio.create_task(self._attempt(regional, f"update/{self._key}/{number:06d}/{value}/{thumb}"))
        attempt.add_done_callback(_retrieve_exception)
        self._attempt_task = attempt
        try:
            await asyncio.wait([attempt])
            given_up = attempt.cancelled()
        finally:
            attempt.cancel()
        if given_up:
            self._record(
                RequestKind.WRITE, regional.region, sent, ApiResponse(why="given up: the writes moved to another region")
            )
            return False
        response = attempt.result()
        if response.ok:
            self.acknowledged.append(Acknowledged(number, regional.region, value, sent, self.now()))
        self._handle(EventKind.WRITE_OK if response.ok else EventKind.WRITE_FAILED, regional.region)
        return response.ok

    async def _attempt(self, regional: RegionDeployment, path: str) -> ApiResponse:
        """The write. Where the API has a health route, it is called first and obeyed, as a load balancer would do."""
        health = await self._health(regional)
        if not health.ok:
            return health
        return await self._call(RequestKind.WRITE, regional, path, self._settings.write_timeout_ms)

    async def _read(self, regional: RegionDeployment) -> None:
        while True:
            number = self.acknowledged[-1].sort if self.acknowledged else "000000"
            health = await self._health(regional)
            path = f"get/{self._key}/{number}"
            response = await self._call(RequestKind.READ, regional, path, self._settings.probe_timeout_ms)
            ok = health.ok and response.ok
            if regional.region != self.state.active:
                self._handle(EventKind.PROBE_OK if ok else EventKind.PROBE_FAILED, regional.region)
            await asyncio.sleep((self._settings.read_every_ms if ok else self._settings.probe_every_ms) / 1000)

    async def _health(self, regional: RegionDeployment) -> ApiResponse:
        if regional.health is None:
            return ApiResponse()
        return await self._call(RequestKind.HEALTH, regional, "health", self._settings.probe_timeout_ms)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_MS / 1000)
            self._handle(EventKind.TICK)

    async def _call(self, kind: RequestKind, regional: RegionDeployment, path: str, deadline_ms: int) -> ApiResponse:
        sent = self.now()
        response = await self._client(regional.url + path, deadline_ms / 1000)
        self._record(kind, regional.region, sent, response)
        return response

    def _record(self, kind: RequestKind, region: str, sent: float, response: ApiResponse) -> None:
        self.requests.append(TimedRequest(kind, region, sent, self.now(), response.status, response.why))
        self._changed.set()

    def _handle(self, kind: EventKind, region: str = "") -> None:
        before = self.state
        self.state = step(self._settings, before, FailoverEvent(kind, self.now() * 1000, region))
        if self.state.active != before.active:
            self._moved.set()
            if self._attempt_task is not None and kind is not EventKind.CHOOSE:
                self._attempt_task.cancel()  # it may hang; a move by choice lets it finish
        self._note_transition(before, self.state)
        self._changed.set()

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


class LagProbe:
    """Measures how long an acknowledged write takes until the other regions' tables have it; `found` grows.

    Runs beside a load until it is cancelled. It reads the tables directly, so that it goes on while an API is failed.
    """

    def __init__(self, aws: AwsClient, deployment: Deployment, load: LoadGenerator, key: str) -> None:
        self.found: list[Lag] = []
        self._aws, self._deployment, self._load, self._key = aws, deployment, load, key

    async def run(self) -> None:
        last = 0
        while True:
            newest = self._load.acknowledged[-1] if self._load.acknowledged else None
            if newest is not None and newest.number > last:
                last = newest.number
                self.found += await self._measure(newest)
            await asyncio.sleep(LAG_PAUSE_SECONDS)

    async def _measure(self, write: Acknowledged) -> list[Lag]:
        others = [region for region in self._deployment.regions if region != write.region]
        lags = await asyncio.gather(*(self._seconds_until(region, write) for region in others))
        return [Lag(write.number, write.region, region, write.at, seconds) for region, seconds in zip(others, lags, strict=True)]

    async def _seconds_until(self, region: str, write: Acknowledged) -> float | None:
        while self._load.now() - write.at < LAG_TIMEOUT_SECONDS:
            if await self._has(region, write.sort):
                return max(0.0, self._load.now() - write.at)
            await asyncio.sleep(LAG_POLL_SECONDS)
        return None

    async def _has(self, region: str, sort: str) -> bool:
        key = {"PK": {"S": self._key}, "SK": {"S": sort}}
        table = self._deployment.table
        try:
            response = await self._aws.call("dynamodb", region, "get_item", TableName=table, Key=key, ConsistentRead=True)
        except AwsError as error:
            if error.transient or error.throttled:
                return False
            raise
        return "Item" in response


def _retrieve_exception(done: asyncio.Task[ApiResponse]) -> None:
    """An attempt that ends after its writer has no one to retrieve its exception."""
    if not done.cancelled():
        done.exception()
