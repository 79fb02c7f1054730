"""The named points of MiniStack that this room extends, checked when the cloud starts.

What comes in: a module and the name of a function in it. What goes out: the function replaced, or `PinnedVersionError` that
says which point is gone. Nothing else in this room assigns to MiniStack.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from workshop.errors import WorkshopError

__all__ = ["PINNED", "PinnedVersionError", "check_version", "point", "replace_point"]

PINNED = "1.5.33"


class PinnedVersionError(WorkshopError):
    """The installed MiniStack is not the one that this room was written against."""


def check_version() -> None:
    found = version("ministack")
    if found != PINNED:
        raise _changed(f"version {found} is installed, {PINNED} is expected")


def point(owner: Any, name: str) -> Any:
    """The function (or value) of that name, which must exist."""
    if not hasattr(owner, name):
        raise _changed(f"{getattr(owner, '__name__', owner)} has no {name}")
    return getattr(owner, name)


def replace_point(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put `wrap(original)` in the place of the original."""
    setattr(owner, name, wrap(point(owner, name)))


def _changed(why: str) -> PinnedVersionError:
    return PinnedVersionError(
        "This MiniStack does not fit the local cloud.",
        f"The cloud extends named points of MiniStack {PINNED}, and {why}.",
        f"Run: pip install 'ministack=={PINNED}'",
        code="PinnedVersion",
    )
