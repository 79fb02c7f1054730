"""What happens to a setup that is interrupted, killed, loses its cloud, or meets another one."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing

import pytest

from tests.cloud.shell import OTHER_REGION, REGIONS, eventually
from workshop.cloud.faults import CloudFault, fault_add, faults_clear

pytestmark = pytest.mark.cloud
APART = True


@pytest.fixture
def slow(clean):
    """The module's shell, empty, on which a setup takes long enough to be met at work."""
    return clean.cloud("realistic", 0.025)


def at_work(shell):
    """Wait until the table is being made."""
    desk_table = shell.client("dynamodb")
    eventually(lambda: desk_table.list_tables()["TableNames"])


def begun(shell):
    """Wait until the journal knows of a change that began."""

    def changes():
        if not (shell.state / "runs.db").exists():
            return 0
        with closing(sqlite3.connect(shell.state / "runs.db")) as journal:
            made = journal.execute("SELECT count(*) FROM sqlite_master WHERE name = 'results'").fetchone()[0]
            return made and journal.execute("SELECT count(*) FROM results").fetchone()[0]

    eventually(changes)


def reaches_ready_and_leaves_nothing(shell):
    shell.cloud("instant")
    assert shell.document("setup")["ok"] is True
    assert all(shell.count(region) == 13 for region in REGIONS)
    assert shell.document("teardown")["leftovers"] == []
    assert shell.inventory() == []


def test_one_ctrl_c_stops_cleanly_and_the_next_setup_goes_on(slow):
    setup = slow.start("setup", "--json")
    at_work(slow)
    setup.send_signal(signal.SIGINT)
    done = slow.finish(setup, 130)
    document = json.loads(done.out)
    assert document["ok"] is False
    assert "cancelled" in {step["outcome"] for step in document["steps"]}
    assert "Stopping: calls in flight are being finished. Press Ctrl-C again to end at once." in done.err
    reaches_ready_and_leaves_nothing(slow)


def test_ctrl_c_reports_how_to_go_on(slow):
    setup = slow.start("setup")
    at_work(slow)
    setup.send_signal(signal.SIGTERM)
    done = slow.finish(setup, 130)
    assert "Interrupted. Go on with: workshop setup" in done.out


def test_a_terminal_that_is_closed_stops_a_setup_cleanly(slow):
    setup = slow.start("setup", "--json")
    at_work(slow)
    setup.send_signal(signal.SIGHUP)
    done = slow.finish(setup, 130)
    assert "cancelled" in {step["outcome"] for step in json.loads(done.out)["steps"]}
    reaches_ready_and_leaves_nothing(slow)


