"""The console, its colours and its words for states.

In: markup and texts, foreign ones too. Out: text on stdout or stderr, without a foreign control code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from workshop.errors import WorkshopError
from workshop.quoting import visible
from workshop.redaction import without_secrets
from workshop.steps.base import State

__all__ = ["STATES", "SafeConsole", "hanging", "print_error", "print_table", "stream"]

STATES = {
    State.READY: ("ready", "green"),
    State.ABSENT: ("absent", "bright_black"),
    State.PARTIAL: ("partial", "yellow"),
    State.BROKEN: ("broken", "red"),
    State.FOREIGN: ("foreign", "yellow"),
}


class SafeConsole(Console):
    """A console that writes control codes of its own only: those in the texts it is given become escapes.

    `render_str` does so before anything is measured, so that columns fit; `render` does for texts that come another way.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(without_secrets(text)), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(without_secrets(segment.text)))


def stream(*, err: bool = False) -> SafeConsole:
    """A console on stdout or stderr: coloured on a terminal only; through a pipe lines are never cut or wrapped."""
    file = sys.stderr if err else sys.stdout
    plain = not file.isatty()
    # Without a colour system rich writes no escape code at all; `no_color` would still leave bold and dim.
    return SafeConsole(
        stderr=err,
        highlight=False,
        emoji=False,
        color_system=None if "NO_COLOR" in os.environ else "auto",
        width=10_000 if plain else None,
        soft_wrap=plain,
    )


def print_table(console: Console, table: Table) -> None:
    """A table without the spaces that fill up its last column."""
    kept: list[Segment] = []
    for line in console.render_lines(table, pad=False):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            line[-1] = line[-1]._replace(text=line[-1].text.rstrip())
        kept += [*line, Segment.line()]
    console.print(Segments(kept), end="")


def hanging(head: str, body: str) -> Table:
    """Markup in two parts: where the line is too long for the terminal, the second part continues below its own beginning."""
    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(head, body)
    return grid


def print_error(console: Console, error: WorkshopError) -> None:
    """What happened, why, and what to run next."""
    console.print(f"[red]✗ {_safe(error.args[0])}[/]")
    if error.why:
        console.print(f"  {_safe(error.why)}")
    if error.fix:
        console.print(f"  [bold]→ {_safe(error.fix)}[/]")


def _safe(text: object) -> str:
    from rich.markup import escape

    return escape(str(text))
