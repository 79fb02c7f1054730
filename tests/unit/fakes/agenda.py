"""What is due when: the fakes' own timers, run before each call looks at their state."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from tests.unit.fakes.virtual_time import VirtualClock

__all__ = ["Agenda"]


class Agenda:
    """Changes that happen by themselves after some seconds."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, change: Callable[[], None]) -> None:
        """Let `change` happen in `seconds`."""
        heapq.heappush(self._due, (self._clock.monotonic() + seconds, next(self._numbers), change))

    def catch_up(self) -> None:
        """Let everything happen that is due by now, in order."""
        while self._due and self._due[0][0] <= self._clock.monotonic():
            heapq.heappop(self._due)[2]()
