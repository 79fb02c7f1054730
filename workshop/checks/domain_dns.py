"""What public DNS makes of the workshop's zones. In: the zones of the steps. Out: findings of the domain family.

Questions to name servers, and reads of Route 53 (docs/aws-behaviours.md, sections 6.7 and 6.13).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from workshop.aws.dns import PUBLIC_RESOLVERS, Answer, NameServer
from workshop.aws.resources.route53 import HostedZone
from workshop.checks.base import Finding, failed, passed, skipped, warned
from workshop.checks.domain_check import EXAMPLE, NO_NAMES, DomainCheck, PublicZoneCheck
from workshop.quoting import shown
from workshop.shell import aws_line
from workshop.steps.base import Permission, Phase
from workshop.steps.route53.delegation import (
    Delegation,
    delegate_command,
    delegation_lines,
    parent_servers,
    seen_delegation,
)
from workshop.steps.route53.service import route53_permissions

__all__ = ["AskedDirectly", "Certifiable", "Delegated", "Unsigned"]

ISSUERS = ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")
"""The names by which a CAA record allows ACM to issue (section 6.13)."""


class Delegated(PublicZoneCheck):
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


class Certifiable(PublicZoneCheck):
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


class Unsigned(PublicZoneCheck):
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


class AskedDirectly(DomainCheck):
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
