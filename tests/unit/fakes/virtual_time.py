"""An event loop whose clock jumps: what waits for an hour is done at once, in the right order.

The loop never sleeps. When nothing is ready it moves its own time to the next timer. Sockets that are being waited for
are given real time first, so that a server on loopback can answer in the middle of virtual hours.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

__all__ = ["START", "VirtualClock", "VirtualLoop", "run"]

T = TypeVar("T")
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
"""What `VirtualClock.now` says at the loop's second 0."""
A_MONTH = 30 * 24 * 3600.0
MOST_LEAPS = 100_000
REAL_PATIENCE = 20.0


class _LeapingSelector(selectors.DefaultSelector):
    """Polls its files, then leaps over the time that it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self._leaps = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0) and (timeout is None or self._waits_for_sockets()):
            ready = super().select(REAL_PATIENCE)
            assert ready or timeout is not None, "everything waits, and nothing will ever happen"
        if not ready and timeout:
            self.time += timeout
            self._leaps += 1
            assert self.time < A_MONTH and self._leaps < MOST_LEAPS, "something waits without a deadline"
        return ready

    def _waits_for_sockets(self) -> bool:
        return len(self.get_map()) > 1  # the loop's own pipe is always there


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which begins at 0."""

    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.time


class VirtualClock:
    """The `Clock` of the running virtual loop."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time and answer the result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
