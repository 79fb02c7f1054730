"""Waiting of a stack's worker thread for something that takes its time: a certificate, a replica, a distribution.

In: a condition. Out: the return once it holds, or `StackWaitEnded` when the cloud ends or the stack gave up meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["StackWaitEnded", "StackWaits"]

LOOK = 0.05
"""Seconds between two looks: reading a record of this process costs next to nothing."""
STOPPED = "The local cloud was stopped while this was in progress."


class StackWaitEnded(Exception):
    """The wait is over although its condition does not hold."""


class StackWaits:
    """One per cloud; `end` ends every wait."""

    def __init__(self, look: float = LOOK) -> None:
        self._ending, self._look = threading.Event(), look

    def until(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds. Must not be called on the server's own thread: nothing else would be served.

        Raises `StackWaitEnded` when the cloud ends, and whatever the condition raises.
        """
        if threading.current_thread() is threading.main_thread():
            raise AssertionError("the server's own thread must not wait")
        while not condition():
            if self._ending.wait(self._look):
                raise StackWaitEnded(STOPPED)

    def end(self) -> None:
        self._ending.set()
