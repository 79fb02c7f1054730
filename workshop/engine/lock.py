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
from workshop.state_dir import refuse_link

__all__ = ["hold"]


@contextlib.contextmanager
def hold(folder: Path, scope: Scope, command: str) -> Iterator[None]:
    """Hold the lock of `scope` while the block runs; raises `WorkshopError` with the process that holds it otherwise."""
    folder.mkdir(mode=0o700, exist_ok=True)
    refuse_link(folder)
    path = folder / f"{scope.workshop}-{scope.target}-{scope.account}.lock"
    refuse_link(path)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(handle, scope) from None
        os.ftruncate(handle, 0)
        holder = {"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        os.pwrite(handle, json.dumps(holder).encode(), 0)
        yield
    finally:
        os.close(handle)


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
