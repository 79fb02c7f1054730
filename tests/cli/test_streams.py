"""No reader of the output ends a run: writes succeed without a reader, without a stream, on a full disk."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloud.shell import Result
from tests.warm import processes
from tests.warm.entries import PROGRAM

BEGIN = (
    "import sys\nfrom workshop.console.streams import guard_streams, lost_result\nfrom workshop.console.echo import say\n"
    "from workshop.console.style import stream\nguard_streams()\n"
)
CALLS = ["say('words')", "stream().print('words')", "print('words')"]
END = "\nlost = lost_result()\nsys.exit(7 if lost is None else lost.errno)"
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")


def python(program: str, **streams) -> Result:
    process = processes.start(PROGRAM, BEGIN + program, cwd=Path.cwd(), environment=os.environ, **streams)
    out, err = process.communicate(60)
    return Result(process.returncode, out, err)


def closed_pipe() -> int:
    """The writing end of a pipe that has no reader any more."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def closed_terminal() -> int:
    """The user's end of a terminal that was closed."""
    ours, theirs = pty.openpty()
    os.close(ours)
    return theirs


@pytest.mark.parametrize("gone", [closed_pipe, closed_terminal])
@pytest.mark.parametrize("call", CALLS)
def test_a_run_goes_on_without_a_reader_of_its_result(gone, call):
    writer = gone()
    done = python(f"for _ in range(3): {call}{END}", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.code, done.err) == (7, "")


@pytest.mark.parametrize("gone", [closed_pipe, closed_terminal])
@pytest.mark.parametrize("call", ["say('words', err=True)", "stream(err=True).print('words')"])
def test_a_run_goes_on_without_a_reader_of_its_progress(gone, call):
    writer = gone()
    done = python(f"for _ in range(3): {call}\nsay('done'){END}", stdout=subprocess.PIPE, stderr=writer)
    os.close(writer)
    assert (done.code, done.out) == (7, "done\n")


@needs_dev_full
@pytest.mark.parametrize("call", CALLS)
def test_a_result_that_a_full_disk_did_not_take_is_known_at_the_end(call):
    with Path("/dev/full").open("w") as full:
        done = python(f"{call}{END}", stdout=full, stderr=subprocess.PIPE)
    assert (done.code, done.err) == (28, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_stream_that_is_closed_is_a_stream_on_nothing_and_its_number_is_not_given_to_a_file(tmp_path, closed):
    kept = tmp_path / "kept"
    program = (
        f"file = open({str(kept)!r}, 'w')\nassert file.fileno() > 2\nsay('a')\nsay('b', err=True)\nstream().print('c')" + END
    )
    script = f'"$1" -c "$2" {closed}'
    done = subprocess.run(
        ["bash", "-c", script, "bash", sys.executable, BEGIN + program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 7, done.stderr
    assert kept.read_text() == ""


def test_both_streams_keep_the_encoding_that_was_asked_for_and_escape_what_it_lacks():
    program = BEGIN + f"print('✓ done'){END}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False
    )
    assert (done.stdout, done.returncode) == (b"\\u2713 done\n", 7)


def test_a_stream_that_would_block_is_waited_for():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with subprocess.Popen([sys.executable, "-c", BEGIN + f"say('x' * 300_000){END}"], stdout=writer) as process:
        os.close(writer)
        with os.fdopen(reader) as read:
            assert len(read.read()) == 300_001
    assert process.returncode == 7
