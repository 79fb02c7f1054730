"""Route 53's choice of the records that a query gets (docs/aws-behaviours.md, section 6.2).

In: a hosted zone, a query, where it is from, the health of checks and of aliases' targets, a source of chance. Out: the records
that were followed, and the values at their end. It is pure: it reads no clock, no store and no network.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workshop.cloud.names.places import Location, kilometres, point_of_region
from workshop.cloud.names.records import Alias, Proximity, Zone, ZoneRecord

__all__ = ["Choice", "choose", "is_healthy", "negative_ttl"]

ALIAS_TTL = 60
"""Seconds for which an answer by an alias to something outside the zone is kept: API Gateway's and CloudFront's own TTL."""
MOST_RECORDS = 5
MOST_VALUES = 8
FARTHEST = 1e9
"""Kilometres to a region that is not known."""

Healthy = Callable[[ZoneRecord], bool]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a query gets. `chain` are the records that were followed inside the zone, CNAMEs and aliases included, the final
    ones last: several only where the policy is multivalue.

    `values` are the final values: the name of the target where the chain ends with a CNAME or an alias that leads out of the
    zone, none unless `rcode` is NOERROR. `ttl` is the smallest one of the chain in seconds as the API shows them, that of the
    SOA record for NXDOMAIN and NODATA.
    """

    chain: tuple[ZoneRecord, ...]
    rcode: str
    ttl: int
    values: tuple[str, ...]


def choose(
    zone: Zone,
    name: str,
    type: str,
    asker: Location,
    *,
    healthy: Callable[[str], bool],
    alias_up: Callable[[Alias], bool],
    chance: random.Random,
) -> Choice:
    """The answer of a zone to a query. `name` is in lower case, without the dot at the end.

    `healthy` is asked about ids of health checks, `alias_up` about targets of aliases outside the zone. At most five records are
    followed: a longer chain ends with its fifth.
    """
    health = _Health(zone, asker, healthy, alias_up)
    chain: tuple[ZoneRecord, ...] = ()
    while True:
        group = _group(zone, name, type)
        if group is None and not (chain and chain[-1].alias):
            return Choice(chain, "NXDOMAIN", negative_ttl(zone), ())
        chosen = _chosen(group or (), asker, health.of_record, chance)
        chain += chosen
        if not chosen or (len(chain) >= MOST_RECORDS and _is_inner_alias(zone, chain[-1])):
            return Choice(chain, "NODATA", negative_ttl(zone), ())
        target = _target(zone, chain[-1], type)
        if not target or len(chain) >= MOST_RECORDS:
            values = (value for record in chosen for value in ((record.alias.name,) if record.alias else record.values))
            return Choice(chain, "NOERROR", int(min(_ttl(zone, record) for record in chain)), tuple(values))
        name = target


def is_healthy(
    zone: Zone, record: ZoneRecord, asker: Location, *, healthy: Callable[[str], bool], alias_up: Callable[[Alias], bool]
) -> bool:
    """Whether a record counts as healthy for an asker."""
    return _Health(zone, asker, healthy, alias_up).of_record(record)


class _Health:
    """The health of records during one query."""

    def __init__(self, zone: Zone, asker: Location, healthy: Callable[[str], bool], alias_up: Callable[[Alias], bool]) -> None:
        self._zone, self._asker, self._healthy, self._alias_up = zone, asker, healthy, alias_up
        self._groups: dict[tuple[str, str], bool] = {}

    def of_record(self, record: ZoneRecord) -> bool:
        """Healthy by its own check and, for an alias that evaluates its target, by that too. Without either it always is."""
        if record.health_check and not self._healthy(record.health_check):
            return False
        if record.alias is None or not record.alias.evaluate:
            return True
        inner = _is_inner_alias(self._zone, record)
        return self._of_group(record.alias.name, record.type) if inner else self._alias_up(record.alias)

    def _of_group(self, name: str, type: str) -> bool:
        """Whether any of the records that this asker could get is healthy. A group that refers back to itself is not, by that."""
        key = (name, type)
        if key not in self._groups:
            self._groups[key] = False
            candidates = _candidates(_group(self._zone, name, type) or (), self._asker)
            self._groups[key] = any(self.of_record(record) for record in candidates)
        return self._groups[key]


def _group(zone: Zone, name: str, type: str) -> tuple[ZoneRecord, ...] | None:
    """The records that share a name and a type, or the CNAME records of the name; None when it does not exist (RFC 4592)."""
    owned = _owned(zone, name)
    if owned is None:
        return None
    exact = tuple(record for record in owned if record.type == type)
    return exact or tuple(record for record in owned if record.type == "CNAME")


