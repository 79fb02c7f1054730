"""Drills from the command line that are ended by a signal, or by a terminal that is closed, on a local cloud."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys

import pytest

from tests.cloud.shell import HOME_REGION, OTHER_REGION, Shell, eventually
from tests.drill.command_line import QUICK, own_items, reserved, running, until
from workshop.cloud.faults import CloudFault, fault_add, faults_clear

pytestmark = pytest.mark.usefixtures("restored")
WITH_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Runs a command on the terminal that its stdin is, as the first of its session."""


@pytest.mark.parametrize(
    "signals",
    [
        [signal.SIGTERM],
        # A terminal that is closed and its shell both send SIGHUP, and a session that is ended SIGTERM too.
        [signal.SIGHUP, signal.SIGHUP, signal.SIGTERM],
    ],
)
def test_a_signal_puts_everything_back_before_it_ends(shell: Shell, signals: list[signal.Signals]) -> None:
    process, lines = running(shell)
    until(lines, "failover")
    for number in signals:
        process.send_signal(number)
    assert process.wait(60) == 130
    assert reserved(shell) is None
    eventually(lambda: not own_items(shell, HOME_REGION) + own_items(shell, OTHER_REGION))
    assert "drill" not in shell.run("status").err
    eventually(lambda: any("Everything is put back" in line for line in lines))


def test_a_terminal_that_is_closed_puts_everything_back(shell: Shell) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", WITH_A_TERMINAL, "workshop", "drill", "run", *QUICK], cwd=shell.work,
        env={**shell.environment, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = b""
        while b"failover" not in seen:
            seen += os.read(ours, 65536)
        assert reserved(shell) == 0
        os.close(ours)  # the kernel sends SIGHUP, and nothing can be printed from now on
        assert process.wait(60) == 130
    assert reserved(shell) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_ends_by_a_signal_gives_its_claim_up(shell: Shell, number: signal.Signals) -> None:
    fault_add(shell.state, CloudFault("latency", service="lambda", operation="ListFunctions", seconds=1.0))
    fault_add(shell.state, CloudFault("latency", service="lambda", operation="GetFunctionConcurrency", seconds=1.0))
    try:
        process = shell.start("drill", "fail", "--region", OTHER_REGION)
        eventually(lambda: shell.client("ssm").describe_parameters()["Parameters"])
        process.send_signal(number)
        assert process.wait(60) == 130
    finally:
        faults_clear(shell.state)
    assert shell.client("ssm").describe_parameters()["Parameters"] == []
    assert reserved(shell, OTHER_REGION) is None
