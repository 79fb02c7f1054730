"""Route 53's health checkers: where they are, what each remembers, and how many of them make a check unhealthy.

In: the result of one request after another. Out: each checker's own opinion, and whether enough of them call the endpoint
healthy (docs/aws-behaviours.md, section 6.3). It sends nothing and knows no time of its own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["CHECKER_RANGES", "CHECKER_REGIONS", "Checker", "CheckerResult", "enough", "every_checker", "three_checkers"]

CHECKER_RANGES = {
    "us-east-1": ("107.23.255.0/26", "54.243.31.192/26"),
    "us-west-1": ("54.183.255.128/26", "54.241.32.64/26"),
    "us-west-2": ("54.244.52.192/26", "54.245.168.0/26"),
    "eu-west-1": ("176.34.159.192/26", "54.228.16.0/26"),
    "ap-southeast-1": ("54.251.31.128/26", "54.255.254.192/26"),
    "ap-southeast-2": ("54.252.254.192/26", "54.252.79.128/26"),
    "ap-northeast-1": ("54.248.220.0/26", "54.250.253.192/26"),
    "sa-east-1": ("177.71.207.128/26", "54.232.40.64/26"),
}
"""The address ranges of the checkers of each region."""
CHECKER_REGIONS = tuple(CHECKER_RANGES)
SPREAD = ("us-east-1", "eu-west-1", "ap-southeast-1", "us-west-2", "ap-northeast-1", "sa-east-1", "us-west-1", "ap-southeast-2")
"""The same regions, those that are far from each other first."""
PER_REGION = 2
SHARE = 0.18
"""A check is healthy while more than this share of its checkers call its endpoint healthy."""


@dataclass(frozen=True, slots=True)
class CheckerResult:
    """What one request of a checker ended with; `time` is in seconds since the epoch."""

    text: str
    time: float


@dataclass
class Checker:
    """One checker of one check: `number` counts those of its region. It changes its opinion after so many equal results."""

    region: str
    number: int
    healthy: bool = True
    streak: int = 0
    last: CheckerResult | None = None
    last_failure: CheckerResult | None = None

    @property
    def ip(self) -> str:
        """An address of its region's ranges."""
        ranges = CHECKER_RANGES.get(self.region, ("192.0.2.0/26",))
        return str(ipaddress.ip_network(ranges[self.number % len(ranges)])[10])

    @property
    def checked(self) -> float:
        """When its last request ended, 0 before the first."""
        return self.last.time if self.last else 0.0

    @property
    def key(self) -> str:
        return f"{self.region}/{self.number}"

    def heard(self, ok: bool, outcome: CheckerResult, threshold: int) -> bool:
        """Take a result in; returns whether anything changed that a restart must not lose."""
        self.last = outcome
        if not ok:
            self.last_failure = outcome
        before = self.healthy, self.streak
        self.streak = self.streak + 1 if ok != self.healthy else 0
        if self.streak >= threshold:
            self.healthy, self.streak = ok, 0
        return before != (self.healthy, self.streak)

    def document(self) -> dict[str, Any]:
        """The saved form."""
        return {
            "healthy": self.healthy,
            "streak": self.streak,
            "last": _saved(self.last),
            "last_failure": _saved(self.last_failure),
        }

    def restore(self, document: dict[str, Any]) -> None:
        self.healthy, self.streak = bool(document["healthy"]), int(document["streak"])
        self.last, self.last_failure = _loaded(document["last"]), _loaded(document["last_failure"])


def every_checker(regions: Sequence[str]) -> list[tuple[str, int]]:
    """Region and number of each checker that AWS gives a check: two in each region that it names, in all when it names none."""
    return [(region, number) for region in _wanted(regions) for number in range(PER_REGION)]


def three_checkers(regions: Sequence[str]) -> list[tuple[str, int]]:
    """Three of them, as far from each other as its regions allow: what a laptop bears at a tenth of the intervals."""
    ordered = sorted(_wanted(regions), key=lambda region: SPREAD.index(region) if region in SPREAD else len(SPREAD))
    return [(region, number) for number in range(3) for region in ordered][:3]


def enough(checkers: Sequence[Checker]) -> bool:
    """Whether more than 18 percent of the checkers call the endpoint healthy."""
    return sum(checker.healthy for checker in checkers) > SHARE * len(checkers)


def _wanted(regions: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(regions)) or CHECKER_REGIONS


def _saved(outcome: CheckerResult | None) -> list[Any] | None:
    return None if outcome is None else [outcome.text, outcome.time]


def _loaded(saved: list[Any] | None) -> CheckerResult | None:
    return None if saved is None else CheckerResult(str(saved[0]), float(saved[1]))
