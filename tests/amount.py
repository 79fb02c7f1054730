"""How much of what can be tried is tried: all of it with TORTURE=long (`make torture`), a share of it in `make test`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

import pytest

__all__ = ["few", "long", "only_long"]

T = TypeVar("T")
only_long = pytest.mark.long
"""A test of `make torture` alone: another case of the same verb is in `make test`."""


def long() -> bool:
    """Whether the long version was asked for."""
    return os.environ.get("TORTURE", "") == "long"


def few(cases: Iterable[T], short: int) -> list[T]:
    """All cases in the long version; of a short one evenly spread `short`."""
    every = list(cases)
    return every if long() else every[:: max(1, len(every) // short)][:short]
