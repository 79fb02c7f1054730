"""The phases of a drill through a name: the region fails, its check turns, DNS names it no more, kept answers end; and back.

In: a routed name, a load that calls it. Out: findings, and what the failure shows of the wiring: only the failed region's record
may leave the answers, and only its check may turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from workshop.aws.errors import AwsError
from workshop.drill.base import already_failing, not_possible
from workshop.drill.measure import Outage
from workshop.drill.name_load import CACHED, CACHED_EVERY, NameLoad
from workshop.drill.name_outage import Marks, Span, first_effect, name_outage
from workshop.drill.phases import NEVER, Phases
from workshop.drill.timeline import Acknowledged, Milestone
from workshop.steps.route53.proof import Fixes, Mismatch
from workshop.steps.route53.routing import check_is_healthy
from workshop.steps.route53.wiring_live import by_deed

__all__ = ["NameDrill"]

POLL_SECONDS = 2.0
"""Between two looks at the health checks, on the clock of the name."""
SHORTEST_POLL = 0.5
ENOUGH_ANSWERS = 8
"""Answers in a row that do not name the region: of two regions by even weight, one in 256 such rows is chance."""
CALM_SECONDS = 4.0
"""Before the region is failed, at least: for requests, answers and lags without a failure."""
FIRST_ANSWERS = 24
"""Answers among which the region has to be, before anything begins."""
ROUNDING = 1e-3
FEW_WRITES = 3
"""That the region takes again, until the way back is over."""


class NameDrill(Phases[NameLoad]):
    """`mismatches` are what the failure showed of the wiring; `marks` are known after `outage`."""

    mismatches: tuple[Mismatch, ...] = ()
    marks: Marks | None = None
    _seen: float | None = None
    _healthy_again: float | None = None
    _left = False

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.routed = self.load.routed
        self.bound = self.routed.bound(self.region, by_checkers=not self.spec.fault.withdraws)
        self._sick_since: dict[str, float] = {}
        self._turned: set[str] = set()

    def beside(self) -> Sequence[Coroutine[Any, Any, None]]:
        return (self._look_at_checks(),)

    async def warm_up(self) -> None:
        """Until writes are taken and DNS has led some client to the region; raises `WorkshopError` when it does not."""
        load, name = self.load, self.routed.name
        ttl = f"{self.routed.ttl_here:g} s"
        load.note(Milestone.LOAD, f"1 client of {name} asks DNS each time, {len(CACHED)} keep an answer for its TTL of {ttl}")
        if self.spec.fault.stops_writes or self.spec.fault.withdraws:
            load.note(Milestone.NOTE, f"the last client is led away within {self.bound.words}", region=self.region)
        wanted, fix = self.timeouts.calm_writes, f"Find the cause first: {self.context.commands.status}"
        if not await self.until("writes to be taken", lambda: len(load.acknowledged) >= wanted, self.timeouts.effect):
            why = next((request.why for request in reversed(load.requests) if request.why), "")
            raise already_failing(name, why=f"Writes are not taken: {why}.", fix=fix)

        def is_named() -> bool:
            return load.now() >= CALM_SECONDS and load.last_led_to(self.region) >= 0

        await self.until(f"DNS to name {self.region}", is_named, self.timeouts.effect)

    async def require_named(self) -> None:
        """Raise `UsageError` when DNS leads no client from here to the region, so that its failure would show nothing."""
        named: set[str] = set()
        for _ in range(FIRST_ANSWERS):
            named |= {(await self.routed.led()).region} - {""}
            if self.region in named:
                return
        if named:
            regions, policy = ", ".join(sorted(named)), self.routed.policy
            raise not_possible(
                self.spec.fault.name,
                self.region,
                why=f"The policy of {self.routed.name} ({policy}) leads no client from here to it, only to {regions}.",
                fix=f"Fail the region to which clients are led: {self.context.commands.line('drill run', sorted(named)[0])}",
            )

    async def watch(self) -> list[Acknowledged]:
        """Until no client can be led to the region any more, or until it is clear that clients still are.

        Returns the writes that the other regions lacked when the checkers saw it: lost, if the failed region never came back.
        """
        load, fault, effect = self.load, self.spec.fault, self.timeouts.effect
        others = [region for region in self.deployment.regions if region != self.region]
        if not fault.stops_writes and not fault.withdraws:
            await load.wait(lambda: False, self.timeouts.fault_seconds)
            return await self.behind(others)
        if not await self.until("the fault to show", lambda: self._effect is not None, effect):
            load.note(Milestone.NOTE, f"the fault had no effect within {effect:.0f} s", region=self.region)
            return []
        if fault.stops_writes:
            text = f"the first request to {self.region} failed"
            load.note(Milestone.FIRST_FAILURE, text, region=self.region, at=self._effect)
        limit, began = self.bound.seconds + self.timeouts.margin, load.now()
        seen = await self.until("its health check to see it", lambda: self._seen is not None, limit)
        behind = await self.behind(others) if seen else []
        left = max(0.0, began + limit - load.now())
        self._left = seen and await self.until(f"clients to leave {self.region}", self._is_left, left)
        if not self._left:
            load.note(Milestone.NOTE, f"clients are still led to {self.region} after {limit:.0f} s", region=self.region)
        self._prove_by_deed()
        if self._left:
            self._note_marks()
        return behind

    async def fail_back(self) -> None:
        """Until the check is healthy and DNS leads writes to the region again."""
        load, region, recovery = self.load, self.region, self.timeouts.recovery
        if not await self.until(f"{region} to be healthy again", lambda: self._healthy_again is not None, recovery):
            load.note(Milestone.NOTE, f"{region} is not healthy again within {recovery:.0f} s", region=region)
            return
        since = self.reverted_at
        if not await self.until(f"{region} to take writes", lambda: load.writes_in(region, since) >= FEW_WRITES, recovery):
            load.note(Milestone.NOTE, f"{region} does not take writes again within {recovery:.0f} s", region=region)
            return
        load.note(Milestone.RETURNED, f"DNS names {region} again, and it takes writes", region=region)

    def outage(self) -> Outage:
        """The outage; to be called at the end."""
        found, self.marks = name_outage(
            self._span,
            self.load.requests,
            self.load.answers,
            self.bound.seconds,
            seen=self._seen,
            healthy=self._healthy_again,
            left=self._left,
        )
        return found

    @property
    def _span(self) -> Span:
        fault = self.spec.fault
        return Span(self.region, self.injected_at, self.reverted_at, noticed=not fault.withdraws)

    @property
    def _effect(self) -> float | None:
        return first_effect(self._span, self.load.requests)

    def _is_left(self) -> bool:
        """Whether no client keeps an answer that names the region, and DNS gives none."""
        load, last = self.load, self.load.last_led_to(self.region)
        kept = self.routed.ttl_here + CACHED_EVERY
        return load.now() - last > kept and len(load.direct(last)) > ENOUGH_ANSWERS

    def _prove_by_deed(self) -> None:
        """A note for each thing that the failure showed of the wiring and that should not be."""
        load, setup = self.load, self.context.commands.setup
        late = load.direct(load.last_led_to(self.region) if self._left else load.now() - self.routed.ttl_here)
        before = {each.region for each in load.direct(0.0) if each.at < self.injected_at}
        self.mismatches = tuple(
            by_deed(
                self.routed.proof,
                self.region,
                unhealthy=self._turned,
                before=before - {""},
                after={each.region for each in late[1:]} - {""},
                fixes=Fixes(setup, setup),
            )
        )
        for each in self.mismatches:
            load.note(Milestone.NOTE, f"the wiring: {each.text}", region=self.region)

    def _note_marks(self) -> None:
        load, region = self.load, self.region
        _, marks = name_outage(self._span, self.load.requests, self.load.answers, 0.0, seen=self._seen, healthy=None, left=True)
        if marks.dns is not None:
            load.note(Milestone.DNS, f"DNS names {region} no more", region=region, at=marks.dns)
        if marks.people is not None:
            load.note(Milestone.PEOPLE, f"the last client is led away from {region}", region=region, at=marks.people)

    async def _look_at_checks(self) -> None:
        """Note when the region's check turns, and which others do; a look that fails is left out."""
        every = max(SHORTEST_POLL, POLL_SECONDS * self.routed.clock)
        while True:
            for region, check in self.routed.checks.items():
                try:
                    healthy = await check_is_healthy(self.context.aws, check.id)
                except AwsError as error:
                    if not (error.transient or error.throttled):
                        raise
                    continue
                self._looked(region, check.id, healthy=healthy)
            await asyncio.sleep(every)

    def _looked(self, region: str, check: str, *, healthy: bool) -> None:
        if self.injected_at == NEVER:
            return
        failed, now = self.reverted_at == NEVER, self.load.now()
        if failed:
            self._count(region, check, now, healthy=healthy)
        if region != self.region:
            return
        if failed and not healthy and self._seen is None:
            self._seen = now
            self.load.note(Milestone.SEEN, f"the health check of {region} reports failures", region=region)
        if not failed and healthy and self._healthy_again is None:
            self._healthy_again = now
            self.load.note(Milestone.OFFERED, f"the health check of {region} is healthy again", region=region)
        self.load.woken()

    def _count(self, region: str, check: str, now: float, *, healthy: bool) -> None:
        """A check has turned when it reported failures for as long as its threshold takes; an inverted one turns at once."""
        if healthy:
            self._sick_since.pop(check, None)
            return
        since, settings = self._sick_since.setdefault(check, now), self.routed.bound(region, by_checkers=True)
        if now - since > settings.interval * (settings.threshold - 1) - ROUNDING or self.spec.fault.withdraws:
            self._turned.add(check)
