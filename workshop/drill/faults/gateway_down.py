"""The fault `gateway-down`: every call of the region's APIs is responded to with 503, as when API Gateway itself is down.

Only the local cloud can do this; AWS has no switch for it.
"""

from __future__ import annotations

from pydantic import BaseModel

from workshop.drill.base import FaultContext, GatewayControl, RegionFault, already_failing, not_possible
from workshop.drill.deployment import Deployment, RegionDeployment

__all__ = ["FAULT", "GatewayDown"]

FIX = "Clear the fault: workshop cloud fault clear"


class GatewaySnapshot(BaseModel):
    """The gateway was up: anything else is refused."""

    region: str


class GatewayDown(RegionFault):
    """All APIs of the region, whatever is behind them."""

    name = "gateway-down"
    summary = "every call of the region's APIs gets a 503 (local cloud only)"

    async def snapshot(self, context: FaultContext, deployment: Deployment, regional: RegionDeployment) -> str:  # noqa: ARG002
        if await _control(context, regional.region).is_down(regional.region):
            why = "Its APIs are down already, and the journal has no drill that did it."
            raise already_failing(regional.region, why=why, fix=FIX)
        return GatewaySnapshot(region=regional.region).model_dump_json()

    def plan(self, regional: RegionDeployment, snapshot: str) -> str:  # noqa: ARG002
        return f"Every API of {regional.region} responds with 503, and is brought up again."

    async def inject(self, context: FaultContext, regional: RegionDeployment, snapshot: str) -> None:  # noqa: ARG002
        await _control(context, regional.region).take_down(regional.region)

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:  # noqa: ARG002
        control = _control(context, region)
        await control.bring_up(region)
        if await control.is_down(region):
            raise already_failing(region, why="Its APIs are still down.", fix=FIX)
        return f"{region}: the APIs are up again, read back."


def _control(context: FaultContext, region: str) -> GatewayControl:
    if context.gateway is None:
        raise not_possible(
            "gateway-down",
            region,
            why="AWS has no switch that takes API Gateway down; only the local cloud has one.",
            fix="Use another fault (throttle), or the local cloud: --target local",
        )
    return context.gateway


FAULT = GatewayDown()
