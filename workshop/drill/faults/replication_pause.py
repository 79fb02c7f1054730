"""The fault `replication`: the region's table neither sends nor receives, while its API goes on taking writes.

Only the local cloud can do this; DynamoDB has no switch for it.
"""

from __future__ import annotations

from pydantic import BaseModel

from workshop.drill.base import FaultContext, RegionFault, ReplicationControl, already_failing, not_possible
from workshop.drill.deployment import Deployment, RegionDeployment

__all__ = ["FAULT", "ReplicationPause"]

FIX = "Clear the fault: workshop cloud fault clear"


class ReplicationSnapshot(BaseModel):
    """The table whose replication is paused."""

    table: str


class ReplicationPause(RegionFault):
    """Both directions between the region and all others."""

    name = "replication"
    summary = "replication to and from the region is paused (local cloud only)"
    stops_writes = False

    async def snapshot(self, context: FaultContext, deployment: Deployment, regional: RegionDeployment) -> str:
        control = _control(context, regional.region)
        if await control.is_paused(regional.region, deployment.table):
            why = f"Replication of {deployment.table} is paused, and the journal has no drill that did it."
            raise already_failing(regional.region, why=why, fix=FIX)
        return ReplicationSnapshot(table=deployment.table).model_dump_json()

    def plan(self, regional: RegionDeployment, snapshot: str) -> str:
        table = ReplicationSnapshot.model_validate_json(snapshot).table
        return f"Replication of {table} to and from {regional.region} is paused and resumed."

    async def inject(self, context: FaultContext, regional: RegionDeployment, snapshot: str) -> None:
        table = ReplicationSnapshot.model_validate_json(snapshot).table
        await _control(context, regional.region).pause(regional.region, table)

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        table = ReplicationSnapshot.model_validate_json(snapshot).table
        control = _control(context, region)
        await control.resume(region, table)
        if await control.is_paused(region, table):
            raise already_failing(region, why=f"Replication of {table} is still paused.", fix=FIX)
        return f"{region}: replication of {table} is resumed, read back."


def _control(context: FaultContext, region: str) -> ReplicationControl:
    if context.replication is None:
        raise not_possible(
            "replication",
            region,
            why="DynamoDB has no switch that pauses its replication; only the local cloud can pause it.",
            fix="Use another fault (throttle), or the local cloud: --target local",
        )
    return context.replication


FAULT = ReplicationPause()
