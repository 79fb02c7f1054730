"""Lines leave the process whole and in order: escaped, coloured on terminals only, whatever happens to their readers."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from workshop.console.echo import say, say_headline, say_json

HOSTILE = "a\x1b[2Jb\nc"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def python(program: str, **streams) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], text=True, check=False, timeout=60, **streams)


def test_lines_are_escaped_on_both_streams_and_keep_their_breaks(capsys):
    say(HOSTILE)
    say(HOSTILE, err=True, nl=False)
    say_json({"text": HOSTILE})
    seen = capsys.readouterr()
    assert seen.out == 'a\\x1b[2Jb\nc\n{\n  "text": "a\\u001b[2Jb\\nc"\n}\n'
    assert seen.err == "a\\x1b[2Jb\nc"


@pytest.mark.parametrize(
    ("stream", "no_color", "line"),
    [
        (Terminal(), False, "\x1b[31m\x1b[1mError: \\x1b[2J\x1b[0m\n"),
        (Terminal(), True, "Error: \\x1b[2J\n"),
        (io.StringIO(), False, "Error: \\x1b[2J\n"),
    ],
    ids=["terminal", "terminal with NO_COLOR", "pipe"],
)
def test_the_first_line_of_an_error_is_red_only_on_a_terminal_that_wants_colours(monkeypatch, stream, no_color, line):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stderr", stream)
    say_headline("Error: \x1b[2J")
    assert stream.getvalue() == line


def test_the_lines_of_both_streams_appear_in_the_order_in_which_they_were_printed():
    program = "from workshop.console.echo import say\nfor n in range(50): say(str(n), err=bool(n % 2))"
    done = python(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.stdout.split() == [str(number) for number in range(50)]


def test_a_stream_of_another_encoding_gets_escapes_and_no_error():
    program = "from workshop.console.echo import say\nsay('✓ done')"
    done = python(program, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.stdout, done.stderr, done.returncode) == ("\\u2713 done\n", "", 0)
