"""The record of runs: what was started, how it ended, what is installed where. SQLite, written ahead of every change.

In: runs, intents and results, by scope. Out: installations, outputs and pending undos, for later commands. It is a record, never
proof: what is deployed is read from AWS. Losing it costs convenience (recorded targets and regions), not truth. A damaged file is
set aside and a new one begun.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workshop.engine.database import Database, Unrecorded, copy_in_memory
from workshop.engine.inventory import SCHEMA as HOLDINGS
from workshop.engine.inventory import Inventory
from workshop.engine.plan import NodeKey
from workshop.engine.results import NodeResult, Outcome
from workshop.engine.scope import Scope
from workshop.engine.undos import SCHEMA as UNDOS
from workshop.engine.undos import Undos
from workshop.redaction import without_secrets
from workshop.state_dir import refuse_link, unwritable

__all__ = ["Installation", "Journal", "Scope"]

SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, command TEXT NOT NULL, workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL,
    pid INTEGER NOT NULL, started TEXT NOT NULL, finished TEXT, ok INTEGER
);
CREATE TABLE standings (
    workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, source TEXT NOT NULL, profile TEXT NOT NULL,
    regions TEXT NOT NULL, parameters TEXT NOT NULL, since TEXT NOT NULL, endpoint TEXT NOT NULL,
    PRIMARY KEY (workshop, target, account)
);
CREATE TABLE results (
    run TEXT NOT NULL, workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, step TEXT NOT NULL,
    region TEXT NOT NULL, outcome TEXT, seconds REAL, outputs TEXT, error TEXT, started TEXT NOT NULL, finished TEXT,
    PRIMARY KEY (run, account, step, region)
);
CREATE TABLE made (
    workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL, run TEXT NOT NULL, step TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (workshop, target, account, region, kind, name)
);
"""
IDENTITIES = """
ALTER TABLE made ADD COLUMN identity TEXT NOT NULL DEFAULT '';
ALTER TABLE holdings ADD COLUMN adopted TEXT NOT NULL DEFAULT '';
CREATE TABLE left_behind (
    workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
    PRIMARY KEY (workshop, target, account, region)
)
"""
VERSION = 4
MIGRATIONS = {0: SCHEMA, 1: UNDOS, 2: HOLDINGS, 3: IDENTITIES}
"""What brings a journal of some version to the next."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A workshop that was set up and not torn down yet, with everything that is needed to find it again."""

    scope: Scope
    source: str
    profile: str
    regions: tuple[str, ...]
    parameters: Mapping[str, str]
    since: str
    endpoint: str = ""


