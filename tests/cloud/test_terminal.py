"""What people see: progress that lives on a terminal, plain lines through a pipe, no trace of Python."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

from tests.amount import few
from tests.cloud.shell import Shell, answers, eventually

pytestmark = pytest.mark.cloud
APART = True
ESCAPE = "\x1b"


def on_a_terminal(shell, *words, code=0, start=Shell.at, **more):
    """Run a command on a pseudo-terminal of 80 columns and hold it to its exit code; answers what appeared on it."""
    ours, theirs = pty.openpty()
    process = start(shell, theirs, *words, **{"TERM": "xterm-256color", "COLUMNS": "80", **more})
    os.close(theirs)
    seen, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                seen += os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
    os.close(ours)
    assert process.wait(30) == code
    return seen.decode(errors="replace")


def installed(shell, terminal, *words, **more):
    """The installed command at a terminal."""
    streams = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
    return subprocess.Popen(["workshop", *words], cwd=shell.work, env={**shell.environment, **more}, **streams)


def test_a_terminal_shows_live_progress_and_keeps_the_finished_lines(clean):
    seen = on_a_terminal(clean, "setup", "--through", "backend", start=installed)
    assert f"{ESCAPE}[2K" in seen
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    assert re.search(r"✓ table \(us-west-2\) +created", plain)
    assert re.search(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] replica \(eu-west-1\) +[0-9.]+ m?s", plain)
    assert "global-serverless is ready" in plain
    assert max(len(line) for line in plain.splitlines() if "✓" in line) <= 80


def test_addresses_are_never_broken(clean):
    address = clean.document("setup")["apis"]["us-west-2"]["url"]
    assert address in on_a_terminal(clean, "status", COLUMNS="40").replace("\r", "")


@pytest.mark.parametrize("settings", few([{"NO_COLOR": "1"}, {"TERM": "dumb", "NO_COLOR": "1"}], 1), ids=str)
def test_no_color_means_no_escape_code_at_all(clean, settings):
    for words in (("setup", "--through", "backend"), ("status",)):
        seen = on_a_terminal(clean, *words, **settings)
        assert ESCAPE not in seen
        assert "global-serverless" in seen


def test_a_pipe_gets_plain_lines(clean):
    for words in (("setup", "--through", "backend"), ("status",), ("step", "list"), ("setup", "--plan"), ("teardown",)):
        done = clean.run(*words)
        assert ESCAPE not in done.out + done.err
        assert "\r" not in done.out + done.err


def test_a_reader_that_leaves_early_is_no_error(clean):
    assert clean.bash("set +o pipefail; workshop step list | head -1").err == ""


def test_an_unknown_error_is_one_sentence_and_its_trace_comes_with_debug(clean):
    clean.run("status")
    (clean.state / "runs.db").unlink()
    (clean.state / "runs.db").mkdir()
    try:
        done = clean.run("status", code=1)
        assert "Run the same command with --debug" in done.err
        assert "Traceback" not in done.err
        traced = clean.start("status", "--debug")
        assert "Traceback" in traced.communicate(60)[1]
        assert traced.returncode == 1
    finally:
        (clean.state / "runs.db").rmdir()


def test_a_damaged_journal_is_set_aside_and_the_cloud_is_asked(clean):
    clean.run("setup", "--through", "backend")
    for path in clean.state.glob("runs.db-*"):
        path.unlink()
    (clean.state / "runs.db").write_bytes(b"not a database" * 100)
    done = clean.run("status", "--json")
    assert "The journal was damaged. It was set aside as" in done.err
    assert {step["state"] for step in done.document["steps"] if step["module"] == "backend"} == {"ready"}
    assert clean.document("teardown")["leftovers"] == []
    assert clean.inventory() == []


def test_the_cloud_in_the_foreground_ends_with_ctrl_c(fresh):
    serving = fresh.start("cloud", "run", "--timing", "instant")
    eventually(lambda: answers(f"{fresh.endpoint}/_workshop/health"))
    assert fresh.document("cloud", "status")["pid"] != serving.pid
    # A terminal sends Ctrl-C to the whole group; here the command and the server hear it one by one.
    os.kill(fresh.document("cloud", "status")["pid"], signal.SIGINT)
    serving.send_signal(signal.SIGINT)
    fresh.finish(serving, 0)
    assert fresh.document("cloud", "status")["running"] is False
