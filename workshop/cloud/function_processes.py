"""The processes of Python functions, forked from one that has boto3 loaded: a cold start takes a third of the time.

In: how MiniStack starts a function's process. Out: the same streams and the same end of the process. A function that a loaded
module, its environment or its layers would make different gets a fresh interpreter, as any other runtime does.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workshop.cloud import function_fork
from workshop.cloud.patches import patch

__all__ = ["FunctionProcesses"]

INTERPRETER_PREFIXES = ("PYTHON", "LD_", "DYLD_", "LC_", "LANG")
"""Variables that an interpreter reads when it starts, and never again."""
LAYERS = "_LAMBDA_LAYERS_DIRS"
ENDED = -signal.SIGKILL
"""The return code of a process whose own is not known: the kernel has collected it."""


class FunctionProcesses:
    """Starts the processes of functions, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._origin: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._loaded: frozenset[str] = frozenset()

    def apply(self, runtime: Any) -> None:
        """Patch MiniStack's module of function processes."""
        patch(runtime, "subprocess", lambda original: _Subprocess(original, self))

    def start(self, script: str, folder: str, environment: Mapping[str, str]) -> ForkedProcess | None:
        """A process that runs the script as `python SCRIPT` would; None where a fresh interpreter is needed."""
        if _needs_interpreter(environment):
            return None
        with self._lock:
            try:
                orders = self._orders or self._begin()
                if self._loaded & {path.name.partition(".")[0] for path in Path(folder).iterdir()}:
                    return None  # a module of the function's own is loaded already, in another version
                return _forked(orders, {"script": script, "folder": folder, "environment": dict(environment)})
            except (OSError, ValueError):
                self._end()
                return None

    def _begin(self) -> socket.socket:
        """The process to fork from, after it has loaded everything; raises `OSError` when it does not come up."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._orders = ours
            self._origin = subprocess.Popen(
                [sys.executable, "-P", function_fork.__file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self._loaded = frozenset(json.loads(_received(ours, int.from_bytes(_received(ours, function_fork.HEADER_BYTES), "big"))))
        return ours

    def _end(self) -> None:
        """Forget a process that does not take orders any more."""
        if self._orders is not None:
            self._orders.close()
        if self._origin is not None:
            self._origin.kill()
            self._origin.wait()
        self._orders = self._origin = None


def _needs_interpreter(environment: Mapping[str, str]) -> bool:
    changed = {name for name, value in environment.items() if os.environ.get(name) != value}
    return LAYERS in environment or any(name.startswith(INTERPRETER_PREFIXES) for name in changed)


def _forked(orders: socket.socket, order: Mapping[str, Any]) -> ForkedProcess:
    """The process of one order, with pipes for its streams and one that closes when it ends."""
    body = json.dumps(order).encode()
    (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr), (ended, alive) = (os.pipe() for _ in range(4))
    theirs = [stdin, stdout, stderr, alive]
    try:
        socket.send_fds(orders, [len(body).to_bytes(function_fork.HEADER_BYTES, "big")], theirs)
        orders.sendall(body)
        process = int.from_bytes(_received(orders, function_fork.HEADER_BYTES), "big")
    except BaseException:
        for handle in (to_stdin, from_stdout, from_stderr, ended):
            os.close(handle)
        raise
    finally:
        for handle in theirs:
            os.close(handle)
    return ForkedProcess(process, to_stdin, from_stdout, from_stderr, ended)


def _received(orders: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes; raises `OSError` when the other side ended before."""
    found = b""
    while len(found) < size:
        part = orders.recv(size - len(found))
        if not part:
            raise OSError("the process that functions are forked from has ended")
        found += part
    return found


class ForkedProcess:
    """What MiniStack uses of `subprocess.Popen`, of a process that is no child of this one."""

    def __init__(self, pid: int, stdin: int, stdout: int, stderr: int, ended: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = open(stdin, "w", buffering=1)  # noqa: SIM115 - as those of Popen, closed with the object
        self.stdout = open(stdout)  # noqa: SIM115
        self.stderr = open(stderr)  # noqa: SIM115
        self._pipe = open(ended, "rb", buffering=0)  # noqa: SIM115
        self._end = select.poll()
        self._end.register(self._pipe, select.POLLIN)

    def poll(self) -> int | None:
        """None while the process runs."""
        return self._after(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises `subprocess.TimeoutExpired`."""
        code = self._after(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(["function"], timeout or 0)
        return code

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.poll() is None:  # an id may belong to another process after the end
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _after(self, timeout: float | None) -> int | None:
        if self.returncode is None and self._end.poll(None if timeout is None else timeout * 1000):
            self.returncode = ENDED
        return self.returncode


class _Subprocess:
    """The module `subprocess`, whose `Popen` forks the processes of Python functions."""

    def __init__(self, original: Any, processes: FunctionProcesses) -> None:
        self._original, self._processes = original, processes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def Popen(self, command: list[str], **options: Any) -> Any:
        if command[0] == sys.executable and len(command) == 2 and options.get("stdin") == subprocess.PIPE:
            forked = self._processes.start(command[1], options["cwd"], options["env"])
            if forked is not None:
                return forked
        return self._original.Popen(command, **options)
