"""Lines for pasting: a shell makes of them the words that they were built from, whatever those are."""

from __future__ import annotations

import shlex
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hostile import HOSTILE, hidden, parsed, refused, words
from workshop.shell import (
    aws_line,
    captured,
    command_line,
    comment,
    filled,
    into,
    operands,
    poll,
    prefixed,
    repeat,
    with_captured,
)

few = settings(max_examples=25, deadline=None)


def as_bytes(text):
    """The bytes that a word is: a byte that was no text stands as it was, any other half character as UTF-8 would."""
    return b"".join(as_byte(char) or char.encode("utf-8", "surrogatepass") for char in text)


def as_byte(char):
    return bytes([ord(char) - 0xDC00]) if "\udc80" <= char <= "\udcff" else b""


@few
@given(st.lists(words, min_size=5, max_size=30))
def test_a_shell_splits_a_line_into_the_words_it_was_built_from(given_words):
    lines = [command_line(each) for each in given_words]
    assert parsed(lines) == [[as_bytes(word) for word in each] for each in given_words]
    for line, each in zip(lines, given_words, strict=True):
        assert not hidden(line)
        if not any(hidden(word) for word in each):
            assert shlex.split(line) == each


@few
@given(st.lists(words, min_size=5, max_size=30))
def test_a_remark_is_one_line_and_its_words_are_quoted_for_a_shell_that_knows_no_remarks(given_words):
    lines = [comment(each) for each in given_words]
    for line, each in zip(lines, given_words, strict=True):
        assert line.startswith("# ") and not hidden(line) and len(line.splitlines()) == 1
        if not any(hidden(word) for word in each):
            assert shlex.split(line, comments=False) == ["#", *each]
    assert refused(lines) == ""
    assert [len(found) for found in parsed([line.removeprefix("# ") for line in lines])] == [len(each) for each in given_words]


@few
@given(st.lists(words, min_size=5, max_size=20), HOSTILE)
def test_what_is_put_around_words_is_still_a_line_of_shell(given_words, file):
    lines = [
        line
        for each in given_words
        for typed in [["aws", *each]]
        for line in (
            into(typed, file),
            prefixed(file, file, file, file),
            repeat(typed),
            poll(typed, "ACTIVE", ["FAILED"]),
            poll(typed, "A", ["B", "C"], quiet=True),
        )
    ]
    assert refused(lines) == "" and not any(map(hidden, lines))


def run(line, *, aws_prints, folder):
    """Run a line of shell with an `aws` that prints a list of texts, one each time, and a sleep that takes no time."""
    (folder / "left").write_text("\n".join(aws_prints) + "\n")
    aws_function = 'aws() { head -n 1 left; sed -i 1d left; echo "$#" >> calls; }'
    script = f"set -euo pipefail; sleep() {{ :; }}; {aws_function}; {line}; echo went on"
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=20, check=False)


def test_a_wait_ends_when_the_wanted_word_is_printed(tmp_path):
    done = run(poll(["aws", "x"], "ACTIVE", ["FAILED"]), aws_prints=["CREATING", "", "ACTIVE", "CREATING"], folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert len((tmp_path / "calls").read_text().splitlines()) == 3


def test_a_wait_ends_with_an_error_when_it_failed(tmp_path):
    done = run(poll(["aws", "x"], "ACTIVE", ["FAILED", "GONE"]), aws_prints=["CREATING", "GONE"], folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "failed: GONE\n")


def test_a_value_that_looks_like_an_option_is_joined_to_its_own():
    assert aws_line("dynamodb delete-table", region="us-west-2", table_name="-ab") == (
        "aws dynamodb delete-table --region us-west-2 --table-name=-ab"
    )
    assert operands("-o/etc/x") == ["--", "-o/etc/x"] and operands("x") == ["x"]


def test_an_option_may_have_several_values_or_stand_by_itself_or_be_left_out():
    assert aws_line("s a", tags=["a=1", "b=2"], force=True, quiet=False, more=[]) == "aws s a --tags a=1 b=2 --force"


def test_what_a_command_prints_is_the_value_of_an_option_of_the_next_line(tmp_path):
    lines = [captured("CHECK", ["printf", "%s", "a b"]), with_captured(["printf", "%s|"], "--id", "CHECK")]
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == "--id|a b|"


def test_a_text_is_filled_in_with_what_earlier_lines_printed(tmp_path):
    text = '{"Id": "%s", "Name": "it is\'s $HOME `id`", "Other": "%s"}'
    lines = [
        captured("ONE", ["echo", "1"]),
        captured("TWO", ["echo", "2"]),
        filled(["printf", "%s|"], "--batch", text, ("ONE", "TWO")),
    ]
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == f"--batch|{text % ('1', '2')}|"


def test_a_file_is_written_around_another_one(tmp_path):
    (tmp_path / "in file").write_text("{}\n")
    line = prefixed("window.X = %s $HOME ", "in file", ";", "out file")
    subprocess.run(["bash", "-c", line], cwd=tmp_path, check=True)
    assert (tmp_path / "out file").read_text() == "window.X = %s $HOME {}\n;\n"
