"""Waiting for something to become true, from outside the page: the pages' Content-Security-Policy forbids polling inside them."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page

__all__ = ["until"]


def until(page: Page, condition: str | Callable[[], object], seconds: float = 30) -> None:
    """Poll a JavaScript expression or a function, letting the browser's events through; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (page.evaluate(condition) if isinstance(condition, str) else condition()):
        assert time.monotonic() < end, f"did not happen within {seconds} s: {condition}"
        page.wait_for_timeout(25)
