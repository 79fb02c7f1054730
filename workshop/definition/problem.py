"""One problem of a definition: lint lists them all, loading raises the first.

In: a place and words. Out: a `Problem`, or an error made of one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from workshop.errors import DefinitionError

__all__ = ["Problem", "closest", "from_error"]

MOST_KNOWN = 20
"""Words of a kind that a message lists."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`where` is the file, `line` counts from 1 (0: the whole file), `field` is the dotted path inside."""

    where: str
    line: int
    field: str
    what: str
    fix: str = ""

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.where}:{self.line}" if self.line else self.where

    def error(self) -> DefinitionError:
        """The problem as the error that stops a command."""
        return DefinitionError(what=self.what, fix=self.fix, where=self.place, field=self.field)


def from_error(error: DefinitionError) -> Problem:
    """An error that names `file:line`, as one entry of lint's list."""
    file, _, line = error.where.rpartition(":")
    what = " ".join(part for part in (error.problem, error.why) if part)
    if file and line.isdigit():
        return Problem(file, int(line), error.field, what, error.fix)
    return Problem(error.where, 0, error.field, what, error.fix)


def closest(word: str, known: Iterable[str]) -> str:
    """`Did you mean 'x'?`, or the known words, or nothing when there are none."""
    choices = list(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.55)
    if near:
        return f"Did you mean '{near[0]}'?"
    more = f" and {len(choices) - MOST_KNOWN} more" if len(choices) > MOST_KNOWN else ""
    return f"Known: {', '.join(choices[:MOST_KNOWN])}{more}." if choices else ""
