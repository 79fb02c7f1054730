"""The settings of the failover, read from the file that the player in the browser reads too.

In: `failover-settings.js`, whose text between the first equals sign and the last semicolon is JSON. Out: frozen settings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

from workshop.errors import DefinitionError

__all__ = ["FILE", "FailoverSettings", "read_settings"]

FILE = "web/failover-settings.js"
"""The path of the file, relative to the definition's folder."""
FIX = "See docs/drills.md for what the file contains."


@dataclass(frozen=True, slots=True)
class FailoverSettings:
    """Milliseconds and counts; the names in the file are the same in camel case.

    A switch needs `min_failures` failed writes and `countdown_ms` since the first of them; `recover_after` successes in a row
    end a countdown; after `failback_after` successes in a row going back to a region is offered.
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
    """The settings of a file; raises `DefinitionError` naming the file and the setting that is wrong."""
    text = path.read_text(encoding="utf-8").partition("=")[2].rpartition(";")[0]
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DefinitionError(what=f"has no JSON between = and ;: {error}", fix=FIX, where=str(path)) from error
    if not isinstance(found, dict):
        raise DefinitionError(what="has no JSON object between = and ;", fix=FIX, where=str(path))
    settings: dict[str, int] = {}
    for field in fields(FailoverSettings):
        name = _camel(field.name)
        value = found.get(name)
        least = 0 if field.name == "countdown_ms" else 1
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            what = f"has to be a whole number from {least}, not {value!r}"
            raise DefinitionError(what=what, fix=FIX, where=str(path), field=name)
        settings[field.name] = value
    return FailoverSettings(**settings)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join("Ms" if part == "ms" else part.capitalize() for part in rest)
