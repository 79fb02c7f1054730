"""Keeps two changes of one workshop apart: on this machine by a file lock, between machines by a claim in the account."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.cli.compose import Opened
    from workshop.console.progress import Progress

__all__ = ["guard"]


@contextlib.asynccontextmanager
async def guard(opened: Opened, command: str, shown: Progress) -> AsyncIterator[None]:
    """Hold both while the block runs; raises `WorkshopError` saying who is at work."""
    from workshop.aws.claim import claimed
    from workshop.engine import lock

    workspace = opened.workspace
    with lock.hold(opened.folder / "locks", opened.scope, command):
        door = workspace.doors[opened.account]
        async with claimed(door, workspace.home, workspace.name, command, clock=workspace.clock, notice=shown.notice):
            yield
