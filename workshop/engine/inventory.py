"""What a teardown found, and when each thing was seen to be gone: the record that receipts are written from.

In: the journal's database, resources as the steps name them. Out: entries, which outlive a teardown that was killed. It makes no
call: the steps looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from workshop.engine.database import Database
from workshop.engine.plan import NodeKey
from workshop.engine.scope import Scope
from workshop.steps.base import Resource

__all__ = ["SCHEMA", "Inventory", "InventoryEntry"]

SCHEMA = """
ALTER TABLE runs ADD COLUMN identity TEXT NOT NULL DEFAULT '';
CREATE TABLE holdings (
    workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    region TEXT NOT NULL, show TEXT NOT NULL, step TEXT NOT NULL, place TEXT NOT NULL, gone TEXT,
    PRIMARY KEY (workshop, target, account, kind, name, region)
)
"""
MAKER = """
SELECT coalesce(r.finished, r.started), u.identity, u.id FROM results r JOIN runs u ON u.id = r.run
WHERE r.workshop = ? AND r.target = ? AND r.account = ? AND r.step = ? AND r.region = ? AND u.command <> 'teardown'
AND coalesce(r.outcome, '') IN ('created', 'updated', 'failed', '') ORDER BY r.outcome = 'created' DESC, r.rowid DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """One thing that existed, and the step and place that it belongs to.

    `made`, `by` (an ARN) and `run` are empty when this machine's journal does not know, `gone` while it exists, `adopted` (since
    when it was ours) when we made it ourselves.
    """

    kind: str
    name: str
    region: str
    show: str
    step: str
    place: str
    made: str
    by: str
    run: str
    gone: str
    adopted: str = ""


class Inventory:
    """The entries of one journal. Every method is one short transaction, except `forget`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def mark_present(self, scope: Scope, key: NodeKey, resources: Iterable[Resource]) -> None:
        """Written before a node is removed: these things existed then."""
        rows = [
            (scope.workshop, scope.target, scope.account, r.kind, r.name, r.region, r.show, key.step, key.region, r.adopted)
            for r in resources
            if r.ours
        ]
        with self._db:
            self._db.executemany(
                "INSERT INTO holdings (workshop, target, account, kind, name, region, show, step, place, adopted)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workshop, target, account, kind, name, region)"
                " DO UPDATE SET gone = NULL, show = excluded.show, adopted = excluded.adopted",
                rows,
            )

    def mark_gone(self, scope: Scope, key: NodeKey, still: Sequence[Resource]) -> None:
        """The node was read again: what it held and does not name any more is gone, from now on; what it names is not."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        present = {resource.label for resource in still}
        where = (scope.workshop, scope.target, scope.account, key.step, key.region)
        with self._db:
            held = self._db.execute(
                "SELECT rowid, kind, name, region, gone FROM holdings WHERE workshop = ? AND target = ? AND account = ?"
                " AND step = ? AND place = ?",
                where,
            ).fetchall()
            for row, kind, name, region, gone in held:
                value = None if (kind, name, region) in present else gone or now
                self._db.execute("UPDATE holdings SET gone = ? WHERE rowid = ?", (value, row))

    def of(self, scope: Scope) -> list[InventoryEntry]:
        """Everything of a workshop, in the order in which it was found."""
        rows = self._db.execute(
            "SELECT kind, name, region, show, step, place, gone, adopted FROM holdings"
            " WHERE workshop = ? AND target = ? AND account = ? ORDER BY rowid",
            (scope.workshop, scope.target, scope.account),
        ).fetchall()
        found = []
        for kind, name, region, show, step, place, gone, adopted in rows:
            maker = self._db.execute(MAKER, (scope.workshop, scope.target, scope.account, step, place)).fetchone()
            made, by, run = maker or ("", "", "")
            found.append(InventoryEntry(kind, name, region, show, step, place, made, by, run, gone or "", adopted))
        return found

    def forget(self, scope: Scope) -> None:
        """The workshop is gone, and its receipt is written. Part of the caller's transaction."""
        key = (scope.workshop, scope.target, scope.account)
        self._db.execute("DELETE FROM holdings WHERE workshop = ? AND target = ? AND account = ?", key)
