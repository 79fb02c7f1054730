"""Whether the cloud can write what it has to keep: the last failure of a write, until a write of the whole state succeeds.

In: failures and successes of the log and of the saved state. Out: the sentence that refused callers, `health` and `workshop
check` show. It writes nothing itself.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["Disk"]

MESSAGE = "the local cloud cannot save its state: {reason} ({folder})"
NOTICE = "The local cloud cannot save its state: {reason} ({folder}). Until it can, it refuses every change; reads go on."


class Disk:
    """Every writer reports to it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._reason = folder, ""

    def failed(self, error: OSError) -> None:
        """A write failed: nothing may be acknowledged until the state was saved."""
        self._reason = error.strerror or str(error)

    def works(self) -> None:
        """The whole state was saved."""
        self._reason = ""

    @property
    def is_failing(self) -> bool:
        return bool(self._reason)

    @property
    def message(self) -> str:
        """What a refused caller is told; "" while everything can be saved."""
        return MESSAGE.format(reason=self._reason, folder=self._folder) if self._reason else ""

    def notice(self) -> str:
        """What people are told; "" while everything can be saved."""
        return NOTICE.format(reason=self._reason, folder=self._folder) if self._reason else ""
