"""The filters and tests of templates: an allow-list of Jinja2's, and our own.

In: the values of a template. Out: `filters()` and `tests()`, each of which charges the rendering for what it makes.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.tests import TESTS

from workshop.definition.budget import charge, charge_value
from workshop.definition.variables import Blank

__all__ = ["ORIGIN", "filters", "origin_of", "tests"]

ORIGIN = "_origin"
"""The variable that holds what turns a host name into the address that browsers find it at; no parameter can have its name."""

_KEPT = (
    "abs capitalize count dictsort first float int items last length list lower map max min reject rejectattr reverse "
    "select selectattr sort string title trim unique upper"
)
"""The filters of Jinja2 that are available."""


def filters() -> dict[str, Callable[..., Any]]:
    """Every filter by its name."""
    allowed: dict[str, Any] = {name: FILTERS[name] for name in _KEPT.split()}
    return {name: _charged(function) for name, function in (allowed | _OWN).items()}


def tests() -> dict[str, Callable[..., Any]]:
    """Every test (`is ...`) by its name."""
    allowed: dict[str, Any] = TESTS
    return {name: _charged(function) for name, function in allowed.items()}


def _charged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def charged(*args: Any, **kwargs: Any) -> Any:
        charge()
        return charge_value(function(*args, **kwargs))

    return charged


def _fingerprint(value: Any) -> str:
    """Eight hexadecimal digits that change when the text changes: for names that must be new for new content."""
    return hashlib.sha256(str(value).encode()).hexdigest()[:8]


def _tojson(value: Any, indent: int | None = None) -> str:
    """JSON that is safe inside a script element: `<`, `>` and `&` are escaped."""
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
    charge(str(value).count("\n") * len(prefix))
    lines = str(value).split("\n")
    return "\n".join(prefix + line if line and (first or number) else line for number, line in enumerate(lines))


def _join(value: Iterable[Any], separator: str = "") -> str:
    parts = [str(part) for part in value]
    charge(len(separator) * len(parts) + sum(len(part) for part in parts))
    return separator.join(parts)


def _replace(value: Any, old: str, new: str) -> str:
    text = str(value)
    charge(len(new) * (text.count(old) if old else len(text) + 1))
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


def origin_of(variables: Mapping[str, Any]) -> Callable[[str], str]:
    """What turns a host into an address where a workshop is deployed; without one, as on AWS."""
    found: Callable[[str], str] = variables.get(ORIGIN, "https://{}".format)
    return found


@pass_context
def _origin(context: Context, host: Any) -> Any:
    """The address of a host for browsers, `https://HOST` on AWS, without a path; an output that does not exist stays empty."""
    return host if isinstance(host, Undefined | Blank) else origin_of(context.get_all())(str(host))


_OWN: dict[str, Callable[..., Any]] = {
    "default": _default,
    "d": _default,
    "fingerprint": _fingerprint,
    "indent": _indent,
    "join": _join,
    "origin": _origin,
    "replace": _replace,
    "round": _round,
    "sum": _sum,
    "tojson": _tojson,
}
