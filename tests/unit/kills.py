"""Ends a process of the product at one of its calls, as kill -9 does: nothing of it runs afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.unit.fakes.aws import FakeClient

__all__ = ["Killed", "killed_at"]


class Killed(BaseException):
    """No handler of the product sees it."""


@contextmanager
def killed_at(aws: FakeClient, number: int, *, after: bool) -> Iterator[None]:
    """The process ends at its call with this number (from 1), before or after the call takes effect."""
    seen, inner = 0, aws._answer

    def answer(*arguments: Any) -> Any:
        nonlocal seen
        seen += 1
        mine = seen == number
        if seen > number or (mine and not after):
            raise Killed  # also what runs on in this process: no call of it arrives any more
        try:
            return inner(*arguments)
        finally:
            if mine:
                raise Killed

    aws._answer = answer  # type: ignore[method-assign]
    try:
        yield
    finally:
        del aws._answer
