"""Every command explains itself, is documented, and is written out in a test."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from workshop.cli.main import COMMANDS as LISTED
from workshop.cli.main import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = "\n".join(path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))
TESTS = "\n".join(path.read_text() for path in sorted((ROOT / "tests").rglob("*.py")) if path != Path(__file__))


def walked(group, words=()):
    """Every command and group below `group` as `(words, command)`."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from walked(command, (*words, name))


def documented(words):
    *group, last = words
    listed = rf"`workshop {' '.join(group)}[^|\n]*`{' '.join([*group[1:], last])}`" if group else "$^"
    in_a_row = rf"workshop {re.escape(' '.join(group))} [^|\n]*`(?:{re.escape(group[0])} )?{re.escape(last)}" if group else "$^"
    return f"workshop {' '.join(words)}" in DOCUMENTS or re.search(listed, DOCUMENTS) or re.search(in_a_row, DOCUMENTS)


def written_out(words):
    typed = ", ".join(f'"{word}"' for word in words)
    return typed in TESTS or f'"{" ".join(words)}' in TESTS or f"workshop {' '.join(words)}" in TESTS


COMMANDS = list(walked(cli))
LEAVES = [(words, command) for words, command in COMMANDS if not isinstance(command, click.Group)]


def shown(words, command):
    ctx = click.Context(cli, info_name="workshop")
    for word in words[:-1]:
        ctx = click.Context(ctx.command.get_command(ctx, word), info_name=word, parent=ctx)
    return command.get_help(click.Context(command, info_name=words[-1], parent=ctx))


def test_the_help_says_what_each_command_does_in_a_line_that_fits():
    lines = {words: command.get_short_help_str(200) for words, command in COMMANDS}
    assert [words for words, line in lines.items() if len(line) <= 15 or "..." in line] == []


@pytest.mark.parametrize("name", LISTED)
def test_the_line_in_the_list_of_commands_is_the_first_of_its_help(name):
    _, summary = LISTED[name]
    assert summary == cli.get_command(click.Context(cli), name).help.partition("\n")[0]
    assert len(f"  {name:<10}  {summary}") < 80


def test_the_help_of_each_command_has_an_example_of_it():
    examples = {words: shown(words, command).partition("Example")[2] for words, command in LEAVES}
    assert [words for words, text in examples.items() if f"workshop {' '.join(words)}" not in text] == []


def test_every_option_of_every_command_is_explained():
    options = [(words, option) for words, command in LEAVES for option in command.params if isinstance(option, click.Option)]
    assert [(words, option.name) for words, option in options if not option.help] == []


def test_every_command_is_documented():
    assert [words for words, _ in LEAVES if not documented(words)] == []


def test_every_command_is_written_out_in_a_test():
    """The words of the command occur in the tests; whether one of them runs it is for the tests of that command to hold."""
    assert [words for words, _ in LEAVES if not written_out(words)] == []


def test_every_command_that_is_documented_exists():
    known = {" ".join(words) for words, _ in COMMANDS}
    for line in re.findall(r"^\$ workshop ([a-z]+(?: [a-z]+)?)", DOCUMENTS, re.MULTILINE):
        first, _, second = line.partition(" ")
        assert first in known
        if any(name.startswith(f"{first} ") for name in known):
            assert f"{first} {second}" in known
