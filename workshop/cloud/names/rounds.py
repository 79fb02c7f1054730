"""The rhythm of health checkers: each begins at a moment of its own and sends its next request one interval after a response.

In: a check's state, a way to send one request, faults. Out: the state's checkers, told of every result. No checker knows of
another (docs/aws-behaviours.md, section 6.3).
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

from workshop.cloud.names.check_state import CheckState
from workshop.cloud.names.checkers import Checker, CheckerResult, every_checker, three_checkers
from workshop.cloud.names.clock import interval
from workshop.cloud.names.probing import UNREACHED, CheckTarget, ProbeResult
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.timing import Timing

__all__ = ["CheckerFaults", "Rounds"]

logger = logging.getLogger("workshop.cloud")

SHORTEST = 0.05
"""Seconds between two requests of a checker at least, whatever the scale."""


class CheckerFaults(Protocol):
    """What can go wrong with checkers: some reach nothing, or an endpoint fails all of them now and then."""

    def blinds_checker(self, check: str, region: str, number: int) -> bool: ...
    def disturbs_check(self, check: str) -> bool: ...


class Rounds:
    """`heard` gets each result, and whether it changed something that a restart must not lose."""

    def __init__(
        self,
        scheduler: Scheduler,
        timing: Timing,
        probe: Callable[[CheckTarget], Awaitable[ProbeResult]],
        faults: CheckerFaults,
        chance: random.Random,
        heard: Callable[[CheckState, ProbeResult, bool], None],
    ) -> None:
        self._scheduler, self._timing, self._probe = scheduler, timing, probe
        self._faults, self._chance, self._on_result = faults, chance, heard
        self._requests: set[asyncio.Task[None]] = set()

    def begin(self, state: CheckState) -> None:
        """Place the checkers of a check anew, as many as the profile in force has. What was planned for them before is void."""
        wanted = every_checker if self._timing.profile == "realistic" else three_checkers
        state.place(wanted(state.config.regions))
        state.profile = self._timing.profile
        for checker in state.checkers.values():
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
        if state.round != planned:
            return
        outcome = CheckerResult(result.text, self._scheduler.now())
        self._on_result(state, result, checker.heard(result.ok, outcome, state.config.threshold))
        self._again(state, planned, checker)

    def _again(self, state: CheckState, planned: int, checker: Checker) -> None:
        """The interval runs from the response to the next request."""
        self.later(state.config.interval, functools.partial(self._due, state, planned, checker))

    def _is_struck(self, state: CheckState, checker: Checker) -> bool:
        """Whether a fault makes this request fail: the checker reaches nothing, or all requests of this interval fail."""
        config = state.config
        current = int(self._scheduler.now() / self._seconds(config.interval))
        if state.disturbed[0] != current:
            state.disturbed = (current, self._faults.disturbs_check(config.id))
        return state.disturbed[1] or self._faults.blinds_checker(
            config.id, checker.region, list(state.checkers).index(checker.key)
        )

    def _seconds(self, seconds: float) -> float:
        return max(SHORTEST, interval(self._timing, seconds))
