"""Times and lengths of time as people write and read them.

In: a text such as `90s`, `15m`, `1h`, `12.5`, or seconds. Out: seconds, or a text such as `40 ms`, `2.5 s`, `3 min 20 s`.
"""

from __future__ import annotations

import re

__all__ = ["format_duration", "format_moment", "parse_duration"]

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """The seconds that a text means; raises `ValueError` for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a length of time; write 90s, 15m or 1h")
    return float(found[1]) * UNITS[found[2]]


def format_duration(seconds: float | None) -> str:
    """Seconds for people: `40 ms`, `2.5 s`, `3 min 20 s`; `none` for None.

    One precision for the whole program: whole milliseconds below a second, hundredths below ten, tenths below two minutes.
    """
    if seconds is None:
        return "none"
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.{2 if seconds < 10 else 1}f}".rstrip("0").rstrip(".") + " s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def format_moment(moment: str) -> str:
    """A time in ISO 8601 as people read it: `2026-11-21 10:00:00 UTC`. One in another zone keeps its offset."""
    return moment.replace("T", " ").replace("+00:00", " UTC")
