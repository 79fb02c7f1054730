"""Runs a use case in a terminal: with progress, and a Ctrl-C that stops cleanly the first time and at once the second time.

In: an invocation. Out: a session and its progress.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from workshop.console.echo import say
from workshop.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.app.invocation import Invocation
    from workshop.app.runs import Watch
    from workshop.app.session import OpenJournal, Session
    from workshop.console.progress import Progress

__all__ = ["asynchronous", "interruptible", "opened"]

P = ParamSpec("P")
T = TypeVar("T")
TICK = 0.25


def asynchronous(command: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """A coroutine as the body of a command; what it returns is the exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return asyncio.run(command(*args, **kwargs))

    return run


@contextlib.asynccontextmanager
async def opened(
    invocation: Invocation,
    *,
    default_target: str = "",
    no_calls: bool = False,
    silent: bool = False,
    named: bool = False,
    state: Path | None = None,
    journal: OpenJournal | None = None,
) -> AsyncIterator[tuple[Session, Progress]]:
    """A session and its progress, which is closed at the end. `silent` shows no progress, `named` begins by naming the target."""
    from workshop.app.session import open_journal, open_session
    from workshop.console.progress import progress as open_progress

    progress = open_progress()
    try:
        if silent:
            progress.close()
        async with open_session(
            invocation,
            progress.notice,
            default_target=default_target,
            no_calls=no_calls,
            state=state,
            journal=journal or open_journal,
        ) as session:
            if named:
                progress.notice(f"Target: {session.workspace.target.name}, account {session.account}")
            yield session, progress
    finally:
        progress.close()


@contextlib.asynccontextmanager
async def interruptible(progress: Progress) -> AsyncIterator[Watch]:
    """While the block runs, progress ticks and the first Ctrl-C (or SIGTERM) asks to stop; the second ends the process.

    A terminal that is closed (SIGHUP) asks too, as often as it does: it and its shell both send the signal.
    """
    from workshop.app.runs import Watch
    from workshop.engine.execute import StopSignal

    stop, ticking = StopSignal(), asyncio.create_task(_tick(progress))
    presses = itertools.count(1)

    def asked() -> None:
        if next(presses) > 1:
            progress.close()
            say("Ended at once. The journal has what was begun; run the same command again to go on.", err=True)
            os._exit(ExitCode.INTERRUPTED)
        hung_up()

    def hung_up() -> None:
        if not stop.asked:
            stop.ask()

    with contextlib.ExitStack() as signals:
        for number in (signal.SIGINT, signal.SIGTERM):
            signals.enter_context(_handled(number, asked))
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signals.enter_context(_handled(signal.SIGHUP, hung_up))
        try:
            yield Watch(progress, progress.notice, stop)
        finally:
            ticking.cancel()
            progress.close()


async def _tick(progress: Progress) -> None:
    while True:
        await asyncio.sleep(TICK)
        progress.tick()


@contextlib.contextmanager
def _handled(number: signal.Signals, handler: Callable[[], None]) -> Iterator[None]:
    """A signal goes to `handler` while the block runs, and afterwards to where it went before."""
    loop, before = asyncio.get_running_loop(), signal.getsignal(number)
    loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        loop.remove_signal_handler(number)
        signal.signal(number, before)
