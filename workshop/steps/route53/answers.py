"""`dns.answers`: proof that a routed name is answered as its policy promises.

In: a name, how often to ask, the policy. Out: nothing, or the shares that were expected and seen. The zone's own name servers are
asked, because a resolver would give one answer again and again until its TTL ends.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from workshop.aws.resources.route53 import plain_name
from workshop.errors import WorkshopError
from workshop.shell import command_line
from workshop.steps.base import Context, Estimate, Observed, Outputs, Params, Permission, Phase, Placement, Resource, State, Step
from workshop.steps.route53.authority import authority_permissions, zone_and_authority
from workshop.steps.route53.routing import expectation, routed_group
from workshop.steps.route53.sampling import mismatch, sample_answers
from workshop.steps.route53.service import ROUTE53, DomainName, route53_permissions
from workshop.waiting import WaitTimeout

__all__ = ["STEP", "AnswersParams", "DnsAnswers"]

INTERVAL = 5.0
LONGEST = 86_400.0
MOST_QUERIES = 10_000

Policy = Literal["weighted", "failover", "latency", "geolocation", "geoproximity", "multivalue", "simple"]


class AnswersParams(Params):
    """`expect` is the routing policy; `zone` the id of the zone, found by the name when it is empty; `deadline` in seconds."""

    name: DomainName
    expect: Policy = "weighted"
    queries: Annotated[int, Field(ge=10, le=MOST_QUERIES)] = 200
    zone: str = ""
    deadline: Annotated[float, Field(gt=0, le=LONGEST, allow_inf_nan=False)] = 60.0


class DnsAnswers(Step[AnswersParams]):
    """Counts answers, and compares them with what the records promise."""

    kind = "dns.answers"
    summary = "proof that a routed name is answered as its policy promises"
    Params = AnswersParams
    estimate = Estimate(minutes=0.2)
    placements = frozenset({Placement.GLOBAL})
    is_verification = True
    services = (ROUTE53,)

    async def observe(self, ctx: Context[AnswersParams]) -> Observed:
        problem = await _problem(ctx)
        return Observed(State.ABSENT, problem) if problem else Observed(State.READY, f"answered as {ctx.params.expect} promises")

    async def create(self, ctx: Context[AnswersParams]) -> Outputs:
        problem = ""

        async def passes() -> bool:
            nonlocal problem
            problem = await _problem(ctx)
            return not problem

        reason = f"{ctx.params.name} to be answered as {ctx.params.expect} promises"
        try:
            await ctx.wait_until(passes, reason=reason, deadline=ctx.params.deadline, interval=INTERVAL)
        except WaitTimeout as timeout:
            raise WorkshopError(
                what=f"{ctx.params.name} is not answered as it should.",
                why=f"{problem[:1].upper()}{problem[1:]} ({ctx.params.deadline:.0f} s of trying).",
                fix=f"Look at it: {command_line(ctx.again('observe', 'answers'))}",
                code="DnsAnswers",
            ) from timeout
        return {}

    async def destroy(self, ctx: Context[AnswersParams]) -> None:
        """Nothing was made."""

    async def leftovers(self, ctx: Context[AnswersParams]) -> list[Resource]:  # noqa: ARG002
        return []

    def commands(self, ctx: Context[AnswersParams]) -> list[str]:
        server = ctx.target.name_server
        where = [] if server is None else [f"@{server.host}", "-p", str(server.port)]
        return [command_line(["dig", "+short", *where, plain_name(ctx.params.name)])]

    def permissions(self, ctx: Context[AnswersParams]) -> list[Permission]:  # noqa: ARG002
        phases = (Phase.SETUP, Phase.DRILL)
        records = route53_permissions(dict.fromkeys(phases, ("ListResourceRecordSets",)))
        checks = [
            Permission(f"route53:{action}", "arn:aws:route53:::healthcheck/*", "", phase)
            for phase in phases
            for action in ("GetHealthCheck", "GetHealthCheckStatus")
        ]
        return [*authority_permissions(*phases), *records, *checks]


STEP = DnsAnswers()


async def _problem(ctx: Context[AnswersParams]) -> str:
    """What is wrong with the answers, in one sentence without its first capital; empty when nothing is."""
    params = ctx.params
    try:
        zone, authority = await zone_and_authority(ctx.aws, ctx.target, params.name, params.zone)
    except WorkshopError as error:
        if error.code != "NoZone":
            raise
        return f"{error.what} {error.why}"
    members = await routed_group(ctx.aws, zone.id, params.name)
    if not members:
        return f"the zone {zone.name} has no record {params.name} with an address"
    policies = sorted({member.policy for member in members})
    if policies != [params.expect]:
        return f"its records are {' and '.join(policies)}, not {params.expect}"
    sample = await sample_answers(ctx.target, authority, params.name, members, params.queries)
    return mismatch(sample, expectation(members))
