"""What one rendering may spend, so that a template that runs away is refused instead of filling the machine.

In: what is about to be done, in units. Out: nothing, or the end of the rendering.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context

__all__ = ["BUDGET", "OUTPUT_LIMIT", "TURN", "Budget", "budget", "spend", "weight"]

BUDGET = 20_000_000
"""Units of one rendering; a character costs one, a turn of a loop or a call ten."""
OUTPUT_LIMIT = 2_000_000
"""Characters of one rendered text. A CloudFormation template is refused by AWS above 1 MB."""
TURN = 10
"""Units of a turn of a loop, a call, a member of a list."""


class Budget:
    """What is left for one rendering."""

    def __init__(self, units: int) -> None:
        self.left = units

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise SecurityError("The template does too much work or makes too much text.")


budget: ContextVar[Budget] = ContextVar("budget")
"""The budget of the rendering that is going on."""


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
