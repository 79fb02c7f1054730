"""The built-in workshops: in the wheel below `workshop/_builtin`, in a checkout below its root.

Out: names and folders. Never reads a definition.
"""

from __future__ import annotations

from pathlib import Path

import workshop
from workshop.errors import WorkshopError

__all__ = ["DEFINITION_FILE", "SHARED", "builtin_folder", "builtin_names", "shared_root"]

DEFINITION_FILE = "workshop.yaml"
SHARED = "templates/_shared"
"""What the pages of the built-in workshops have in common, below `shared_root()`."""


def shared_root() -> Path:
    """The folder that holds `templates/` and what built-in workshops share, such as `sample-data.json`."""
    package = Path(workshop.__file__).resolve().parent
    for root in (package / "_builtin", package.parent):
        if (root / "templates").is_dir():
            return root
    raise WorkshopError(
        what="The built-in workshops are missing from this installation.",
        why=f"Neither {package / '_builtin'} nor {package.parent} has a folder templates.",
        fix="Install the package again: pipx reinstall aws-workshop",
        code="Installation",
    )


def builtin_names() -> tuple[str, ...]:
    """The names of the built-in workshops, sorted."""
    return tuple(sorted(file.parent.name for file in (shared_root() / "templates").glob(f"*/{DEFINITION_FILE}")))


def builtin_folder(name: str) -> Path:
    """The folder of one built-in workshop; raises `KeyError` when there is none of that name."""
    if name not in builtin_names():
        raise KeyError(name)
    return shared_root() / "templates" / name
