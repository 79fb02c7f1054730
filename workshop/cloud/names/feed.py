"""What pages and people see of names: the feed, which is one JSON document, and the controls below `/_workshop/dns`.

In: the parts that know; the JSON objects of requests. Out: JSON objects, or `UsageError` for a question that is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype

from workshop.cloud.control import Action
from workshop.cloud.hosts import SHARED
from workshop.cloud.names.checks import CheckConfig
from workshop.cloud.names.front_door import Resolver
from workshop.cloud.names.health import HealthChecks
from workshop.cloud.names.lookup import Lookup
from workshop.cloud.names.places import DEFAULT, place_named
from workshop.cloud.names.records import Zone, ZoneRecord, plain_name
from workshop.cloud.timing import Timing
from workshop.errors import UsageError

__all__ = ["NamesFeed"]

MEMBERS = ("name", "type", "from", "client")
SHOWN = ("id", "account", "type", "path", "interval", "threshold", "inverted", "disabled")
"""Settings of a health check that the feed repeats. Members are only added to it: pages of older versions read it too."""


class NamesFeed:
    """`server` returns the port of the name server and how many queries it answered."""

    def __init__(
        self, lookup: Lookup, resolver: Resolver, health: HealthChecks, timing: Timing, server: Callable[[], tuple[int, int]]
    ) -> None:
        self._lookup, self._resolver, self._health, self._timing, self._server = lookup, resolver, health, timing, server

    def actions(self) -> Mapping[tuple[str, str], Action]:
        """The controls, by method and path."""
        return {
            ("GET", "/_workshop/dns"): self._show,
            ("POST", "/_workshop/dns/ask"): self._ask,
            ("DELETE", "/_workshop/dns/cache"): self._flush,
        }

    def document(self) -> dict[str, Any]:
        """The feed: zones, groups of records with health and share, health checks, kept answers, the name server."""
        port, queries = self._server()
        return {
            "version": 1,
            "dns": {"host": SHARED, "port": port, "queries": queries},
            "addresses": dict(self._lookup.endpoints.addresses),
            "clock": self._timing.names_seconds(1),
            "zones": [self._zone(zone) for zone in self._lookup.zones() if not zone.private],
            "checks": [self._check(config) for config in self._health.configs().values()],
            "cache": self._resolver.document(),
        }

    async def _show(self, _: dict[str, Any]) -> dict[str, Any]:
        return self.document()

    async def _flush(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"flushed": self._resolver.flush()}

    async def _ask(self, content: dict[str, Any]) -> dict[str, Any]:
        """A question without a client is asked of the zones; a client gets what its own cache says."""
        for member, value in content.items():
            if member not in MEMBERS or not isinstance(value, str):
                raise _wrong(
                    f"A question has no member {member!r} with the value {value!r}.", f"It has the texts {', '.join(MEMBERS)}"
                )
        text, kind, where, client = (content.get(member, "") for member in MEMBERS)
        try:
            name = plain_name(dns.name.from_text(text).to_text())
        except (dns.exception.DNSException, UnicodeError) as error:
            raise _wrong(f"{text!r} is no DNS name.", f"{error}.") from error
        try:
            kind = dns.rdatatype.to_text(dns.rdatatype.from_text(kind or "A"))
        except (dns.exception.DNSException, ValueError) as error:
            raise _wrong(f"{kind!r} is no record type.", "For example: A, CNAME, TXT.") from error
        place = place_named(where) if where else DEFAULT
        if place is None:
            raise _wrong(f"{where!r} is no place.", "A country (SG), a state of the USA (US-OR) or a region (eu-west-1) is one.")
        answer = self._resolver.resolve(name, kind, client, place) if client else self._resolver.ask(name, kind, place)
        return {"name": name, "type": kind, **asdict(answer)}

    def _check(self, config: CheckConfig) -> dict[str, Any]:
        return {
            **{name: getattr(config, name) for name in SHOWN},
            "host": config.host or config.ip,
            "healthy": self._health.healthy(config.id),
            "percentage": round(self._health.percentage(config.id), 1),
            "checkers": [asdict(opinion) for opinion in self._health.opinions(config.id)],
        }

    def _zone(self, zone: Zone) -> dict[str, Any]:
        def key(record: ZoneRecord) -> tuple[str, str]:
            return record.name, record.type

        groups = [
            self._group(zone, *named, list(records))
            for named, records in groupby(sorted(zone.records, key=key), key)
            if named[1] not in ("SOA", "NS")
        ]
        return {"id": zone.id, "name": zone.name, "account": zone.account, "groups": groups}

    def _group(self, zone: Zone, name: str, kind: str, records: list[ZoneRecord]) -> dict[str, Any]:
        """`share` is what the policy promises an asker in the cloud's first region at this moment, as a part of 1."""
        shares = self._shares(zone, name, kind, records)
        shown = [
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
        ]
        return {"name": name, "type": kind, "policy": records[0].policy, "records": shown}

    def _region(self, record: ZoneRecord) -> str:
        """The region to which a record leads at once."""
        target = record.alias.name if record.alias is not None else next(iter(record.values), "").lower().rstrip(".")
        return self._lookup.endpoints.region(target) or self._lookup.endpoints.region_at(target)

    def _shares(self, zone: Zone, name: str, kind: str, records: list[ZoneRecord]) -> list[float]:
        usable = [record for record in records if self._lookup.is_healthy(zone, record)] or records
        match records[0].policy:
            case "weighted":
                weights = [(record.weight or 0) if record in usable else 0 for record in records]
            case "multivalue":
                weights = []
            case _:
                usable, weights = list(self._lookup.choose(zone, name, kind, DEFAULT).chain[:1]), []
        weights = weights if any(weights) else [int(record in usable) for record in records]
        return [weight / sum(weights) if any(weights) else 0.0 for weight in weights]


def _wrong(what: str, why: str) -> UsageError:
    fix = (
        """For example: curl -X POST http://127.0.0.1:PORT/_workshop/dns/ask -d '{"name": "api.rydes.localhost", "from": "SG"}'"""
    )
    return UsageError(what=what, why=why, fix=fix, code="DnsQuestion")
