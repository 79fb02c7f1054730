"""Hosted zones: creating, showing and deleting them as Route 53 does.

In: requests and stacks. Out: zones in MiniStack's store, with the name servers of their delegation set, and AWS's refusals
(docs/aws-behaviours.md, section 6.5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from ministack.services import route53

from workshop.cloud.names.changes import Changes, no_zone
from workshop.cloud.names.delegation_sets import DelegationSets, add_delegation_set, bare_id
from workshop.cloud.names.recordsets import Refused, stored_name
from workshop.cloud.names.wire import Route53Request, add, add_change, respond
from workshop.cloud.responses import Response

__all__ = ["MOST_ZONES", "Zones"]

MOST_ZONES = 500
NOT_EMPTY = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
EXISTS = "A hosted zone has already been created with the specified caller reference."
CONFLICT = "The VPC {vpc} in region {region} has already been associated with the hosted zone {zone} with the same domain name."
LABEL = re.compile(r"[a-z0-9!\"#$%&'()*+,/:;<=>?@\[\\\]^_`{|}~-]{1,63}")


class Zones:
    """Operations on the zones of the current account."""

    def __init__(self, changes: Changes, sets: DelegationSets) -> None:
        self._changes, self._sets = changes, sets

    def create(self, request: Route53Request) -> Response:
        """CreateHostedZone."""
        root = request.root()
        config = route53._find(root, "HostedZoneConfig")
        vpc, problem = route53._parse_vpc(root)
        if problem:
            refused: Response = problem
            return refused
        private = config is not None and route53._text(config, "PrivateZone").lower() == "true"
        zone, change = self.add(
            route53._text(root, "Name"),
            route53._text(root, "CallerReference"),
            comment=route53._text(config, "Comment") if config is not None else "",
            vpcs=[vpc] if vpc else [],
            private=private or vpc is not None,
            set_id=bare_id(route53._text(root, "DelegationSetId")),
        )

        def build(shown: Element) -> None:
            route53._build_hosted_zone_el(shown, zone)
            add_change(shown, change)
            if zone["vpcs"]:
                route53._build_vpc_el(shown, zone["vpcs"][0])
            else:
                self._show_servers(shown, zone)

        return respond("CreateHostedZoneResponse", build, 201, f"hostedzone/{zone['id']}")

    def add(
        self, name: str, reference: str, *, comment: str, vpcs: list[dict[str, str]], private: bool, set_id: str = ""
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Create a zone; returns it and the change. Raises `Refused`."""
        if not name or not reference:
            raise Refused("InvalidInput", "Name and CallerReference are required.")
        name = stored_name(name)
        if len(name) > 256 or not all(LABEL.fullmatch(label) for label in name[:-1].split(".")):
            raise Refused("InvalidDomainName", f"{name} is not a valid domain name.")
        found = self._sets.get(set_id) if set_id else None
        with route53._lock:
            if reference in route53._caller_refs:
                raise Refused("HostedZoneAlreadyExists", EXISTS, 409)
            if len(route53._zones) >= MOST_ZONES:
                raise Refused("TooManyHostedZones", f"Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER={MOST_ZONES}")
            _check_vpcs(name, vpcs)
            zone = {"id": route53._zone_id(), "name": name, "caller_reference": reference, "comment": comment}
            zone.update(private=private, vpcs=vpcs)
            records = route53._default_records(name)
            if found is not None:
                zone["delegation_set"] = found.id
                records = _records_of(records, found.servers)
            route53._zones[zone["id"]], route53._records[zone["id"]] = zone, records
            route53._caller_refs[reference] = zone["id"]
            change = route53._new_change()
        self._changes.published()
        return zone, change

    def show(self, request: Route53Request) -> Response:
        """GetHostedZone."""
        zone = self._found(request.parts[0])

        def build(shown: Element) -> None:
            route53._build_hosted_zone_el(shown, zone)
            if zone.get("private"):
                listed = add(shown, "VPCs")
                for vpc in zone.get("vpcs", []):
                    route53._build_vpc_el(listed, vpc)
            else:
                self._show_servers(shown, zone)

        return respond("GetHostedZoneResponse", build)

    def delete(self, request: Route53Request) -> Response:
        """DeleteHostedZone."""
        change = self.remove(request.parts[0])
        return respond("DeleteHostedZoneResponse", lambda shown: add_change(shown, change))

    def remove(self, zone_id: str) -> dict[str, Any]:
        """Delete a zone that holds no records but its own NS and SOA; its reference stays used. Raises `Refused`."""
        with route53._lock:
            zone = self._found(zone_id)
            own = {(zone["name"], "NS"), (zone["name"], "SOA")}
            if any((record["Name"], record["Type"]) not in own for record in route53._records.get(zone_id, [])):
                raise Refused("HostedZoneNotEmpty", NOT_EMPTY)
            del route53._zones[zone_id]
            route53._records.pop(zone_id, None)
            route53._tags.pop(("hostedzone", zone_id), None)
            change: dict[str, Any] = route53._new_change()
        self._changes.published()
        return change

    def servers(self, zone: Mapping[str, Any]) -> tuple[str, ...]:
        """The name servers of a zone."""
        set_id = zone.get("delegation_set")
        return self._sets.get(set_id).servers if set_id else tuple(route53._DEFAULT_NS)

    def _show_servers(self, shown: Element, zone: Mapping[str, Any]) -> None:
        set_id = zone.get("delegation_set")
        add_delegation_set(shown, self.servers(zone), self._sets.get(set_id) if set_id else None)

    def _found(self, zone_id: str) -> dict[str, Any]:
        zone: dict[str, Any] | None = route53._zones.get(zone_id)
        if zone is None:
            raise no_zone(zone_id)
        return zone


def _records_of(records: list[dict[str, Any]], servers: tuple[str, ...]) -> list[dict[str, Any]]:
    """A new zone's NS and SOA records with these name servers."""
    values = {
        "NS": [f"{server}." for server in servers],
        "SOA": [f"{servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"],
    }
    return [{**record, "ResourceRecords": values[record["Type"]]} for record in records]


def _check_vpcs(name: str, vpcs: list[dict[str, str]]) -> None:
    for vpc in vpcs:
        other = route53._same_name_zone_with_vpc(name, vpc)
        if other is not None:
            text = CONFLICT.format(vpc=vpc["VPCId"], region=vpc["VPCRegion"], zone=other["id"])
            raise Refused("ConflictingDomainExists", text)
