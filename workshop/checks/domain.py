"""Whether the workshop's names can be made, found and certified. In: the zones and names of the steps. Out: findings.

Reads of Route 53 and API Gateway, and questions to name servers (docs/aws-behaviours.md, sections 6.5, 6.7 and 6.13).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from workshop.aws.dns import PUBLIC_RESOLVERS, Answer, DnsError, NameServer
from workshop.aws.errors import AwsError
from workshop.aws.resources.route53 import HostedZone, covering_zone, find_zone, list_zones, plain_name, records_at, zones_named
from workshop.aws.target import Target
from workshop.checks.base import Check, CheckStatus, Family, Finding, failed, passed, refused, skipped, warned
from workshop.checks.context import PlannedStep
from workshop.quoting import shown
from workshop.shell import aws_line
from workshop.steps.base import Permission, Phase
from workshop.steps.route53.authority import authority_permissions
from workshop.steps.route53.delegation import (
    Delegation,
    delegate_command,
    delegation_lines,
    parent_servers,
    seen_delegation,
)
from workshop.steps.route53.record_sets import ownership_name
from workshop.steps.route53.service import route53_permissions
from workshop.steps.route53.zone_records import is_mark

__all__ = ["FAMILY", "AskedDirectly", "Certifiable", "Delegated", "FreeNames", "Named", "OneZone", "Unsigned"]

ISSUERS = ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")
"""The names by which a CAA record allows ACM to issue (section 6.13)."""
NO_NAMES = "The steps need no domain."
LOCAL = "The local cloud serves its zones itself."
UNDELEGATED = "Its zone is not delegated: nothing but our own questions finds it, and there is no certificate."
EXAMPLE = "a07.event.example.com"


class _DomainCheck(Check):
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

    def not_needed(self) -> Finding | None:
        """Why there is nothing to check on public DNS; None when there is."""
        if not self.zones:
            return skipped(NO_NAMES)
        if not self.context.on_aws:
            return skipped(LOCAL)
        return None if self.is_delegated else skipped(UNDELEGATED)

    def permissions(self) -> list[Permission]:
        return authority_permissions(Phase.CHECK) if self.zones else []

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

    async def look(self) -> Finding:
        """The finding about zones that resolvers are to find; subclasses that look at others implement `run`."""
        raise NotImplementedError

    async def existing(self, name: str) -> HostedZone | None:
        """The public zone of that name, with its name servers."""
        found = await zones_named(self.context.aws, name)
        return await find_zone(self.context.aws, found[0].id) if found else None


class Named(_DomainCheck):
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


class OneZone(_DomainCheck):
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


class Delegated(_DomainCheck):
    """The parent sends resolvers to the zone's name servers."""

    name = "delegated"
    title = "Resolvers find the zone"
    deadline = 90.0

    async def look(self) -> Finding:
        for name in self.zones:
            zone = await self.existing(name)
            finding = await self._unmade(name) if zone is None else await self._made(zone)
            if finding.fix:
                return finding
        return passed(f"{', '.join(self.zones)}: resolvers and the parent name the zone's servers")

    async def _unmade(self, name: str) -> Finding:
        parent, _ = await parent_servers(self.target, name)
        if "." not in parent:
            return failed(
                f"No zone above {shown(name)} is found in DNS, so nothing can delegate to it.",
                f"Take a name below one that you control: --param domain={EXAMPLE}",
            )
        lines = delegation_lines(name, [f"NAME-SERVER-{number}" for number in range(1, 5)])
        return warned(
            f"{shown(name)} is made by setup and not delegated yet: {parent} then needs its NS record; setup prints it.",
            f"Have it added during setup ({lines[0]}, and three more), or: {delegate_command(parent, self.context.options)}",
        )

    async def _made(self, zone: HostedZone) -> Finding:
        seen = await seen_delegation(self.target, zone.name, zone.servers)
        if seen.complete:
            return passed(seen.progress)
        return failed(f"{seen.progress}.{_instead(seen)}", f"Add to {seen.parent or 'its parent'}: {_pasted(seen)}")


class FreeNames(_DomainCheck):
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
        for region in self.context.regions if self.is_delegated else ():
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
            for region in self.context.regions
            for _, name in self.names
        ]
        return [*authority_permissions(Phase.CHECK), *route53_permissions({Phase.CHECK: ("ListResourceRecordSets",)}), *domains]


