"""The life of a run, written once: locks, the journal's beginning and end, and who is asked to stop.

In: a session and the signal that asks to stop. Out: a context in which changes may be made. A run that is killed has no end
in the journal, so that the next one knows.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from workshop.app.connections import Notice
from workshop.app.locking import locked
from workshop.app.session import Session
from workshop.aws.lock.account_lock import AccountLock
from workshop.engine.events import Emit
from workshop.engine.execute import StopSignal
from workshop.errors import WorkshopError

__all__ = ["Run", "Watch", "run"]


@dataclass(frozen=True)
class Watch:
    """Who follows a run: where its events and its notices go, and the signal by which it is asked to stop."""

    emit: Emit
    notice: Notice
    stop: StopSignal


@dataclass
class Run:
    """A run that holds the locks. `ok` is set by its work, and written down at its end."""

    lock: AccountLock
    ok: bool = False


@contextlib.asynccontextmanager
async def run(session: Session, command: str, watch: Watch) -> AsyncIterator[Run]:
    """Hold the locks and the journal's entry while the block runs; a lock that is lost asks to stop.

    Raises `WorkshopError` naming the run that holds a lock.
    """
    workspace = session.workspace
    async with locked(session, command, watch.notice) as lock:
        lock.listen(watch.stop.end)
        workspace.journal.begin_run(workspace.run, command, session.scope, session.identity)
        begun = Run(lock)
        try:
            yield begun
        except WorkshopError:
            workspace.journal.end_run(workspace.run, ok=False)
            raise
        workspace.journal.end_run(workspace.run, ok=begun.ok)