def test_under_nohup_a_setup_goes_on_when_the_terminal_is_closed(slow):
    setup = subprocess.Popen(
        ["nohup", "workshop", "setup"], cwd=slow.work, env=slow.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    at_work(slow)
    setup.send_signal(signal.SIGHUP)
    said, _ = setup.communicate(timeout=120)
    assert setup.returncode == 0 and "is ready" in said


def test_ctrl_c_stops_a_teardown_too(slow):
    slow.cloud("instant").run("setup")
    slow.cloud("realistic", 0.025)
    teardown = slow.start("teardown")
    eventually(lambda: slow.client("dynamodb").describe_table(TableName="global-serverless")["Table"]["TableStatus"] != "ACTIVE")
    teardown.send_signal(signal.SIGINT)
    done = slow.finish(teardown, 130)
    assert "is not gone" in done.out
    assert slow.document("status")["steps"][0]["state"] == "ready"
    slow.cloud("instant")
    assert slow.document("teardown")["leftovers"] == []
    assert slow.inventory() == []


def test_ctrl_c_in_the_sweep_ends_it_without_a_receipt_and_the_next_teardown_writes_one(clean):
    clean.run("setup", "--through", "backend")
    fault_add(clean.state, CloudFault("latency", service="iam", operation="ListRoles", seconds=2.0))
    teardown = clean.start("teardown")
    assert teardown.stderr is not None
    while "Sweeping" not in (line := teardown.stderr.readline()):
        assert line, "the teardown ended before its sweep"
    teardown.send_signal(signal.SIGINT)
    done = clean.finish(teardown, 130)
    faults_clear(clean.state)
    assert "is not gone" in done.out and "Interrupted. Go on with: workshop teardown" in done.out
    assert "Receipt" not in done.out
    again = clean.document("teardown")
    assert again["leftovers"] == [] and again["receipt"]
    assert clean.inventory() == []


def test_a_second_ctrl_c_ends_at_once_and_the_journal_knows_what_was_begun(slow):
    setup = slow.start("setup")
    begun(slow)
    setup.send_signal(signal.SIGINT)
    setup.send_signal(signal.SIGINT)
    done = slow.finish(setup, 130)
    assert setup.returncode == 130
    assert done.err.count("\n") >= 1
    reaches_ready_and_leaves_nothing(slow)


def test_a_setup_that_was_killed_is_taken_up_by_the_next(slow):
    setup = slow.start("setup")
    at_work(slow)
    setup.send_signal(signal.SIGKILL)
    setup.wait(30)
    reaches_ready_and_leaves_nothing(slow)


def test_of_two_setups_the_second_reports_which_run_is_in_progress(slow):
    first = slow.start("setup", "--json")
    at_work(slow)
    for word in ("setup", "teardown"):
        refused = slow.document(word, code=1)
        assert refused["error"]["code"] == "Busy"
        assert refused["error"]["what"] == "global-serverless on local is being changed already."
        assert f"workshop setup (process {first.pid}, since " in refused["error"]["why"]
        assert "run the same command again" in refused["error"]["fix"]
    document = json.loads(slow.finish(first, 0).out)
    assert {step["outcome"] for step in document["steps"]} == {"created"}
    slow.cloud("instant")
    assert {step["outcome"] for step in slow.document("setup")["steps"]} == {"unchanged"}


def test_two_first_setups_at_once_share_one_cloud_and_one_wins(fresh):
    both = [fresh.start("setup", "--through", "backend") for _ in range(2)]
    codes = sorted(process.wait(120) for process in both)
    assert codes == [0, 1]
    loser = next(process for process in both if process.returncode == 1)
    assert "is being changed already" in loser.communicate()[1]
    assert {step["state"] for step in fresh.document("status")["steps"] if step["module"] == "backend"} == {"ready"}
    assert all(fresh.count(region) == 13 for region in REGIONS)


def test_a_cloud_that_is_killed_during_setup_is_named_and_the_rerun_reaches_ready(slow):
    setup = slow.start("setup", "--json")
    at_work(slow)
    os.kill(slow.document("cloud", "status")["pid"], signal.SIGKILL)
    done = slow.finish(setup, 1)
    document = json.loads(done.out)
    errors = [step["error"] for step in document["steps"] if step["error"]]
    assert errors
    assert "workshop cloud status" in errors[0]["fix"]
    assert all(error["code"] in ("Unreachable", "NoAnswer") for error in errors)
    assert slow.document("cloud", "status")["running"] is False
    reaches_ready_and_leaves_nothing(slow)


def test_a_step_that_failed_and_left_nothing_is_a_notice(clean):
    clean.run("setup", "--through", "backend")
    stacks = clean.client("cloudformation", OTHER_REGION)
    stacks.delete_stack(StackName="global-serverless-api")
    eventually(lambda: not stacks.describe_stacks()["Stacks"])
    denied = {"service": "cloudformation", "operation": "DescribeStacks", "region": OTHER_REGION}
    fault_add(clean.state, CloudFault("error", code="AccessDenied", status=403, times=1, **denied))
    before = set((clean.state / "receipts").glob("*.json"))
    done = clean.run("teardown")
    assert f"! api ({OTHER_REGION}) failed on the way, and nothing of it is left: " in done.err
    assert "is gone" in done.out and "nothing left" in done.out and "go on with" not in done.out
    assert clean.inventory() == []
    (written,) = set((clean.state / "receipts").glob("*.json")) - before
    receipt = json.loads(written.read_text())
    assert receipt["clean"] and not receipt["finish"]
    assert [step["outcome"] for step in receipt["steps"] if step["error"]] == ["failed"], "the receipt keeps what failed"
