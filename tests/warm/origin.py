"""The process that warm processes are forked from: everything is imported, nothing is open, no thread runs.

In: orders, one on each connection to its socket, with the file descriptors of the process. Out: a process for each, which is a
command, a cloud or another function of ours; its id at once, and how it ended when it ends. What is imported is a module, named
by the owner, at the first order. The origin ends with the pipe that its owner holds.

`python -P -m tests.warm.origin OWNER LISTENER PRELOAD` forks; `python -P -m tests.warm.origin ENTRY ARGUMENT` is one such process
that is not forked.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

__all__ = ["MOST_BYTES", "STREAMS", "Order"]

MOST_BYTES = 200_000
"""The longest order; it is one message of a socket of the kind SOCK_SEQPACKET."""
STREAMS = 3
"""stdin, stdout and stderr come first of an order's descriptors, then the pipe that takes how the process ended, then its own."""


@dataclass(frozen=True)
class Order:
    """One process. `entry` is `module:function`, called with `argument` and the numbers of the descriptors that it inherits."""

    entry: str
    argument: str
    cwd: str
    environment: dict[str, str]
    new_session: bool = False
    new_group: bool = False
    umask: int | None = None
    limits: Sequence[tuple[int, tuple[int, int]]] = ()
    """The limits of the process's resources, by their numbers; those that are not given are as the origin's."""

    def encoded(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class _Origin:
    """The loop of the process; it returns in every process that is forked, with what that one has to do."""

    def __init__(self, owner: int, listener: socket.socket, preload: str) -> None:
        self._owner, self._listener, self._preload = owner, listener, preload
        self._ends: dict[int, int] = {}
        self._woken, self._wakes = os.pipe()
        for handle in (self._woken, self._wakes):
            os.set_blocking(handle, False)

    def next_process(self) -> tuple[Order, list[int]]:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, with which this ends
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        begun = None
        while begun is None:
            readable, _, _ = select.select([self._owner, self._listener, self._woken], [], [])
            if self._owner in readable:
                os._exit(0)  # the owner has ended
            if self._woken in readable:
                os.read(self._woken, 4096)
                self._collect()
            if self._listener in readable:
                with self._listener.accept()[0] as orders:
                    begun = self._begin(orders)
        return begun

    def _begin(self, orders: socket.socket) -> tuple[Order, list[int]] | None:
        body, handles, _, _ = socket.recv_fds(orders, MOST_BYTES, 16)
        if not body:
            return None
        if self._preload not in sys.modules:
            importlib.import_module(self._preload)
            gc.collect()
            gc.freeze()  # a collection in a forked process need not copy all of this
        process = os.fork()
        if process == 0:
            self._leave(orders, handles[STREAMS])
            return Order(**json.loads(body)), [*handles[:STREAMS], *handles[STREAMS + 1 :]]
        for number, handle in enumerate(handles):
            if number != STREAMS:
                os.close(handle)
        self._ends[process] = handles[STREAMS]
        orders.send(process.to_bytes(8, "big"))
        return None

    def _collect(self) -> None:
        """Report every process that has ended."""
        while self._ends:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            end = self._ends.pop(process)
            with contextlib.suppress(BrokenPipeError):
                os.write(end, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(end)

    def _leave(self, orders: socket.socket, end: int) -> None:
        """Nothing of the origin is left in the process that was forked from it."""
        signal.set_wakeup_fd(-1)
        for each in (self._listener, orders):
            each.close()
        for handle in (self._owner, self._woken, self._wakes, *self._ends.values(), end):
            os.close(handle)
        self._ends.clear()


def _become(order: Order, handles: list[int]) -> list[int]:
    """Give the process what `subprocess.Popen` and an interpreter's start would; returns the descriptors that it inherits."""
    for number in (signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order.new_session:
        os.setsid()
    elif order.new_group:
        os.setpgid(0, 0)
    if order.umask is not None:
        os.umask(order.umask)
    for number, limit in order.limits:
        if resource.getrlimit(number) != tuple(limit):
            resource.setrlimit(number, tuple(limit))
    for number, handle in enumerate(handles[:STREAMS]):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(order.cwd)
    os.environ.clear()
    os.environ.update(order.environment)
    time.tzset()
    sys.stdin = sys.__stdin__ = _stream(0, sys.stdin)
    sys.stdout = sys.__stdout__ = _stream(1, sys.stdout)
    sys.stderr = sys.__stderr__ = _stream(2, sys.stderr)
    return handles[STREAMS:]


def _stream(number: int, like: Any) -> io.TextIOWrapper:
    """A standard stream as an interpreter opens it; `like` is the one that this interpreter was started with."""
    unbuffered = like.write_through
    raw = open(number, "wb" if number else "rb", buffering=0 if unbuffered else -1, closefd=False)  # noqa: SIM115
    stream = io.TextIOWrapper(
        raw, encoding=like.encoding, errors=like.errors, newline="\n", write_through=unbuffered,
        line_buffering=not unbuffered and (number == 2 or raw.isatty()),
    )  # fmt: skip
    stream.mode = "w" if number else "r"
    return stream


def _call(entry: str, argument: str, handles: list[int]) -> NoReturn:
    module, _, name = entry.partition(":")
    sys.exit(getattr(importlib.import_module(module), name)(argument, handles))


def _end(error: BaseException) -> NoReturn:
    """End the process as an interpreter does, but for taking all of its modules apart: that would copy the origin's memory."""
    code = 1
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)  # noqa: T201
    else:
        sys.excepthook(type(error), error, error.__traceback__)
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as multiprocessing does in the processes that it forks
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code & 0xFF)


def main(words: list[str]) -> NoReturn:
    if len(words) == 2:
        _call(*words, [])
    owner, listener, preload = words
    order, handles = _Origin(int(owner), socket.socket(fileno=int(listener)), preload).next_process()
    try:
        _call(order.entry, order.argument, _become(order, handles))
    except BaseException as error:
        _end(error)


if __name__ == "__main__":
    main(sys.argv[1:])
