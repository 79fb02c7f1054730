"""Keeps the state from being read while a stack's worker thread is between making a resource and noting it on the stack.

In: the beginning and the end of each such change, from worker threads and the server's loop. Out: moments at which the saved
state can be read, in which every resource of a stack is on the stack's record, or does not exist.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable

__all__ = ["PATIENCE", "QUICK", "StateGate"]

PATIENCE = 1.0
"""Seconds for which a read waits for a change that may take minutes (a custom resource): what others acknowledged must not wait
for it."""
QUICK = 30.0
"""Seconds for which a read waits for a change that only computes: more than any takes, and an end if one never ends."""
LOOK = 0.01


class StateGate:
    """Changes are counted by a key, because the same resource can be in the making in several regions. `now` returns seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._free = threading.Condition(threading.Lock())
        self._open: dict[Hashable, list[float]] = {}
        """When a read no longer waits for a change that is under way, per change."""
        self._readers = 0
        self._touched = False
        self._inside = threading.local()

    def begin(self, key: Hashable, patience: float = QUICK) -> None:
        """A change begins, on a thread that is not the server's; waits while the state is being read or about to be.

        A thread makes one change; what it begins within that one (a nested stack's resource) does not wait for a read, which
        waits for the outer one.
        """
        with self._free:
            if not getattr(self._inside, "change", False):
                self._free.wait_for(lambda: not self._readers, timeout=QUICK)
            self._inside.change = True
            self._touched = True
            self._open.setdefault(key, []).append(self._now() + patience)

    def end(self, key: Hashable) -> None:
        """A change is complete, and on record. An end without a beginning is no error: not every change is made by a thread."""
        with self._free:
            self._touched = True
            under_way = self._open.get(key, [])
            if len(under_way) > 1:
                under_way.pop(0)
            else:
                self._open.pop(key, None)

    @contextlib.asynccontextmanager
    async def quiet(self) -> AsyncIterator[bool]:
        """In the block, which must not await, no change is under way and none begins, but for those that outlast their patience.

        Yields whether any change began or ended since the last time: any service may be another then.
        """
        with self._free:
            self._readers += 1
        try:
            while not self._free.acquire(blocking=False) or self._awaited():  # noqa: ASYNC110 - threads end changes
                await asyncio.sleep(LOOK)
            try:
                touched, self._touched = self._touched or bool(self._open), False
                yield touched
            finally:
                self._free.release()
        finally:
            with self._free:
                self._readers -= 1
                self._free.notify_all()

    def _awaited(self) -> bool:
        """Whether a change is under way that has to be waited for; lets go of the lock if so."""
        now = self._now()
        if any(until > now for untils in self._open.values() for until in untils):
            self._free.release()
            return True
        return False
