"""Text from a definition in messages: short, on one line, without control characters.

In: any text. Out: the text as it is displayed. Also finds the characters that a definition must not contain.
"""

from __future__ import annotations

import re

__all__ = ["hidden", "shown"]

LONGEST = 120
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of writing: a text may look like another one."""
_BREAKS = re.compile("[\t\n\u2028\u2029]")


def shown(text: str, longest: int = LONGEST) -> str:
    """`text` for a message: what cannot be seen is written as an escape, and what is beyond `longest` characters left out."""
    cut = text if len(text) <= longest else f"{text[:longest]}..."
    return _BREAKS.sub(_escape, _HIDDEN.sub(_escape, cut))


def hidden(text: str) -> str:
    """The first character of `text` that cannot be seen and does not belong there, as an escape; empty when there is none."""
    found = _HIDDEN.search(text)
    return _escape(found) if found else ""


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
