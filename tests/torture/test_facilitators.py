"""Two machines (state folders) at work on one account: nobody corrupts anything, and everybody is told who is at work."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.amount import few, long
from tests.cloud.shell import eventually
from tests.torture.cloud_sandbox import REGIONS, CloudSandbox, Inventory
from tests.torture.conftest import Tally
from tests.torture.worker import Place, start

CLAIM = "/workshop/small/claim"
SLOW = 3.0


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The second machine."""
    return tmp_path / "other"


def claims(sandbox: CloudSandbox) -> list[str]:
    return [parameter["Name"] for parameter in sandbox.client("ssm").describe_parameters()["Parameters"]]


@pytest.mark.parametrize(("first", "second"), few([("setup", "teardown"), ("setup", "setup"), ("teardown", "setup")], 1))
def test_the_second_facilitator_is_told_who_is_at_work(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, other: Path, first: str, second: str
) -> None:
    if first == "teardown":
        sandbox.ready()
    order = sandbox.order(first, speed=SLOW)
    process = start(order)
    eventually(lambda: claims(sandbox) == [CLAIM])
    os.kill(process.pid, signal.SIGSTOP)  # at work for as long as the second one takes to look
    try:
        refused = sandbox.run(second, machine=other)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert refused.code == 1
    assert f"running workshop {first} (process {process.pid}" in refused.err
    assert "run the same command again" in refused.err
    assert sandbox.finish(order, process).code == 0
    assert claims(sandbox) == []
    sandbox.empty(before, machine=other)
    tally(f"{first} meets {second} of another machine", 1)


def test_the_second_facilitator_is_told_although_home_is_elsewhere_for_them(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, other: Path
) -> None:
    order = sandbox.order("setup", speed=SLOW, regions=REGIONS)
    process = start(order)
    eventually(lambda: claims(sandbox) == [CLAIM])
    os.kill(process.pid, signal.SIGSTOP)
    try:
        refused = sandbox.run("teardown", machine=other, regions=REGIONS[::-1])
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert refused.code == 1
    assert f"running workshop setup (process {process.pid}" in refused.err and f"claimed in {REGIONS[0]}" in refused.err
    assert sandbox.finish(order, process).code == 0
    sandbox.empty(before)
    tally("setup meets teardown with another home", 1)


def test_two_that_start_together_never_both_work(sandbox: CloudSandbox, before: Inventory, tally: Tally, other: Path) -> None:
    rounds = 20 if long() else 1
    for _ in range(rounds):
        orders = [sandbox.order(verb, machine=where) for verb, where in (("setup", sandbox.machine), ("setup", other))]
        processes = [start(order) for order in orders]
        ended = [sandbox.finish(order, process) for order, process in zip(orders, processes, strict=True)]
        assert 0 in {each.code for each in ended}
        for each in ended:
            assert each.code == 0 or "is being changed already" in each.err, each.err
        assert claims(sandbox) == []
        sandbox.empty(before)
    tally("two setups start together", rounds)


@pytest.mark.parametrize("verb", few(["setup", "teardown"], 1))
def test_a_dead_holder_on_this_machine_is_taken_over_at_once(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, other: Path, verb: str
) -> None:
    if verb == "teardown":
        sandbox.ready()
    assert sandbox.run(verb, Place("boundary", 4)).killed
    assert claims(sandbox) == [CLAIM]
    ended = sandbox.ready(machine=other)
    assert "Taking over from" in ended.err
    sandbox.empty(before, machine=other)
    tally("a dead run's claim is taken over", 1)


def test_a_holder_on_another_machine_is_respected_until_its_claim_lapses(
    sandbox: CloudSandbox, before: Inventory, tally: Tally
) -> None:
    holder = {
        "token": "t", "machine": "elsewhere", "host": "their-laptop", "user": "ana", "pid": os.getpid(), "command": "setup",
        "since": "2026-01-01T09:00:00+00:00", "until": "2999-01-01T09:00:00+00:00",
    }  # fmt: skip
    ssm = sandbox.client("ssm")
    ssm.put_parameter(Name=CLAIM, Value=json.dumps(holder), Type="String")
    refused = sandbox.run("setup", code=1)
    assert "ana@their-laptop is running workshop setup" in refused.err
    ssm.put_parameter(
        Name=CLAIM, Value=json.dumps({**holder, "until": "2026-01-01T09:10:00+00:00"}), Type="String", Overwrite=True
    )
    assert "Taking over from ana@their-laptop" in sandbox.ready().err
    sandbox.empty(before)
    tally("another machine's claim stands, then lapses", 1)


def test_without_the_permission_to_claim_the_run_goes_on_and_leaves_no_claim(
    sandbox: CloudSandbox, before: Inventory, tally: Tally
) -> None:
    from workshop.cloud.faults import CloudFault

    denied = CloudFault("error", service="ssm", code="AccessDeniedException", message="is not authorized", status=400)
    with sandbox.faults(denied):
        assert "Not guarded against another machine" in sandbox.ready().err
    sandbox.empty(before)
    tally("claims are denied", 1)
