"""The figures of the failover, read from the one file that the player in the browser reads too.

In: `failover-settings.js`, whose text between the first equals sign and the last semicolon is JSON. Out: frozen settings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

from workshop.errors import DefinitionError

__all__ = ["FILE", "FailoverSettings", "read_settings"]

FILE = "web/failover-settings.js"
"""Where the file lies beside a definition."""
FIX = "See docs/drills.md for what the file holds."


@dataclass(frozen=True, slots=True)
class FailoverSettings:
    """Milliseconds and counts; the names in the file are the same in camel case.

    A switch needs `min_failures` failed writes and `countdown_ms` since the first of them; `recover_after` successes in a row
    end a countdown; `failback_after` answers in a row make a region fit to go back to.
    """

    write_every_ms: int
    write_timeout_ms: int
    probe_every_ms: int
    probe_timeout_ms: int
    read_every_ms: int
    countdown_ms: int
    min_failures: int
    recover_after: int
    failback_after: int

    def document(self) -> dict[str, int]:
        """The settings under the names of the file."""
        return {_camel(field.name): getattr(self, field.name) for field in fields(self)}


def read_settings(path: Path) -> FailoverSettings:
    """The settings of a file; raises `DefinitionError` naming the file and the figure that is wrong."""
    inside = path.read_text(encoding="utf-8").partition("=")[2].rpartition(";")[0]
    try:
        found = json.loads(inside)
    except ValueError as error:
        raise DefinitionError(f"holds no JSON between = and ;: {error}", "", FIX, where=str(path)) from error
    if not isinstance(found, dict):
        raise DefinitionError("holds no JSON object between = and ;", "", FIX, where=str(path))
    figures: dict[str, int] = {}
    for field in fields(FailoverSettings):
        name = _camel(field.name)
        value = found.get(name)
        least = 0 if field.name == "countdown_ms" else 1
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise DefinitionError(f"has to be a whole number from {least}, not {value!r}", "", FIX, where=str(path), field=name)
        figures[field.name] = value
    return FailoverSettings(**figures)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join("Ms" if part == "ms" else part.capitalize() for part in rest)
