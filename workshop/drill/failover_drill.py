"""The phases of a drill whose client fails over by itself: it leaves the region by its settings, and goes back by choice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from workshop.drill.base import already_failing
from workshop.drill.failover import FailoverPhase
from workshop.drill.failover_load import FailoverLoad
from workshop.drill.measure import Outage, failover_outage, rto_bound
from workshop.drill.phases import Phases
from workshop.drill.timeline import Acknowledged, Milestone, Moment

__all__ = ["FailoverDrill"]


class FailoverDrill(Phases[FailoverLoad]):
    """`moments` are all that were emitted."""

    def __init__(self, moments: Sequence[Moment], *given: Any) -> None:
        super().__init__(*given)
        self._moments = moments

    def outage(self) -> Outage:
        return failover_outage(self.spec.settings, self.region, self.load.requests, self._moments)

    async def warm_up(self) -> None:
        """Until the region has taken some writes; raises `WorkshopError` when it takes none."""
        load, timeouts = self.load, self.timeouts
        load.note(Milestone.LOAD, f"writes go to {self.region}, reads to every region", region=self.region)
        if not await self.until("writes to be taken", lambda: len(load.acknowledged) >= timeouts.calm_writes, timeouts.effect):
            why = next((request.why for request in reversed(load.requests) if request.why), "")
            fix = f"Find the cause first: {self.context.commands.status}"
            raise already_failing(self.region, why=f"Writes are not taken: {why}.", fix=fix)

    async def watch(self) -> list[Acknowledged]:
        """Until another region has taken some writes, or until it is clear that none will.

        Returns the writes that the surviving region lacked at the switch: lost, if the failed region never came back.
        """
        load, timeouts = self.load, self.timeouts
        if not self.spec.fault.stops_writes:
            await load.wait(lambda: False, timeouts.fault_seconds)
            return await self.behind([region for region in self.deployment.regions if region != self.region])
        if not await self._switched():
            return []
        since, region = load.now(), load.state.active
        reading = asyncio.create_task(self.behind([region]))
        try:
            if not await self.until(
                "writes to be taken",
                lambda: load.writes_in(load.state.active, since) >= timeouts.failover_writes,
                timeouts.effect,
            ):
                load.note(Milestone.NOTE, f"{load.state.active} took over and does not take writes", region=load.state.active)
            return await reading
        finally:
            reading.cancel()

    async def _switched(self) -> bool:
        """Whether the writes moved to another region in time; if not, a note has the reason."""
        load, spec, effect = self.load, self.spec, self.timeouts.effect
        if not await self.until("the fault to show", lambda: load.state.phase is not FailoverPhase.STEADY, effect):
            load.note(Milestone.NOTE, f"the fault had no effect within {effect:.0f} s", region=self.region)
            return False
        limit = rto_bound(spec.settings, spec.settings.write_timeout_ms / 1000) + self.timeouts.margin
        if not await self.until("the failover", lambda: load.state.active != self.region, limit):
            load.note(Milestone.NOTE, f"no failover within {limit:.0f} s", region=self.region)
            return False
        return True

    async def fail_back(self) -> None:
        """Go back when the region is healthy again; a region that was never left only has to take writes again."""
        load, region, recovery = self.load, self.region, self.timeouts.recovery
        if load.state.active != region:
            healthy = f"{region} to be healthy again"
            if not await self.until(healthy, lambda: load.state.phase is FailoverPhase.OFFERING, recovery):
                load.note(Milestone.NOTE, f"{region} is not healthy again within {recovery:.0f} s", region=region)
                return
            load.choose(region)
        since, wanted = load.now(), self.timeouts.calm_writes
        if not await self.until(f"{region} to take writes", lambda: load.writes_in(region, since) >= wanted, recovery):
            load.note(Milestone.NOTE, f"{region} does not take writes again within {recovery:.0f} s", region=region)
