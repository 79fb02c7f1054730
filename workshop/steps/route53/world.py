"""What the proof of the wiring looks at, frozen: records, health checks, custom domains and APIs; and where a request ends up.

In: values that were read before. Out: for a host the endpoint of one region that it leads to, or why there is none. Pure
(docs/aws-behaviours.md, sections 6.8, 6.9 and 6.11).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workshop.aws.resources.custom_domains import CustomDomain
from workshop.aws.resources.health_checks import HealthCheck
from workshop.aws.resources.route53 import RecordSet

__all__ = ["Api", "Destination", "Endpoint", "Lost", "World", "named_region"]

_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
_API = re.compile(rf"(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>{_REGION})\.(?:amazonaws\.com(?:\.cn)?|localhost)")
_TARGET = re.compile(rf"d-[a-z0-9]+\.execute-api\.(?P<region>{_REGION})\.(?:amazonaws\.com(?:\.cn)?|localhost)")
_NAMED = re.compile(rf".*:(?P<region>{_REGION})")
MOST_STEPS = 5
"""How many records are followed from one name."""
ADDRESSED = frozenset({"A", "AAAA", "CNAME"})


class Lost(enum.Enum):
    """Why a host leads to no endpoint of one region."""

    ROUTED = "routed"
    """It is a name with a routing policy, so that it leads to any region."""
    UNKNOWN = "unknown"
    """Nothing is known of it here."""
    NO_DOMAIN = "no domain"
    """The region has no custom domain of the name that is asked for."""
    NO_MAPPING = "no mapping"
    """The custom domain of the region maps no API."""
    TARGET_ITSELF = "target itself"
    """It is the regional name of a custom domain, which API Gateway serves under the domain's own name alone."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One API of one region. `stage` is empty where the path decides; `route` is the path behind the stage, empty if unknown."""

    region: str
    api: str = ""
    stage: str = ""
    route: str = ""

    def __str__(self) -> str:
        return f"{self.region} ({self.api}/{self.stage})" if self.stage else f"{self.region} ({self.api})"

    def is_same(self, other: Endpoint) -> bool:
        """Whether both are one API and stage; a stage that is not known equals any."""
        return (self.region, self.api) == (other.region, other.api) and (
            not self.stage or not other.stage or self.stage == other.stage
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a host leads: `endpoints` has one for each mapping of a custom domain, the one without a base path first. `region` is
    known also of a host that is lost."""

    endpoints: tuple[Endpoint, ...] = ()
    lost: Lost | None = None
    region: str = ""


@dataclass(frozen=True, slots=True)
class Api:
    """What a REST API has: its stages, and the paths whose GET has an integration."""

    stages: frozenset[str]
    routes: frozenset[str]

    def serves(self, path: str) -> bool:
        """Whether a GET of the path reaches an integration."""
        return any(_fits(route, path) for route in self.routes)


@dataclass(frozen=True)
class World:
    """One zone and what its records may lead to. `apis` lacks those that could not be read; `checks` are those of the account."""

    regions: tuple[str, ...]
    records: tuple[RecordSet, ...]
    checks: Mapping[str, HealthCheck] = field(default_factory=dict)
    domains: tuple[CustomDomain, ...] = ()
    apis: Mapping[tuple[str, str], Api] = field(default_factory=dict)
    gone: frozenset[tuple[str, str]] = frozenset()
    """Region and id of the APIs that are named and do not exist."""

    def is_gone(self, endpoint: Endpoint) -> bool:
        """Whether the API of an endpoint is known not to exist."""
        return (endpoint.region, endpoint.api) in self.gone

    def group(self, name: str) -> list[RecordSet]:
        """The records of a name that lead somewhere."""
        return [record for record in self.records if record.name == name and record.type in ADDRESSED]

    def destination(self, host: str, asked: str) -> Destination:
        """Where a client gets that asks for `asked` at `host`, the target of a record."""
        found = self._followed(host)
        if isinstance(found, Destination):
            return found
        endpoint, region = found
        if endpoint is not None:
            return Destination((endpoint,), None, region)
        return self._mapped(asked, region)

    def asked(self, host: str, path: str) -> Destination:
        """Where a request for `path` gets that asks `host` under its own name, as a health checker does."""
        if _TARGET.fullmatch(host) or any(domain.target == host for domain in self.domains):
            return Destination((), Lost.TARGET_ITSELF, self._target_region(host))
        found = self._followed(host)
        if isinstance(found, Destination):
            return found
        endpoint, region = found
        if endpoint is not None:
            stage, _, rest = path.partition("?")[0].lstrip("/").partition("/")
            return Destination((replace(endpoint, stage=stage, route=f"/{rest}"),), None, region)
        return self._mapped(host, region, path)

    def is_api(self, host: str) -> bool:
        """Whether a host is an API's own, as against the regional name of a custom domain."""
        return _API.fullmatch(host) is not None

    def end_of(self, host: str) -> str:
        """The last name that the plain records of the zone lead to from a host."""
        name = host
        for _ in range(MOST_STEPS):
            group = self.group(name)
            if len(group) != 1 or group[0].set_identifier or not group[0].target:
                break
            name = group[0].target
        return name

    def _followed(self, host: str) -> tuple[Endpoint | None, str] | Destination:
        """The API that a host names, or None with the region of a custom domain; `Destination` when it leads to neither."""
        name = host
        for _ in range(MOST_STEPS):
            if found := _API.fullmatch(name):
                return Endpoint(found["region"], found["api"]), found["region"]
            if region := self._target_region(name):
                return None, region
            group = self.group(name)
            if len(group) > 1 or any(record.set_identifier for record in group):
                return Destination((), Lost.ROUTED)
            if not group or not group[0].target:
                return Destination((), Lost.UNKNOWN)
            name = group[0].target
        return Destination((), Lost.UNKNOWN)

    def _target_region(self, host: str) -> str:
        """The region of the regional name of a custom domain, which shows in the name itself; empty for other names."""
        known = next((domain.region for domain in self.domains if domain.target == host), "")
        found = _TARGET.fullmatch(host)
        return known or (found["region"] if found else "")

    def _mapped(self, name: str, region: str, path: str | None = None) -> Destination:
        domain = next((each for each in self.domains if (each.region, each.name) == (region, name)), None)
        if domain is None:
            return Destination((), Lost.NO_DOMAIN, region)
        fitting = sorted((m for m in domain.mappings if path is None or _below(m.base, path)), key=lambda m: len(m.base))
        if path is not None:
            fitting = fitting[-1:]  # the longest base path wins
        if not fitting:
            return Destination((), Lost.NO_MAPPING, region)
        return Destination(tuple(_through(each.api, each.stage, each.base, region, path) for each in fitting), None, region)


def named_region(set_identifier: str) -> str:
    """The region in a SetIdentifier of ours (`WORKSHOP:REGION`); empty for others."""
    found = _NAMED.fullmatch(set_identifier)
    return found["region"] if found else ""


def _through(api: str, stage: str, base: str, region: str, path: str | None) -> Endpoint:
    if path is None:
        return Endpoint(region, api, stage)
    rest = path.partition("?")[0].lstrip("/").removeprefix(base).lstrip("/")
    if not stage:
        stage, _, rest = rest.partition("/")
    return Endpoint(region, api, stage, f"/{rest}")


def _below(base: str, path: str) -> bool:
    plain = path.partition("?")[0].lstrip("/")
    return not base or plain == base or plain.startswith(f"{base}/")


def _fits(route: str, path: str) -> bool:
    """Whether a resource's path covers a request's: `{name}` is one part, `{name+}` all that follow."""
    wanted, given = _parts(route), _parts(path)
    for number, part in enumerate(wanted):
        if part.endswith("+}"):
            return len(given) > number
        if number >= len(given) or not (part == given[number] or part.startswith("{")):
            return False
    return len(wanted) == len(given)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
