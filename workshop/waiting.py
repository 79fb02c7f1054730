"""Time, injected: the clock that every wait uses, and the one function that waits, in two forms.

In: a probe that returns a value or None, or a condition; a reason, a deadline. Out: the value, or a `WaitTimeout`. No thread is
held while it waits, and tests run it in virtual time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from workshop.errors import WorkshopError

__all__ = ["Clock", "SystemClock", "WaitTimeout", "Waiting", "wait_for", "wait_until"]

T = TypeVar("T")
Waiting = Callable[[str, float], None]
"""Called with what is being waited for, and for how many seconds already."""


class Clock(Protocol):
    """A source of time: `monotonic` in seconds, `now` as an aware UTC datetime."""

    def monotonic(self) -> float: ...
    def now(self) -> datetime: ...
    async def sleep(self, seconds: float) -> None: ...


ROUNDING = 1e-3
"""Seconds by which a pause that was cut to end at a deadline may end before it."""


class SystemClock:
    """The time of the running event loop and of the machine."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class WaitTimeout(WorkshopError):
    """A condition did not come true within its deadline."""


async def wait_for(
    probe: Callable[[], Awaitable[T | None]],
    *,
    clock: Clock,
    reason: str,
    deadline: float,
    interval: float,
    waiting: Waiting,
    first: float = 0.25,
    jitter: float = 0.2,
    fix: str = "",
) -> T:
    """Call `probe` until it returns something other than None and return that.

    All times are seconds. Pauses grow from `first` by half each time up to `interval`, so that what is quick is seen at
    once and what is slow is probed rarely; each is within plus or minus `jitter` (a fraction) of that, and the last one
    is cut so that the probe runs once more at the deadline. Raises `WaitTimeout` after that.
    """
    start, pause = clock.monotonic(), min(first, interval)
    while True:
        value = await probe()
        if value is not None:
            return value
        elapsed = clock.monotonic() - start
        if elapsed >= deadline - ROUNDING:
            raise WaitTimeout(
                what=f"Gave up waiting for {reason}.",
                why=f"It did not happen within {deadline:.0f} s.",
                fix=fix or "Run the same command again: it goes on where it stopped.",
                code="Timeout",
            )
        waiting(reason, elapsed)
        await clock.sleep(min(pause * random.uniform(1 - jitter, 1 + jitter), deadline - elapsed))
        pause = min(pause * 1.5, interval)


async def wait_until(
    condition: Callable[[], Awaitable[bool]],
    *,
    clock: Clock,
    reason: str,
    deadline: float,
    interval: float,
    waiting: Waiting,
    first: float = 0.25,
    jitter: float = 0.2,
    fix: str = "",
) -> None:
    """Call `condition` until it is true; everything else is as in `wait_for`."""

    async def probe() -> bool | None:
        return True if await condition() else None

    await wait_for(
        probe,
        clock=clock,
        reason=reason,
        deadline=deadline,
        interval=interval,
        waiting=waiting,
        first=first,
        jitter=jitter,
        fix=fix,
    )
