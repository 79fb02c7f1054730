"""The one place where lines without markup leave the process; tables and colours leave it through `workshop.console.style`.

In: texts, foreign ones too. Out: the same on stdout or stderr, without a character that a terminal obeys. Imports nothing heavy,
because every command uses it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from workshop.quoting import json_text, visible

__all__ = ["ask", "say", "say_headline", "say_json"]


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print `text`; its line breaks are kept, other control characters are printed as escapes."""
    click.echo(visible(text), err=err, nl=nl)


def say_json(document: Any) -> None:
    """Print a document as JSON, the one thing on stdout."""
    click.echo(json_text(document))


def say_headline(text: str) -> None:
    """Print the first line of an error on stderr, in red where that is a terminal that wants colours."""
    colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    click.secho(visible(text), fg="red", bold=True, err=True, color=colour)


def ask(question: str) -> None:
    """Go on after a yes; raises `click.Abort` otherwise."""
    click.confirm(visible(question), abort=True, err=True)
