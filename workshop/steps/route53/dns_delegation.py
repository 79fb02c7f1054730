"""`dns.delegation`: proof that resolvers find a zone, before anything waits for what they see.

In: the name of a zone, its name servers. Out: nothing, or who does not see them and the record that the parent needs.
Certificates are validated by what resolvers see, and wait for hours otherwise (docs/aws-behaviours.md, section 6.7).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from workshop.aws.dns import DnsError
from workshop.aws.resources.route53 import plain_name
from workshop.errors import WorkshopError
from workshop.shell import command_line
from workshop.steps.base import Context, Estimate, Observed, Outputs, Params, Permission, Placement, Resource, State, Step
from workshop.steps.route53.delegation import Delegation, delegate_command, delegation_lines, seen_delegation
from workshop.steps.route53.service import DomainName
from workshop.waiting import WaitTimeout

__all__ = ["STEP", "DelegationParams", "DnsDelegation"]

INTERVAL = 10.0
LONGEST = 86_400.0


class DelegationParams(Params):
    """`servers` is a list, or a text with commas between them; `deadline` is in seconds, at most a day."""

    name: DomainName
    servers: tuple[str, ...]
    deadline: Annotated[float, Field(gt=0, le=LONGEST, allow_inf_nan=False)] = 900.0

    @field_validator("servers", mode="before")
    @classmethod
    def _listed(cls, servers: Any) -> Any:
        return [each.strip() for each in servers.split(",") if each.strip()] if isinstance(servers, str) else servers


class DnsDelegation(Step[DelegationParams]):
    """Asks resolvers and the parent's servers until they agree with the zone."""

    kind = "dns.delegation"
    summary = "proof that resolvers find a zone"
    Params = DelegationParams
    estimate = Estimate(minutes=2)
    placements = frozenset({Placement.GLOBAL})
    is_verification = True

    async def observe(self, ctx: Context[DelegationParams]) -> Observed:
        try:
            seen = await _seen(ctx)
        except DnsError as error:
            return Observed(State.ABSENT, f"{error.what} {error.why}")
        return Observed(State.READY if _is_found(ctx, seen) else State.ABSENT, seen.progress)

    async def create(self, ctx: Context[DelegationParams]) -> Outputs:
        last: Delegation | None = None
        trouble = ""

        async def delegated() -> bool:
            nonlocal last, trouble
            try:
                seen, trouble = await _seen(ctx), ""
            except DnsError as error:
                trouble = error.why
                return False
            if last is None and not _is_found(ctx, seen):
                for line in _wanted(ctx, seen):
                    ctx.report.progress(line)
            if last is not None and seen.progress != last.progress:
                ctx.report.progress(seen.progress)
            last = seen
            return _is_found(ctx, seen)

        reason = f"resolvers to find {ctx.params.name}"
        try:
            await ctx.wait_until(delegated, reason=reason, deadline=ctx.params.deadline, interval=INTERVAL)
        except WaitTimeout as timeout:
            raise _error(ctx, last, trouble) from timeout
        return {}

    async def destroy(self, ctx: Context[DelegationParams]) -> None:
        """Nothing was made."""

    async def leftovers(self, ctx: Context[DelegationParams]) -> list[Resource]:  # noqa: ARG002
        return []

    def commands(self, ctx: Context[DelegationParams]) -> list[str]:
        server = ctx.target.name_server
        where = [] if server is None else [f"@{server.host}", "-p", str(server.port)]
        return [command_line(["dig", "+short", *where, plain_name(ctx.params.name), "NS"])]

    def permissions(self, ctx: Context[DelegationParams]) -> list[Permission]:  # noqa: ARG002
        return []


STEP = DnsDelegation()


async def _seen(ctx: Context[DelegationParams]) -> Delegation:
    return await seen_delegation(ctx.target, ctx.params.name, ctx.params.servers)


def _is_found(ctx: Context[DelegationParams], seen: Delegation) -> bool:
    """On the local target the cloud's own server decides: there is no zone above."""
    return seen.seeing > 0 if ctx.target.name_server is not None else seen.complete


def _wanted(ctx: Context[DelegationParams], seen: Delegation) -> list[str]:
    """What people can do while it is waited for."""
    if ctx.target.name_server is not None:
        return []
    parent = seen.parent or "the zone above"
    return [f"{parent} needs this record, if it does not have it:", *delegation_lines(seen.name, seen.wanted)]


def _error(ctx: Context[DelegationParams], last: Delegation | None, trouble: str) -> WorkshopError:
    what = f"Resolvers do not find {ctx.params.name}."
    if last is None:
        return WorkshopError(what=what, why=trouble, fix="Check the network: port 53 may be blocked here", code="NotDelegated")
    others = f" Seen instead: {', '.join(last.others)}." if last.others else ""
    lines = "; ".join(delegation_lines(last.name, last.wanted))
    command = delegate_command(last.parent or "PARENT", ctx.given)
    return WorkshopError(
        what=what,
        why=f"{last.progress} after {ctx.params.deadline:.0f} s.{others}",
        fix=f"Add to {last.parent or 'the zone above'}: {lines}. Where its account is yours too: {command}",
        code="NotDelegated",
    )
