"""The talk's failure, on purpose: the health checks of two regions are exchanged, the proof finds it, one of the regions fails.

In: a name with a record per region, a deployment, the journal's undos. Out: what the proof said, where DNS led while the region
was broken, how many calls failed. Everything is put back, whatever happens.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workshop.aws.dns import Authority, DnsError
from workshop.aws.resources.health_checks import HEALTHY_SHARE, find_health_check, observations
from workshop.aws.resources.route53 import HostedZone, RecordSet, records_at
from workshop.aws.target import Target
from workshop.drill.api_client import ApiClient
from workshop.drill.base import FaultContext, RegionFault
from workshop.drill.deployment import Deployment
from workshop.drill.faults.crossed_checks import CrossedChecks, crossed_snapshot, inject_crossed
from workshop.drill.shielding import shielded
from workshop.drill.undo_log import UndoLog, Undone
from workshop.engine.undos import BY_DRILL, Undo
from workshop.errors import WorkshopError
from workshop.steps.route53.proof import Mismatch, Proof, wiring_error
from workshop.steps.route53.prove_wiring import prove_wiring
from workshop.steps.route53.routing import routed_group
from workshop.steps.route53.sampling import sample_answers
from workshop.waiting import WaitTimeout, monotonic, wait_for, wait_until

__all__ = ["WiringDrill", "WiringResult", "run_wiring"]

Notice = Callable[[str], None]
UNHEALTHY_SHARE = 1 - HEALTHY_SHARE
"""A check is unhealthy when at least this share of its checkers says so (docs/aws-behaviours.md, section 6.3)."""
MARGIN = 120.0
"""Seconds beyond interval and threshold in which a check has to turn, and DNS has to follow."""
CALL_DEADLINE = 10.0
AT_ONCE = 8


@dataclass(frozen=True)
class WiringDrill:
    """What is drilled: the name with its zone and name servers, the region to break and how, the number of questions to DNS."""

    zone: HostedZone
    name: str
    authority: Authority
    deployment: Deployment
    region: str
    fault: RegionFault
    queries: int
    options: Sequence[str] = ()


@dataclass(frozen=True)
class WiringResult:
    """`crossed` is the proof of the crossed wiring; `answers` are counted by region while `region` was broken, `failed` are the
    calls that such answers led to and that failed; `turned` the seconds until the broken region's check was unhealthy."""

    name: str
    region: str
    crossed: Proof
    found: tuple[Mismatch, ...]
    answers: dict[str, int]
    queries: int
    failed: int
    turned: float
    restored: tuple[Undone, ...]
    straight: Proof

    @property
    def shown(self) -> bool:
        """Whether the mistake showed as in the talk: every answer led to the broken region, and every call failed."""
        return bool(self.found) and self.answers == {self.region: self.queries} and self.failed == self.queries

    @property
    def undone(self) -> bool:
        return not self.straight.problems


async def run_wiring(
    drill: WiringDrill, context: FaultContext, target: Target, call: ApiClient, undo_log: UndoLog, notice: Notice
) -> WiringResult:
    """Cross, prove, break, count, restore. Raises `WorkshopError` for a wiring that is wrong before."""
    before = await _proof(drill, context)
    if before.problems:
        raise wiring_error(before)
    one, two = await _pair(drill, context)
    undos: list[Undo] = []
    try:
        undos.append(await _cross(drill, context, undo_log, (one, two), notice))
        crossed = await _proof(drill, context)
        for each in crossed.problems:
            notice(f"the proof: {each.text}")
        undos.append(await _break(drill, context, undo_log, notice))
        began = monotonic()
        await _turned(drill, context, one.health_check, notice)
        turned = monotonic() - began
        answers, failed = await _counted(drill, context, target, call, notice)
    finally:
        restored = await shielded(undo_log.undo_all(context, reversed(undos)))
    for undone in restored:
        notice(undone.text)
    straight = await _proof(drill, context)
    return WiringResult(
        drill.name, drill.region, crossed, crossed.problems, answers, drill.queries, failed, turned, tuple(restored), straight
    )


async def _cross(
    drill: WiringDrill, context: FaultContext, undo_log: UndoLog, pair: tuple[RecordSet, RecordSet], notice: Notice
) -> Undo:
    snapshot = crossed_snapshot(drill.zone.id, drill.name, pair)
    undo = undo_log.record(CrossedChecks.name, drill.region, snapshot, BY_DRILL)
    try:
        await inject_crossed(context, snapshot)
    except BaseException:
        await shielded(undo_log.undo(context, undo))
        raise
    notice(f"the health checks of {pair[0].set_identifier} and {pair[1].set_identifier} are exchanged")
    return undo


