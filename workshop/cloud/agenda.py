"""What is to happen later: a queue ordered by time.

What comes in: actions with a due time in seconds since the epoch. What goes out: each action run once, in order, when `run_due`
is called at or after its time. It holds no thread; whoever owns the loop is told the next due time through `wake`.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

__all__ = ["Agenda"]

Action = Callable[[], None]


class Agenda:
    """`now` gives the time. `wake(due)` is called, from any thread, when a new action is the earliest."""

    def __init__(self, now: Callable[[], float], wake: Callable[[float], None] | None = None) -> None:
        self.now = now
        self.wake = wake
        self._heap: list[tuple[float, int, Action]] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def at(self, due: float, action: Action) -> None:
        with self._lock:
            entry = (due, next(self._numbers), action)
            heapq.heappush(self._heap, entry)
            earliest = self._heap[0] is entry
        if earliest and self.wake is not None:
            self.wake(due)

    def run_due(self) -> float | None:
        """Run everything that is due, what that adds included; answers when the next action is due, or None."""
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