class Certifiable(_DomainCheck):
    """No CAA record keeps ACM from issuing a certificate."""

    name = "caa"
    title = "ACM may issue certificates"
    needs_credentials = False

    async def look(self) -> Finding:
        for name in self.zones:
            where, values = await self._nearest(name)
            issuers = _issuers(values)
            if issuers and not any(issuer in ISSUERS for issuer in issuers):
                return failed(
                    f"The CAA record of {shown(where)} allows {', '.join(map(shown, issuers))} alone: ACM issues no certificate"
                    f" for {shown(name)}.",
                    f'Add to the zone {name}: {name}. 300 IN CAA 0 issue "amazon.com" (it counts in place of the one above)',
                )
        return passed("no CAA record forbids it")

    async def _nearest(self, name: str) -> tuple[str, Sequence[str]]:
        """The nearest name at or above `name` with a CAA record, and its values: that one counts (RFC 8659)."""
        labels = name.split(".")
        for start in range(len(labels)):
            above = ".".join(labels[start:])
            answer = await self._ask(above, "CAA")
            if answer.values:
                return above, answer.values
        return "", ()

    async def _ask(self, name: str, kind: str) -> Answer:
        return await self.target.dns.ask(name, kind, self.target.resolvers, recursive=True)

    def permissions(self) -> list[Permission]:
        return []


class Unsigned(_DomainCheck):
    """The parent does not promise signatures that the zone does not have."""

    name = "dnssec"
    title = "DNSSEC of the parent and of the zone agree"

    async def look(self) -> Finding:
        for name in self.zones:
            answer = await self.target.dns.ask(name, "DS", self.target.resolvers, recursive=True)
            if answer.values and not await self._signs(name):
                parent, _ = await parent_servers(self.target, name)
                return failed(
                    f"{parent or 'The parent'} has a DS record for {shown(name)}, whose zone does not sign: resolvers that verify"
                    " answer SERVFAIL.",
                    f"Remove the DS record of {name} in {parent or 'the parent'}, or sign the zone with the key that it names",
                )
        return passed("no DS record without signatures")

    async def _signs(self, name: str) -> bool:
        zone = await self.existing(name)
        if zone is None:
            return False
        found = await self.context.aws.call("route53", "us-east-1", "get_dnssec", HostedZoneId=zone.id)
        return str(found.get("Status", {}).get("ServeSignature", "")) == "SIGNING"

    def permissions(self) -> list[Permission]:
        return [*super().permissions(), *route53_permissions({Phase.CHECK: ("GetDNSSEC",)})] if self.zones else []


class AskedDirectly(_DomainCheck):
    """Name servers can be asked from here."""

    name = "ask"
    title = "Name servers can be asked from here"

    async def run(self) -> Finding:
        if not self.zones:
            return skipped(NO_NAMES)
        servers = [*(self.target.authority(()).servers if not self.context.on_aws else await self._servers())]
        for server in servers:
            if await self.target.dns.responds(self.zones[0], server):
                return passed(f"{server} responds by UDP")
        if not self.context.on_aws:
            return failed(
                f"The name server of the local cloud ({servers[0]}) does not respond.",
                "Look at it: workshop cloud status; start it again: workshop cloud stop && workshop cloud start",
            )
        return warned(
            f"Port 53 (UDP) to {', '.join(map(str, servers))} is blocked from here: measurements ask resolvers by HTTPS, which"
            " keep answers for their TTL, so that shares and times are coarser.",
            "Measure from another network, or from AWS CloudShell",
        )

    async def _servers(self) -> Iterable[NameServer]:
        """The zone's own, else public ones."""
        zone = await self.existing(self.zones[0])
        return [NameServer(server) for server in zone.servers] if zone is not None else PUBLIC_RESOLVERS


_RANK = list(CheckStatus)
"""From good to bad."""


def _instead(seen: Delegation) -> str:
    return f" Seen instead: {', '.join(map(shown, seen.others))}." if seen.others else ""


def _pasted(seen: Delegation) -> str:
    """The record, and the batch for a parent that is a zone of Route 53."""
    values = [{"Value": f"{server}."} for server in seen.wanted]
    record = {"Name": f"{seen.name}.", "Type": "NS", "TTL": 60, "ResourceRecords": values}
    batch = json.dumps({"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]})
    line = aws_line("route53 change-resource-record-sets", hosted_zone_id="PARENT-ZONE-ID", change_batch=batch)
    return f"{'; '.join(delegation_lines(seen.name, seen.wanted))}. In Route 53: {line}"


def _issuers(values: Iterable[str]) -> list[str]:
    """Who may issue: the domains of `issue`; an empty text forbids everyone. No `issue` at all forbids no one."""
    found = []
    for value in values:
        _, _, rest = value.partition(" ")
        tag, _, issuer = rest.partition(" ")
        if tag.lower() == "issue":
            found.append(issuer.strip('"').partition(";")[0].strip().lower() or "no one")
    return found


FAMILY = Family("domain", "Domain", (Named, OneZone, Delegated, FreeNames, Certifiable, Unsigned, AskedDirectly))
