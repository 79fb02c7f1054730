"""The journal: written ahead of every change, read back by later commands, never the end of a run when it is damaged."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.fakes.plans import failure, plan
from workshop.engine.journal import Installation, Journal
from workshop.engine.plan import Node, NodeKey
from workshop.engine.results import NodeResult, Outcome
from workshop.engine.scope import Scope

SCOPE = Scope("films", "aws", "1")
NODE: Node = plan(table="").nodes[0]
TABLE = ("table", "films", "us-west-2")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with contextlib.closing(Journal(path)) as opened:
        yield opened


def standing(target: str = "aws", **more) -> Installation:
    return Installation(
        Scope("films", target, "1"), "films", "event", ("us-west-2", "eu-west-1"), {"table": "films"}, since="", **more
    )


def result(outcome: Outcome, **more) -> NodeResult:
    return NodeResult(NODE, outcome, **more)


def reopened(journal: Journal, path: Path) -> Journal:
    journal.close()
    return Journal(path)


def test_the_journal_is_private(journal, path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_intent_without_a_result_is_a_change_to_resume_even_after_a_kill(journal, path):
    assert not journal.resumes(SCOPE, NODE.key)
    journal.intend("run-1", SCOPE, NODE.key)
    # Nothing is closed and nothing more is written: this is what a killed process leaves.
    with contextlib.closing(Journal(path)) as later:
        assert later.resumes(SCOPE, NODE.key)


@pytest.mark.parametrize("outcome", [Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED])
def test_a_change_that_ended_well_is_not_resumed(journal, outcome):
    journal.intend("run-1", SCOPE, NODE.key)
    journal.finish("run-1", SCOPE, result(outcome))
    assert not journal.resumes(SCOPE, NODE.key)


def test_a_change_that_failed_is_resumed_by_the_next_run(journal):
    journal.intend("run-1", SCOPE, NODE.key)
    journal.finish("run-1", SCOPE, result(Outcome.FAILED, error=failure("no")))
    assert journal.resumes(SCOPE, NODE.key)
    journal.intend("run-2", SCOPE, NODE.key)
    journal.finish("run-2", SCOPE, result(Outcome.CREATED))
    assert not journal.resumes(SCOPE, NODE.key)


@pytest.mark.parametrize("outcome", [Outcome.REMOVED, Outcome.ABSENT, Outcome.SKIPPED])
def test_after_a_teardown_there_is_nothing_to_resume(journal, outcome):
    journal.finish("run-1", SCOPE, result(Outcome.CREATED))
    journal.finish("run-2", SCOPE, result(outcome))
    assert not journal.resumes(SCOPE, NODE.key)


def test_other_nodes_targets_and_accounts_have_their_own_memory(journal):
    journal.intend("run-1", SCOPE, NODE.key)
    assert not journal.resumes(Scope("films", "local", "1"), NODE.key)
    assert not journal.resumes(Scope("films", "aws", "2"), NodeKey("2", "table", "home"))
    assert not journal.resumes(SCOPE, plan(other="").nodes[0].key)


def test_a_check_has_passed_until_the_workshop_is_torn_down(journal):
    assert not journal.passed(SCOPE, NODE.key)
    journal.finish("run-1", SCOPE, result(Outcome.CREATED))
    assert journal.passed(SCOPE, NODE.key)
    journal.finish("run-2", SCOPE, result(Outcome.UNCHANGED))
    assert journal.passed(SCOPE, NODE.key)
    journal.finish("run-3", SCOPE, result(Outcome.ABSENT))
    assert not journal.passed(SCOPE, NODE.key)


def test_a_check_that_failed_last_has_not_passed(journal):
    journal.finish("run-1", SCOPE, result(Outcome.CREATED))
    journal.intend("run-2", SCOPE, NODE.key)
    assert not journal.passed(SCOPE, NODE.key)


def test_the_latest_outputs_are_remembered_over_results_without_any(journal):
    assert journal.outputs(SCOPE, NODE.key) == {}
    journal.finish("run-1", SCOPE, result(Outcome.CREATED, outputs={"ApiId": "old"}))
    journal.finish("run-2", SCOPE, result(Outcome.UPDATED, outputs={"ApiId": "new"}))
    journal.finish("run-3", SCOPE, result(Outcome.FAILED, error=failure("no")))
    assert journal.outputs(SCOPE, NODE.key) == {"ApiId": "new"}


def test_what_was_made_is_known_with_its_time_until_the_workshop_is_gone(journal, path):
    assert journal.made(SCOPE, TABLE) is None
    before = datetime.now(UTC).replace(microsecond=0)
    journal.record_made("run-1", SCOPE, NODE.key, TABLE)
    with contextlib.closing(Journal(path)) as later:
        when = later.made(SCOPE, TABLE)
    assert when is not None and before <= when <= datetime.now(UTC)
    assert journal.made(SCOPE, ("table", "films", "eu-west-1")) is None
    assert journal.made(Scope("films", "aws", "2"), TABLE) is None
    journal.record_removed(SCOPE)
    assert journal.made(SCOPE, TABLE) is None


def test_an_installation_is_found_again_with_everything_that_finds_the_workshop(journal, path):
    journal.record_installed(standing(endpoint="http://127.0.0.1:4566"))
    (found,) = reopened(journal, path).installations("films")
    assert found.scope == SCOPE and found.since
    assert (found.source, found.profile, found.endpoint) == ("films", "event", "http://127.0.0.1:4566")
    assert found.regions == ("us-west-2", "eu-west-1") and found.parameters == {"table": "films"}


def test_setting_up_again_keeps_the_date_and_takes_the_newest_settings(journal):
    journal.record_installed(standing())
    since = journal.installations("films")[0].since
    journal.record_installed(Installation(SCOPE, "./films", "other", ("us-west-2",), {}, since="2030-01-01T00:00:00+00:00"))
    (found,) = journal.installations("films")
    assert (found.since, found.source, found.regions) == (since, "./films", ("us-west-2",))


def test_the_place_that_was_used_last_comes_first(journal):
    for number, target in enumerate(("aws", "local", "aws")):
        journal.begin_run(f"run-{number}", "setup", Scope("films", target, "1"))
        journal.record_installed(standing(target))
    assert [s.scope.target for s in journal.installations("films")] == ["aws", "local"]
    journal.begin_run("run-9", "teardown", Scope("films", "local", "1"))
    assert [s.scope.target for s in journal.installations("films")] == ["local", "aws"]


def test_what_was_removed_is_no_longer_listed_and_the_rest_is(journal):
    journal.record_installed(standing("aws"))
    journal.record_installed(standing("local"))
    journal.record_removed(Scope("films", "local", "1"))
    assert [s.scope.target for s in journal.installations("films")] == ["aws"]
    assert journal.installations("other") == []


def test_the_last_target_is_that_of_the_latest_run_deployed_or_not(journal):
    assert journal.last_target("films") is None
    journal.begin_run("run-1", "setup", SCOPE)
    journal.begin_run("run-2", "setup", Scope("other", "local", "1"))
    journal.end_run("run-1", ok=True)
    assert journal.last_target("films") == "aws"


@pytest.mark.parametrize("content", [b"not a database at all, but long enough", b"SQLite format 3\x00" + b"\x07" * 600])
def test_a_damaged_journal_is_set_aside_and_a_new_one_begun(path, content):
    path.write_bytes(content)
    with contextlib.closing(Journal(path)) as journal:
        assert journal.set_aside is not None and journal.set_aside.read_bytes() == content
        journal.begin_run("run-1", "setup", SCOPE)
    with contextlib.closing(Journal(path)) as again:
        assert again.set_aside is None and again.last_target("films") == "aws"


def test_a_journal_that_is_damaged_in_the_middle_is_set_aside_too(journal, path):
    for number in range(200):
        journal.finish(f"run-{number}", SCOPE, result(Outcome.CREATED, outputs={"Arn": "x" * 100}))
    journal.close()
    content = bytearray(path.read_bytes())
    content[4096 : len(content)] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with contextlib.closing(Journal(path)) as opened:
        assert opened.set_aside is not None
        assert opened.installations("films") == [] and not opened.resumes(SCOPE, NODE.key)


def test_a_journal_that_was_cut_short_is_set_aside(journal, path):
    journal.begin_run("run-1", "setup", SCOPE)
    journal.close()
    path.write_bytes(path.read_bytes()[:5000])
    with contextlib.closing(Journal(path)) as opened:
        assert opened.set_aside is not None and opened.last_target("films") is None


def test_a_journal_that_was_emptied_is_set_aside_and_a_fresh_folder_is_not(path):
    with contextlib.closing(Journal(path)) as journal:
        assert journal.set_aside is None and path.stat().st_size > 0
        journal.begin_run("run-1", "setup", SCOPE)
    path.write_bytes(b"")
    with contextlib.closing(Journal(path)) as journal:
        assert journal.set_aside is not None and journal.set_aside.read_bytes() == b""
        assert journal.installations("films") == [] and journal.last_target("films") is None
    with contextlib.closing(Journal(path)) as again:
        assert again.set_aside is None


WRITER = """
import pathlib, sys
from workshop.engine.journal import Journal, Installation
from workshop.engine.scope import Scope
name = sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
journal = Journal(pathlib.Path(sys.argv[1]))
for number in range(3):
    scope = Scope("films", name, "1")
    journal.begin_run(f"{name}-{number}", "setup", scope)
    journal.record_installed(Installation(scope, "films", "", ("us-west-2",), {}, ""))
