"""Runs an engine coroutine in a terminal: progress that ticks, Ctrl-C that stops cleanly once and at once the second time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from workshop.console.echo import say
from workshop.console.progress import Progress
from workshop.engine.execute import Stop
from workshop.errors import ExitCode

__all__ = ["interruptible", "run"]

T = TypeVar("T")
TICK = 0.25


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end and answer the result."""
    return asyncio.run(work)


@contextlib.asynccontextmanager
async def interruptible(progress: Progress) -> AsyncIterator[Stop]:
    """While the block runs, progress ticks and the first Ctrl-C (or SIGTERM) asks to stop; the second ends the process."""
    stop = Stop()
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.asked:
            progress.close()
            say("Ended at once. The journal knows what was begun; run the same command again to go on.", err=True)
            os._exit(ExitCode.INTERRUPTED)
        stop.ask()

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK)
            progress.tick()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    ticking = asyncio.create_task(tick())
    try:
        yield stop
    finally:
        ticking.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        progress.close()
