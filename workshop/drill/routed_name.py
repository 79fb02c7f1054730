"""The name that a drill calls: where its answers lead, how it is reached there, and how long a failover through it may take.

In: the name's records and checks, its name servers, the regions' APIs. Out: answers as regions, and the bound before the drill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from workshop.aws.dns import Answer, DnsError
from workshop.aws.resources.health_checks import HealthCheck
from workshop.durations import format_duration
from workshop.steps.route53.proof import Proof
from workshop.steps.route53.sampling import region_of

__all__ = ["Bound", "Door", "Led", "NameServers", "RoutedName"]

CONNECT_AND_ANSWER = 6.0
"""Seconds in which a checker gives up: 4 to connect, 2 until the status (docs/aws-behaviours.md, section 6.3)."""


class NameServers(Protocol):
    """What is asked: the name servers of the zone."""

    async def query(self, name: str, kind: str = "A", source: str | None = None, *, timeout: float = 3.0) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Door:
    """How a region is reached that DNS named: an address that ends in a slash, and the name to ask for there (empty: its own)."""

    url: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Led:
    """Where an answer leads; `region` is empty where it leads nowhere, and `why` is the reason. `ttl` in seconds that pass."""

    region: str
    ttl: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """The longest time from the first failure until the last client is led away, in seconds that pass here.

    A checker may have looked just before the failure, and enough of them have to agree: the slowest decides. `publication` is
    what Route 53 takes to bring a status to its name servers.
    """

    interval: float
    threshold: int
    ttl: float
    publication: float = 0.0

    @property
    def seconds(self) -> float:
        return self.interval * self.threshold + self.interval + CONNECT_AND_ANSWER + self.publication + self.ttl

    @property
    def words(self) -> str:
        """The sum, term by term."""
        parts = [f"{self.interval:g} s x {self.threshold} + {self.interval:g} s until the check turns"] if self.interval else []
        parts += [f"{CONNECT_AND_ANSWER:g} s for a request that hangs"]
        parts += [f"{self.publication:g} s until every name server knows"] if self.publication else []
        return f"{format_duration(self.seconds)}: {', '.join(parts)}, {self.ttl:g} s for which answers are kept"


@dataclass(frozen=True)
class RoutedName:
    """`by_answer` and `doors` are by what DNS answers and by region; `checks` are the health checks of the records by region.

    `ttl` is that of the records, `clock` the seconds that pass here for one second of a TTL or an interval: 1 on AWS.
    """

    name: str
    policy: str
    kind: str
    servers: NameServers
    by_answer: Mapping[str, str]
    doors: Mapping[str, Door]
    checks: Mapping[str, HealthCheck]
    ttl: int
    ttl_here: float
    proof: Proof
    clock: float = 1.0
    publication: float = 0.0

    async def led(self) -> Led:
        """Ask the name servers once; never raises for what a name server does."""
        try:
            answer = await self.servers.query(self.name, self.kind)
        except DnsError as error:
            return Led("", why=f"DNS: {error.what}")
        region = region_of(answer, self.by_answer)
        if region not in self.doors:
            return Led("", float(answer.ttl), f"DNS: {region}")
        return Led(region, float(answer.ttl))

    def bound(self, region: str, *, by_checkers: bool) -> Bound:
        """How long it may take to leave a region; `by_checkers`: they have to notice first."""
        check = self.checks[region]
        interval = float(check.config.get("RequestInterval", 30)) * self.clock if by_checkers else 0.0
        return Bound(interval, int(check.config.get("FailureThreshold", 3)), self.ttl_here, self.publication)
