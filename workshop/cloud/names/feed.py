"""What pages and people see of names: zones, groups of records with health and share, health checks, kept answers, the name
server.

In: the parts that know these. Out: one JSON document, version 1, to which members are only added. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Protocol

from workshop.cloud.names.check_state import CheckerOpinion
from workshop.cloud.names.checks import CheckConfig
from workshop.cloud.names.clock import interval
from workshop.cloud.names.lookup import Lookup
from workshop.cloud.names.loopback import SHARED, RegionAddresses
from workshop.cloud.names.places import DEFAULT
from workshop.cloud.names.records import Zone, ZoneRecord
from workshop.cloud.names.resolver import Resolver
from workshop.cloud.timing import Timing

__all__ = ["HealthSource", "NamesFeed"]

VERSION = 1
PLAIN = ("SOA", "NS")


class HealthSource(Protocol):
    """What is shown of health checks."""

    def healthy(self, check_id: str) -> bool: ...
    def percentage(self, check_id: str) -> float: ...
    def opinions(self, check_id: str) -> Sequence[CheckerOpinion]: ...


class NamesFeed:
    """`configs` are the health checks as they are now, `server` returns the port of the name server and how many queries it
    answered."""

    def __init__(
        self,
        lookup: Lookup,
        resolver: Resolver,
        health: HealthSource,
        configs: Callable[[], Mapping[str, CheckConfig]],
        timing: Timing,
        server: Callable[[], tuple[int, int]],
    ) -> None:
        self._lookup, self._resolver, self._health, self._configs = lookup, resolver, health, configs
        self._timing, self._server = timing, server

    def document(self) -> dict[str, Any]:
        port, queries = self._server()
        return {
            "version": VERSION,
            "dns": {"host": SHARED, "port": port, "queries": queries},
            "addresses": self._addresses.document(),
            "clock": interval(self._timing, 1),
            "zones": [self._zone(zone) for zone in self._lookup.zones() if not zone.private],
            "checks": [self._check(config) for config in self._configs().values()],
            "cache": self._resolver.document(),
        }

    @property
    def _addresses(self) -> RegionAddresses:
        return self._lookup.endpoints.addresses

    def _check(self, config: CheckConfig) -> dict[str, Any]:
        return {
            "id": config.id,
            "account": config.account,
            "type": config.type,
            "host": config.host or config.ip,
            "path": config.path,
            "interval": config.interval,
            "threshold": config.threshold,
            "inverted": config.inverted,
            "disabled": config.disabled,
            "healthy": self._health.healthy(config.id),
            "percentage": round(self._health.percentage(config.id), 1),
            "checkers": [asdict(opinion) for opinion in self._health.opinions(config.id)],
        }

    def _zone(self, zone: Zone) -> dict[str, Any]:
        def key(record: ZoneRecord) -> tuple[str, str]:
            return record.name, record.type

        return {
            "id": zone.id,
            "name": zone.name,
            "account": zone.account,
            "groups": [
                self._group(zone, name, kind, list(records))
                for (name, kind), records in groupby(sorted(zone.records, key=key), key)
                if kind not in PLAIN
            ],
        }

    def _group(self, zone: Zone, name: str, kind: str, records: list[ZoneRecord]) -> dict[str, Any]:
        """`share` is what the policy promises an asker in the cloud's first region at this moment, as a part of 1."""
        shares = self._shares(zone, name, kind, records)
        return {
            "name": name,
            "type": kind,
            "policy": records[0].policy,
            "records": [
                {
                    "id": record.set_id,
                    "values": list(record.values) if record.alias is None else [record.alias.name],
                    "alias": record.alias is not None,
                    "ttl": record.ttl,
                    "weight": record.weight,
                    "failover": record.failover,
                    "place": record.subdivision or record.country or record.continent or record.region,
                    "region": self._region(record),
                    "health_check": record.health_check,
                    "healthy": self._lookup.is_healthy(zone, record),
                    "share": share,
                }
                for record, share in zip(records, shares, strict=True)
            ],
        }

    def _region(self, record: ZoneRecord) -> str:
        """The region to which a record leads at once."""
        target = record.alias.name if record.alias is not None else next(iter(record.values), "").lower().rstrip(".")
        return self._lookup.endpoints.region(target) or self._addresses.region_at(target)

    def _shares(self, zone: Zone, name: str, kind: str, records: list[ZoneRecord]) -> Iterable[float]:
        usable = [record for record in records if self._lookup.is_healthy(zone, record)] or records
        if records[0].policy == "weighted":
            total = sum(record.weight or 0 for record in usable)
            return [
                ((record.weight or 0) / total if total else 1 / len(usable)) if record in usable else 0.0 for record in records
            ]
        if records[0].policy == "multivalue":
            return [1 / len(usable) if record in usable else 0.0 for record in records]
        chosen = self._lookup.choose(zone, name, kind, DEFAULT).chain[:1]
        return [1.0 if record in chosen else 0.0 for record in records]
