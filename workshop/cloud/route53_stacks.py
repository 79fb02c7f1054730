"""Route 53's types in stacks: zones, records, groups of records, health checks, through the same rules as the API's calls.

In: the properties of a resource. Out: the resource in MiniStack's Route 53, or a failure with the API's own text
(docs/aws-behaviours.md, sections 6.4 to 6.6).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ministack.services import route53
from ministack.services.cloudformation import provisioners

from workshop.cloud.names.batches import Change
from workshop.cloud.names.delegation_sets import bare_id
from workshop.cloud.names.recordsets import Refused, record_key, stored_name
from workshop.cloud.names.service import Route53Service
from workshop.cloud.patches import require_attribute
from workshop.cloud.stack_types import failed, register, tags_of

__all__ = ["Route53Stacks"]

Properties = dict[str, Any]
FIXED = ("Type", "RequestInterval", "MeasureLatency")
"""Settings of a health check that only a new one can have."""
NUMBERS = ("Port", "RequestInterval", "FailureThreshold", "HealthThreshold")
SWITCHES = ("MeasureLatency", "EnableSNI", "Inverted", "Disabled")


class Route53Stacks:
    """The handlers of Route 53's types."""

    def __init__(self, service: Route53Service) -> None:
        self._changes, self._zones, self._checks = service.changes, service.zones, service.checks
        self._build_record = require_attribute(provisioners, "_r53_record_set_build_rs")
        self._zone_of = require_attribute(provisioners, "_r53_resolve_hosted_zone_id")

    def apply(self) -> None:
        """Register the types."""
        register(
            "AWS::Route53::HostedZone",
            create=self._create_zone,
            update=self._update_zone,
            delete=self._delete_zone,
            tags="HostedZoneTags",
        )
        register("AWS::Route53::RecordSet", create=self._create_record, update=self._update_records, delete=self._delete_records)
        register(
            "AWS::Route53::RecordSetGroup", create=self._create_group, update=self._update_records, delete=self._delete_records
        )
        register(
            "AWS::Route53::HealthCheck",
            create=self._create_check,
            update=self._update_check,
            delete=self._delete_check,
            tags="HealthCheckTags",
        )

    def _create_zone(self, _: str, properties: Properties, __: str) -> tuple[str, Properties]:
        config = properties.get("HostedZoneConfig") or {}
        vpcs = [{"VPCRegion": vpc["VPCRegion"], "VPCId": vpc["VPCId"]} for vpc in properties.get("VPCs") or ()]
        try:
            zone, _change = self._zones.add(
                properties.get("Name", ""),
                str(uuid.uuid4()),
                comment=config.get("Comment", ""),
                vpcs=vpcs,
                private=bool(vpcs),
            )
        except Refused as refused:
            raise _failure(refused) from refused
        route53._tags["hostedzone", zone["id"]] = tags_of(properties, "HostedZoneTags")
        return zone["id"], self._zone_attributes(zone)

    def _update_zone(
        self, zone_id: str, _: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> tuple[str, Properties]:
        """Comment and tags change in place; another name is another zone."""
        zone = route53._zones.get(zone_id)
        if zone is None or zone["name"] != stored_name(new.get("Name", "")):
            return self._create_zone(logical_id or "", new, stack)
        zone["comment"] = (new.get("HostedZoneConfig") or {}).get("Comment", "")
        route53._tags["hostedzone", zone_id] = tags_of(new, "HostedZoneTags")
        return zone_id, self._zone_attributes(zone)

    def _zone_attributes(self, zone: Mapping[str, Any]) -> Properties:
        servers = [] if zone.get("private") else [server.removesuffix(".") for server in self._zones.servers(zone)]
        return {"Id": zone["id"], "NameServers": servers}

    def _delete_zone(self, zone_id: str, _: Properties) -> None:
        """As on AWS, records that the stack does not know keep the zone (section 6.7)."""
        if zone_id in route53._zones:
            try:
                self._zones.remove(zone_id)
            except Refused as refused:
                raise _failure(refused) from refused

    def _create_record(self, _: str, properties: Properties, __: str) -> tuple[str, Properties]:
        self._apply(properties, {}, _records(self._build_record, properties))
        name = stored_name(properties["Name"])
        return name, {"Name": name}

    def _create_group(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        self._apply(properties, {}, _records(self._build_record, properties))
        return f"{stack}-{logical_id}-{uuid.uuid4().hex[:12].upper()}", {}

    def _update_records(
        self, physical_id: str, old: Properties, new: Properties, _: str, __: str | None
    ) -> tuple[str, Properties]:
        """One batch: what is no longer named goes, what changed is written over. In another zone all of it is new."""
        before, after = _records(self._build_record, old), _records(self._build_record, new)
        if self._zone_of(old) != self._zone_of(new):
            self._apply(new, {}, after)
            self._apply(old, before, {})
        else:
            self._apply(new, before, after)
        name = stored_name(new["Name"]) if "RecordSets" not in new else physical_id
        return (physical_id if name.rstrip(".") == physical_id.rstrip(".") else name), {"Name": name}

    def _delete_records(self, _: str, properties: Properties) -> None:
        """Records that are gone already are no failure; nor is a zone that is."""
        zone_id = bare_id(self._zone_of(properties)) if _names_zone(properties) else ""
        existing = {record_key(record) for record in route53._records.get(zone_id, ())}
        mine = _records(self._build_record, properties)
        self._apply(properties, {key: record for key, record in mine.items() if key in existing}, {})

    def _apply(self, properties: Properties, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> None:
        """Make the zone's records what `after` has instead of `before`."""
        zone_id = bare_id(self._zone_of(properties))
        stored = {record_key(record): record for record in route53._records.get(zone_id, ())}
        changes = [Change("DELETE", stored[key]) for key in before if key not in after and key in stored]
        for key, record in after.items():
            if before.get(key) != record:
                changes.append(Change("UPSERT" if key in before else "CREATE", record))
        if changes:
            try:
                self._changes.change(zone_id, changes)
            except Refused as refused:
                raise _failure(refused) from refused

    def _create_check(self, _: str, properties: Properties, __: str) -> tuple[str, Properties]:
        try:
            check = self._checks.add(str(uuid.uuid4()), _settings(properties))
        except Refused as refused:
            raise _failure(refused) from refused
        route53._tags["healthcheck", check["id"]] = tags_of(properties, "HealthCheckTags")
        return check["id"], {"HealthCheckId": check["id"]}

    def _update_check(
        self, check_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> tuple[str, Properties]:
        """In place where the API can; type, interval and latency measuring need a new check."""
        before, after = _settings(old), _settings(new)
        if check_id not in route53._health_checks or any(before.get(name) != after.get(name) for name in FIXED):
            return self._create_check(logical_id or "", new, stack)
        gone = [name for name in ("FullyQualifiedDomainName", "Regions", "ResourcePath") if name in before and name not in after]
        try:
            self._checks.change(check_id, {name: value for name, value in after.items() if name not in FIXED}, reset=gone)
        except Refused as refused:
            raise _failure(refused) from refused
        route53._tags["healthcheck", check_id] = tags_of(new, "HealthCheckTags")
        return check_id, {"HealthCheckId": check_id}

    def _delete_check(self, check_id: str, _: Properties) -> None:
        if check_id in route53._health_checks:
            self._checks.remove(check_id)


def _names_zone(properties: Mapping[str, Any]) -> bool:
    """Whether the zone of these records still exists."""
    name, zone_id = properties.get("HostedZoneName"), properties.get("HostedZoneId")
    if zone_id:
        return bare_id(str(zone_id)) in route53._zones
    return any(zone["name"] == stored_name(str(name)) for zone in route53._zones.values())


def _records(build: Any, properties: Mapping[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The record sets of a RecordSet or of a RecordSetGroup, by their keys."""
    sets = properties.get("RecordSets", [properties])
    found = {}
    for each in sets or ():
        record: dict[str, Any] = build(each)
        record["Name"] = stored_name(record["Name"])
        if record.get("AliasTarget"):
            record["AliasTarget"]["DNSName"] = stored_name(record["AliasTarget"]["DNSName"])
            record["AliasTarget"]["HostedZoneId"] = bare_id(record["AliasTarget"]["HostedZoneId"])
        if each.get("GeoProximityLocation"):
            record["GeoProximityLocation"] = _proximity(each["GeoProximityLocation"])
        found[record_key(record)] = record
    return found


def _proximity(location: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: location[name] for name in ("AWSRegion", "LocalZoneGroup") if location.get(name)}
    if location.get("Bias") is not None:
        found["Bias"] = int(location["Bias"])
    if location.get("Coordinates"):
        found["Coordinates"] = {name: str(value) for name, value in location["Coordinates"].items()}
    return found


def _settings(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a health check, with numbers and booleans that a template wrote as texts."""
    settings = dict(properties.get("HealthCheckConfig") or {})
    for name in NUMBERS:
        if name in settings:
            settings[name] = int(settings[name])
    for name in SWITCHES:
        if name in settings:
            settings[name] = str(settings[name]).lower() == "true"
    return settings


def _failure(refused: Refused) -> ValueError:
    return failed("Route53", refused.message, status=refused.status)
