"""The installed command ended at random times: by kill -9, by Ctrl-C once and twice, and with its cloud killed under it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.amount import few, long
from tests.cloud.shell import Shell, eventually
from tests.torture.cloud_sandbox import SMALL, CloudSandbox
from tests.torture.conftest import Tally
from tests.torture.worker import start

READY = {"created", "updated", "unchanged"}
SMALL_ONE = ("--workshop", str(SMALL), "--yes")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with_cloud = Shell(tmp_path_factory.mktemp("shell"))
    yield with_cloud.cloud()
    with_cloud.leave()


def bring_up(shell: Shell, which: tuple[str, ...]) -> float:
    start = time.monotonic()
    assert {step["outcome"] for step in shell.document("setup", *which)["steps"]} <= READY
    return time.monotonic() - start


def tear_down(shell: Shell, which: tuple[str, ...], before: list[tuple[str, str, str]]) -> float:
    start = time.monotonic()
    assert shell.document("teardown", *which)["leftovers"] == []
    took = time.monotonic() - start
    assert shell.inventory() == before
    assert shell.client("ssm").describe_parameters()["Parameters"] == []
    return took


def ended_after(process: subprocess.Popen[str], seconds: float, number: signal.Signals) -> bool:
    """Send the signal after a random time; whether the process still ran then."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        return True
    return False


def test_a_command_killed_at_any_time_is_finished_by_the_next_one(shell: Shell, tally: Tally) -> None:
    chance, before, met, stands = random.Random(6), shell.inventory(), 0, False
    spans = {"setup": bring_up(shell, SMALL_ONE), "teardown": tear_down(shell, SMALL_ONE, before)}
    rounds, wanted = 0, 50 if long() else 1
    while met < wanted and rounds < 2 * wanted + 3:
        rounds += 1
        verb = chance.choice(["setup", "teardown"])
        if verb == "teardown" and not stands:
            bring_up(shell, SMALL_ONE)
        process = shell.start(verb, *SMALL_ONE)
        met += ended_after(process, spans[verb] * chance.uniform(0.15, 0.95), signal.SIGKILL)
        process.wait()
        if stands := chance.random() < 0.5:
            bring_up(shell, SMALL_ONE)
        else:
            tear_down(shell, SMALL_ONE, before)
    tear_down(shell, SMALL_ONE, before)
    tally("kill -9 of a live command at a random time", met)
    assert met == wanted


@pytest.mark.parametrize(("workshop", "short", "full"), few([("small", 2, 120), ("global-serverless", 1, 30)], 1))
def test_hundreds_of_kills_at_random_times(sandbox: CloudSandbox, tally: Tally, workshop: str, short: int, full: int) -> None:
    chance, before, met, stands = random.Random(60), sandbox.inventory(), 0, False
    source = {} if workshop == "small" else {"workshop": workshop}
    spans: dict[str, float] = {}
    rounds, wanted = 0, full if long() else short
    while met < wanted and rounds < 2 * wanted + 3:
        rounds += 1
        verb = chance.choice(["setup", "teardown"])
        if verb == "teardown" and not stands:
            sandbox.ready(**source)
        order = sandbox.order(verb, **source)
        process = start(order)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(spans.get(verb, 1.0) * chance.uniform(0.05, 0.95))
        met += process.poll() is None
        process.kill()
        process.wait()
        begun = time.monotonic()
        if stands := chance.random() < 0.5:
            sandbox.ready(**source)
            spans["setup"] = time.monotonic() - begun
        else:
            sandbox.empty(before, **source)
            spans["teardown"] = time.monotonic() - begun
    sandbox.empty(before, **source)
    tally("kill -9 of a live command at a random time", met)
    assert met == wanted


@pytest.fixture
def unhurried(shell: Shell) -> Iterator[Shell]:
    """The shell with a cloud whose states take long enough to be met in the middle."""
    shell.client("ssm")  # made beforehand: making it takes as long as a small setup
    shell.cloud("fast", 0.5)
    yield shell
    shell.cloud("instant")


def at_work(shell: Shell) -> None:
    """Wait until a command has said in the account that it is at work, and a table or a stack is on its way."""
    eventually(lambda: shell.client("ssm").describe_parameters()["Parameters"])


@pytest.mark.parametrize(("times", "words"), few([(1, "Go on with"), (2, "")], 1))
def test_ctrl_c_ends_a_run_and_the_next_one_goes_on(unhurried: Shell, tally: Tally, times: int, words: str) -> None:
    shell, before = unhurried, unhurried.inventory()
    process = shell.start("setup", *SMALL_ONE)
    eventually(lambda: shell.client("dynamodb").list_tables()["TableNames"])
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    ended = shell.finish(process, 130)
    assert words in ended.out + ended.err
    if times == 1:
        assert shell.client("ssm").describe_parameters()["Parameters"] == []
    bring_up(shell, SMALL_ONE)
    process = shell.start("teardown", *SMALL_ONE)
    at_work(shell)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    ended = shell.finish(process, 130)
    assert words in ended.out + ended.err
    tear_down(shell, SMALL_ONE, before)
    tally(f"Ctrl-C, pressed {times} times", 2)


def test_a_cloud_that_dies_in_the_middle_is_started_again_by_the_next_command(shell: Shell, tally: Tally) -> None:
    chance, before = random.Random(9), shell.inventory()
    rounds, verbs = 20 if long() else 1, few(("setup", "teardown"), 1)
    for _ in range(rounds):
        for verb in verbs:
            process = shell.start(verb, *SMALL_ONE)
            at_work(shell)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, 0.6))
            os.kill(int(shell.document("cloud", "status")["pid"]), signal.SIGKILL)
            out, err = process.communicate(timeout=120)
            assert process.returncode in (0, 1, 5), f"{out}\n{err}"
            assert "Traceback" not in out + err
            bring_up(shell, SMALL_ONE)
        tear_down(shell, SMALL_ONE, before)
    tally("the cloud dies in the middle", rounds * len(verbs))
