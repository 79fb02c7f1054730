"""Route 53's types in stacks: zones, records, groups of records, health checks, through the same rules as the API's calls.

In: the properties of a resource. Out: the resource in MiniStack's Route 53, or a failure with the API's own text
(docs/aws-behaviours.md, sections 6.4 to 6.6).
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import route53
from ministack.services.cloudformation import provisioners

from workshop.cloud.names.batches import record_key
from workshop.cloud.names.records import plain_name, shown, stored
from workshop.cloud.names.service import Route53Service
from workshop.cloud.names.wire import Refused, checked, coerced
from workshop.cloud.patches import require_attribute
from workshop.cloud.stack_types import Properties, failed, register, tags_of

__all__ = ["Route53Stacks"]

FIXED = ("Type", "RequestInterval", "MeasureLatency")
"""Settings of a health check that only a new one can have."""
Records = Mapping[tuple[str, str, str], dict[str, Any]]


def _failing(method: Callable[..., Any]) -> Callable[..., Any]:
    """With what Route 53 refuses as the failure of the resource."""

    @functools.wraps(method)
    def call(*arguments: Any) -> Any:
        try:
            return method(*arguments)
        except Refused as refused:
            raise failed("Route53", refused.message) from refused

    return call


class Route53Stacks:
    """The handlers of Route 53's types."""

    def __init__(self, service: Route53Service) -> None:
        self._service, self._zones = service, service.zones
        self._zone_of = require_attribute(provisioners, "_r53_resolve_hosted_zone_id")

    def apply(self) -> None:
        """Register the types."""
        zone = (self._create_zone, self._update_zone, self._delete_zone, "HostedZoneTags")
        check = (self._create_check, self._update_check, self._delete_check, "HealthCheckTags")
        records = (self._create_records, self._update_records, self._delete_records, "")
        types: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], str]] = {
            "HostedZone": zone,
            "HealthCheck": check,
            "RecordSet": records,
            "RecordSetGroup": records,
        }
        for name, (create, update, delete, tags) in types.items():
            register(
                f"AWS::Route53::{name}", create=_failing(create), update=_failing(update), delete=_failing(delete), tags=tags
            )

    def _create_zone(self, _: str, properties: Properties, __: str) -> tuple[str, Properties]:
        vpcs = [{"VPCRegion": vpc["VPCRegion"], "VPCId": vpc["VPCId"]} for vpc in properties.get("VPCs") or ()]
        comment = (properties.get("HostedZoneConfig") or {}).get("Comment", "")
        zone = self._zones.add(properties.get("Name", ""), str(uuid.uuid4()), comment=comment, vpcs=vpcs)
        route53._tags["hostedzone", zone["id"]] = tags_of(properties, "HostedZoneTags")
        return zone["id"], self._zone_attributes(zone)

    def _update_zone(
        self, zone_id: str, _: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> tuple[str, Properties]:
        """Comment and tags change in place; another name is another zone."""
        zone = route53._zones.get(zone_id)
        if zone is None or plain_name(zone["name"]) != plain_name(new.get("Name", "")):
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
            self._zones.remove(zone_id)

    def _create_records(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        self._apply(properties, {}, _records(properties))
        return _record_id(properties, f"{stack}-{logical_id}-{uuid.uuid4().hex[:12].upper()}")

    def _update_records(
        self, physical_id: str, old: Properties, new: Properties, _: str, __: str | None
    ) -> tuple[str, Properties]:
        """One batch: what is no longer named goes, what changed is written over. In another zone all of it is new."""
        before, after = _records(old), _records(new)
        if self._zone_of(old) != self._zone_of(new):
            self._apply(new, {}, after)
            self._apply(old, before, {})
        else:
            self._apply(new, before, after)
        return _record_id(new, physical_id)

    def _delete_records(self, _: str, properties: Properties) -> None:
        """A zone that is gone already is no failure."""
        name = properties.get("HostedZoneName")
        if not name or any(plain_name(zone["name"]) == plain_name(name) for zone in route53._zones.values()):
            self._apply(properties, _records(properties), {})

    def _apply(self, properties: Properties, before: Records, after: Records) -> None:
        """Make the zone's records what `after` has instead of `before`. Records that are gone already need not go."""
        zone_id = self._zone_of(properties)
        existing = {record_key(record): record for record in route53._records.get(zone_id, ())}
        changes = [("DELETE", shown(existing[key])) for key in before if key not in after and key in existing]
        changes += [
            ("UPSERT" if key in before else "CREATE", shown(record)) for key, record in after.items() if before.get(key) != record
        ]
        if changes:
            self._zones.change(
                zone_id, {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
            )

    def _create_check(self, _: str, properties: Properties, __: str) -> tuple[str, Properties]:
        settings = checked("HealthCheckConfig", coerced("HealthCheckConfig", properties.get("HealthCheckConfig") or {}))
        check = self._service.add_check(str(uuid.uuid4()), settings)
        route53._tags["healthcheck", check["id"]] = tags_of(properties, "HealthCheckTags")
        return check["id"], {"HealthCheckId": check["id"]}

    def _update_check(
        self, check_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> tuple[str, Properties]:
        before, after = (coerced("HealthCheckConfig", each.get("HealthCheckConfig") or {}) for each in (old, new))
        if check_id not in route53._health_checks or any(before.get(name) != after.get(name) for name in FIXED):
            return self._create_check(logical_id or "", new, stack)
        gone = [name for name in before if name not in after]
        request = {**coerced("UpdateHealthCheckRequest", after), "HealthCheckId": check_id, "ResetElements": gone}
        self._service.change_check(request)
        route53._tags["healthcheck", check_id] = tags_of(new, "HealthCheckTags")
        return check_id, {"HealthCheckId": check_id}

    def _delete_check(self, check_id: str, _: Properties) -> None:
        if check_id in route53._health_checks:
            self._service.remove_check(check_id)


def _records(properties: Mapping[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The record sets of a RecordSet or of a RecordSetGroup, by their keys."""
    found = {}
    for each in properties.get("RecordSets", [properties]) or ():
        values = [{"Value": value} for value in each.get("ResourceRecords") or ()]
        written = {member: value for member, value in each.items() if value not in (None, "", [])}
        record = coerced("ResourceRecordSet", {**written, "ResourceRecords": values} if values else written)
        record = stored(checked("ResourceRecordSet", record))
        found[record_key(record)] = record
    return found


def _record_id(properties: Properties, group: str) -> tuple[str, Properties]:
    """The physical id of a record is its name, that of a group of its own making."""
    if "RecordSets" in properties:
        return group, {}
    name = plain_name(properties["Name"]) + "."
    return (group if plain_name(group) == plain_name(name) else name), {"Name": name}