def _owned(zone: Zone, name: str) -> tuple[ZoneRecord, ...] | None:
    """Every record of a name, by the wildcard below its closest existing ancestor when the name itself does not exist."""
    names = zone.by_name
    if name in names:
        return names[name]
    above = name
    while zone.contains(above) and above != zone.name:
        above = above.partition(".")[2]
        if above in names:
            return names.get(f"*.{above}")
    return None


def _chosen(group: tuple[ZoneRecord, ...], asker: Location, healthy: Healthy, chance: random.Random) -> tuple[ZoneRecord, ...]:
    """The records of a group that this query gets: one, up to eight by multivalue, none where no place fits."""
    candidates = _candidates(group, asker)
    if not candidates:
        return ()
    match candidates[0].policy:
        case "weighted":
            return (_weighted(candidates, healthy, chance),)
        case "multivalue":
            usable = [record for record in candidates if healthy(record)] or candidates
            return tuple(chance.sample(usable, min(MOST_VALUES, len(usable))))
        case _:
            return (next((record for record in candidates if healthy(record)), candidates[0]),)


def _candidates(group: Sequence[ZoneRecord], asker: Location) -> list[ZoneRecord]:
    """The records that an asker can get, the preferred ones first. A group has one policy: Route 53 refuses mixtures."""
    match group[0].policy if group else "":
        case "failover":
            return sorted(group, key=lambda record: record.failover != "PRIMARY")
        case "latency":
            return sorted(group, key=lambda record: _distance_to_region(record.region, asker))
        case "geolocation":
            fitting = [record for record in group if _precision(record, asker)]
            return sorted(fitting, key=lambda record: -_precision(record, asker))
        case "geoproximity":
            return sorted(group, key=lambda record: _biased_distance(record.proximity or Proximity(), asker))
        case _:
            return list(group)


def _weighted(group: list[ZoneRecord], healthy: Healthy, chance: random.Random) -> ZoneRecord:
    """By weight among the healthy ones; when none is, all count as healthy. Zero weights have the same chance once there is no
    other."""
    usable = [record for record in group if healthy(record)] or group
    weights = [record.weight or 0 for record in usable]
    return chance.choices(usable, weights if any(weights) else None)[0]


def _precision(record: ZoneRecord, asker: Location) -> int:
    """How closely a record's place fits: 4 subdivision, 3 country, 2 continent, 1 the default record, 0 not at all."""
    if record.subdivision:
        return 4 if (record.country, record.subdivision) == (asker.country, asker.subdivision) else 0
    if record.country == "*":
        return 1
    if record.country:
        return 3 if record.country == asker.country else 0
    return 2 if record.continent == asker.continent else 0


def _biased_distance(proximity: Proximity, asker: Location) -> float:
    """The distance, shrunk by a positive bias in percent and stretched by a negative one."""
    bias = proximity.bias / 100
    if proximity.region or proximity.local_zone:
        distance = _distance_to_region(proximity.region or "-".join(proximity.local_zone.split("-")[:3]), asker)
    else:
        distance = kilometres(asker, (proximity.latitude, proximity.longitude))
    return distance * (1 - bias) if bias >= 0 else distance / (1 + bias)


def _distance_to_region(region: str, asker: Location) -> float:
    point = point_of_region(region)
    return kilometres(asker, point) if point else FARTHEST


def _target(zone: Zone, record: ZoneRecord, type: str) -> str:
    """The name inside the zone where a query goes on, "" where the record is its end."""
    if record.alias:
        return record.alias.name if _is_inner_alias(zone, record) else ""
    if record.type != "CNAME" or type == "CNAME" or not record.values:
        return ""
    target = record.values[0].lower().removesuffix(".")
    return target if zone.contains(target) else ""


def _is_inner_alias(zone: Zone, record: ZoneRecord) -> bool:
    return record.alias is not None and record.alias.zone_id == zone.id


def _ttl(zone: Zone, record: ZoneRecord) -> float:
    """An alias has the TTL of its target."""
    return record.ttl if record.alias is None else math.inf if _is_inner_alias(zone, record) else ALIAS_TTL


def negative_ttl(zone: Zone) -> int:
    """How long "no such name" is kept: the smaller of the SOA record's TTL and its last figure (RFC 2308)."""
    soa = next((record for record in zone.records if record.type == "SOA" and record.name == zone.name), None)
    if soa is None or not soa.values:
        return 0
    return min(soa.ttl, int(soa.values[0].split()[-1]))
