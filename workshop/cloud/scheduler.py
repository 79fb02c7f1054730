"""Actions that happen later: a queue ordered by time, and the event loop that runs it.

In: actions with a due time in seconds since the epoch. Out: each action run once, in order, at or after its time. The queue
owns no thread and reads no clock of its own; `LoopDriver` ties it to a running asyncio loop.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import threading
from collections.abc import Callable

__all__ = ["LoopDriver", "Scheduler"]

logger = logging.getLogger("workshop.cloud")

Action = Callable[[], None]


class Scheduler:
    """`now` returns the time. `wake(due)` is called, from any thread, when a new action is the earliest."""

    def __init__(self, now: Callable[[], float], wake: Callable[[float], None] | None = None) -> None:
        self.now = now
        self.wake = wake
        self._heap: list[tuple[float, int, Action]] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def at(self, due: float, action: Action) -> None:
        """Run `action` once the time is `due`; actions with the same time run in the order in which they were added."""
        with self._lock:
            entry = (due, next(self._numbers), action)
            heapq.heappush(self._heap, entry)
            earliest = self._heap[0] is entry
        if earliest and self.wake is not None:
            self.wake(due)

    def run_due(self) -> float | None:
        """Run everything that is due, including what these actions add; returns when the next action is due, or None."""
        while True:
            with self._lock:
                if not self._heap:
                    return None
                if self._heap[0][0] > self.now():
                    return self._heap[0][0]
                action = heapq.heappop(self._heap)[2]
            action()

    def next_due(self) -> float | None:
        """When the earliest action is due."""
        with self._lock:
            return self._heap[0][0] if self._heap else None

    def clear(self) -> None:
        with self._lock:
            self._heap.clear()


class LoopDriver:
    """Runs a scheduler on the server's event loop; `after_run` is called after each round of actions."""

    def __init__(self, scheduler: Scheduler, after_run: Callable[[], None]) -> None:
        self._scheduler, self._after_run = scheduler, after_run
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def attach(self) -> None:
        """Take the running loop: from now on `defer` hands work to it, and new actions wake it."""
        self._loop = asyncio.get_running_loop()
        self._scheduler.wake = self._wake

    def defer(self, work: Action) -> bool:
        """Hand work that another thread found to the server's thread; False when this is the server's thread."""
        if self._loop is None or threading.current_thread() is threading.main_thread():
            return False
        self._loop.call_soon_threadsafe(work)
        return True

    def run(self) -> None:
        """Run what is due and set the timer for the next action."""
        try:
            self._scheduler.run_due()
        except Exception:  # one broken action must not stop all that come after it
            logger.exception("Something that was due failed.")
        due = self._scheduler.next_due()
        self._after_run()
        if due is not None:
            self._set_timer(due)

    def _wake(self, due: float) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._set_timer, due)

    def _set_timer(self, due: float) -> None:
        """One timer, always for the earliest action."""
        if self._loop is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(max(0.0, due - self._scheduler.now()), self.run)
