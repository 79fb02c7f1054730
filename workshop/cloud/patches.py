"""Replacing functions of MiniStack by name, each name checked when the cloud starts.

In: a module and the name of a function in it. Out: the function replaced, or `PinnedVersionError` naming what is missing.
Nothing else in this room assigns to MiniStack.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from workshop.errors import WorkshopError

__all__ = ["PINNED", "PinnedVersionError", "check_version", "patch", "patch_around", "require_attribute", "require_attributes"]

PINNED = "1.5.33"


class PinnedVersionError(WorkshopError):
    """The installed MiniStack is not the one that this room was written against."""


def check_version() -> None:
    """Raises `PinnedVersionError` unless the installed MiniStack is the pinned one."""
    found = version("ministack")
    if found != PINNED:
        raise _changed(f"version {found} is installed, {PINNED} is expected")


def require_attribute(owner: Any, name: str) -> Any:
    """The function (or value) of that name. Raises `PinnedVersionError` when it does not exist."""
    if not hasattr(owner, name):
        raise _changed(f"{getattr(owner, '__name__', owner)} has no {name}")
    return getattr(owner, name)


def require_attributes(owner: Any, *names: str) -> None:
    """Raises `PinnedVersionError` unless everything of these names exists."""
    for name in names:
        require_attribute(owner, name)


def patch(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Replace the function (or value) of that name by `wrap(original)`."""
    setattr(owner, name, wrap(require_attribute(owner, name)))


def patch_around(owner: Any, name: str, method: Callable[..., Any]) -> None:
    """Replace the function of that name by `method`, which gets the original as its first argument."""
    patch(owner, name, lambda original: functools.partial(method, original))


def _changed(why: str) -> PinnedVersionError:
    return PinnedVersionError(
        what="This MiniStack does not fit the local cloud.",
        why=f"The cloud extends named functions of MiniStack {PINNED}, and {why}.",
        fix=f"Run: pip install 'ministack=={PINNED}'",
        code="PinnedVersion",
    )
