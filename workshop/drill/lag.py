"""Measures replication while a drill runs: how long an acknowledged write takes until the other regions' tables have it.

In: a door, a load. Out: lags in seconds, one write at a time. The tables are asked directly, so that it goes on measuring while
an API is failed.
"""

from __future__ import annotations

import asyncio

from workshop.aws.door import Door
from workshop.aws.errors import AwsError
from workshop.clock import Clock
from workshop.drill.load import Load
from workshop.drill.scene import Scene
from workshop.drill.timeline import Lag

__all__ = ["Lags"]

ASK_EVERY, PAUSE, GIVE_UP = 0.1, 0.5, 30.0
"""Seconds between two questions, between two measurements, and until a write is given up."""


class Lags:
    """Runs beside a load until it is cancelled; `found` grows."""

    def __init__(self, aws: Door, scene: Scene, load: Load, clock: Clock, key: str) -> None:
        self.found: list[Lag] = []
        self._aws, self._scene, self._load, self._clock, self._key = aws, scene, load, clock, key

    async def run(self) -> None:
        last = 0
        while True:
            newest = self._load.acknowledged[-1] if self._load.acknowledged else None
            if newest is not None and newest.number > last:
                last = newest.number
                targets = [region for region in self._scene.regions if region != newest.region]
                seconds = await asyncio.gather(*(self._until(region, newest.sort, newest.at) for region in targets))
                at = newest.at
                self.found += [Lag(last, newest.region, region, at, each) for region, each in zip(targets, seconds, strict=True)]
            await self._clock.sleep(PAUSE)

    async def _until(self, region: str, sort: str, since: float) -> float | None:
        while self._load.now() - since < GIVE_UP:
            if await self._has(region, sort):
                return max(0.0, self._load.now() - since)
            await self._clock.sleep(ASK_EVERY)
        return None

    async def _has(self, region: str, sort: str) -> bool:
        key = {"PK": {"S": self._key}, "SK": {"S": sort}}
        try:
            answer = await self._aws.call(
                "dynamodb", region, "get_item", TableName=self._scene.table, Key=key, ConsistentRead=True
            )
        except AwsError as error:
            if error.transient or error.throttled:
                return False
            raise
        return "Item" in answer
