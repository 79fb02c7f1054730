"""The undos in the journal: what must be restored outlives the process that changed it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from workshop.engine import journal as journals
from workshop.engine.journal import Journal
from workshop.engine.scope import Scope
from workshop.engine.undos import BY_DRILL, BY_HAND, Undo

HERE = Scope("w", "local", "000000000000")
THERE = Scope("w", "aws", "111111111111")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def record(journal: Journal, scope: Scope, snapshot: str, by: str = BY_DRILL) -> Undo:
    return journal.undos.record(
        scope, source="w", profile="p", region="us-west-2", kind="throttle", snapshot=snapshot, by=by, run="r1"
    )


def test_an_undo_outlives_the_process_that_wrote_it(path: Path) -> None:
    first = Journal(path)
    undo = record(first, HERE, "{}")
    first.close()
    assert Journal(path).undos.pending(HERE) == [undo]


def test_a_done_undo_is_pending_no_more(path: Path) -> None:
    journal = Journal(path)
    journal.undos.done(record(journal, HERE, "{}"))
    assert journal.undos.pending(HERE) == []


def test_the_latest_undo_comes_first_and_everywhere_lists_all_scopes(path: Path) -> None:
    journal = Journal(path)
    record(journal, HERE, "1")
    record(journal, HERE, "2", BY_HAND)
    record(journal, THERE, "3")
    assert [undo.snapshot for undo in journal.undos.pending(HERE)] == ["2", "1"]
    assert [undo.snapshot for undo in journal.undos.everywhere()] == ["3", "2", "1"]


def test_a_teardown_forgets_the_undos_of_its_scope_only(path: Path) -> None:
    journal = Journal(path)
    record(journal, HERE, "1")
    record(journal, THERE, "2")
    journal.record_removed(HERE)
    assert [undo.snapshot for undo in journal.undos.everywhere()] == ["2"]


def test_a_journal_of_the_first_version_keeps_its_runs_and_gets_undos(path: Path) -> None:
    with sqlite3.connect(path) as old:
        for statement in journals.SCHEMA.split(";"):
            old.execute(statement)
        old.execute(
            "INSERT INTO runs (id, command, workshop, target, account, pid, started) VALUES ('r', 'setup',"
            " 'w', 'aws', '1', 1, '')"
        )
        old.execute("PRAGMA user_version = 1")
    journal = Journal(path)
    assert journal.last_target("w") == "aws"
    assert record(journal, HERE, "{}") in journal.undos.pending(HERE)
