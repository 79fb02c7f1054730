"""Where node is: on the PATH, else the one that Playwright for Python brings along."""

from __future__ import annotations

import shutil
from pathlib import Path

import playwright

__all__ = ["node"]


def node() -> str:
    """The path of a node that runs."""
    return shutil.which("node") or str(Path(playwright.__file__).parent / "driver" / "node")
