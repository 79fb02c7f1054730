"""The filters of templates: those of Jinja2 that cannot run away, and our own.

In: the values of a template. Out: `filters()`, each of which pays for what it reads and makes.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Undefined
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS

from workshop.definition.budget import TURN, spend, weight
from workshop.definition.namespace import Blank

__all__ = ["filters"]

_KEPT = [
    "abs",
    "capitalize",
    "count",
    "dictsort",
    "first",
    "float",
    "int",
    "items",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "sort",
    "string",
    "title",
    "trim",
    "unique",
    "upper",
]


def filters() -> dict[str, Callable[..., Any]]:
    """Every filter by its name."""
    return {name: _paid(function) for name, function in ({name: FILTERS[name] for name in _KEPT} | _OWN).items()}


def _paid(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def filter_(*args: Any, **kwargs: Any) -> Any:
        spend(TURN + sum(weight(value) for value in (*args, *kwargs.values())))
        result = function(*args, **kwargs)
        spend(weight(result))
        return result

    return filter_


def _fingerprint(value: Any) -> str:
    """Eight hexadecimal digits that change when the text changes: for names that must be new for new content."""
    return hashlib.sha256(str(value).encode()).hexdigest()[:8]


def _tojson(value: Any, indent: int | None = None) -> str:
    """JSON that may stand in a script element as well: `<`, `>` and `&` are escaped."""
    if indent is not None and not 0 <= indent <= 16:
        raise SecurityError("tojson: indent is between 0 and 16.")
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=indent, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Undefined):
        return str(value)
    return list(value)


def _indent(value: Any, width: int | str = 4, first: bool = False) -> str:
    """Indents every line but the first, or that one too; empty lines stay empty."""
    prefix = width if isinstance(width, str) else " " * min(max(width, 0), 100)
    spend(str(value).count("\n") * len(prefix))
    lines = str(value).split("\n")
    return "\n".join(prefix + line if line and (first or number) else line for number, line in enumerate(lines))


def _join(value: Iterable[Any], separator: str = "") -> str:
    parts = [str(part) for part in value]
    spend(len(separator) * len(parts) + sum(len(part) for part in parts))
    return separator.join(parts)


def _replace(value: Any, old: str, new: str) -> str:
    text = str(value)
    spend(len(new) * (text.count(old) if old else len(text) + 1))
    return text.replace(old, new)


def _default(value: Any, default: Any = "", boolean: bool = False) -> Any:
    return default if isinstance(value, Undefined | Blank) or (boolean and not value) else value


def _round(value: float, precision: int = 0, method: str = "common") -> float:
    if not -100 <= precision <= 100:
        raise SecurityError("round: precision is between -100 and 100.")
    rounded: float = FILTERS["round"](value, precision, method)
    return rounded


def _sum(value: Iterable[float], start: float = 0) -> float:
    if not isinstance(start, int | float):
        raise SecurityError("sum: only numbers can be added up; join texts with ~.")
    return sum(value, start)


_OWN: dict[str, Callable[..., Any]] = {
    "default": _default,
    "d": _default,
    "fingerprint": _fingerprint,
    "indent": _indent,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "sum": _sum,
    "tojson": _tojson,
}
