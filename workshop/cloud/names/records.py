"""Hosted zones and records: names, routing policies, record sets as MiniStack stores them, and all of it as values, read live.

In: the store of MiniStack's Route 53, of every account. Out: frozen zones, with names in lower case and no dot at the end.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import route53

from workshop.cloud.patches import require_attribute

__all__ = [
    "POLICIES",
    "Alias",
    "Proximity",
    "Stored",
    "Zone",
    "ZoneRecord",
    "is_below",
    "plain_name",
    "shown",
    "shown_name",
    "stored",
    "zones",
]

Stored = Mapping[str, Any]
"""A record set as MiniStack keeps it: the API's members; the name in lower case with a dot at the end and `*` for a wildcard;
ResourceRecords are texts."""
POLICIES = {
    "Weight": "weighted",
    "Region": "latency",
    "Failover": "failover",
    "GeoLocation": "geolocation",
    "MultiValueAnswer": "multivalue answer",
    "GeoProximityLocation": "geoproximity",
    "CidrRoutingConfig": "IP-based",
}
"""The routing policies besides simple, by the member that decides about each."""
FIELDS = {
    "SetIdentifier": "set_id",
    "Weight": "weight",
    "Failover": "failover",
    "Region": "region",
    "MultiValueAnswer": "multivalue",
    "HealthCheckId": "health_check",
}
"""Members of a stored record that a `ZoneRecord` has as they are."""


@dataclass(frozen=True, slots=True)
class Alias:
    """The target of an alias record; `evaluate` is EvaluateTargetHealth."""

    zone_id: str
    name: str
    evaluate: bool


@dataclass(frozen=True, slots=True)
class Proximity:
    """Where the endpoint of a geoproximity record is: an AWS region, a Local Zone group or coordinates. `bias` is -99 to 99."""

    region: str = ""
    local_zone: str = ""
    latitude: float = 0.0
    longitude: float = 0.0
    bias: int = 0


@dataclass(frozen=True, slots=True)
class ZoneRecord:
    """One record set. `ttl` is in seconds, 0 for an alias; `values` are as the API shows them, none for an alias; `country` is
    `*` for the default record of geolocation."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]
    set_id: str = ""
    weight: int | None = None
    failover: str = ""
    region: str = ""
    continent: str = ""
    country: str = ""
    subdivision: str = ""
    proximity: Proximity | None = None
    multivalue: bool = False
    health_check: str = ""
    alias: Alias | None = None

    @property
    def policy(self) -> str:
        """Its routing policy: simple, weighted, failover, latency, geolocation, geoproximity or multivalue."""
        decided = {
            "weighted": self.weight is not None,
            "failover": self.failover,
            "latency": self.region,
            "geolocation": self.continent or self.country,
            "geoproximity": self.proximity,
            "multivalue": self.multivalue,
        }
        return next((name for name, holds in decided.items() if holds), "simple")


@dataclass(frozen=True)
class Zone:
    """One hosted zone. `id` has no prefix."""

    id: str
    name: str
    account: str
    private: bool
    records: tuple[ZoneRecord, ...]

    @functools.cached_property
    def by_name(self) -> Mapping[str, tuple[ZoneRecord, ...]]:
        """The records of each name that exists: also of names that have none and exist because there are names below them."""
        found: dict[str, list[ZoneRecord]] = defaultdict(list)
        for record in self.records:
            found[record.name].append(record)
            above = record.name
            while above not in ("", self.name) and (above := above.partition(".")[2]) not in found:
                found[above] = []
        return {name: tuple(records) for name, records in found.items()}

    def contains(self, name: str) -> bool:
        """Whether a name is the zone's own or one below it."""
        return is_below(name, self.name)


_cache: dict[tuple[str, str], tuple[Any, Zone]] = {}
"""By account and id: the list that a zone was read from, and the zone. Whatever changes a zone gives it a new list."""


def zones() -> tuple[Zone, ...]:
    """Every hosted zone of every account, as the store has them now."""
    existing: dict[tuple[str, str], Any] = require_attribute(route53, "_zones").to_dict()
    records: dict[tuple[str, str], Any] = require_attribute(route53, "_records").to_dict()
    for key in _cache.keys() - existing.keys():
        _cache.pop(key, None)
    return tuple(_zone(key, zone, records.get(key, [])) for key, zone in existing.items())


def is_below(name: str, above: str) -> bool:
    """Whether a name is another one or below it."""
    return name == above or name.endswith(f".{above}")


def plain_name(name: str) -> str:
    """A name in lower case, with no dot at the end, and `*` for the `\\052` under which the API shows a wildcard."""
    return name.lower().removesuffix(".").replace("\\052", "*")


def shown_name(name: str) -> str:
    """A name as the API shows it: a wildcard is `\\052`."""
    return name.replace("*", "\\052")


def stored(record: Stored) -> dict[str, Any]:
    """A record set of a request as MiniStack keeps it."""
    kept = {**record, "Name": plain_name(record["Name"]) + "."}
    if "ResourceRecords" in kept:
        kept["ResourceRecords"] = [each["Value"] for each in kept["ResourceRecords"]]
    if alias := kept.get("AliasTarget"):
        zone_id = alias["HostedZoneId"].rpartition("/")[2]
        kept["AliasTarget"] = {**alias, "DNSName": plain_name(alias["DNSName"]) + ".", "HostedZoneId": zone_id}
    return kept


def shown(record: Stored) -> dict[str, Any]:
    """A record set as the API shows it."""
    found = {**record, "Name": shown_name(record["Name"])}
    if "ResourceRecords" in found:
        found["ResourceRecords"] = [{"Value": value} for value in found["ResourceRecords"]]
    return found


def _zone(key: tuple[str, str], zone: Mapping[str, Any], records: list[Stored]) -> Zone:
    source, found = _cache.get(key, (None, None))
    if found is None or source is not records:
        account, zone_id = key
        parsed = tuple(_record(record) for record in list(records))
        found = Zone(zone_id, plain_name(zone["name"]), account, bool(zone.get("private")), parsed)
        _cache[key] = (records, found)
    return found


def _record(kept: Stored) -> ZoneRecord:
    place, near, alias = kept.get("GeoLocation") or {}, kept.get("GeoProximityLocation"), kept.get("AliasTarget")
    return ZoneRecord(
        plain_name(kept["Name"]),
        str(kept["Type"]).upper(),
        int(kept.get("TTL") or 0),
        tuple(kept.get("ResourceRecords") or ()),
        **{field: kept[member] for member, field in FIELDS.items() if kept.get(member) is not None},
        continent=place.get("ContinentCode") or "",
        country=place.get("CountryCode") or "",
        subdivision=place.get("SubdivisionCode") or "",
        proximity=None if near is None else _proximity(near, near.get("Coordinates") or {}),
        alias=Alias(alias["HostedZoneId"], plain_name(alias["DNSName"]), bool(alias.get("EvaluateTargetHealth")))
        if alias
        else None,
    )


def _proximity(near: Mapping[str, Any], point: Mapping[str, Any]) -> Proximity:
    latitude, longitude, bias = float(point.get("Latitude", 0)), float(point.get("Longitude", 0)), int(near.get("Bias", 0))
    return Proximity(near.get("AWSRegion", ""), near.get("LocalZoneGroup", ""), latitude, longitude, bias)
