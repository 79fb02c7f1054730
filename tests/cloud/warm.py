"""Runs `workshop` in a process of its own, forked from one that has everything imported already.

The same entry point, arguments, environment and exit code as the installed command, without a second of imports: the tests
run hundreds of commands on two cores. What a user types is run as it is where a process is started, killed or piped.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hurried import Hurried

__all__ = ["EVERYTHING", "run"]

EVERYTHING = "tests.cloud.everything"


@dataclass(frozen=True)
class Order:
    """One command: its words, and the folder that holds its streams."""

    words: tuple[str, ...]
    cwd: Path
    environment: dict[str, str]
    streams: Path
    speed: float


def run(
    words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], text: str, timeout: float, speed: float = 1.0
) -> tuple[int, str, str]:
    """Run `workshop WORDS` to its end and return its exit code, stdout and stderr. Its waits are `speed` times shorter."""
    with tempfile.TemporaryDirectory() as folder:
        streams = Path(folder)
        (streams / "in").write_text(text)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([EVERYTHING])
        process = context.Process(target=_work, args=(Order(tuple(words), cwd, dict(environment), streams, speed),))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["workshop", *words], timeout)
        code = process.exitcode
        process.close()
        assert code is not None
        return code, (streams / "out").read_text(), (streams / "err").read_text()


def _work(order: Order) -> None:
    os.chdir(order.cwd)
    os.environ.clear()
    os.environ.update(order.environment)
    os.dup2(os.open(order.streams / "in", os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order.streams / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - they live as long as the process
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["workshop", *order.words]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order.speed != 1.0:
        asyncio.set_event_loop_policy(_HurriedPolicy(order.speed))
    from workshop.cli import main

    main()


class _HurriedPolicy(asyncio.DefaultEventLoopPolicy):
    """Every loop of the process is hurried."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return Hurried(self._speed)
