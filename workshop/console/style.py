"""The few colours and words that everything on the console shares."""

from __future__ import annotations

import os
import sys

from rich.console import Console

from workshop.errors import WorkshopError
from workshop.steps.base import State

__all__ = ["STATES", "print_error", "stream"]

STATES = {
    State.READY: ("ready", "green"),
    State.ABSENT: ("absent", "bright_black"),
    State.PARTIAL: ("partial", "yellow"),
    State.BROKEN: ("broken", "red"),
    State.FOREIGN: ("foreign", "yellow"),
}


def stream(*, err: bool = False) -> Console:
    """A console on stdout or stderr: coloured on a terminal only; through a pipe lines are never cut or wrapped."""
    file = sys.stderr if err else sys.stdout
    plain = not file.isatty()
    # Without a colour system rich writes no escape code at all; `no_color` would still leave bold and dim.
    return Console(
        stderr=err, highlight=False, color_system=None if "NO_COLOR" in os.environ else "auto", width=10_000 if plain else None,
        soft_wrap=plain,
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
