"""Route 53 as on AWS: the operations that MiniStack does not have, and those whose results differ.

In: MiniStack's Route 53 and the health of checks. Out: the same service with AWS's refusals, formats and times, and one document
to save (docs/aws-behaviours.md, sections 6.4 to 6.6).
"""

from __future__ import annotations

import datetime
import functools
import ipaddress
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from ministack.services import route53

from workshop.cloud.names.checks import check_settings, completed
from workshop.cloud.names.health import HealthChecks
from workshop.cloud.names.lookup import Lookup
from workshop.cloud.names.places import place_of_address
from workshop.cloud.names.records import plain_name, shown
from workshop.cloud.names.wire import Refused, Values, coerced, error, read_request, respond, write
from workshop.cloud.names.zones import MOST_SETS, MOST_ZONES, Zones
from workshop.cloud.patches import patch, patch_around, require_attributes
from workshop.cloud.regions import CHECKER_RANGES
from workshop.cloud.service_models import operation_at

__all__ = ["Route53Service"]

MOST_CHECKS = 200
TAKEN = "A different health check has already been created with the specified caller reference."
OLD_VERSION = "The value of HealthCheckVersion in the request doesn't match the value of HealthCheckVersion in the health check."


class Route53Service:
    """`zones` and the methods for health checks are also what stacks and ACM work through."""

    def __init__(self, health: HealthChecks, lookup: Lookup, zones: Zones) -> None:
        self._health, self._lookup, self.zones = health, lookup, zones
        self._operations: dict[str, Callable[[Values], Values]] = {
            **self.zones.operations(),
            "CreateHealthCheck": self._create_check,
            "UpdateHealthCheck": lambda request: {"HealthCheck": _shown_check(self.change_check(request))},
            "DeleteHealthCheck": lambda request: self.remove_check(request["HealthCheckId"]),
            "GetHealthCheckStatus": functools.partial(self._observed, "last"),
            "GetHealthCheckLastFailureReason": functools.partial(self._observed, "last_failure"),
            "GetHealthCheckCount": lambda _: {"HealthCheckCount": len(route53._health_checks)},
            "GetHostedZoneCount": lambda _: {"HostedZoneCount": len(route53._zones)},
            "GetCheckerIpRanges": lambda _: {"CheckerIpRanges": sorted(itertools.chain(*CHECKER_RANGES.values()))},
            "GetAccountLimit": self._account_limit,
            "GetHostedZoneLimit": self._zone_limit,
            "GetReusableDelegationSetLimit": lambda each: _limit(each, 100, self.zones.zones_of(each["DelegationSetId"])),
            "ListTagsForResources": self._tags,
            "TestDNSAnswer": self._simulated,
        }

    def apply(self) -> None:
        """Patch MiniStack's Route 53."""
        stores = ("_zones", "_records", "_changes", "_health_checks", "_tags", "_caller_refs", "_hc_caller_refs", "_lock")
        helpers = (
            "_find",
            "_xml_response",
            "_error_response",
            "_same_name_zone_with_vpc",
            "_zone_id",
            "_hc_id",
            "_default_records",
        )
        require_attributes(route53, *stores, *helpers, "_DEFAULT_NS", "API_VERSION")
        self.zones.apply()
        patch(route53, "_normalise_name", lambda _: lambda name: plain_name(name) + "." if name else name)
        patch(route53, "_build_health_check_el", lambda _: _write_check)
        patch(route53, "_build_record_set_el", lambda _: _write_record)
        patch_around(route53, "handle_request", self._handle_request)

    def document(self) -> dict[str, Any]:
        """The saved form of what MiniStack does not save itself."""
        return {"delegation_sets": self.zones.sets}

    def restore(self, document: Mapping[str, Any]) -> None:
        self.zones.sets.update(document.get("delegation_sets", {}))

    def clear(self) -> None:
        self.zones.sets.clear()
        self.zones.published()

    def add_check(self, reference: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Create a health check, or return the one that was created with the same reference and settings. Raises `Refused`."""
        check_settings(settings)
        config = completed(settings)
        with route53._lock:
            if reference in route53._hc_caller_refs:
                found: dict[str, Any] | None = route53._health_checks.get(route53._hc_caller_refs[reference])
                if found is None or found.get("requested", found["config"]) != config:
                    raise Refused("HealthCheckAlreadyExists", TAKEN)
                return found
            if len(route53._health_checks) >= MOST_CHECKS:
                raise Refused("TooManyHealthChecks", f"Limits Exceeded: MAX_HEALTH_CHECKS_BY_OWNER={MOST_CHECKS}")
            check = {"id": route53._hc_id(), "caller_reference": reference, "config": config, "requested": config, "version": 1}
            route53._health_checks[check["id"]] = check
            route53._hc_caller_refs[reference] = check["id"]
        self._health.changed()
        return check

    def change_check(self, request: Values) -> dict[str, Any]:
        """Change some settings of a health check, reset others to nothing: an UpdateHealthCheck. Raises `Refused`."""
        reset, version = request.get("ResetElements", ()), request.get("HealthCheckVersion")
        with route53._lock:
            check = _check(request["HealthCheckId"])
            if version not in (None, check.get("version", 1)):
                raise Refused("HealthCheckVersionMismatch", OLD_VERSION)
            kept = {name: value for name, value in check["config"].items() if name not in reset}
            changed = coerced("HealthCheckConfig", request)
            check_settings({**kept, **changed}, reset)
            check["config"], check["version"] = completed({**kept, **changed}), check.get("version", 1) + 1
        self._health.changed()
        return check

    def remove_check(self, check_id: str) -> Values:
        """Delete a health check. Records may still use it, and its reference stays used. Raises `Refused`."""
        with route53._lock:
            del route53._health_checks[_check(check_id)["id"]]
            route53._tags.pop(("healthcheck", check_id), None)
        self._health.changed()
        return {}

    async def _handle_request(
        self, original: Callable[..., Awaitable[Any]], method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Any:
        operation = operation_at("route53", method, path, query)
        if operation not in self._operations:
            return await original(method, path, headers, body, query)
        try:
            return respond(operation, self._operations[operation](read_request(operation, path, query, body)))
        except Refused as refused:
            return error(refused)

    def _create_check(self, request: Values) -> Values:
        check = self.add_check(request["CallerReference"], request["HealthCheckConfig"])
        return {"HealthCheck": _shown_check(check), "Location": f"healthcheck/{check['id']}"}

    def _observed(self, seen: Literal["last", "last_failure"], request: Values) -> Values:
        check = _check(request["HealthCheckId"])
        if check["config"].get("Type") == "CALCULATED":
            raise Refused("InvalidInput", "The operation is not supported for health checks of type CALCULATED.")
        return {
            "HealthCheckObservations": [
                {
                    "Region": each.region,
                    "IPAddress": each.ip,
                    "StatusReport": {"Status": each.status, "CheckedTime": _utc(each.checked)},
                }
                for each in self._health.observations(check["id"], seen)
            ]
        }

    def _account_limit(self, request: Values) -> Values:
        """Traffic policies do not exist in this cloud."""
        limits = {
            "MAX_HEALTH_CHECKS_BY_OWNER": (MOST_CHECKS, len(route53._health_checks)),
            "MAX_HOSTED_ZONES_BY_OWNER": (MOST_ZONES, len(route53._zones)),
            "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER": (MOST_SETS, len(self.zones.sets)),
            "MAX_TRAFFIC_POLICIES_BY_OWNER": (50, 0),
            "MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER": (5, 0),
        }
        return _limit(request, *limits[request["Type"]])

    def _zone_limit(self, request: Values) -> Values:
        zone = self.zones.zone(request["HostedZoneId"])
        if request["Type"] == "MAX_RRSETS_BY_ZONE":
            return _limit(request, 10_000, len(route53._records.get(zone["id"], ())))
        if not zone.get("private"):
            raise Refused("HostedZoneNotPrivate", f"The hosted zone {zone['id']} is not a private hosted zone.")
        return _limit(request, 300, len(zone.get("vpcs", ())))

    def _tags(self, request: Values) -> Values:
        kind, found = request["ResourceType"], []
        for resource in request["ResourceIds"]:
            _ = self.zones.zone(resource) if kind == "hostedzone" else _check(resource)
            tags = [{"Key": key, "Value": value} for key, value in (route53._tags.get((kind, resource)) or {}).items()]
            found.append({"ResourceType": kind, "ResourceId": resource, "Tags": tags})
        return {"ResourceTagSets": found}

    def _simulated(self, request: Values) -> Values:
        """What Route 53 would return to one query, which is placed by the client's network, or else by its resolver."""
        stored, name, kind = self.zones.zone(request["HostedZoneId"]), request["RecordName"], request["RecordType"]
        zone = next(zone for zone in self._lookup.zones() if zone.id == stored["id"])
        if zone.private or not zone.contains(plain_name(name)):
            raise Refused("InvalidInput", f"{name} is not within {zone.name}, or {zone.name} is not a public hosted zone.")
        address = request.get("EDNS0ClientSubnetIP") or request.get("ResolverIP") or "127.0.0.1"
        try:
            place = place_of_address(str(ipaddress.ip_address(address)))
        except ValueError:
            raise Refused("InvalidInput", f"Invalid IP address: {address}") from None
        choice = self._lookup.choose(zone, plain_name(name), kind, place)
        return {
            "Nameserver": self.zones.servers(stored)[0].removesuffix("."),
            "RecordName": name,
            "RecordType": kind,
            "RecordData": choice.values,
            "ResponseCode": "NOERROR" if choice.rcode == "NODATA" else choice.rcode,
            "Protocol": "UDP",
        }


def _check(check_id: str) -> dict[str, Any]:
    found: dict[str, Any] | None = route53._health_checks.get(check_id)
    if found is None:
        raise Refused("NoSuchHealthCheck", f"No health check exists with the specified ID {check_id}.")
    return found


def _shown_check(check: Mapping[str, Any]) -> Values:
    return {
        "Id": check["id"],
        "CallerReference": check["caller_reference"],
        "HealthCheckConfig": check["config"],
        "HealthCheckVersion": check.get("version", 1),
    }


def _limit(request: Values, value: int, count: int) -> Values:
    return {"Limit": {"Type": request["Type"], "Value": value}, "Count": count}


def _write_check(parent: Any, check: Mapping[str, Any]) -> None:
    write(parent, "HealthCheck", "HealthCheck", _shown_check(check))


def _write_record(parent: Any, record: Mapping[str, Any]) -> None:
    write(parent, "ResourceRecordSet", "ResourceRecordSet", shown(record))


def _utc(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
