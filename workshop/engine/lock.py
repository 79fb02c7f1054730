"""One change at a time per workshop, target and account on this machine.

In: a scope. Out: a context in which its lock is held. The lock dies with its holder, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from workshop.engine.scope import Scope
from workshop.errors import WorkshopError
from workshop.state_dir import refuse_link, unwritable

__all__ = ["hold"]


@contextlib.contextmanager
def hold(folder: Path, scope: Scope, command: str) -> Iterator[None]:
    """Hold the lock of `scope` while the block runs; raises `WorkshopError` with the process that holds it otherwise."""
    path = folder / f"{scope.workshop}-{scope.target}-{scope.account}.lock"
    handle = _opened(path)
    if handle is None:
        yield
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(handle, scope) from None
        _sign(handle, command)
        yield
    finally:
        os.close(handle)


def _opened(path: Path) -> int | None:
    """The lock file, made when it is missing. None when it cannot be made: then no other process can hold it either."""
    try:
        refuse_link(path.parent)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        refuse_link(path)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if unwritable(error) is None:
            raise
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None


def _sign(handle: int, command: str) -> None:
    """Write who holds the lock. It is a courtesy: a disk that cannot take it does not keep a run from holding it."""
    holder = {"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat(timespec="seconds")}
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(holder).encode(), 0)


def _busy(handle: int, scope: Scope) -> WorkshopError:
    try:
        holder = json.loads(os.pread(handle, 4096, 0))
        who = f"workshop {holder['command']} (process {holder['pid']}, since {holder['since']})"
    except (ValueError, KeyError):
        who = "another workshop command"
    return WorkshopError(
        what=f"{scope.workshop} on {scope.target} is being changed already.",
        why=f"{who} is at work.",
        fix="Wait for it to end (workshop status shows how far it is), then run the same command again.",
        code="Busy",
    )
