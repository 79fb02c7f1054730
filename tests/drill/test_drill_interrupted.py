"""Drills from the command line that are killed or interrupted, on a local cloud."""

from __future__ import annotations

import signal

import pytest

from tests.amount import few
from tests.cloud.shell import HOME_REGION, OTHER_REGION, Shell, eventually
from tests.drill.command_line import QUICK, kill, own_items, reserve, reserved, running, until

pytestmark = pytest.mark.usefixtures("restored")


@pytest.mark.parametrize("word", few(["fault", "load", "failover", "put back"], 1))
def test_after_a_kill_the_next_command_warns_and_recover_puts_it_back(shell: Shell, word: str) -> None:
    reserve(shell, 37)
    process, lines = running(shell)
    until(lines, word)
    kill(process)
    warned = shell.run("status").err
    assert "killed" in warned
    assert "workshop drill recover" in warned
    failed = [(each["region"], each["fault"]) for each in shell.document("status")["failed_regions"]]
    if word in ("fault", "failover"):
        assert failed == [(HOME_REGION, "throttle")]
    found = shell.document("drill", "recover")
    assert found["undone"]
    assert found["restored"]
    assert reserved(shell) == 37
    assert own_items(shell, HOME_REGION) + own_items(shell, OTHER_REGION) == []
    assert "killed" not in shell.run("status").err


def test_a_drill_after_a_killed_one_puts_it_back_first(shell: Shell) -> None:
    process, lines = running(shell)
    until(lines, "failover")
    kill(process)
    assert reserved(shell) == 0
    done = shell.run("drill", "run", *QUICK)
    assert "left by a drill that was killed" in done.err
    assert reserved(shell) is None


@pytest.mark.parametrize("word", few(["failover", "fault"], 1))
def test_ctrl_c_puts_everything_back_before_it_ends(shell: Shell, word: str) -> None:
    process, lines = running(shell)
    until(lines, word)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert reserved(shell) is None
    eventually(lambda: not own_items(shell, HOME_REGION) + own_items(shell, OTHER_REGION))
    assert "drill" not in shell.run("status").err
    eventually(lambda: any("Everything is put back" in line for line in lines))


def test_z_a_teardown_reverts_the_fault_first_and_forgets_the_undos(shell: Shell) -> None:
    process, lines = running(shell)
    until(lines, "failover")
    kill(process)
    done = shell.run("teardown")
    assert "Put back before the teardown" in done.err
    assert shell.inventory() == []
    assert "killed" not in shell.run("status").err
