"""Route 53's counts and limits, the addresses of its checkers, and the tags of several resources at once.

In: requests. Out: figures of the current account's zones and health checks against AWS's default quotas
(docs/aws-behaviours.md, section 6.5).
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from ministack.services import route53

from workshop.cloud.names.changes import no_zone
from workshop.cloud.names.checkers import CHECKER_RANGES
from workshop.cloud.names.checks_api import MOST_CHECKS, no_check
from workshop.cloud.names.delegation_sets import MOST_SETS, DelegationSets
from workshop.cloud.names.recordsets import Refused
from workshop.cloud.names.wire import Route53Request, add, add_list, children, respond
from workshop.cloud.names.zones import MOST_ZONES
from workshop.cloud.responses import Response

__all__ = ["Limits"]

MOST_RECORDS, MOST_VPCS, MOST_SET_ZONES = 10_000, 300, 100
MOST_POLICIES, MOST_INSTANCES = 50, 5
MOST_TAGGED = 10
"""Resources whose tags one call lists."""


class Limits:
    """The operations that count."""

    def __init__(self, sets: DelegationSets) -> None:
        self._sets = sets

    def check_count(self, _: Route53Request) -> Response:
        """GetHealthCheckCount."""
        return _number("GetHealthCheckCountResponse", "HealthCheckCount", len(route53._health_checks))

    def zone_count(self, _: Route53Request) -> Response:
        """GetHostedZoneCount."""
        return _number("GetHostedZoneCountResponse", "HostedZoneCount", len(route53._zones))

    def account(self, request: Route53Request) -> Response:
        """GetAccountLimit. Traffic policies do not exist in this cloud."""
        limits: dict[str, tuple[int, Callable[[], int]]] = {
            "MAX_HEALTH_CHECKS_BY_OWNER": (MOST_CHECKS, lambda: len(route53._health_checks)),
            "MAX_HOSTED_ZONES_BY_OWNER": (MOST_ZONES, lambda: len(route53._zones)),
            "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER": (MOST_SETS, lambda: len(self._sets.mine())),
            "MAX_TRAFFIC_POLICIES_BY_OWNER": (MOST_POLICIES, lambda: 0),
            "MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER": (MOST_INSTANCES, lambda: 0),
        }
        kind = request.parts[0]
        if kind not in limits:
            raise Refused("InvalidInput", f"Invalid limit type: {kind}")
        value, count = limits[kind]
        return _limit("GetAccountLimitResponse", kind, value, count())

    def zone(self, request: Route53Request) -> Response:
        """GetHostedZoneLimit."""
        zone_id, kind = request.parts
        zone = route53._zones.get(zone_id)
        if zone is None:
            raise no_zone(zone_id)
        if kind == "MAX_RRSETS_BY_ZONE":
            return _limit("GetHostedZoneLimitResponse", kind, MOST_RECORDS, len(route53._records.get(zone_id, ())))
        if kind != "MAX_VPCS_ASSOCIATED_BY_ZONE":
            raise Refused("InvalidInput", f"Invalid limit type: {kind}")
        if not zone.get("private"):
            raise Refused("HostedZoneNotPrivate", f"The hosted zone {zone_id} is not a private hosted zone.")
        return _limit("GetHostedZoneLimitResponse", kind, MOST_VPCS, len(zone.get("vpcs", ())))

    def delegation_set(self, request: Route53Request) -> Response:
        """GetReusableDelegationSetLimit."""
        set_id, kind = request.parts
        if kind != "MAX_ZONES_BY_REUSABLE_DELEGATION_SET":
            raise Refused("InvalidInput", f"Invalid limit type: {kind}")
        found = self._sets.get(set_id)
        return _limit("GetReusableDelegationSetLimitResponse", kind, MOST_SET_ZONES, self._sets.zones_of(found.id))

    def checker_ranges(self, _: Route53Request) -> Response:
        """GetCheckerIpRanges."""
        ranges = sorted(range_ for found in CHECKER_RANGES.values() for range_ in found)
        return respond("GetCheckerIpRangesResponse", lambda shown: add_list(shown, "CheckerIpRanges", "member", ranges))

    def tags(self, request: Route53Request) -> Response:
        """ListTagsForResources."""
        kind, ids = request.parts[0], children(request.root(), "ResourceIds", "ResourceId")
        if kind not in ("hostedzone", "healthcheck"):
            raise Refused("InvalidInput", f"Invalid resource type: {kind}")
        if not 1 <= len(ids) <= MOST_TAGGED:
            raise Refused("InvalidInput", f"Specify 1 to {MOST_TAGGED} resource IDs.")
        for found in ids:
            if kind == "hostedzone" and found not in route53._zones:
                raise no_zone(found)
            if kind == "healthcheck" and found not in route53._health_checks:
                raise no_check(found)

        def build(shown: Element) -> None:
            listed = add(shown, "ResourceTagSets")
            for found in ids:
                _add_tags(add(listed, "ResourceTagSet"), kind, found)

        return respond("ListTagsForResourcesResponse", build)


def _number(root: str, name: str, value: int) -> Response:
    return respond(root, lambda shown: add(shown, name, str(value)))


def _limit(root: str, kind: str, value: int, count: int) -> Response:
    def build(shown: Element) -> None:
        limit = add(shown, "Limit")
        add(limit, "Type", kind)
        add(limit, "Value", str(value))
        add(shown, "Count", str(count))

    return respond(root, build)


def _add_tags(parent: Element, kind: str, resource: str) -> None:
    add(parent, "ResourceType", kind)
    add(parent, "ResourceId", resource)
    tags = add(parent, "Tags")
    for key, value in (route53._tags.get((kind, resource)) or {}).items():
        tag = add(tags, "Tag")
        add(tag, "Key", key)
        add(tag, "Value", value)
