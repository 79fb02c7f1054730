"""A small world of two regions with one API each, wired right, and the changes that a test makes to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workshop.aws.resources.custom_domains import CustomDomain
from workshop.aws.resources.custom_domains import Mapping as BasePath
from workshop.aws.resources.health_checks import HealthCheck
from workshop.aws.resources.route53 import RecordSet
from workshop.steps.route53.proof import Fixes
from workshop.steps.route53.world import Api, World

WEST, EAST, NORTH = "us-west-2", "us-east-1", "eu-north-1"
APIS = {WEST: "aaaa111111", EAST: "bbbb222222", NORTH: "cccc333333"}
NAME = "api.films.example.com"
FIXES = Fixes("workshop step run records", "workshop setup")
ROUTES = Api(frozenset({"prod"}), frozenset({"/", "/health", "/{id}"}))


def host(region: str) -> str:
    return f"{APIS[region]}.execute-api.{region}.amazonaws.com"


def target(region: str) -> str:
    return f"d-{APIS[region]}.execute-api.{region}.amazonaws.com"


def check(region: str, **changed: Any) -> HealthCheck:
    """The check of a region, id `check-REGION`; a setting that is None is left out."""
    config = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": host(region),
        "Port": 443,
        "ResourcePath": "/prod/health",
        "RequestInterval": 10,
        "FailureThreshold": 3,
        "EnableSNI": True,
        "Inverted": False,
        "Disabled": False,
        **changed,
    }
    return HealthCheck(
        f"check-{region}", f"ref-{region}", 1, {name: value for name, value in config.items() if value is not None}
    )


def record(region: str, **changed: Any) -> RecordSet:
    """The weighted record of a region; a member that is None is left out."""
    raw = {
        "Name": f"{NAME}.",
        "Type": "CNAME",
        "SetIdentifier": f"films:{region}",
        "Weight": 100,
        "TTL": 60,
        "ResourceRecords": [{"Value": target(region)}],
        "HealthCheckId": f"check-{region}",
        **changed,
    }
    kept = {name: value for name, value in raw.items() if value is not None}
    return RecordSet(str(kept["Name"]).rstrip("."), str(kept["Type"]), kept)


def straight(*regions: str) -> World:
    """Each region's record points at the custom domain there, and its check watches the API behind that."""
    where = regions or (WEST, EAST)
    return World(
        where,
        tuple(record(region) for region in where),
        {f"check-{region}": check(region) for region in where},
        tuple(
            CustomDomain(region, NAME, target(region), f"Z{region}", (BasePath("", APIS[region], "prod"),)) for region in where
        ),
        {(region, APIS[region]): ROUTES for region in where},
    )


def with_records(world: World, *records: RecordSet) -> World:
    """The same world with these records in place of those with their SetIdentifier."""
    ids = {each.set_identifier for each in records}
    return replace(world, records=(*records, *(each for each in world.records if each.set_identifier not in ids)))


def with_checks(world: World, *checks: HealthCheck) -> World:
    return replace(world, checks={**world.checks, **{each.id: each for each in checks}})


def crossed(world: World) -> World:
    """The talk's mistake: the two checks are exchanged."""
    return with_records(world, record(WEST, HealthCheckId=f"check-{EAST}"), record(EAST, HealthCheckId=f"check-{WEST}"))


def plain(name: str, to: str, type: str = "CNAME") -> RecordSet:
    raw: Mapping[str, Any] = {"Name": f"{name}.", "Type": type, "TTL": 60, "ResourceRecords": [{"Value": to}]}
    return RecordSet(name, type, raw)
