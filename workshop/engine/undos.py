"""Changes that must be reverted: recorded before a region is failed, closed when its setting has been read back as it was.

In: the journal's database. Out: pending undos, which outlive the process that wrote them. What an undo does is not known here:
`kind` names the fault that does it, `snapshot` is that fault's own text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workshop.engine.database import Database
from workshop.engine.scope import Scope

__all__ = ["BY_DRILL", "BY_HAND", "SCHEMA", "Undo", "Undos"]

SCHEMA = """
CREATE TABLE undos (
    id INTEGER PRIMARY KEY, workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, source TEXT NOT NULL,
    profile TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, memory TEXT NOT NULL, by TEXT NOT NULL, run TEXT NOT NULL,
    since TEXT NOT NULL, done TEXT
)
"""
BY_DRILL = "drill"
"""Recorded by a command that reverts its changes itself; one that is still pending after its end was killed."""
BY_HAND = "hand"
"""Made by a command of its own, to stay until the command that reverts it."""
COLUMNS = "id, workshop, target, account, source, profile, region, kind, memory, by, run, since"


@dataclass(frozen=True, slots=True)
class Undo:
    """One change to revert. `snapshot` is what to restore; `source` is what `--workshop` takes; `since` is ISO 8601 UTC."""

    id: int
    workshop: str
    target: str
    account: str
    source: str
    profile: str
    region: str
    kind: str
    snapshot: str
    by: str
    run: str
    since: str


class Undos:
    """The undos of one journal. Every method is one short transaction, except `forget`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(
        self, scope: Scope, *, source: str, profile: str, region: str, kind: str, snapshot: str, by: str, run: str
    ) -> Undo:
        """Written before the change that it reverts."""
        since = datetime.now(UTC).isoformat(timespec="seconds")
        values = (scope.workshop, scope.target, scope.account, source, profile, region, kind, snapshot, by, run, since)
        with self._db:
            row = self._db.execute(
                "INSERT INTO undos (workshop, target, account, source, profile, region, kind, memory, by, run, since)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                values,
            ).fetchone()
        return Undo(int(row[0]), *values)

    def done(self, undo: Undo) -> None:
        """The change is reverted."""
        with self._db:
            self._db.execute("UPDATE undos SET done = ? WHERE id = ?", (datetime.now(UTC).isoformat(timespec="seconds"), undo.id))

    def pending(self, scope: Scope) -> list[Undo]:
        """What is still to be reverted of one workshop, the latest first: that is the order to do it in."""
        return self._rows("workshop = ? AND target = ? AND account = ?", (scope.workshop, scope.target, scope.account))

    def everywhere(self) -> list[Undo]:
        """What is still to be reverted of any workshop, the latest first."""
        return self._rows("1", ())

    def forget(self, scope: Scope) -> None:
        """Nothing of the workshop is left there, so nothing is left to revert. Part of the caller's transaction."""
        key = (scope.workshop, scope.target, scope.account)
        self._db.execute("DELETE FROM undos WHERE workshop = ? AND target = ? AND account = ? AND done IS NULL", key)

    def _rows(self, where: str, values: Sequence[Any]) -> list[Undo]:
        rows = self._db.execute(f"SELECT {COLUMNS} FROM undos WHERE {where} AND done IS NULL ORDER BY id DESC", values)  # noqa: S608
        return [Undo(*row) for row in rows]
