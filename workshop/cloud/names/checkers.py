"""Route 53's health checkers: each begins at a moment of its own and sends its next request one interval after a response.

In: a check's state, a way to send one request, faults. Out: what each checker remembers, and its opinion. No checker knows of
another (docs/aws-behaviours.md, section 6.3).
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import ipaddress
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workshop.cloud.fault_registry import FaultRegistry
from workshop.cloud.names.checks import CheckConfig
from workshop.cloud.names.probing import UNREACHED, CheckTarget, ProbeResult
from workshop.cloud.regions import CHECKER_RANGES, CHECKER_REGIONS
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.timing import Timing

__all__ = ["CheckState", "Checker", "CheckerResult", "Rounds", "every_checker", "restored", "three_checkers"]

SPREAD = ("us-east-1", "eu-west-1", "ap-southeast-1", "us-west-2", "ap-northeast-1", "sa-east-1", "us-west-1", "ap-southeast-2")
"""The regions of checkers, those that are far from each other first."""
SHARE = 0.18
"""A check is healthy while more than this share of its checkers call its endpoint healthy."""
SHORTEST = 0.05
"""Seconds between two requests of a checker at least, whatever the scale."""


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


logger = logging.getLogger("workshop.cloud")


@dataclass
class CheckState:
    """What is remembered of one check. `round` counts how often its checkers were put together: what was planned for an earlier
    round is void. `disturbed` is the number of an interval, and whether all requests within it fail; `alarm_healthy` the last
    state of its alarm that CloudWatch had data for; `times` are the last requests whose time is measured."""

    config: CheckConfig
    profile: str = ""
    round: int = 0
    checkers: list[Checker] = field(default_factory=list)
    disturbed: tuple[int, bool] = (-1, False)
    alarm_healthy: bool = True
    times: list[ProbeResult] = field(default_factory=list)

    @property
    def percentage(self) -> float:
        """How many of the checkers call the endpoint healthy, in percent; without checkers, as for a new check, all of them."""
        healthy = [checker.healthy for checker in self.checkers]
        return 100.0 * sum(healthy) / len(healthy) if healthy else 100.0

    @property
    def opinion(self) -> bool:
        """Whether enough checkers call the endpoint healthy."""
        return self.percentage > 100 * SHARE


class Rounds:
    """`heard` gets each result, and whether it changed something that a restart must not lose."""

    def __init__(
        self,
        scheduler: Scheduler,
        timing: Timing,
        probe: Callable[[CheckTarget], Awaitable[ProbeResult]],
        faults: FaultRegistry,
        chance: random.Random,
        heard: Callable[[CheckState, ProbeResult, bool], None],
    ) -> None:
        self._scheduler, self._timing, self._probe = scheduler, timing, probe
        self._faults, self._chance, self._on_result = faults, chance, heard
        self._requests: set[asyncio.Task[None]] = set()

    def begin(self, state: CheckState) -> None:
        """Place the checkers of a check anew, as many as the profile in force has; what was planned for them before is void.
        Those that join share the opinion of the others, so that none is outvoted by checkers that have seen nothing."""
        wanted = every_checker if self._timing.profile == "realistic" else three_checkers
        known, opinion = {(checker.region, checker.number): checker for checker in state.checkers}, state.opinion
        state.checkers = [known.get(each) or Checker(*each, opinion) for each in wanted(state.config.regions)]
        state.round, state.profile = state.round + 1, self._timing.profile
        for checker in state.checkers:
            self.later(state.config.interval * self._chance.random(), functools.partial(self._due, state, state.round, checker))

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Run `action` after so many seconds on the clock of names."""
        self._scheduler.at(self._scheduler.now() + self._seconds(seconds), action)

    def _due(self, state: CheckState, planned: int, checker: Checker) -> None:
        """A checker's next request."""
        if state.round != planned:
            return
        if state.profile != self._timing.profile:
            self.begin(state)
        elif state.config.disabled:
            self._again(state, planned, checker)
        elif self._is_struck(state, checker):
            self._heard(state, planned, checker, UNREACHED)
        else:
            request = self._request(state, planned, checker)
            task = asyncio.get_running_loop().create_task(request, context=contextvars.Context())
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)

    async def _request(self, state: CheckState, planned: int, checker: Checker) -> None:
        try:
            result = await self._probe(CheckTarget(state.config, checker.region, checker.ip))
        except Exception:  # a checker goes on, whatever its request ran into
            logger.exception("A request of the health check %s failed.", state.config.id)
            result = UNREACHED
        self._heard(state, planned, checker, result)

    def _heard(self, state: CheckState, planned: int, checker: Checker, result: ProbeResult) -> None:
        if state.round == planned:
            outcome = CheckerResult(result.text, self._scheduler.now())
            self._on_result(state, result, checker.heard(result.ok, outcome, state.config.threshold))
            self._again(state, planned, checker)

    def _again(self, state: CheckState, planned: int, checker: Checker) -> None:
        """The interval runs from the response to the next request."""
        self.later(state.config.interval, functools.partial(self._due, state, planned, checker))

    def _is_struck(self, state: CheckState, checker: Checker) -> bool:
        """Whether a fault makes this request fail: the checker reaches nothing, or all requests of this interval fail."""
        check, current = state.config.id, int(self._scheduler.now() / self._seconds(state.config.interval))
        if state.disturbed[0] != current:
            state.disturbed = (current, self._faults.disturbs_check(check))
        return state.disturbed[1] or self._faults.blinds_checker(check, checker.region, state.checkers.index(checker))

    def _seconds(self, seconds: float) -> float:
        return max(SHORTEST, self._timing.names_seconds(seconds))
