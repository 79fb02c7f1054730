"""Zones as values, and the lookup over them, for tests of DNS without a cloud."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Any

from workshop.cloud.hosts import Endpoints
from workshop.cloud.names.lookup import Lookup
from workshop.cloud.names.records import Alias, Zone, ZoneRecord

HOME, REPLICA = "us-west-2", "eu-west-1"
GATEWAY = "Z2FDTNDATAQYW2"
SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
SERVERS = ("ns-1.awsdns-1.com.", "ns-2.awsdns-2.net.")


def zone(name: str, *records: ZoneRecord, private: bool = False, number: int = 1) -> Zone:
    """A zone with the records that every zone has, and these."""
    own = (ZoneRecord(name, "SOA", 900, (SOA,)), ZoneRecord(name, "NS", 172_800, SERVERS))
    return Zone(f"Z{number}", name, "000000000000", private, (*own, *records))


def record(name: str, kind: str, *values: str, ttl: int = 60, **more: Any) -> ZoneRecord:
    return ZoneRecord(name, kind, ttl, values, **more)


def alias(name: str, target: str, **more: Any) -> ZoneRecord:
    return ZoneRecord(name, "A", 0, (), alias=Alias(GATEWAY, target, True), **more)


def endpoint(region: str, api: str = "0123abcd") -> str:
    return f"{api}.execute-api.{region}.localhost"


def target_region(name: str) -> str:
    """Of custom domains: every target exists."""
    return name.split(".")[2]


def lookup(
    *zones: Zone, sick: Collection[str] = (), down: Collection[str] = (), bound: Collection[str] = (HOME, REPLICA), seed: int = 1
) -> Lookup:
    """A lookup in which the health checks `sick` fail and the regions `down` have no API Gateway."""
    endpoints = Endpoints(bound, target_region, lambda label: label == "d111")
    return Lookup(
        lambda: zones,
        endpoints,
        lambda check: check not in sick,
        lambda target: endpoints.region(target.name) not in down,
        random.Random(seed),
    )
