"""Measures how long an acknowledged write takes until the other regions' tables have it.

In: a load that is running, the tables. Out: `found`, which grows. It reads the tables directly, so that it goes on while an API
is failed.
"""

from __future__ import annotations

import asyncio

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.drill.deployment import Deployment
from workshop.drill.load import Load
from workshop.drill.timeline import Acknowledged, Lag

__all__ = ["LagProbe"]

POLL_SECONDS = 0.1
"""Between two reads of one measurement."""
PAUSE_SECONDS = 0.5
"""Between two measurements."""
TIMEOUT_SECONDS = 30.0
"""Until a measurement is given up."""


class LagProbe:
    """Runs beside a load until it is cancelled."""

    def __init__(self, aws: AwsClient, deployment: Deployment, load: Load) -> None:
        self.found: list[Lag] = []
        self._aws, self._deployment, self._load = aws, deployment, load

    async def run(self) -> None:
        last = 0
        while True:
            newest = self._load.acknowledged[-1] if self._load.acknowledged else None
            if newest is not None and newest.number > last:
                last = newest.number
                self.found += await self._measure(newest)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _measure(self, write: Acknowledged) -> list[Lag]:
        others = [region for region in self._deployment.regions if region != write.region]
        lags = await asyncio.gather(*(self._seconds_until(region, write) for region in others))
        return [Lag(write.number, write.region, region, write.at, seconds) for region, seconds in zip(others, lags, strict=True)]

    async def _seconds_until(self, region: str, write: Acknowledged) -> float | None:
        while self._load.now() - write.at < TIMEOUT_SECONDS:
            if await self._has(region, write):
                return max(0.0, self._load.now() - write.at)
            await asyncio.sleep(POLL_SECONDS)
        return None

    async def _has(self, region: str, write: Acknowledged) -> bool:
        key = {name: {"S": value} for name, value in write.row.key.items()}
        table = self._deployment.table
        try:
            response = await self._aws.call("dynamodb", region, "get_item", TableName=table, Key=key, ConsistentRead=True)
        except AwsError as error:
            if error.transient or error.throttled:
                return False
            raise
        return "Item" in response
