"""Processes that are forked from one that has everything imported: a quarter of a second less for each command, half for a cloud.

In: a function of ours by name (`module:function`), its argument, folder, environment and streams. Out: a process, as
`subprocess.Popen` is one: its own id, streams, signals and end. Where the origin cannot fork it, an interpreter is started.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from tests.warm.origin import Order

__all__ = ["AWS_CLI", "EVERYTHING", "INTERPRETER_PREFIXES", "STARTED_WITH", "WARM", "Process", "origin", "share", "start"]

WARM = sys.platform == "linux"
"""Whether this system has what the origin needs: messages with descriptors in one piece."""
INTERPRETER_PREFIXES = ("PYTHON", "LD_", "LC_", "LANG")
"""Variables that an interpreter reads when it starts, and never again."""
STARTED_WITH = {name: value for name, value in os.environ.items() if name.startswith(INTERPRETER_PREFIXES)}
"""These variables as the origins have them."""
EVERYTHING, AWS_CLI = "tests.warm.preloaded", "tests.warm.aws_cli"
SHARED = "_TESTS_ORIGINS"
"""The variable with the addresses of the origins that the processes of a run share."""
Stream = int | IO[Any]


def start(
    entry: str,
    argument: str = "",
    *,
    cwd: Path,
    environment: Mapping[str, str],
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = subprocess.PIPE,
    stderr: Stream = subprocess.PIPE,
    new_session: bool = False,
    new_group: bool = False,
    handles: Sequence[int] = (),
) -> Process | subprocess.Popen[str]:
    """A process that calls `entry(argument, numbers of the handles)` and exits with what that returns.

    Streams are as for `subprocess.Popen`; stdin is no pipe. `handles` are inherited only by a process that is forked.
    """
    if not handles and (not WARM or _needs_interpreter(environment)):
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.warm.origin", entry, argument], cwd=cwd, env=dict(environment), stdin=stdin,
            stdout=stdout, stderr=stderr, text=True, start_new_session=new_session, process_group=0 if new_group else None,
            preexec_fn=_heeding_ctrl_c,  # noqa: PLW1509 - nothing else runs in the child yet
        )  # fmt: skip
    order = Order(entry, argument, str(cwd), dict(environment), new_session, new_group)
    with contextlib.ExitStack() as theirs:
        given = [_handle(theirs, stdin, writable=False), *_outputs(theirs, stdout, stderr)]
        ended, end = os.pipe()
        theirs.callback(os.close, end)
        read_from = [pipe for _, pipe in given]
        process = _fork(order, [number for number, _ in given] + [end, *handles])
    return Process(entry, process, ended, read_from[1], read_from[2])


class Process:
    """What the tests use of `subprocess.Popen`, of a process that is no child of this one."""

    def __init__(self, entry: str, pid: int, ended: int, stdout: int | None, stderr: int | None) -> None:
        self.args, self.pid = entry, pid
        self.returncode: int | None = None
        self.stdout = None if stdout is None else os.fdopen(stdout)
        self.stderr = None if stderr is None else os.fdopen(stderr)
        self._pipe = os.fdopen(ended, "rb", buffering=0)
        self._end = select.poll()
        self._end.register(self._pipe, select.POLLIN)

    def poll(self) -> int | None:
        """None while the process runs."""
        return self._after(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises `subprocess.TimeoutExpired`."""
        code = self._after(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str | None, str | None]:
        """Everything on stdout and stderr, when the process has ended; raises `subprocess.TimeoutExpired`."""
        until = None if timeout is None else time.monotonic() + timeout
        found: dict[str, str] = {}
        readers = [
            threading.Thread(target=lambda name=name, pipe=pipe: found.update({name: pipe.read()}), daemon=True)
            for name, pipe in (("out", self.stdout), ("err", self.stderr))
            if pipe is not None and not pipe.closed
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(None if until is None else max(0.0, until - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(None if until is None else max(0.0, until - time.monotonic()))
        self._close()
        return found.get("out"), found.get("err")

    def send_signal(self, number: int) -> None:
        if self.poll() is None:  # an id may belong to another process after the end
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.wait()
        self._close()

    def _close(self) -> None:
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()

    def _after(self, timeout: float | None) -> int | None:
        if self.returncode is None and self._end.poll(None if timeout is None else timeout * 1000):
            self.returncode = int(self._pipe.read())
            self._pipe.close()
        return self.returncode


class Origin:
    """A process from which others are forked; `preload` is the module that it imports for them. It ends with this process."""

    def __init__(self, preload: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="origin-"))
        owner, self._held = os.pipe()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(self.address))
            listener.listen()
            handles = (owner, listener.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.warm.origin", *map(str, handles), preload],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=handles,
            )  # fmt: skip
        os.close(owner)
        atexit.register(self._leave)

    @property
    def address(self) -> Path:
        """The socket to which processes connect, each time with one order."""
        return self._folder / "orders"

    def _leave(self) -> None:
        os.close(self._held)
        self._process.wait()
        shutil.rmtree(self._folder)


def share() -> None:
    """Begin the origins for this process and those that it starts from now on."""
    if WARM:
        _shared.update({preload: str(Origin(preload).address) for preload in (EVERYTHING, AWS_CLI)})
        os.environ[SHARED] = json.dumps(_shared)


@functools.cache
def origin(preload: str) -> str:
    """The address of the origin with this module: of the one that is shared, or of one that begins now."""
    return _shared.get(preload) or str(Origin(preload).address)


_shared: dict[str, str] = json.loads(os.environ.get(SHARED, "{}"))


def _fork(order: Order, handles: Sequence[int]) -> int:
    """The id of the process of an order; `handles` are its streams, the pipe that takes its end, and what it inherits."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as orders:
        orders.connect(origin(EVERYTHING))
        socket.send_fds(orders, [order.encoded()], handles)
        found = orders.recv(8)
    assert found, "the origin of the warm processes has ended"
    return int.from_bytes(found, "big")


def _needs_interpreter(environment: Mapping[str, str]) -> bool:
    return {name: value for name, value in environment.items() if name.startswith(INTERPRETER_PREFIXES)} != STARTED_WITH


def _heeding_ctrl_c() -> None:
    """A process that a shell starts in the background ignores Ctrl-C, one below nohup the end of the terminal, and so do their
    children; those of these tests must not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _outputs(theirs: contextlib.ExitStack, stdout: Stream, stderr: Stream) -> list[tuple[int, int | None]]:
    out = _handle(theirs, stdout, writable=True)
    return [out, (out[0], None) if stderr == subprocess.STDOUT else _handle(theirs, stderr, writable=True)]


def _handle(theirs: contextlib.ExitStack, stream: Stream, *, writable: bool) -> tuple[int, int | None]:
    """The descriptor for the process, and our end of a pipe."""
    if stream == subprocess.PIPE:
        assert writable
        ours, number = os.pipe()
        theirs.callback(os.close, number)
        return number, ours
    if stream == subprocess.DEVNULL:
        number = os.open(os.devnull, os.O_RDWR)
        theirs.callback(os.close, number)
        return number, None
    return (stream if isinstance(stream, int) else stream.fileno()), None
