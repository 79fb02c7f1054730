"""The signals that end a command: all of them end it as Ctrl-C does, so that locks are released and claims removed.

In: SIGTERM (somebody ends the process), SIGHUP (its terminal was closed, an ssh was dropped). Out: `KeyboardInterrupt`, or what
Ctrl-C does instead where a run is interruptible (`workshop.cli.terminal`). `nohup` is respected: what is ignored stays ignored.
"""

from __future__ import annotations

import signal
from types import FrameType

__all__ = ["end_like_ctrl_c", "is_ignored"]


def is_ignored(number: signal.Signals) -> bool:
    """Whether the process was started to ignore a signal."""
    return signal.getsignal(number) is signal.SIG_IGN


def end_like_ctrl_c() -> None:
    """From now on SIGTERM and SIGHUP do what Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if not is_ignored(number):
            signal.signal(number, _as_ctrl_c)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Hand the signal to the handler of Ctrl-C: that of asyncio while a loop runs. In the background Ctrl-C may be ignored."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(number, frame)