async def _break(drill: WiringDrill, context: FaultContext, undo_log: UndoLog, notice: Notice) -> Undo:
    regional = drill.deployment.in_region(drill.region)
    snapshot = await drill.fault.snapshot(context, drill.deployment, regional)
    undo = undo_log.record(drill.fault.name, drill.region, snapshot, BY_DRILL)
    try:
        await drill.fault.inject(context, regional, snapshot)
    except BaseException:
        await shielded(undo_log.undo(context, undo))
        raise
    notice(f"{drill.region} is broken: {drill.fault.summary}")
    return undo


async def _pair(drill: WiringDrill, context: FaultContext) -> tuple[RecordSet, RecordSet]:
    """The record of the region to break, and another one with a check."""
    proof = await _proof(drill, context)
    records = {each.set_identifier: each for each in await records_at(context.aws, drill.zone.id, drill.name)}
    checked = [(wire.region, records[wire.record]) for wire in proof.wires if wire.check and wire.record in records]
    own = [record for region, record in checked if region == drill.region]
    others = [record for region, record in checked if region != drill.region]
    if not own or not others:
        raise WorkshopError(
            what=f"The checks of {drill.name} cannot be exchanged.",
            why=f"{drill.region} and another region need a record with a health check, and {len(checked)} records have one.",
            fix="Use a policy with a check in every region: weighted or latency",
            code="DrillRefused",
        )
    return own[0], others[0]


async def _turned(drill: WiringDrill, context: FaultContext, check: str, notice: Notice) -> None:
    """Wait until the check that watches the broken region is unhealthy, and DNS names no other region any more."""
    settings = await find_health_check(context.aws, check)
    config = settings.config if settings is not None else {}
    deadline = float(config.get("RequestInterval", 30)) * (float(config.get("FailureThreshold", 3)) + 1) + MARGIN

    async def unhealthy() -> bool:
        seen = await observations(context.aws, check)
        return bool(seen) and sum(not each.healthy for each in seen) / len(seen) >= UNHEALTHY_SHARE

    await wait_until(
        unhealthy,
        reason=f"the health check of {drill.region} to turn",
        deadline=deadline,
        interval=2.0,
        waiting=lambda _reason, _seconds: None,
    )
    notice(f"the health check that watches {drill.region} is unhealthy; it is the healthy region's record that carries it")


async def _counted(
    drill: WiringDrill, context: FaultContext, target: Target, call: ApiClient, notice: Notice
) -> tuple[dict[str, int], int]:
    """Where DNS leads once its choice is made, by region, and how many calls to where it leads fail."""
    members = await routed_group(context.aws, drill.zone.id, drill.name)

    async def asked(queries: int) -> dict[str, int] | None:
        """The answers by region; None when a name server missed a question, which says nothing about the wiring."""
        try:
            return dict((await sample_answers(target, drill.authority, drill.name, members, queries)).answers)
        except DnsError:
            return None

    async def settled() -> bool:
        return set(await asked(min(drill.queries, 20)) or {}) == {drill.region}

    try:
        await wait_until(settled, reason="DNS to follow", deadline=MARGIN, interval=2.0, waiting=lambda _reason, _seconds: None)
    except WaitTimeout:
        notice("! DNS still names other regions")
    answers = await wait_for(
        lambda: asked(drill.queries),
        reason=f"the name servers of {drill.zone.name} to respond",
        deadline=MARGIN,
        interval=2.0,
        waiting=lambda _reason, _seconds: None,
    )
    gate = asyncio.Semaphore(AT_ONCE)

    async def fails(region: str) -> bool:
        async with gate:
            return not (await call(f"{drill.deployment.in_region(region).url}health", CALL_DEADLINE)).ok

    led = [region for region, count in Counter(answers).items() if region in drill.deployment.regions for _ in range(count)]
    failed = sum(await asyncio.gather(*map(fails, led)))
    shares = ", ".join(f"{region} {count}" for region, count in answers.items())
    notice(f"{drill.queries} questions to DNS: {shares}; {failed} of {len(led)} calls failed")
    return answers, failed


async def _proof(drill: WiringDrill, context: FaultContext) -> Proof:
    return await prove_wiring(
        context.aws, zone=drill.zone.id, name=drill.name, regions=drill.deployment.regions, commands=drill.options
    )
