"""A second reading of Route 53's rules: slow, without any index, every possible answer at once. For comparison only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

from workshop.cloud.names.places import Location, point_of_region
from workshop.cloud.names.records import Zone, ZoneRecord

Outcome = tuple[str, tuple[str, ...], frozenset[str], int]
"""Code, set identifiers that were followed, values, TTL."""


class Reference:
    def __init__(self, zone: Zone, asker: Location, sick: frozenset[str], targets_down: frozenset[str]) -> None:
        self.zone, self.asker, self.sick, self.down = zone, asker, sick, targets_down
        self.circular = False
        """Whether the health of a name came to depend on itself, for which there is no rule."""

    def outcomes(self, name: str, kind: str) -> set[Outcome]:
        """Every answer that a query can get."""
        return self._from(name, kind, ())

    def _from(self, name: str, kind: str, before: tuple[ZoneRecord, ...]) -> set[Outcome]:
        group = self.group(name, kind)
        if group is None:
            via_alias = bool(before) and before[-1].alias is not None
            return {self._nothing("NODATA" if via_alias else "NXDOMAIN", before)}
        found: set[Outcome] = set()
        for picked in self.picks(group):
            found |= self._after((*before, *picked), picked, kind)
        return found or {self._nothing("NODATA", before)}

    def _after(self, chain: tuple[ZoneRecord, ...], picked: tuple[ZoneRecord, ...], kind: str) -> set[Outcome]:
        last = chain[-1]
        inside = last.alias is not None and last.alias.zone_id == self.zone.id
        target = ""
        if inside:
            target = last.alias.name
        elif last.type == "CNAME" and kind != "CNAME" and last.alias is None:
            wanted = last.values[0].rstrip(".")
            target = wanted if wanted == self.zone.name or wanted.endswith("." + self.zone.name) else ""
        if target and len(chain) < 5:
            return self._from(target, kind, chain)
        if inside:
            return {self._nothing("NODATA", chain)}
        values = frozenset(value for record in picked for value in (record.values or (record.alias.name,)))
        ttls = [record.ttl for record in chain if record.alias is None]
        ttls += [60 for record in chain if record.alias is not None and record.alias.zone_id != self.zone.id]
        return {("NOERROR", tuple(sorted(record.set_id for record in chain)), values, min(ttls))}

    def _nothing(self, code: str, chain: tuple[ZoneRecord, ...]) -> Outcome:
        return code, tuple(sorted(record.set_id for record in chain)), frozenset(), 900

    def group(self, name: str, kind: str) -> list[ZoneRecord] | None:
        owner = name
        if not self._exists(name):
            labels = name.split(".")
            above = [".".join(labels[n:]) for n in range(1, len(labels))]
            above = [each for each in above if each == self.zone.name or each.endswith("." + self.zone.name)]
            nearest = next((each for each in above if self._exists(each)), None)
            if nearest is None or not any(record.name == f"*.{nearest}" for record in self.zone.records):
                return None
            owner = f"*.{nearest}"
        mine = [record for record in self.zone.records if record.name == owner]
        return [r for r in mine if r.type == kind] or [r for r in mine if r.type == "CNAME"]

    def _exists(self, name: str) -> bool:
        return any(record.name == name or record.name.endswith("." + name) for record in self.zone.records)

    def well(self, record: ZoneRecord, trail: tuple[str, ...] = ()) -> bool:
        """`trail` are the names on the way here."""
        if record.health_check in self.sick and record.health_check:
            return False
        if record.alias is not None and record.alias.evaluate:
            if record.alias.zone_id != self.zone.id:
                return record.alias.name not in self.down
            if record.alias.name in trail:
                self.circular = True
                return False
            below = self.group(record.alias.name, record.type) or []
            # Each is looked at, also behind a healthy one: a circle there counts too.
            found = [self.well(each, (*trail, record.alias.name)) for each in below if self._reachable(each)]
            return any(found)
        return True

    def picks(self, group: list[ZoneRecord]) -> list[tuple[ZoneRecord, ...]]:
        """Each selection that the policy permits."""
        group = [record for record in group if self._reachable(record)]
        well = [record for record in group if self.well(record)]
        policy = group[0].policy if group else ""
        if policy == "":
            return []
        if policy == "weighted":
            some, none = [r for r in group if r.weight], [r for r in group if not r.weight]
            for choice in ([r for r in some if r in well], [r for r in none if r in well], some, none):
                if choice:
                    return [(record,) for record in choice]
        if policy == "multivalue":
            return list(itertools.combinations(well or group, min(8, len(well or group))))
        if policy == "failover":
            by_role = {record.failover: record for record in group}
            first, second = by_role.get("PRIMARY"), by_role.get("SECONDARY")
            return [((second if first is None or (first not in well and second in well) else first),)]
        best = min(well or group, key=self._rank)
        return [(best,)]

    def _reachable(self, record: ZoneRecord) -> bool:
        return record.policy != "geolocation" or self._geo(record) < 9

    def _geo(self, record: ZoneRecord) -> int:
        place = self.asker
        levels = [
            bool(record.subdivision) and f"{record.country}-{record.subdivision}" == f"{place.country}-{place.subdivision}",
            not record.subdivision and record.country == place.country,
            bool(record.continent) and record.continent == place.continent,
            record.country == "*",
        ]
        return levels.index(True) if True in levels else 9

    def _rank(self, record: ZoneRecord) -> float:
        if record.policy == "geolocation":
            return self._geo(record)
        if record.policy == "latency":
            return self._far(point_of_region(record.region))
        if record.policy == "geoproximity" and record.proximity is not None:
            at = record.proximity
            far = self._far(point_of_region(at.region) if at.region else (at.latitude, at.longitude))
            return far * (100 - at.bias) / 100 if at.bias >= 0 else far * 100 / (100 + at.bias)
        return 0

    def _far(self, point: tuple[float, float]) -> float:
        """By the angle between two vectors, not by haversines."""

        def vector(latitude: float, longitude: float) -> tuple[float, float, float]:
            up, east = math.radians(latitude), math.radians(longitude)
            return math.cos(up) * math.cos(east), math.cos(up) * math.sin(east), math.sin(up)

        here, there = vector(self.asker.latitude, self.asker.longitude), vector(*point)
        cross = math.dist((0, 0, 0), (
            here[1] * there[2] - here[2] * there[1],
            here[2] * there[0] - here[0] * there[2],
            here[0] * there[1] - here[1] * there[0],
        ))  # fmt: skip
        return 6371.0 * math.atan2(cross, sum(a * b for a, b in zip(here, there, strict=True)))


def healthy_by(sick: frozenset[str]) -> Callable[[str], bool]:
    return lambda check: check not in sick
