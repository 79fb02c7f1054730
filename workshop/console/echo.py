"""The one place where lines without markup leave the process; tables and colours leave it through `workshop.console.style`.

In: texts, foreign ones too. Out: the same on stdout or stderr, without a character that a terminal obeys. Imports nothing heavy,
because every command uses it. What becomes of a stream that cannot be written is decided in `workshop.console.streams`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from workshop.quoting import json_text, visible
from workshop.redaction import without_secrets

__all__ = ["say", "say_headline", "say_json"]

BOLD_RED, RESET = "\x1b[31m\x1b[1m", "\x1b[0m"


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print `text`; its line breaks are kept, other control characters are printed as escapes."""
    _write(visible(text) + ("\n" if nl else ""), err=err)


def say_json(document: Any) -> None:
    """Print a document as JSON, the one thing on stdout."""
    _write(json_text(document) + "\n", err=False)


def say_headline(text: str) -> None:
    """Print the first line of an error on stderr, in red on a terminal unless NO_COLOR is set."""
    colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    line = visible(text)
    _write(f"{BOLD_RED}{line}{RESET}\n" if colour else f"{line}\n", err=True)


def _write(text: str, *, err: bool) -> None:
    """Write and flush, so that the lines of both streams appear in the order in which they were printed."""
    text = without_secrets(text)
    stream = sys.stderr if err else sys.stdout
    try:
        stream.write(text)
    except UnicodeEncodeError:  # a stream of another encoding than UTF-8
        stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))
    stream.flush()
