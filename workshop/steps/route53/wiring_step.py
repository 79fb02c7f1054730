"""`dns.wiring`: proof that the health check of each record watches the endpoint that the record points at.

In: a zone, a name. Out: nothing, or every mismatch in words with the command that fixes it. It makes nothing and removes
nothing. New health checks count as healthy until their checkers have reported, so it waits for them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workshop.aws.resources.route53 import covering_zone, plain_name
from workshop.quoting import shown
from workshop.shell import aws_line
from workshop.steps.base import (
    Brought,
    Context,
    Estimate,
    Observed,
    Outputs,
    Params,
    Permission,
    Phase,
    Placement,
    Resource,
    State,
    Step,
)
from workshop.steps.route53.proof import Mismatch, MismatchKind, Proof, wiring_error
from workshop.steps.route53.prove_wiring import prove_wiring, wiring_permissions
from workshop.steps.route53.service import ROUTE53, DomainName
from workshop.steps.route53.wiring_calls import Caller, caller_of
from workshop.waiting import WaitTimeout

__all__ = ["STEP", "DnsWiring", "WiringParams"]

DEADLINE = 180.0
"""Seconds: a check of 30 s has been sent by every checker twice, and a new deployment responds."""
INTERVAL = 6.0
PASSING = (MismatchKind.NO_RESPONSE, MismatchKind.DISAGREES)
"""What a new deployment shows until it is everywhere; all else does not pass by waiting."""


class WiringParams(Params):
    """`live`: the regions are called, too; each has to name itself as `region` in the JSON of its health route."""

    zone: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
    name: DomainName
    live: bool = True


class DnsWiring(Step[WiringParams]):
    """The wiring of one name."""

    kind = "dns.wiring"
    summary = "proof that each record's health check watches what the record points at"
    Params = WiringParams
    estimate = Estimate(minutes=0.2)
    is_verification = True
    calls_addresses = True
    placements = frozenset({Placement.GLOBAL})
    services = (ROUTE53,)

    def wired_name(self, ctx: Context[WiringParams]) -> str:
        return plain_name(ctx.params.name)

    async def observe(self, ctx: Context[WiringParams]) -> Observed:
        async with caller_of(ctx.target) as call:
            proof = await _proof(ctx, call)
        if proof.problems or _unseen(proof):
            first = (*proof.problems, *_unseen(proof))[0]
            return Observed(State.ABSENT, first.text, fix=first.fix)
        return Observed(State.READY, "; ".join(each.text for each in proof.warnings))

    async def create(self, ctx: Context[WiringParams]) -> Outputs:
        async with caller_of(ctx.target) as call:
            proof = await _awaited(ctx, call)
        for each in proof.warnings:
            ctx.report.progress(f"! {each.text}")
        return {}

    async def destroy(self, ctx: Context[WiringParams]) -> None:
        """Nothing was made."""

    async def leftovers(self, ctx: Context[WiringParams]) -> list[Resource]:  # noqa: ARG002
        return []

    def brings(self, ctx: Context[WiringParams]) -> list[Brought]:
        if not ctx.params.live:
            return []
        return [Brought("address", f"https://{ctx.params.name}/", "called with GET, in each region")]

    def commands(self, ctx: Context[WiringParams]) -> list[str]:
        query = f"ResourceRecordSets[?Name=='{ctx.params.name.rstrip('.')}.'].[SetIdentifier,HealthCheckId]"
        return [
            aws_line("route53 list-resource-record-sets", hosted_zone_id=ctx.params.zone, query=query, output="table"),
            aws_line(
                "route53 list-health-checks",
                query="HealthChecks[].[Id,HealthCheckConfig.FullyQualifiedDomainName,HealthCheckConfig.ResourcePath]",
                output="table",
            ),
        ]

    def permissions(self, ctx: Context[WiringParams]) -> list[Permission]:
        return wiring_permissions(ctx.regions, Phase.SETUP, Phase.CHECK)


STEP = DnsWiring()


async def _awaited(ctx: Context[WiringParams], call: Caller) -> Proof:
    """The proof once every checker has reported, or at the deadline; raises `WorkshopError` for a wiring that is wrong."""
    proof: Proof

    async def proven() -> bool:
        nonlocal proof
        proof = await _proof(ctx, call)
        if any(each.kind not in PASSING for each in proof.problems):
            raise wiring_error(proof)
        return not proof.problems and not _unseen(proof)

    reason = f"the health checks of {shown(ctx.params.name)} to be seen to watch the right regions"
    try:
        await ctx.wait_until(proven, reason=reason, deadline=DEADLINE, interval=INTERVAL)
    except WaitTimeout as timeout:
        if proof.problems:
            raise wiring_error(proof) from timeout
        # Whether every region of checkers always reports is not known (docs/aws-behaviours.md, section 6.11).
    return proof


async def _proof(ctx: Context[WiringParams], call: Caller) -> Proof:
    zone = ctx.params.zone
    if not zone:
        found = await covering_zone(ctx.aws, ctx.params.name)
        zone = found.id if found else ""
    return await prove_wiring(
        ctx.aws,
        zone=zone,
        name=ctx.params.name,
        regions=ctx.regions,
        commands=ctx.given,
        call=call if ctx.params.live else None,
        everywhere=not ctx.target.gateway,
    )


def _unseen(proof: Proof) -> list[Mismatch]:
    """The checks of which no checker has reported yet."""
    return [each for each in proof.warnings if each.kind is MismatchKind.NOT_OBSERVED]
