"""Whether the health check of each record watches what the record points at, at any time after the setup.

In: the names that the steps route, the account. Out: a finding for each region, and one for the name as a whole. One proof serves
them all; it calls the regions only where the workshop is known to be deployed (docs/aws-behaviours.md, section 6.11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from workshop.aws.errors import AwsError
from workshop.aws.resources.route53 import covering_zone, plain_name
from workshop.checks.base import Check, CheckStatus, Family, Finding, failed, passed, refused, skipped
from workshop.checks.context import CheckContext, PlannedStep
from workshop.steps.base import Permission, Phase
from workshop.steps.route53.proof import Mismatch, MismatchKind, Proof
from workshop.steps.route53.prove_wiring import prove_wiring, wiring_permissions
from workshop.steps.route53.wiring_calls import caller_of

__all__ = ["FAMILY", "Wiring"]


class _Shared:
    """One proof for several checks, made when the first of them asks."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Proof]]) -> None:
        self._make = make
        self._task: asyncio.Task[Proof] | None = None

    async def proof(self) -> Proof:
        if self._task is None:
            self._task = asyncio.create_task(self._make())
        return await asyncio.shield(self._task)  # a check that runs out of time must not end it for the others


@dataclass(frozen=True)
class Wiring(Check):
    """One region of one name, or with an empty region the name as a whole."""

    planned: PlannedStep | None = field(default=None, kw_only=True)
    shared: _Shared | None = field(default=None, kw_only=True)

    name = "wiring"
    title = "The health checks watch the right regions"
    deadline: ClassVar[float] = 60.0

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        """Of each routed name one for each region and one for the whole; a single one where no step routes a name."""
        found: list[Check] = []
        for planned in _routed(context):
            shared = _Shared(lambda planned=planned: _prove(context, planned))  # type: ignore[misc]
            found += [cls(context, region, planned=planned, shared=shared) for region in ("", *planned.ctx.regions)]
        return found or [cls(context)]

    @property
    def id(self) -> str:
        return f"{self.family}.{self.name}.{self.planned.ctx.step}" if self.planned else f"{self.family}.{self.name}"

    @property
    def heading(self) -> str:
        if self.planned is None:
            return self.title
        routed = plain_name(self.planned.ctx.params.name)
        return f"{routed}: the health check watches its own region" if self.region else f"{routed}: the regions are told apart"

    async def run(self) -> Finding:
        if self.planned is None or self.shared is None:
            return skipped("The steps give no name to several regions.")
        try:
            proof = await self.shared.proof()
        except AwsError as error:
            return refused(error, "The wiring")
        if any(each.kind is MismatchKind.NO_GROUP for each in proof.mismatches) and not self.planned.ctx.known:
            return skipped(f"{proof.name} has no records yet: they are made by workshop setup{self.context.flags()}")
        finding = _finding(proof, self.region)
        return finding if self.region else Finding(finding.status, finding.detail, finding.fix, proof)

    def permissions(self) -> list[Permission]:
        return wiring_permissions(self.planned.ctx.regions, Phase.CHECK) if self.planned and not self.region else []


FAMILY = Family("dns", "Names", (Wiring,))


def _routed(context: CheckContext) -> list[PlannedStep]:
    """The steps that give a name to several regions: of each name the one that writes the records, where there is one."""
    found: dict[str, PlannedStep] = {}
    for planned in sorted(context.planned_steps, key=lambda planned: not planned.step.routed_name(planned.ctx)):
        if name := planned.step.wired_name(planned.ctx):
            found.setdefault(name, planned)
    return list(found.values())


async def _prove(context: CheckContext, planned: PlannedStep) -> Proof:
    ctx = planned.ctx
    zone = ctx.params.zone
    if not zone or not planned.complete:
        covering = await covering_zone(context.aws, ctx.params.name)
        zone = covering.id if covering else ""
    async with caller_of(ctx.target) as call:
        return await prove_wiring(
            context.aws,
            zone=zone,
            name=ctx.params.name,
            regions=ctx.regions,
            commands=context.options,
            call=call if context.since else None,
            everywhere=context.on_aws,
        )


def _finding(proof: Proof, region: str) -> Finding:
    """What the proof found of a region, or of the name as a whole."""
    found = proof.about(region)
    severe = [each for each in found if each.severe]
    if severe:
        return failed(_texts(severe), "; ".join(dict.fromkeys(each.fix for each in severe if each.fix)))
    if found:
        fixes = "; ".join(dict.fromkeys(each.fix for each in found if each.fix))
        return Finding(CheckStatus.WARN, _texts(found), fixes or "It passes by itself, or is meant so: docs/checks.md")
    if not region:
        return passed(f"{len(proof.wires)} records, each with a health check or the last resort")
    return passed(next((wire.sentence for wire in proof.wires if wire.region == region), ""))


def _texts(found: Sequence[Mismatch]) -> str:
    return " ".join(each.text for each in found)
