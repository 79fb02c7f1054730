"""Limits of a rendering, so that a runaway template is refused before it fills the machine.

In: the size of each value that a template makes. Out: nothing, or `SecurityError`, which ends the rendering. What a template
only reads is bounded by the processor time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jinja2.exceptions import SecurityError

__all__ = ["OUTPUT_LIMIT", "SECONDS", "SOURCE_LIMIT", "TURN", "UNITS", "Budget", "budget", "charge", "charge_value", "size"]

UNITS = 10_000_000
"""Units of one rendering. A character of a new value costs one."""
SECONDS = 1.0
"""Processor time of one rendering. The largest template of the built-in workshop takes about ten milliseconds of it: a machine
that is fifty times as slow still renders it in time."""
TURN = 10
"""Units of a turn of a loop, a call, a value, a member of a list."""
SOURCE_LIMIT = 100_000
"""Characters of one template: compiling it takes a thousand times as much memory. Long texts belong into files to `read()`."""
OUTPUT_LIMIT = 2_000_000
"""Characters of one rendered text. A CloudFormation template is refused by AWS above 1 MB."""


@dataclass
class Budget:
    """Units that are left, and the processor time of this thread at which it ends. `around` is charged as well."""

    units: int
    deadline: float
    refusal: str
    around: Budget | None

    @property
    def exhausted(self) -> bool:
        return self.units < 0 or time.thread_time() > self.deadline

    def charge(self, units: int) -> None:
        self.units -= units
        if self.exhausted:
            raise SecurityError(self.refusal)
        if self.around is not None:
            self.around.charge(units)


_current: ContextVar[Budget] = ContextVar("current")


@contextmanager
def budget(refusal: str, units: int = UNITS, seconds: float = SECONDS) -> Iterator[Budget]:
    """Bound the renderings of the block, within the bounds of the blocks around it. `refusal` is the error's text."""
    made = Budget(units, time.thread_time() + seconds, refusal, _current.get(None))
    token = _current.set(made)
    try:
        yield made
    finally:
        _current.reset(token)


def charge(units: int = TURN) -> None:
    """Charge the rendering; raises `SecurityError` when its budget is exhausted."""
    _current.get().charge(units)


def charge_value(value: Any) -> Any:
    """Charge the rendering for a new value, and return it; raises `SecurityError` for an infinite number as well."""
    if isinstance(value, float) and not math.isfinite(value):
        raise SecurityError("A number is infinite or undefined.")
    charge(size(value))
    return value


def size(value: Any) -> int:
    """About how many characters a value has when it is written out, counted no further than the budget."""
    if isinstance(value, str):
        return TURN + len(value)
    total, stack, limit = 0, [value], _current.get().units
    while stack and total <= limit:
        value = stack.pop()
        total += TURN
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, int):
            total += value.bit_length() // 3
        elif isinstance(value, Mapping):
            stack.extend(value.values())
        elif isinstance(value, list | tuple | set | frozenset):
            stack.extend(value)
    return total
