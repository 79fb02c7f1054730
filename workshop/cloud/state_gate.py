"""Keeps the state from being read while a stack's worker thread is between making a resource and noting it on the stack.

In: the beginning and the end of each such change, from worker threads and the server's loop. Out: moments at which the saved
state can be read, in which every resource of a stack is on the stack's record, or does not exist.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Hashable, Iterator

__all__ = ["StateGate"]

PATIENCE = 1.0
"""Seconds for which a read waits: a custom resource can take minutes, and what others acknowledged must not wait for it."""
LOOK = 0.01


class StateGate:
    """Changes are counted by a key, because the same resource can be in the making in several regions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[Hashable] = Counter()

    def begin(self, key: Hashable) -> None:
        """A change begins; waits while the state is being read."""
        with self._lock:
            self._open[key] += 1

    def end(self, key: Hashable) -> None:
        """A change is complete, and on record. An end without a beginning is no error: not every change is made by a thread."""
        with self._lock:
            if self._open[key] > 1:
                self._open[key] -= 1
            else:
                del self._open[key]

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """No change begins while the block runs."""
        with self._lock:
            yield

    async def quiet(self) -> bool:
        """Wait until no change is under way, for a second at most; returns whether it is so. What took longer is not waited for
        again."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while self._open:
            if asyncio.get_running_loop().time() > deadline:
                self._open.clear()
                return False
            await asyncio.sleep(LOOK)
        return True
