"""The console shows foreign text as text: own colours work, others' control codes do not, and columns still fit."""

from __future__ import annotations

import io
import re

from rich.table import Table
from rich.text import Text

from workshop.console.style import SafeConsole, hanging, print_error, print_table
from workshop.errors import WorkshopError

HOSTILE = "\x1b]0;TITLE\x07\x1b[2J\x9b1;1H\x7f\u202eready\rover\x1b[8m"
OWN = re.compile(r"\x1b\[[0-9;]*m")


def terminal(width: int = 40) -> tuple[SafeConsole, io.StringIO]:
    file = io.StringIO()
    return SafeConsole(file=file, force_terminal=True, color_system="standard", width=width, highlight=False, emoji=False), file


def seen(file: io.StringIO) -> str:
    """What was printed, without our own colours; nothing else in it may be hidden."""
    plain = OWN.sub("", file.getvalue())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", plain)
    return plain


def test_colours_are_ours_and_escapes_in_texts_are_text():
    console, file = terminal(200)
    console.print(f"[bold red]{HOSTILE}[/]", HOSTILE)
    console.print(Text(HOSTILE, style="green"))
    console.print(HOSTILE, markup=False, soft_wrap=True)
    assert "\x1b[1;31m" in file.getvalue() and "\x1b[32m" in file.getvalue()
    assert seen(file).count(r"\x1b[2J\x9b1;1H\x7f\u202eready") == 4


def test_a_table_with_hostile_cells_keeps_its_width_and_loses_no_text():
    console, file = terminal(40)
    table = Table(box=None, show_header=False)
    table.add_column(overflow="fold")
    table.add_row(HOSTILE, "[green]ready[/]")
    console.print(table)
    assert max(map(len, seen(file).splitlines())) <= 40
    assert "TITLE" in seen(file) and r"\u202eready" in "".join(line[:30].strip() for line in seen(file).splitlines())


def test_an_error_is_printed_without_control_codes_and_keeps_its_lines():
    console, file = terminal(200)
    print_error(console, WorkshopError(HOSTILE, f"first\nsecond {HOSTILE}", "fix"))
    assert "first\nsecond" in seen(file)


def test_a_word_between_colons_is_no_picture():
    console, file = terminal()
    console.print("arn:key:x")
    assert "arn:key:x" in seen(file)


def test_a_line_that_is_too_long_continues_below_its_own_beginning():
    console, file = terminal(20)
    print_table(console, hanging("[green]ok[/] ", "one two three four five"))
    assert seen(file) == "ok one two three\n   four five\n"


def test_a_table_ends_its_lines_without_spaces():
    console, file = terminal(40)
    table = Table(box=None, show_header=False)
    table.add_row("a", "longer")
    table.add_row("b", "x")
    print_table(console, table)
    assert seen(file).splitlines() == [line.rstrip() for line in seen(file).splitlines()]
    assert len(seen(file).splitlines()) == 2
