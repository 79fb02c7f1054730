"""The few colours and words that everything on the console shares, and the console: it shows no foreign control code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from workshop.errors import WorkshopError
from workshop.quoting import visible
from workshop.steps.base import State

__all__ = ["STATES", "SafeConsole", "print_error", "stream"]

STATES = {
    State.READY: ("ready", "green"),
    State.ABSENT: ("absent", "bright_black"),
    State.PARTIAL: ("partial", "yellow"),
    State.BROKEN: ("broken", "red"),
    State.FOREIGN: ("foreign", "yellow"),
}


class SafeConsole(Console):
    """A console that writes control codes of its own only: those in the texts that it is given become escapes.

    `render_str` does so before anything is measured, so that columns fit; `render` does for texts that come another way.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(text), **options)

    def on_broken_pipe(self) -> None:
        """The reader of stdout has gone: for the one place that handles it. Without a reader of stderr a run goes on."""
        if not self.stderr:
            raise BrokenPipeError
        self.quiet = True

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


def stream(*, err: bool = False) -> SafeConsole:
    """A console on stdout or stderr: coloured on a terminal only; through a pipe lines are never cut or wrapped."""
    file = sys.stderr if err else sys.stdout
    plain = not file.isatty()
    # Without a colour system rich writes no escape code at all; `no_color` would still leave bold and dim.
    return SafeConsole(
        stderr=err, highlight=False, emoji=False, color_system=None if "NO_COLOR" in os.environ else "auto",
        width=10_000 if plain else None, soft_wrap=plain,
    )  # fmt: skip


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
