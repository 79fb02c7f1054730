"""How foreign text is shown: with nothing in it that a terminal obeys or that turns the direction of writing.

In: any text: of a definition, a response of AWS, a tag, a web server. Out: the same for people (`visible`, `shown`) or as JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["hidden", "json_text", "shown", "visible"]

LONGEST = 120
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters (C0 but tab and line feed, DEL, C1), those that turn the direction of writing, and halves of characters,
which no terminal can print."""
_BREAKS = re.compile("[\t\n\u2028\u2029]")


def shown(text: str, longest: int = LONGEST) -> str:
    """`text` on one line of a message: what cannot be seen is an escape, and what is beyond `longest` characters left out."""
    cut = text if len(text) <= longest else f"{text[:longest]}..."
    return _BREAKS.sub(_escape, visible(cut))


def visible(text: str) -> str:
    """`text` as it may reach a terminal or a page: line breaks and tabs are kept, everything else hidden is an escape.

    What went through here once comes out of a second time unchanged.
    """
    return _HIDDEN.sub(_escape, text.replace("\r\n", "\n"))


def hidden(text: str) -> str:
    """The first character of `text` that cannot be seen and does not belong there, as an escape; empty when there is none."""
    found = _HIDDEN.search(text)
    return _escape(found) if found else ""


def json_text(document: Any, indent: int = 2) -> str:
    """`document` as JSON that people can read: letters of every script as they are, hidden characters as `\\u` escapes."""
    # Between the texts of a JSON document there is no hidden character, so each match is inside a text.
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
