"""The state folder as every command opens it: made, private, and with nothing in it that leads elsewhere."""

from __future__ import annotations

from pathlib import Path

from workshop.home import prepare, refuse_link, state_folder

__all__ = ["open_folder"]

INSIDE = ("cloud", "locks", "receipts", "sites", "sites/local")
"""Folders in it that we write to."""


def open_folder() -> Path:
    """The state folder, ready to be written; `UsageError` when it, or a folder in it, is a symbolic link.

    Whoever can put such a link there could lead what we write, and what we delete, to other places.
    """
    folder = state_folder()
    refuse_link(folder)
    for name in INSIDE:
        refuse_link(folder / name)
    return prepare(folder)
