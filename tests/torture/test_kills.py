"""The installed command ended at random times: by kill -9, by Ctrl-C once and twice, and with its cloud killed under it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.cloud.desk import Desk, eventually
from tests.torture.conftest import long
from tests.torture.ground import SMALL, Ground
from tests.torture.worker import start

READY = {"created", "updated", "unchanged"}
SMALL_ONE = ("--workshop", str(SMALL))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with_cloud = Desk(tmp_path_factory.mktemp("desk"))
    yield with_cloud.cloud()
    with_cloud.leave()


def bring_up(desk: Desk, which: tuple[str, ...]) -> float:
    start = time.monotonic()
    assert {step["outcome"] for step in desk.document("setup", *which)["steps"]} <= READY
    return time.monotonic() - start


def take_down(desk: Desk, which: tuple[str, ...], before: list[tuple[str, str, str]]) -> float:
    start = time.monotonic()
    assert desk.document("teardown", *which)["leftovers"] == []
    took = time.monotonic() - start
    assert desk.inventory() == before
    assert desk.client("ssm").describe_parameters()["Parameters"] == []
    return took


def ended_after(process: subprocess.Popen[str], seconds: float, number: signal.Signals) -> bool:
    """Send the signal after a random time; whether the process still ran then."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        return True
    return False


def test_a_command_killed_at_any_time_is_finished_by_the_next_one(desk: Desk) -> None:
    chance, before, met, stands = random.Random(6), desk.inventory(), 0, False
    spans = {"setup": bring_up(desk, SMALL_ONE), "teardown": take_down(desk, SMALL_ONE, before)}
    rounds = 50 if long() else 2
    for _ in range(rounds):
        verb = chance.choice(["setup", "teardown"])
        if verb == "teardown" and not stands:
            bring_up(desk, SMALL_ONE)
        process = desk.start(verb, *SMALL_ONE)
        met += ended_after(process, spans[verb] * chance.uniform(0.15, 0.95), signal.SIGKILL)
        process.wait()
        if stands := chance.random() < 0.5:
            bring_up(desk, SMALL_ONE)
        else:
            take_down(desk, SMALL_ONE, before)
    take_down(desk, SMALL_ONE, before)
    print(f"{rounds} kills of the command, {met} met a live process, survived {met}, left 0")  # noqa: T201
    assert met >= rounds // 2


@pytest.mark.parametrize(("workshop", "short", "full"), [("small", 4, 120), ("global-serverless", 0, 30)])
def test_hundreds_of_kills_at_random_times(ground: Ground, workshop: str, short: int, full: int) -> None:
    chance, before, met, stands = random.Random(60), ground.inventory(), 0, False
    source = {} if workshop == "small" else {"workshop": workshop}
    spans: dict[str, float] = {}
    rounds = full if long() else short
    for _ in range(rounds):
        verb = chance.choice(["setup", "teardown"])
        if verb == "teardown" and not stands:
            ground.ready(**source)
        order = ground.order(verb, **source)
        process = start(order)
        process.join(spans.get(verb, 1.0) * chance.uniform(0.05, 0.95))
        met += process.is_alive()
        process.kill()
        process.join()
        begun = time.monotonic()
        if stands := chance.random() < 0.5:
            ground.ready(**source)
            spans["setup"] = time.monotonic() - begun
        else:
            ground.empty(before, **source)
            spans["teardown"] = time.monotonic() - begun
    ground.empty(before, **source)
    print(f"{workshop}: {rounds} kills, {met} met a live process, survived {met}, left 0")  # noqa: T201
    assert met >= rounds // 2


def test_one_ctrl_c_stops_cleanly_and_says_how_to_go_on(desk: Desk) -> None:
    before = desk.inventory()
    for verb in ("setup", "teardown"):
        process = desk.start(verb, *SMALL_ONE)
        eventually(lambda: desk.client("ssm").describe_parameters()["Parameters"])  # it is at work, and has said so in AWS
        process.send_signal(signal.SIGINT)
        ended = desk.finish(process, 130)
        assert "workshop" in ended.out + ended.err
        assert desk.client("ssm").describe_parameters()["Parameters"] == []
        bring_up(desk, SMALL_ONE)
    take_down(desk, SMALL_ONE, before)


def test_a_second_ctrl_c_ends_at_once_and_nothing_is_lost(desk: Desk) -> None:
    before = desk.inventory()
    for verb in ("setup", "teardown"):
        desk.run("cloud", "start", "--timing", "fast")
        process = desk.start(verb, *SMALL_ONE)
        eventually(lambda: desk.client("ssm").describe_parameters()["Parameters"])
        for _ in range(2):
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        desk.run("cloud", "start", "--timing", "instant")
        bring_up(desk, SMALL_ONE)
    take_down(desk, SMALL_ONE, before)


def test_a_cloud_that_dies_in_the_middle_is_started_again_by_the_next_command(desk: Desk) -> None:
    chance, before = random.Random(9), desk.inventory()
    rounds = 20 if long() else 1
    for _ in range(rounds):
        for verb in ("setup", "teardown"):
            process = desk.start(verb, *SMALL_ONE)
            eventually(lambda: desk.client("ssm").describe_parameters()["Parameters"])
            process_ended = ended_after(process, chance.uniform(0, 0.6), signal.Signals(0))
            os.kill(int(desk.document("cloud", "status")["pid"]), signal.SIGKILL)
            out, err = process.communicate(timeout=120)
            assert not process_ended or process.returncode in (0, 1, 5), f"{out}\n{err}"
            assert "Traceback" not in out + err
            bring_up(desk, SMALL_ONE)
        take_down(desk, SMALL_ONE, before)
    print(f"the cloud died {2 * rounds} times, survived {2 * rounds}, left 0")  # noqa: T201
