"""How many calls of one account to one service run at once, and how far apart, shared by everything that calls.

In: which calls were throttled and which succeeded. Out: the moment at which the next call may start. Each account has its own
`Limiters`, because AWS throttles by account.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from workshop.waiting import monotonic

__all__ = ["SLOWEST_SPACING", "Limiter", "Limiters"]

CONCURRENCY = 8
"""Calls to one service at once."""
CONTROL_PLANE = {"dynamodb": 3}
"""Services whose changes to tables are throttled account-wide when more than a few run at once
(docs/aws-behaviours.md, section 1.11)."""
CHANGES = ("create_", "update_", "delete_", "tag_", "untag_", "put_")
"""The prefixes of operations that change something."""
ITEM_CALLS = frozenset({"put_item", "update_item", "delete_item"})
"""Changes of items, which are no calls to the control plane."""
SLOWEST_SPACING = 5.0
"""Seconds between two calls, however often they are throttled."""
FIRST_SPACING = 0.1
"""Seconds between two calls after the first throttling."""


class Limiter:
    """An async context manager around each call."""

    def __init__(self, concurrency: int, slowest: float = SLOWEST_SPACING) -> None:
        self._slowest = slowest
        self._slots = asyncio.Semaphore(concurrency)
        self._spacing = 0.0
        self._next = float("-inf")

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            while (pause := self._next - monotonic()) > 0:  # noqa: ASYNC110 (another call may prolong the pause meanwhile)
                await asyncio.sleep(pause)
        except BaseException:
            self._slots.release()
            raise
        self._next = monotonic() + self._spacing

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._slots.release()

    def throttled(self, pause: float) -> None:
        """AWS asked for fewer calls: none starts for `pause` seconds, and later ones twice as far apart as before."""
        self._spacing = min(max(self._spacing * 2, FIRST_SPACING), self._slowest)
        self._next = max(self._next, monotonic() + pause)

    def succeeded(self) -> None:
        """A call went through: the next ones may follow a little closer."""
        self._spacing = self._spacing * 0.8 if self._spacing > 0.01 else 0.0


class Limiters:
    """The limiters of one account, one per service and kind of call."""

    def __init__(self, slowest: float = SLOWEST_SPACING) -> None:
        self._slowest = slowest
        self._limiters: dict[tuple[str, bool], Limiter] = {}

    def of(self, service: str, operation: str) -> Limiter:
        """The limiter that a call of `operation` (`update_table`) has to pass."""
        control = service in CONTROL_PLANE and operation.startswith(CHANGES) and operation not in ITEM_CALLS
        key = (service, control)
        if key not in self._limiters:
            concurrency = CONTROL_PLANE[service] if control else CONCURRENCY
            self._limiters[key] = Limiter(concurrency, self._slowest)
        return self._limiters[key]
