"""The journal's database on a disk that fills up: it goes on in memory where that is wanted, with all that was recorded."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from workshop.engine.database import Database, copy_in_memory
from workshop.state_dir import UnwritableError


def full(path: Path) -> sqlite3.Connection:
    """A database with one row, that may not grow any more."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    with connection:
        connection.execute("CREATE TABLE notes (text TEXT)")
        connection.execute("INSERT INTO notes VALUES ('before')")
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    return connection


def notes(database: Database) -> list[str]:
    return [text[:10] for (text,) in database.execute("SELECT text FROM notes ORDER BY rowid")]


def test_a_transaction_that_the_disk_does_not_take_is_repeated_whole_in_memory_and_reported_once(tmp_path):
    told: list[UnwritableError] = []
    with contextlib.closing(Database(full(tmp_path / "runs.db"), tmp_path / "runs.db", told.append)) as database:
        with database:
            database.execute("INSERT INTO notes VALUES ('small')")
            database.executemany("INSERT INTO notes VALUES (?)", [("x" * 9000,), ("y" * 9000,)])
        with database:
            database.execute("INSERT INTO notes VALUES (?)", ("z" * 9000,))
        assert notes(database) == ["before", "small", "x" * 10, "y" * 10, "z" * 10]
    (error,) = told
    assert error.what == f"The disk cannot be written: {tmp_path}." and "database or disk is full" in error.why
    with contextlib.closing(sqlite3.connect(tmp_path / "runs.db")) as file:
        assert file.execute("SELECT text FROM notes").fetchall() == [("before",)]


def test_where_a_record_is_needed_a_full_disk_is_an_error(tmp_path):
    with contextlib.closing(Database(full(tmp_path / "runs.db"), tmp_path / "runs.db")) as database:
        with pytest.raises(UnwritableError), database:
            database.execute("INSERT INTO notes VALUES (?)", ("x" * 9000,))
        assert notes(database) == ["before"]


def test_another_error_of_sqlite_is_no_full_disk(tmp_path):
    told: list[UnwritableError] = []
    with contextlib.closing(Database(full(tmp_path / "runs.db"), tmp_path / "runs.db", told.append)) as database:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            database.execute("SELECT * FROM absent")
        with pytest.raises(KeyError), database:
            database.execute("INSERT INTO notes VALUES ('lost')")
            raise KeyError
        assert notes(database) == ["before"] and told == []


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 100])
def test_what_cannot_be_read_is_an_empty_database(tmp_path, content):
    if content is not None:
        (tmp_path / "runs.db").write_bytes(content)
    with contextlib.closing(copy_in_memory(tmp_path / "runs.db")) as memory:
        assert memory.execute("SELECT * FROM sqlite_master").fetchall() == []
