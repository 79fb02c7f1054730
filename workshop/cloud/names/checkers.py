"""Route 53's health checkers: where they are, and what each remembers of the requests that it sent.

In: the result of one request after another. Out: each checker's own opinion (docs/aws-behaviours.md, section 6.3). It sends
nothing and knows no time of its own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["CHECKER_RANGES", "CHECKER_REGIONS", "Checker", "CheckerResult", "every_checker", "restored", "three_checkers"]

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
"""The address ranges of the checkers of each region: two checkers, one in each range."""
CHECKER_REGIONS = tuple(CHECKER_RANGES)
SPREAD = ("us-east-1", "eu-west-1", "ap-southeast-1", "us-west-2", "ap-northeast-1", "sa-east-1", "us-west-1", "ap-southeast-2")
"""The same regions, those that are far from each other first."""


class CheckerResult(NamedTuple):
    """What one request of a checker ended with; `time` is in seconds since the epoch."""

    text: str
    time: float


@dataclass
class Checker:
    """One checker of one check: `number` counts those of its region."""

    region: str
    number: int
    healthy: bool = True
    streak: int = 0
    last: CheckerResult | None = None
    last_failure: CheckerResult | None = None

    @property
    def ip(self) -> str:
        """An address of its region's ranges."""
        return str(ipaddress.ip_network(CHECKER_RANGES[self.region][self.number % 2])[10])

    def heard(self, ok: bool, outcome: CheckerResult, threshold: int) -> bool:
        """Take a result in: so many equal ones in a row change its opinion. Returns whether anything changed that a restart must
        not lose."""
        self.last = outcome
        if not ok:
            self.last_failure = outcome
        before = self.healthy, self.streak
        self.streak = self.streak + 1 if ok != self.healthy else 0
        if self.streak >= threshold:
            self.healthy, self.streak = ok, 0
        return before != (self.healthy, self.streak)


def restored(saved: dict[str, Any]) -> Checker:
    """The checker whose `asdict` was saved."""
    results = {name: CheckerResult(*saved[name]) if saved[name] else None for name in ("last", "last_failure")}
    return Checker(**{**saved, **results})


def every_checker(regions: Sequence[str]) -> list[tuple[str, int]]:
    """Region and number of each checker that AWS gives a check: two in each region that it names, in all when it names none."""
    return [(region, number) for region in dict.fromkeys(regions or CHECKER_REGIONS) for number in range(2)]


def three_checkers(regions: Sequence[str]) -> list[tuple[str, int]]:
    """Three of them, as far from each other as its regions allow: what a laptop bears at a tenth of the intervals."""
    return sorted(every_checker(regions), key=lambda each: (each[1], SPREAD.index(each[0])))[:3]
