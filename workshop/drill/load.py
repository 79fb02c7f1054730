"""What every load records: requests, acknowledged writes, moments; and how it is begun, waited for and ended.

In: what to send, a client of the APIs. Out: `requests`, `acknowledged`, moments. What the load consists of is for its subclasses.
A write that failed is sent again under its number until a region takes it, so what is acknowledged can be counted afterwards.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.drill.api_client import ApiClient, ApiResponse
from workshop.drill.load_requests import ApiCall, LoadRequests
from workshop.drill.timeline import Acknowledged, Emit, Milestone, Moment, RequestKind, TimedRequest
from workshop.drill.tokens import MachineTokens, send
from workshop.waiting import monotonic

__all__ = ["Load", "LoadParts"]


@dataclass(frozen=True)
class LoadParts:
    """What a load works with. `cover` is called with the number of a write before it is sent for the first time."""

    requests: LoadRequests
    client: ApiClient
    emit: Emit
    cover: Callable[[int], None]
    tokens: MachineTokens | None = None
    """Those of the requests that need one."""


class Load(ABC):
    """One load. `start` begins it, `wait` waits for a condition on what it has recorded, `stop` ends it."""

    def __init__(self, parts: LoadParts) -> None:
        self.requests: list[TimedRequest] = []
        self.acknowledged: list[Acknowledged] = []
        self.plan = parts.requests
        self._parts = parts
        self._origin = monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    @abstractmethod
    def work(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs until the load is ended; one of them has to set off `woken` again and again."""

    def now(self) -> float:
        """Seconds since the load was made."""
        return monotonic() - self._origin

    def note(self, milestone: Milestone, text: str, *, region: str = "", at: float | None = None) -> None:
        """Emit a moment, at the present time unless `at` has another; without a region it concerns all of them."""
        self._parts.emit(Moment(self.now() if at is None else at, milestone, region, text))

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(each) for each in self.work()]
        for task in self._tasks:
            task.add_done_callback(lambda _: self.woken())

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

    def woken(self) -> None:
        """Something was recorded, or time has passed: conditions are looked at again."""
        self._changed.set()

    def writes_in(self, region: str, since: float) -> int:
        """How many writes a region has acknowledged since a time."""
        return sum(1 for done in self.acknowledged if done.region == region and done.at >= since)

    async def sent(self, url: str, call: ApiCall, deadline: float, host: str = "") -> ApiResponse:
        """Send one request, and record nothing."""
        return await send(self._parts.client, self._parts.tokens, url, call, deadline, host)

    async def sent_write(self, url: str, number: int, value: str, deadline: float, *, region: str, host: str = "") -> ApiResponse:
        """Send one write. A response without the id that the API is to choose is a failure: its item could not be found."""
        response = await self.sent(url, self.plan.write(number, value, region), deadline, host)
        if response.ok and not self.plan.id_of(number, value, response.body):
            return ApiResponse("its response has no id", response.status, response.body)
        return response

    def record(
        self, kind: RequestKind, region: str, sent: float, response: ApiResponse, client: str = "", at: float | None = None
    ) -> TimedRequest:
        """Keep a request that has ended now, or at another time."""
        answered = self.now() if at is None else at
        request = TimedRequest(kind, region, sent, answered, response.status, response.why, client)
        self.requests.append(request)
        self.woken()
        return request

    def acknowledge(self, number: int, region: str, value: str, sent: float, response: ApiResponse) -> None:
        """Keep a write that was acknowledged now."""
        item = self.plan.id_of(number, value, response.body)
        row = self.plan.row(number, value, item)
        self.acknowledged.append(Acknowledged(number, region, value, sent, self.now(), item, row))

    def cover(self, number: int) -> None:
        """See to it that the item of a write is in the journal."""
        self._parts.cover(number)