"""


@pytest.mark.parametrize("damaged", [False, True])
def test_processes_that_begin_at_the_same_moment_share_one_journal(path, damaged):
    if damaged:
        path.write_bytes(b"not a database at all, but long enough")
    with contextlib.ExitStack() as all_of_them:
        writers = [
            all_of_them.enter_context(
                subprocess.Popen([sys.executable, "-c", WRITER, path, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            for name in "abcd"
        ]
        for writer in writers:
            assert writer.stdout.readline() == b"ready\n"
        for writer in writers:
            writer.stdin.write(b"go\n")
            writer.stdin.close()
        assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    with contextlib.closing(Journal(path)) as journal:
        assert journal.set_aside is None
        assert len(list(path.parent.glob("*.damaged-*"))) == damaged
        assert sorted(s.scope.target for s in journal.installations("films")) == ["a", "b", "c", "d"]


VECTOR = Path(__file__).parents[1] / "vectors" / "journal-0.1.sql"
"""A journal as version 0.1 left it on disk: a setup that was killed, with a fault that is still in force."""


def columns(path: Path) -> dict[str, list[str]]:
    """The names of the columns of each table."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(row[1] for row in db.execute(f"PRAGMA table_info({table})")) for table in tables}


@pytest.fixture
def of_before(path: Path) -> Path:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(VECTOR.read_text())
    return path


