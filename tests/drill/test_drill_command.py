"""Drills and experiments from the command line, on a local cloud: complete, by hand, refused."""

from __future__ import annotations

import shlex
import signal
from datetime import datetime
from pathlib import Path

import pytest

from tests.cloud.shell import HOME_REGION, OTHER_REGION, Shell
from tests.drill.command_line import QUICK, function, own_items, reserve, reserved, running, until

pytestmark = pytest.mark.usefixtures("restored")


def test_a_drill_passes_and_leaves_everything_as_it_was(shell: Shell) -> None:
    reserve(shell, 37)
    before = shell.inventory()
    found = shell.document("drill", "run", *QUICK)
    assert (found["command"], found["ok"], found["undone"]) == ("drill run", True, True)
    assert 1 < found["rto"]["seconds"] <= found["rto"]["bound"]
    assert found["rto"]["target"] == 900
    assert found["rpo"]["lost_writes"] == 0 < found["rpo"]["acknowledged_writes"]
    assert 0 < found["failed_requests"] < found["requests"]
    assert 0 < found["availability"] < 1
    assert reserved(shell) == 37
    assert shell.inventory() == before
    assert own_items(shell, HOME_REGION) + own_items(shell, OTHER_REGION) == []
    assert [path for path in found["report"].values() if not Path(path).is_file()] == []


def test_a_fault_set_by_hand_stays_until_recover(shell: Shell) -> None:
    found = shell.document("drill", "fail", "--region", OTHER_REGION)
    assert found["region"] == OTHER_REGION
    assert reserved(shell, OTHER_REGION) == 0
    status = shell.run("status")
    (failed,) = shell.document("status")["failed_regions"]
    assert failed == {"region": OTHER_REGION, "fault": "throttle", "since": failed["since"], "fix": failed["fix"]}
    assert datetime.fromisoformat(failed["since"]).tzinfo is not None
    assert failed["fix"].startswith("workshop drill recover")
    assert "failed by hand" in status.err
    assert f"✗ {OTHER_REGION} is failed by hand (throttle) since {failed['since']} → {failed['fix']}" in status.out
    assert "Bring it to ready" not in status.out, "a setup would not help against a fault"
    refused = shell.run("drill", "run", code=1)
    assert "workshop drill recover" in refused.err
    assert reserved(shell, OTHER_REGION) == 0
    shell.run("drill", "recover", "--region", HOME_REGION)
    assert reserved(shell, OTHER_REGION) == 0, "recover was for another region"
    shell.run(*shlex.split(failed["fix"])[1:], "--region", OTHER_REGION)
    assert reserved(shell, OTHER_REGION) is None
    assert shell.document("status")["failed_regions"] == []


def test_while_a_drill_runs_others_are_refused_and_it_is_not_reported_as_killed(shell: Shell) -> None:
    process, lines = running(shell, "--countdown", "100s")
    until(lines, "failing")
    assert "killed" not in shell.run("status").err
    assert shell.document("status")["failed_regions"] == []
    assert "Busy" in shell.run("drill", "recover", "--json", code=1).out
    assert reserved(shell) == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert reserved(shell) is None


def test_replication_is_paused_and_nothing_is_lost(shell: Shell) -> None:
    found = shell.document("drill", "run", "--fault", "replication")
    assert found["ok"]
    assert found["rto"]["seconds"] is None
    assert found["failed_requests"] == 0
    assert found["rpo"]["behind_at_failover"]["writes"] > 5
    assert found["rpo"]["lost_writes"] == 0
    assert found["lag"]["during"]["max"] > 3


def test_a_missed_target_is_a_failure_with_its_reason(shell: Shell) -> None:
    done = shell.run("drill", "run", *QUICK, "--rto", "0.5s", code=1)
    assert "RTO was" in done.out
    assert "Put back" in done.out
    assert reserved(shell) is None


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("run", "--fault", "health"), 2, "STATUS"),
        (("run", "--fault", "bad-deploy"), 2, "/health"),
        (("run", "--region", "ap-south-1"), 2, "is not deployed in ap-south-1"),
        (("run", "--region", HOME_REGION, "--region", OTHER_REGION), 2, "one region"),
        (("run", "--rto", "soon"), 2, "not a length of time"),
        (("fail", "--fault", "nonsense"), 2, "nonsense"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(shell: Shell, words: tuple[str, ...], code: int, why: str) -> None:
    assert why in shell.run("drill", *words, code=code).err
    assert reserved(shell) is None
    assert "drill recover" not in shell.run("status").err


def test_a_region_that_fails_already_is_refused(shell: Shell) -> None:
    shell.client("lambda", OTHER_REGION).put_function_concurrency(
        FunctionName=function(shell, OTHER_REGION), ReservedConcurrentExecutions=0
    )
    try:
        assert f"{OTHER_REGION} is failing already" in shell.run("drill", "run", code=1).err
    finally:
        shell.client("lambda", OTHER_REGION).delete_function_concurrency(FunctionName=function(shell, OTHER_REGION))


def test_on_aws_a_drill_asks_first(shell: Shell) -> None:
    own = {
        "AWS_ENDPOINT_URL": shell.endpoint,
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": HOME_REGION,
    }
    refused = shell.run("drill", "run", "--target", "aws", code=2, env=own)
    assert "--yes" in refused.err
    assert "reserved concurrency" in refused.err
    assert reserved(shell) is None
    assert "not possible" in shell.run("drill", "run", "--target", "aws", "--fault", "replication", code=2, env=own).err


def test_the_experiments_measure_and_leave_nothing(shell: Shell) -> None:
    found = shell.document("observe", "replication", "--rounds", "2")
    assert [each["outcome"] for each in found["rounds"]] == ["stale", "stale"]
    assert found["lag"]["max"] > 0.1
    assert found["replication_latency"]["samples"] > 0
    assert Path(found["svg"]).is_file()
    found = shell.document("observe", "conflict", "--region", OTHER_REGION, "--region", HOME_REGION)
    assert found["rounds"][0]["winner"] == HOME_REGION
    assert found["regions"] == [OTHER_REGION, HOME_REGION]
    assert "Plot:" in shell.run("observe", "conflict").out
    assert own_items(shell, HOME_REGION) + own_items(shell, OTHER_REGION) == []


def test_an_experiment_takes_two_regions_of_the_workshop(shell: Shell) -> None:
    assert "two regions" in shell.run("observe", "conflict", "--region", HOME_REGION, code=2).err
    assert "is not deployed" in shell.run("observe", "conflict", "--region", HOME_REGION, "--region", "ap-south-1", code=2).err