class Journal:
    """One open journal. Every method is one short transaction."""

    def __init__(self, path: Path, unrecorded: Unrecorded | None = None) -> None:
        """Raises `UnwritableError` when the disk is full or read-only; with `unrecorded` it goes on in memory instead."""
        self.set_aside: Path | None = None
        """Where a damaged journal was moved when this one was opened."""
        try:
            connection = self._opened(path)
        except (OSError, sqlite3.OperationalError) as error:
            problem = unwritable(error, path.parent)
            if problem is None:
                raise
            if unrecorded is None:
                raise problem from error
            unrecorded(problem)
            connection = _migrated(copy_in_memory(path))
        self._db = Database(connection, path, unrecorded)
        self.undos = Undos(self._db)
        """Changes that must be reverted."""
        self.inventory = Inventory(self._db)
        """What teardowns found, and when it was seen to be gone."""

    def _opened(self, path: Path) -> sqlite3.Connection:
        with _alone(path):
            if _is_emptied(path):
                self.set_aside = _put_aside(path)
            try:
                return _open(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self.set_aside = _put_aside(path)
                return _open(path)

    def close(self) -> None:
        self._db.close()

    def begin_run(self, run: str, command: str, scope: Scope, identity: str = "") -> None:
        """A command that may change something begins; `identity` is the caller's ARN."""
        self._write(
            "INSERT INTO runs (id, command, workshop, target, account, pid, started, identity) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (run, command, scope.workshop, scope.target, scope.account, os.getpid(), _now(), identity),
        )

    def end_run(self, run: str, *, ok: bool) -> None:
        """The command ended by itself. A run without an end was killed."""
        self._write("UPDATE runs SET finished = ?, ok = ? WHERE id = ?", (_now(), int(ok), run))

    def record_installed(self, installation: Installation) -> None:
        """Written before the first change: from now on something of this workshop may exist there.

        One that was recorded before keeps its date and takes the newest settings.
        """
        scope = installation.scope
        self._write(
            "INSERT INTO standings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workshop, target, account) DO UPDATE SET"
            " source = excluded.source, profile = excluded.profile, regions = excluded.regions,"
            " parameters = excluded.parameters, endpoint = excluded.endpoint",
            (
                scope.workshop,
                scope.target,
                scope.account,
                installation.source,
                installation.profile,
                json.dumps(installation.regions),
                json.dumps(dict(installation.parameters)),
                installation.since or _now(),
                installation.endpoint,
            ),
        )

    def record_removed(self, scope: Scope) -> None:
        """Nothing of the workshop is left there: its installation, inventory, undos and notes are deleted, all or none."""
        key = (scope.workshop, scope.target, scope.account)
        with self._db:
            # Outputs are kept for the removal alone: longer, they would claim what others make under the same names.
            self._db.execute("UPDATE results SET outputs = NULL WHERE workshop = ? AND target = ? AND account = ?", key)
            for table in ("standings", "made", "left_behind"):
                self._db.execute(f"DELETE FROM {table} WHERE workshop = ? AND target = ? AND account = ?", key)  # noqa: S608
            self.undos.forget(scope)
            self.inventory.forget(scope)

    def installations(self, workshop: str) -> list[Installation]:
        """Where the workshop is installed, the latest used first."""
        rows = self._db.execute(
            "SELECT s.workshop, s.target, s.account, source, profile, regions, parameters, since, endpoint FROM standings s"
            " WHERE s.workshop = ? ORDER BY (SELECT max(r.rowid) FROM runs r WHERE r.workshop = s.workshop"
            " AND r.target = s.target AND r.account = s.account) DESC",
            (workshop,),
        )
        return [
            Installation(Scope(w, t, a), source, profile, tuple(json.loads(regions)), json.loads(parameters), since, endpoint)
            for w, t, a, source, profile, regions, parameters, since, endpoint in rows
        ]

    def last_target(self, workshop: str) -> str | None:
        """The target of the workshop's latest run, installed there or not; None when it never ran."""
        row = self._db.execute("SELECT target FROM runs WHERE workshop = ? ORDER BY rowid DESC LIMIT 1", (workshop,)).fetchone()
        return None if row is None else str(row[0])

    def intend(self, run: str, scope: Scope, key: NodeKey, outputs: Mapping[str, str] = MappingProxyType({})) -> None:
        """Written before a node changes anything; `outputs` are what is known of it before it is removed."""
        known = without_secrets(json.dumps(dict(outputs))) if outputs else None
        self._write(
            "INSERT INTO results (run, workshop, target, account, step, region, outputs, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (run, account, step, region) DO NOTHING",
            (run, scope.workshop, scope.target, key.account, key.step, key.region, known, _exactly_now()),
        )

    def finish(self, run: str, scope: Scope, result: NodeResult) -> None:
        """Written when a node ended, after its change."""
        key = result.node.key
        error = json.dumps(result.error.document()) if result.error else None
        self._write(
            "INSERT INTO results (run, workshop, target, account, step, region, outcome, seconds, outputs, error, started,"
            " finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, account, step, region) DO UPDATE SET"
            " outcome = excluded.outcome, seconds = excluded.seconds, error = excluded.error, finished = excluded.finished,"
            " outputs = CASE excluded.outputs WHEN '{}' THEN results.outputs ELSE excluded.outputs END",
            (
                run,
                scope.workshop,
                scope.target,
                key.account,
                key.step,
                key.region,
                result.outcome.value,
                result.seconds,
                without_secrets(json.dumps(dict(result.outputs))),
                error,
                _exactly_now(),
                _exactly_now(),
            ),
        )

    def resumes(self, scope: Scope, key: NodeKey) -> bool:
        """Whether the latest line of a node is a change that was begun and did not end well."""
        return self._latest(scope, key) in ("", Outcome.FAILED.value, Outcome.CANCELLED.value)

    def passed(self, scope: Scope, key: NodeKey) -> bool:
        """Whether the latest line of a verification is a pass: a teardown writes a line of its own, so it passed after that."""
        return self._latest(scope, key) in (Outcome.CREATED.value, Outcome.UNCHANGED.value)

    def outputs(self, scope: Scope, key: NodeKey) -> dict[str, str]:
        """The latest outputs that a node had, for the removal of what cannot be read any more."""
        row = self._db.execute(
            "SELECT outputs FROM results WHERE workshop = ? AND target = ? AND account = ? AND step = ? AND region = ?"
            " AND outputs IS NOT NULL AND outputs <> '{}' ORDER BY rowid DESC LIMIT 1",
            (scope.workshop, scope.target, key.account, key.step, key.region),
        ).fetchone()
        return {} if row is None else dict(json.loads(row[0]))

    def knows(self, scope: Scope, key: NodeKey) -> bool:
        """Whether something of a node may exist: its latest line is not one of its removal, or of its being left alone."""
        return self._latest(scope, key) not in (None, Outcome.REMOVED.value, Outcome.ABSENT.value, Outcome.SKIPPED.value)

    def regions_of(self, scope: Scope, step: str) -> tuple[str, ...]:
        """The regions in which something of a step may exist: as `knows` has it."""
        rows = self._db.execute(
            "SELECT DISTINCT region FROM results WHERE workshop = ? AND target = ? AND account = ? AND step = ? ORDER BY region",
            (scope.workshop, scope.target, scope.account, step),
        ).fetchall()
        keys = (NodeKey(scope.account, step, region) for (region,) in rows)
        return tuple(key.region for key in keys if self.knows(scope, key))

    def record_made(self, run: str, scope: Scope, key: NodeKey, resource: tuple[str, str, str], identity: str = "") -> None:
        """Written before a resource `(kind, name, region)` is made, and again with its `identity` once AWS has given it one.

        A request without a response forgets no identity: it may have been refused because the resource exists.
        """
        kind, name, region = resource
        self._write(
            "INSERT INTO made VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (workshop, target, account, region, kind, name) DO UPDATE SET run = excluded.run, step = excluded.step,"
            " at = excluded.at, identity = CASE excluded.identity WHEN '' THEN made.identity ELSE excluded.identity END",
            (scope.workshop, scope.target, scope.account, region, kind, name, run, key.step, _now(), identity),
        )

    def forget_made(self, scope: Scope, resource: tuple[str, str, str]) -> None:
        """The resource `(kind, name, region)` was refused: what exists under that name is not ours."""
        kind, name, region = resource
        self._write(
            "DELETE FROM made WHERE workshop = ? AND target = ? AND account = ? AND region = ? AND kind = ? AND name = ?",
            (scope.workshop, scope.target, scope.account, region, kind, name),
        )

    def made(self, scope: Scope, resource: tuple[str, str, str]) -> datetime | None:
        """When this workshop last requested the resource `(kind, name, region)`; None when it did not, or was torn down since."""
        kind, name, region = resource
        row = self._db.execute(
            "SELECT at FROM made WHERE workshop = ? AND target = ? AND account = ? AND region = ? AND kind = ? AND name = ?",
            (scope.workshop, scope.target, scope.account, region, kind, name),
        ).fetchone()
        return None if row is None else datetime.fromisoformat(row[0])

    def identity(self, scope: Scope, resource: tuple[str, str, str]) -> str:
        """What AWS called the resource `(kind, name, region)` when this workshop made it; empty when that was not noted."""
        kind, name, region = resource
        row = self._db.execute(
            "SELECT identity FROM made"
            " WHERE workshop = ? AND target = ? AND account = ? AND region = ? AND kind = ? AND name = ?",
            (scope.workshop, scope.target, scope.account, region, kind, name),
        ).fetchone()
        return "" if row is None else str(row[0])

    def record_left(self, scope: Scope, regions: Collection[str]) -> None:
        """A teardown left something of ours in these regions, and in no other: the next one asks them again."""
        key = (scope.workshop, scope.target, scope.account)
        with self._db:
            self._db.execute("DELETE FROM left_behind WHERE workshop = ? AND target = ? AND account = ?", key)
            self._db.executemany(
                "INSERT INTO left_behind VALUES (?, ?, ?, ?)", [(*key, region) for region in sorted(set(regions))]
            )

    def left_in(self, scope: Scope) -> tuple[str, ...]:
        """The regions in which the last teardown left something of ours."""
        rows = self._db.execute(
            "SELECT region FROM left_behind WHERE workshop = ? AND target = ? AND account = ? ORDER BY region",
            (scope.workshop, scope.target, scope.account),
        )
        return tuple(region for (region,) in rows)

    def remembers_made(self, scope: Scope, kinds: Collection[str]) -> bool:
        """Whether something of these kinds is noted as made and not as gone: what a plan removed took its notes along."""
        rows = self._db.execute(
            "SELECT DISTINCT kind FROM made WHERE workshop = ? AND target = ? AND account = ?",
            (scope.workshop, scope.target, scope.account),
        )
        return any(kind in kinds for (kind,) in rows)

    def _latest(self, scope: Scope, key: NodeKey) -> str | None:
        """The outcome of a node's latest line, of a setup or a teardown; empty when it has no end yet, None without any line."""
        row = self._db.execute(
            "SELECT coalesce(outcome, '') FROM results WHERE workshop = ? AND target = ? AND account = ? AND step = ?"
            " AND region = ? ORDER BY rowid DESC LIMIT 1",
            (scope.workshop, scope.target, key.account, key.step, key.region),
        ).fetchone()
        return None if row is None else str(row[0])

    def _write(self, statement: str, values: Sequence[Any]) -> None:
        with self._db:
            self._db.execute(statement, values)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process opens a journal at a time: SQLite does not wait for its turn when it changes to WAL, and a journal that
    another process has just begun must not be set aside.
    """
    lock = path.with_name(f"{path.name}.lock")
    refuse_link(lock)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_emptied(path: Path) -> bool:
    """Whether the file has lost its content: SQLite would take it for a new one, and the loss would not be reported."""
    refuse_link(path)
    return path.is_file() and path.stat().st_size == 0


def _put_aside(path: Path) -> Path:
    """Move a damaged journal away and return where it is."""
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%d%H%M%S}")
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    return aside


def _open(path: Path) -> sqlite3.Connection:
    for suffix in ("", "-wal", "-shm"):
        refuse_link(Path(f"{path}{suffix}"))
    path.touch(mode=0o600, exist_ok=True)
    db = sqlite3.connect(path, timeout=30)
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        return _migrated(db)
    except BaseException:
        db.close()
        raise


def _migrated(db: sqlite3.Connection) -> sqlite3.Connection:
    """The database with the tables of this version."""
    with db:
        db.execute("BEGIN IMMEDIATE")  # two first commands at once must not both make the tables
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for older in range(version, VERSION):
            for statement in MIGRATIONS[older].split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {older + 1}")
    return db


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _exactly_now() -> str:
    """In milliseconds: which nodes overlapped can be seen only from times that are finer than the shortest node."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