def test_a_journal_of_the_version_before_is_read_in_full(of_before):
    with contextlib.closing(Journal(of_before)) as journal:
        assert journal.set_aside is None
        (found,) = journal.installations("films")
        assert (found.scope, found.source, found.profile, found.since) == (SCOPE, "./films", "event", "2026-03-01T09:00:00+00:00")
        assert found.regions == ("us-west-2", "eu-west-1") and found.parameters == {"table": "films"}
        assert found.endpoint == "http://127.0.0.1:4566" and journal.last_target("films") == "aws"
        assert journal.outputs(SCOPE, NODE.key) == {"TableName": "films"} and not journal.resumes(SCOPE, NODE.key)
        assert journal.resumes(SCOPE, plan(api="").nodes[0].key)
        assert journal.made(SCOPE, TABLE) == datetime(2026, 3, 1, 9, tzinfo=UTC)
        (undo,) = journal.undos.pending(SCOPE)
        assert (undo.kind, undo.region, undo.snapshot, undo.by) == ("throttle", "us-west-2", '{"limit": 5}', "drill")
        (entry,) = journal.inventory.of(SCOPE)
        assert (entry.name, entry.by, entry.run, entry.gone) == ("films", "arn:aws:iam::1:user/ana", "run-1", "")


def test_a_journal_of_the_version_before_becomes_one_as_this_version_makes_it(journal, path, tmp_path):
    old = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(old)) as db:
        db.executescript(VECTOR.read_text())
    before = columns(old)
    Journal(old).close()
    assert columns(old) == columns(path)
    assert all(set(names) <= set(columns(path)[table]) for table, names in before.items())


def test_the_identity_of_a_resource_outlives_a_request_for_it_that_has_no_response(journal):
    journal.record_made("run-1", SCOPE, NODE.key, TABLE, "id-1")
    journal.record_made("run-2", SCOPE, NODE.key, TABLE)
    assert journal.identity(SCOPE, TABLE) == "id-1"
    journal.record_made("run-2", SCOPE, NODE.key, TABLE, "id-2")
    assert journal.identity(SCOPE, TABLE) == "id-2"
    journal.forget_made(SCOPE, TABLE)
    assert journal.identity(SCOPE, TABLE) == ""


def test_the_regions_in_which_something_was_left_are_those_of_the_last_teardown(journal):
    journal.record_left(SCOPE, ["us-east-1", "eu-west-1", "us-east-1"])
    assert journal.left_in(SCOPE) == ("eu-west-1", "us-east-1")
    journal.record_left(SCOPE, ["us-east-1"])
    assert journal.left_in(SCOPE) == ("us-east-1",)
    journal.record_removed(SCOPE)
    assert journal.left_in(SCOPE) == ()


@pytest.mark.parametrize(
    ("change", "table"),
    [("UPDATE", "results"), ("DELETE", "standings"), ("DELETE", "made"), ("DELETE", "undos"), ("DELETE", "holdings")],
)
def test_a_removal_that_ends_anywhere_in_between_is_recorded_in_full_or_not_at_all(of_before, change, table):
    with contextlib.closing(sqlite3.connect(of_before)) as db:
        db.execute(f"CREATE TRIGGER ends BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, 'ends here'); END")
    with contextlib.closing(Journal(of_before)) as journal, pytest.raises(sqlite3.DatabaseError, match="ends here"):
        journal.record_removed(SCOPE)
    with contextlib.closing(sqlite3.connect(of_before)) as db:
        db.execute("DROP TRIGGER ends")
    with contextlib.closing(Journal(of_before)) as later:
        kept = (later.installations("films"), later.undos.pending(SCOPE), later.inventory.of(SCOPE))
        assert [len(each) for each in kept] == [1, 1, 1]
        assert later.made(SCOPE, TABLE) and later.outputs(SCOPE, NODE.key)
        later.record_removed(SCOPE)
        assert later.installations("films") == later.undos.pending(SCOPE) == later.inventory.of(SCOPE) == []
        assert later.made(SCOPE, TABLE) is None and later.outputs(SCOPE, NODE.key) == {}
