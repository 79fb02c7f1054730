"""Hosted zones and records as values, read live from MiniStack's Route 53.

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

__all__ = ["Alias", "Proximity", "Zone", "ZoneRecord", "invalidate", "plain_name", "zones"]


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
    """One resource record set. `name` is in lower case, without the dot at the end, a wildcard's label as `*`.

    `ttl` is in seconds, 0 for an alias; `values` are the values as the API shows them, none for an alias; `country` is `*` for
    the default record of geolocation; `health_check` is an id or "".
    """

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
            "failover": bool(self.failover),
            "latency": bool(self.region),
            "geolocation": bool(self.continent or self.country),
            "geoproximity": self.proximity is not None,
            "multivalue": self.multivalue,
        }
        return next((name for name, holds in decided.items() if holds), "simple")


@dataclass(frozen=True)
class Zone:
    """One hosted zone. `id` has no prefix; `name` is as in `Record`."""

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
        return name == self.name or name.endswith(f".{self.name}")


_cache: dict[tuple[str, str], tuple[Any, Zone]] = {}
"""By account and id: the list that a zone was read from, and the zone. Whoever changes a zone gives it a new list."""


def zones() -> tuple[Zone, ...]:
    """Every hosted zone of every account, as the store has them now."""
    stored: dict[tuple[str, str], Any] = require_attribute(route53, "_zones").to_dict()
    records: dict[tuple[str, str], Any] = require_attribute(route53, "_records").to_dict()
    for key in _cache.keys() - stored.keys():
        _cache.pop(key, None)
    return tuple(_zone(key, zone, records.get(key, [])) for key, zone in stored.items())


def invalidate() -> None:
    """Read every zone anew at the next look, also one whose list of records was changed in place."""
    _cache.clear()


def plain_name(name: str) -> str:
    """A name in the form of `Record`: lower case, no dot at the end, `*` for the `\\052` under which the API may show it."""
    return name.lower().removesuffix(".").replace("\\052", "*")


def _zone(key: tuple[str, str], zone: Mapping[str, Any], records: list[Mapping[str, Any]]) -> Zone:
    source, found = _cache.get(key, (None, None))
    if found is None or source is not records:
        account, zone_id = key
        parsed = tuple(_record(record) for record in list(records))
        found = Zone(zone_id, plain_name(zone["name"]), account, bool(zone.get("private")), parsed)
        _cache[key] = (records, found)
    return found


def _record(stored: Mapping[str, Any]) -> ZoneRecord:
    place, weight = stored.get("GeoLocation") or {}, stored.get("Weight")
    return ZoneRecord(
        name=plain_name(stored["Name"]),
        type=str(stored["Type"]).upper(),
        ttl=int(stored.get("TTL") or 0),
        values=tuple(stored.get("ResourceRecords") or ()),
        set_id=stored.get("SetIdentifier") or "",
        weight=None if weight is None else int(weight),
        failover=stored.get("Failover") or "",
        region=stored.get("Region") or "",
        continent=place.get("ContinentCode") or "",
        country=place.get("CountryCode") or "",
        subdivision=place.get("SubdivisionCode") or "",
        proximity=_proximity(stored.get("GeoProximityLocation")),
        multivalue=bool(stored.get("MultiValueAnswer")),
        health_check=stored.get("HealthCheckId") or "",
        alias=_alias(stored.get("AliasTarget")),
    )


def _proximity(stored: Mapping[str, Any] | None) -> Proximity | None:
    if stored is None:
        return None
    point = stored.get("Coordinates") or {}
    return Proximity(
        region=stored.get("AWSRegion") or "",
        local_zone=stored.get("LocalZoneGroup") or "",
        latitude=float(point.get("Latitude") or 0),
        longitude=float(point.get("Longitude") or 0),
        bias=int(stored.get("Bias") or 0),
    )


def _alias(stored: Mapping[str, Any] | None) -> Alias | None:
    if not stored:
        return None
    return Alias(
        stored.get("HostedZoneId") or "", plain_name(stored.get("DNSName") or ""), bool(stored.get("EvaluateTargetHealth"))
    )
