"""An event loop whose seconds are short, for runs whose waits are real and would take minutes."""

from __future__ import annotations

import asyncio
import selectors

__all__ = ["Hurried"]


class _HurriedSelector(selectors.DefaultSelector):
    """Waits for its files, and for a timer only a part of the time that it was asked for."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout / self._speed if timeout else timeout)


class Hurried(asyncio.SelectorEventLoop):
    """Waits are waited, `speed` times faster."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        super().__init__(_HurriedSelector(speed))

    def time(self) -> float:
        return super().time() * self._speed
