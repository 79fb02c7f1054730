"""A load that reaches the regions through a name: one client that asks DNS before each request, and six that keep its answers.

In: a routed name, what to send. Out: every request with its outcome and the region that DNS led to, every acknowledged write,
every answer. An answer is kept for its TTL, as a resolver does, and a client that is led elsewhere opens a connection there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.drill.api_client import ApiResponse
from workshop.drill.failover_load import not_found_is_fine
from workshop.drill.load import Load, LoadParts
from workshop.drill.load_requests import ApiCall
from workshop.drill.routed_name import Led, RoutedName
from workshop.drill.timeline import RequestKind

__all__ = ["CACHED", "DIRECT", "Answered", "NameLoad"]

DIRECT = "direct"
"""The client that asks DNS before each request."""
CACHED = tuple(f"cached-{number}" for number in range(1, 7))
"""The clients that keep an answer for its TTL; their answers end at different times."""
DIRECT_EVERY, CACHED_EVERY = 0.5, 1.0
"""Seconds between the beginnings of two rounds of a client."""
DEADLINE = 6.0
"""Seconds for one request, as of a health checker."""
TICK_SECONDS = 0.2
NOWHERE = Led("")


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of DNS to a client; the region is empty where it led nowhere."""

    at: float
    client: str
    region: str


@dataclass
class _Client:
    """One client: what it writes, and the answer that it keeps `until` a time."""

    name: str
    led: Led = NOWHERE
    until: float = 0.0
    number: int = 0
    value: str = ""
    item: str = ""


class NameLoad(Load):
    """`answers` grows by every answer of DNS."""

    def __init__(self, routed: RoutedName, parts: LoadParts) -> None:
        super().__init__(parts)
        self.answers: list[Answered] = []
        self.routed = routed
        self._numbers = 0

    def work(self) -> Sequence[Coroutine[Any, Any, None]]:
        """The clients, and a tick."""
        spread = [(name, number / len(CACHED)) for number, name in enumerate(CACHED, 1)]
        return [self._client(DIRECT, 0.0), *(self._client(*each) for each in spread), self._tick()]

    def direct(self, since: float) -> list[Answered]:
        """The answers to the client that asks each time, since a time."""
        return [each for each in self.answers if each.client == DIRECT and each.at >= since]

    def last_led_to(self, region: str) -> float:
        """When DNS last named a region to some client; minus one when it never did."""
        return max((each.at for each in self.answers if each.region == region), default=-1.0)

    async def _client(self, name: str, share: float) -> None:
        """One client; its first answer is kept for a `share` of its TTL, so that not all ask at the same time."""
        client, every = _Client(name), CACHED_EVERY if share else DIRECT_EVERY
        await asyncio.sleep(share * every)
        first, turn = share, 0
        while True:
            began = self.now()
            if name == DIRECT or began >= client.until:
                await self._ask(client, first)
                first = 1.0
            await self._round(client, writes=turn % 2 == 0)
            turn += 1
            await asyncio.sleep(max(0.0, began + every - self.now()))

    async def _round(self, client: _Client, *, writes: bool) -> None:
        """Look at the health first and heed it, as a page does that tries again; then write, or read what was written."""
        region = client.led.region
        if not region:
            client.until = 0.0  # a failure is not kept
            self.record(RequestKind.HEALTH, "", self.now(), ApiResponse(client.led.why), client.name)
            return
        if self.plan.health is not None:
            sent = self.now()
            response = await self._sent(region, self.plan.health)
            named = self.plan.region_of(response.body)
            region = named if named in self.routed.doors else region
            self.record(RequestKind.HEALTH, region, sent, response, client.name)
            if not response.ok or await self._is_led_elsewhere(client):
                return
        if writes or not client.item:
            await self._write(client, region)
        else:
            sent = self.now()
            response = not_found_is_fine(await self._sent(client.led.region, self.plan.read(client.item, region)))
            self.record(RequestKind.READ, region, sent, response, client.name)

    async def _ask(self, client: _Client, share: float = 1.0) -> None:
        """Ask DNS, and keep the answer for a `share` of its TTL."""
        client.led = await self.routed.led()
        client.until = self.now() + client.led.ttl * share
        self.answers.append(Answered(self.now(), client.name, client.led.region))

    async def _is_led_elsewhere(self, client: _Client) -> bool:
        """Ask again where the answer ended while its client waited for a response; whether it leads elsewhere now."""
        if client.name == DIRECT or self.now() < client.until:
            return False
        before = client.led.region
        await self._ask(client)
        return client.led.region != before

    async def _write(self, client: _Client, region: str) -> None:
        """One attempt. A number that failed is kept for the client's next one, with its value."""
        if not client.number:
            self._numbers += 1
            client.number, client.value = self._numbers, f"{self.now():.3f}"
            self.cover(client.number)
        number, value, sent, door = client.number, client.value, self.now(), self.routed.doors[client.led.region]
        response = await self.sent_write(door.url, number, value, DEADLINE, region="", host=door.host)
        self.record(RequestKind.WRITE, region, sent, response, client.name)
        if response.ok:
            self.acknowledge(number, region, value, sent, response)
            client.number, client.item = 0, self.acknowledged[-1].item

    async def _sent(self, region: str, call: ApiCall) -> ApiResponse:
        door = self.routed.doors[region]
        return await self.sent(door.url, call, DEADLINE, door.host)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.woken()
