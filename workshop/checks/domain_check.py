"""What the checks of the domain family share: the zones and names of the steps. In: a context. Out: values for the checks."""

from __future__ import annotations

from abc import abstractmethod

from workshop.aws.dns import DnsError
from workshop.aws.errors import AwsError
from workshop.aws.resources.route53 import HostedZone, find_zone, plain_name, zones_named
from workshop.aws.target import Target
from workshop.checks.base import Check, Finding, refused, skipped
from workshop.checks.context import PlannedStep
from workshop.steps.base import Permission, Phase
from workshop.steps.route53.authority import authority_permissions

__all__ = ["EXAMPLE", "NO_NAMES", "DomainCheck", "PublicZoneCheck"]

NO_NAMES = "The steps need no domain."
LOCAL = "The local cloud serves its zones itself."
UNDELEGATED = "Its zone is not delegated: nothing but our own questions finds it, and there is no certificate."
EXAMPLE = "a07.event.example.com"


class DomainCheck(Check):
    """A check about the zones that the steps make or find, by name."""

    @property
    def zones(self) -> list[str]:
        """Their names, each once."""
        found = (plain_name(planned.step.zone_name(planned.ctx)) for planned in self.context.planned_steps)
        return list(dict.fromkeys(name for name in found if name))

    @property
    def names(self) -> list[tuple[PlannedStep, str]]:
        """The names that steps route, each with its step."""
        found = ((planned, plain_name(planned.step.routed_name(planned.ctx))) for planned in self.context.planned_steps)
        return [(planned, name) for planned, name in found if name]

    @property
    def target(self) -> Target:
        """Where the steps are deployed, with what asks name servers."""
        return self.context.planned_steps[0].ctx.target

    @property
    def is_delegated(self) -> bool:
        """Whether resolvers are to find the zone."""
        return any(bool(planned.ctx.variables.get("delegated")) for planned in self.context.planned_steps)

    def permissions(self) -> list[Permission]:
        return authority_permissions(Phase.CHECK) if self.zones else []

    async def existing(self, name: str) -> HostedZone | None:
        """The public zone of that name, with its name servers."""
        found = await zones_named(self.context.aws, name)
        return await find_zone(self.context.aws, found[0].id) if found else None


class PublicZoneCheck(DomainCheck):
    """A check about zones that public DNS is to find: skipped on the local cloud and without a delegation."""

    def not_needed(self) -> Finding | None:
        """Why there is nothing to check on public DNS; None when there is."""
        if not self.zones:
            return skipped(NO_NAMES)
        if not self.context.on_aws:
            return skipped(LOCAL)
        return None if self.is_delegated else skipped(UNDELEGATED)

    async def run(self) -> Finding:
        idle = self.not_needed()
        if idle is not None:
            return idle
        try:
            return await self.look()
        except DnsError as error:
            return skipped(f"{error.what} {error.why}")
        except AwsError as error:
            return refused(error, "The zone")

    @abstractmethod
    async def look(self) -> Finding:
        """The finding about zones that resolvers are to find."""
