"""The database of the journal: a SQLite connection that can go on in memory when its disk takes no more.

In: statements in transactions. Out: their rows. Where the caller accepts that nothing is recorded any more, a disk that is full
or read-only ends no run: what could be read of the file is copied, the transaction is repeated there, and it is reported once.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from workshop.state_dir import UnwritableError, unwritable

__all__ = ["Database", "Unrecorded", "copy_in_memory"]

Unrecorded = Callable[[UnwritableError], None]
"""Told that nothing is recorded from now on, and why."""


class Database:
    """Transactions are `with` blocks, as those of a connection. Without `unrecorded`, a disk that is full is an error."""

    def __init__(self, connection: sqlite3.Connection, path: Path, unrecorded: Unrecorded | None = None) -> None:
        self._connection, self._path, self._unrecorded = connection, path, unrecorded
        self._transaction: list[Callable[[], sqlite3.Cursor]] | None = None
        """The statements of the transaction that is open."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._do(lambda: self._connection.execute(statement, values))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        kept = list(rows)
        return self._do(lambda: self._connection.executemany(statement, kept))

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Database:
        self._transaction = []
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is not None:
                self._connection.rollback()
                return
            try:
                self._connection.commit()
            except sqlite3.OperationalError as full:
                self._go_on_in_memory(full)
                self._connection.commit()
        finally:
            self._transaction = None

    def _do(self, statement: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        try:
            cursor = statement()
        except sqlite3.OperationalError as error:
            self._go_on_in_memory(error)
            cursor = statement()
        if self._transaction is not None:
            self._transaction.append(statement)
        return cursor

    def _go_on_in_memory(self, error: sqlite3.OperationalError) -> None:
        """Copy what was committed and repeat the statements of this transaction; raises when that is not wanted."""
        problem = unwritable(error, self._path.parent)
        if problem is None:
            raise error
        if self._unrecorded is None:
            raise problem from error
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        self._connection, broken = copy_in_memory(self._path), self._connection
        with contextlib.suppress(sqlite3.Error):
            broken.close()
        unrecorded, self._unrecorded = self._unrecorded, None
        unrecorded(problem)
        for statement in self._transaction or ():
            statement()


def copy_in_memory(path: Path) -> sqlite3.Connection:
    """A database in memory with what could be read of a file; empty when nothing could.

    Reading a write-ahead log needs a file of shared memory beside it. Where that cannot be made, the file is read by itself,
    as it was when the log was last merged.
    """
    for options in ("mode=ro", "mode=ro&immutable=1"):
        memory = sqlite3.connect(":memory:")
        with contextlib.suppress(sqlite3.Error), contextlib.closing(_read_only(path, options)) as file:
            if file.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                file.backup(memory)
                return memory
        memory.close()
    return sqlite3.connect(":memory:")


def _read_only(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=5)
