"""What one rendering may spend, so that a template that runs away is refused instead of filling the machine.

In: what is about to be done, in units. Out: nothing, or the end of the rendering.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context

__all__ = [
    "ALLOWANCE",
    "BUDGET",
    "OUTPUT_LIMIT",
    "SOURCE_LIMIT",
    "TURN",
    "Budget",
    "allowance",
    "budget",
    "new_budget",
    "spend",
    "weight",
]

BUDGET = 20_000_000
"""Units of one rendering; a character costs one, a turn of a loop or a call ten."""
ALLOWANCE = 3 * BUDGET
"""Units of all renderings of a rehearsal together."""
SOURCE_LIMIT = 100_000
"""Characters of one template: compiling it takes a thousand times as much memory. Long texts belong into files to `read()`."""
OUTPUT_LIMIT = 2_000_000
"""Characters of one rendered text. A CloudFormation template is refused by AWS above 1 MB."""
TURN = 10
"""Units of a turn of a loop, a call, a member of a list."""


class Budget:
    """What is left for one rendering; what it spends is taken from the `purse` of all as well, when there is one."""

    def __init__(self, units: int, purse: Budget | None = None, refusal: str = "") -> None:
        self.left, self._purse = units, purse
        self._refusal = refusal or "The template does too much work or makes too much text."

    @property
    def spent(self) -> bool:
        return self.left < 0

    def spend(self, units: int) -> None:
        self.left -= units
        if self.spent:
            raise SecurityError(self._refusal)
        if self._purse is not None:
            self._purse.spend(units)


budget: ContextVar[Budget] = ContextVar("budget")
"""The budget of the rendering that is going on."""
_together: ContextVar[Budget | None] = ContextVar("together", default=None)


@contextmanager
def allowance(units: int = ALLOWANCE) -> Iterator[Budget]:
    """Let all renderings of the block together spend no more than that."""
    purse = Budget(units, refusal="The templates of this workshop do too much work together.")
    token = _together.set(purse)
    try:
        yield purse
    finally:
        _together.reset(token)


def new_budget() -> Budget:
    """The budget of a rendering that begins."""
    return Budget(BUDGET, _together.get())


def spend(units: int) -> None:
    """Take `units` from the rendering that is going on; raises `SecurityError` when they are not left."""
    budget.get().spend(units)


def weight(value: Any) -> int:
    """About how many characters a value is, counted no further than the budget; each member counts like a turn of a loop."""
    total, stack, limit = 0, [value], budget.get().left
    while stack and total <= limit:
        value = stack.pop()
        total += 1
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, Context):
            continue  # what some of Jinja2's filters are handed beside their values
        elif isinstance(value, Mapping):
            stack.extend(value.values())
            total += TURN * len(value)
        elif isinstance(value, list | tuple | set | frozenset):
            stack.extend(value)
            total += TURN * len(value)
        elif isinstance(value, int):
            total += value.bit_length() // 3
    return total
