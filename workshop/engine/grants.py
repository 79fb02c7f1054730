"""The confirmations that were given to running definitions that are not built in.

In: the state folder and a workshop. Out: one private file per fingerprint below `grants/`. A changed file is another
fingerprint, so it has to be confirmed again; a lost folder means no more than that.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from workshop.definition.fingerprint import fingerprint
from workshop.definition.loader import Workshop
from workshop.errors import DefinitionError
from workshop.state_dir import prepare, refuse_link, write_private

__all__ = ["Grants"]


class Grants:
    """The grants of one state folder."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "grants"

    def hold(self, workshop: Workshop) -> bool:
        """Whether this very folder was granted, or is built in. One that cannot be read in full was not."""
        if workshop.builtin:
            return True
        try:
            return self._kept(fingerprint(workshop))
        except DefinitionError:
            return False

    def keep(self, workshop: Workshop, digest: str) -> None:
        """Record the confirmation of what `digest` is the fingerprint of."""
        prepare(self._folder)
        note = {
            "workshop": workshop.name,
            "source": str(workshop.source.absolute()),
            "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        write_private(self._file(digest), json.dumps(note) + "\n")

    def _kept(self, digest: str) -> bool:
        refuse_link(self._folder)
        file = self._file(digest)
        return file.is_file() and not file.is_symlink()

    def _file(self, digest: str) -> Path:
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise ValueError(f"not a fingerprint: {digest!r}")
        return self._folder / f"{digest}.json"
