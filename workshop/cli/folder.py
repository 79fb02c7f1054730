"""The state folder as every command opens it: made, private, and with nothing in it that leads elsewhere."""

from __future__ import annotations

from pathlib import Path

from workshop.home import open_state_folder, state_folder

__all__ = ["open_folder"]


def open_folder() -> Path:
    """The state folder, ready to be written; `UsageError` when it, or a folder in it, is a symbolic link."""
    return open_state_folder(state_folder())
