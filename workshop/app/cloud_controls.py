"""What only the local cloud can do to a region, for the faults of drills: pause its replication, take its APIs down.

In: the state folder of the cloud. Out: controls, as `workshop.drill.base` wants them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from workshop.cloud.fault_model import CloudFault
from workshop.cloud.faults import fault_add, faults_clear, faults_list

__all__ = ["LocalGatewayControl", "LocalReplicationControl"]


class _Faults:
    """Faults of a running cloud."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def ids(self, wanted: Callable[[CloudFault], bool]) -> tuple[str, ...]:
        faults = await asyncio.to_thread(faults_list, self._folder)
        return tuple(fault.id for fault in faults if wanted(fault))

    async def add(self, fault: CloudFault) -> None:
        await asyncio.to_thread(fault_add, self._folder, fault)

    async def clear(self, wanted: Callable[[CloudFault], bool]) -> None:
        if ids := await self.ids(wanted):
            await asyncio.to_thread(faults_clear, self._folder, ids)


class LocalReplicationControl:
    """Replication of the local cloud, paused through its control endpoint."""

    def __init__(self, folder: Path) -> None:
        self._faults = _Faults(folder)

    async def is_paused(self, region: str, table: str) -> bool:
        return bool(await self._faults.ids(self._cuts(region, table)))

    async def pause(self, region: str, table: str) -> None:
        await self._faults.add(CloudFault("cut", region=region, table=table))

    async def resume(self, region: str, table: str) -> None:
        await self._faults.clear(self._cuts(region, table))

    @staticmethod
    def _cuts(region: str, table: str) -> Callable[[CloudFault], bool]:
        return lambda fault: fault.kind == "cut" and fault.region == region and fault.table in ("", table)


class LocalGatewayControl:
    """API Gateway of the local cloud, region by region."""

    def __init__(self, folder: Path) -> None:
        self._faults = _Faults(folder)

    async def is_down(self, region: str) -> bool:
        return bool(await self._faults.ids(self._takes_down(region)))

    async def take_down(self, region: str) -> None:
        await self._faults.add(CloudFault("gateway-down", region=region))

    async def bring_up(self, region: str) -> None:
        await self._faults.clear(self._takes_down(region))

    @staticmethod
    def _takes_down(region: str) -> Callable[[CloudFault], bool]:
        return lambda fault: fault.kind == "gateway-down" and fault.region in ("", region)
