"""The environment that the cloud's process hands on to the functions, which it runs as plain processes.

In: a folder of the cloud's own. Out: `os.environ` with a HOME in that folder, the search paths, and nothing else of the user's.
It is no sandbox: a function is a process of the user, and may open what the user may.
"""

from __future__ import annotations

import importlib.util
import os
import site
import sys
from pathlib import Path

__all__ = ["leave_user_environment"]

KEPT = ("PATH", "LANG", "LD_LIBRARY_PATH")
"""What a function of Lambda has too, and without which python and node might not start."""


def leave_user_environment(home: Path) -> None:
    """Reduce the environment of this process to what a function may see; `home` is made.

    The paths from which this process imports are in `sys.path` by now and stay there.
    """
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.clear()
    os.environ.update(kept, HOME=str(home))
    if library := _boto3_elsewhere():
        os.environ["PYTHONPATH"] = library


def _boto3_elsewhere() -> str:
    """The folder of boto3 where a new python would not find it by itself; empty otherwise. Functions of Lambda have boto3."""
    found = importlib.util.find_spec("boto3")
    if found is None or found.origin is None:
        return ""
    folder = Path(found.origin).parents[1]
    own = [*site.getsitepackages(), *(path for path in sys.path if Path(path).is_relative_to(sys.base_prefix))]
    return "" if str(folder) in own else str(folder)
