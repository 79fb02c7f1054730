"""Whether the workshop's names can be made, found and certified. In: the zones and names of the steps. Out: findings.

Reads of Route 53 and API Gateway (docs/aws-behaviours.md, sections 6.5 and 6.7); what DNS shows is in `domain_dns`.
"""

from __future__ import annotations

from workshop.aws.errors import AwsError
from workshop.aws.resources.route53 import covering_zone, list_zones, records_at, zones_named
from workshop.checks.base import CheckStatus, Family, Finding, failed, passed, refused, skipped, warned
from workshop.checks.context import PlannedStep
from workshop.checks.domain_check import EXAMPLE, NO_NAMES, DomainCheck
from workshop.checks.domain_dns import AskedDirectly, Certifiable, Delegated, Unsigned
from workshop.quoting import shown
from workshop.shell import aws_line
from workshop.steps.base import Permission, Phase
from workshop.steps.route53.authority import authority_permissions
from workshop.steps.route53.record_sets import ownership_name
from workshop.steps.route53.service import route53_permissions
from workshop.steps.route53.zone_records import is_mark

__all__ = ["FAMILY", "FreeNames", "Named", "OneZone"]

_RANK = list(CheckStatus)
"""From good to bad."""


class Named(DomainCheck):
    """There is a domain, so that browsers and certificates work."""

    name = "named"
    title = "The workshop has a domain"
    needs_credentials = False

    async def run(self) -> Finding:
        if not self.zones:
            return skipped(NO_NAMES)
        if not self.context.on_aws:
            return passed(f"{', '.join(self.zones)}, which browsers find by themselves")
        if self.is_delegated:
            return passed(", ".join(self.zones))
        return warned(
            f"Runs without a domain, in {', '.join(self.zones)}: no browser finds a name in it, and there is no certificate."
            " Health checks, records and drills are real; the pages fail over by themselves.",
            f"workshop check{self.context.flags()} --param domain={EXAMPLE}",
        )

    def permissions(self) -> list[Permission]:
        return []


class OneZone(DomainCheck):
    """There is at most one public zone of the name, and none that hides it."""

    name = "zone"
    title = "There is one zone of the name"

    async def run(self) -> Finding:
        if not self.zones:
            return skipped(NO_NAMES)
        try:
            findings = [await self._look(name) for name in self.zones]
        except AwsError as error:
            return refused(error, "The hosted zones")
        return max(findings, key=lambda finding: _RANK.index(finding.status))

    async def _look(self, name: str) -> Finding:
        found = await zones_named(self.context.aws, name)
        if len(found) > 1:
            ids = ", ".join(f"{zone.id} ({zone.records} records)" for zone in found)
            removals = "; or: ".join(aws_line("route53 delete-hosted-zone", id=zone.id) for zone in found)
            return failed(
                f"{len(found)} public zones {shown(name)}: {ids}. Only one of them can be delegated to.",
                f"Delete the one that is not used: {removals}",
            )
        if found:
            return passed(f"{shown(name)} exists ({found[0].records} records)")
        hidden = [zone for zone in await list_zones(self.context.aws) if zone.private and zone.name == name]
        if hidden:
            return warned(
                f"There is a private zone {shown(name)} ({hidden[0].id}) and no public one: within its VPCs it hides the public"
                " zone that setup makes.",
                f"Look at it: {aws_line('route53 get-hosted-zone', id=hidden[0].id)}",
            )
        return passed(f"setup makes {shown(name)}")

    def permissions(self) -> list[Permission]:
        return [*super().permissions(), *route53_permissions({Phase.CHECK: ("ListHostedZones",)})] if self.zones else []


class FreeNames(DomainCheck):
    """No record and no custom domain of another hand has one of the workshop's names."""

    name = "free"
    title = "The names are free"

    async def run(self) -> Finding:
        names = self.names
        if not names:
            return skipped(NO_NAMES)
        try:
            for planned, name in names:
                finding = await self._taken(planned, name)
                if finding is not None:
                    return finding
        except AwsError as error:
            return refused(error, "The records")
        return passed(", ".join(shown(name) for _, name in names))

    async def _taken(self, planned: PlannedStep, name: str) -> Finding | None:
        zone = await covering_zone(self.context.aws, name)
        records = await records_at(self.context.aws, zone.id, name) if zone is not None else []
        marks = await records_at(self.context.aws, zone.id, ownership_name(name), "TXT") if zone is not None else []
        if any(is_mark(planned.ctx, mark) for mark in marks):
            return None  # ours, from an earlier run
        if zone is not None and records:
            kinds = ", ".join(sorted({record.type for record in records}))
            return failed(
                f"{shown(name)} has records that this workshop did not make: {kinds} in the zone {shown(zone.name)}.",
                "Look at them: "
                f"{aws_line('route53 list-resource-record-sets', hosted_zone_id=zone.id, start_record_name=name, max_items='5')}"
                f"; if they are needed, take another name: --param domain={EXAMPLE}",
            )
        for region in planned.ctx.regions if self.is_delegated else ():
            if await self._has_domain(region, name):
                return failed(
                    f"API Gateway has a custom domain {shown(name)} in {region} already.",
                    "If it is not needed (no stack of the workshop has it): "
                    f"{aws_line('apigateway delete-domain-name', region=region, domain_name=name)}",
                )
        return None

    async def _has_domain(self, region: str, name: str) -> bool:
        """Whether a custom domain that is not ours has the name; AWS shows those of this account alone."""
        try:
            found = await self.context.aws.call("apigateway", region, "get_domain_name", domainName=name)
        except AwsError as error:
            if error.code == "NotFoundException":
                return False
            raise
        tags: dict[str, str] = found.get("tags") or {}
        return tags.get("workshop") != self.context.workshop

    def permissions(self) -> list[Permission]:
        if not self.names:
            return []
        domains = [
            Permission("apigateway:GET", f"arn:aws:apigateway:{region}::/domainnames/{name}", region, Phase.CHECK)
            for planned, name in self.names
            for region in planned.ctx.regions
        ]
        return [*authority_permissions(Phase.CHECK), *route53_permissions({Phase.CHECK: ("ListResourceRecordSets",)}), *domains]


FAMILY = Family("domain", "Domain", (Named, OneZone, Delegated, FreeNames, Certifiable, Unsigned, AskedDirectly))
