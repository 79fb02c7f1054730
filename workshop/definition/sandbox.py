"""The Jinja2 environment of definitions: sandboxed, strict about undefined names, and bounded in work and output.

A definition may come from anywhere, so a template reaches no Python internals, and every loop, call, operator and piece of
output draws on one budget: a template that runs away is refused instead of filling the machine.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jinja2 import BaseLoader, Undefined, nodes, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from workshop.definition.namespace import Blank, Members, Unset

__all__ = ["BUDGET", "OUTPUT_LIMIT", "Budget", "Sandbox", "budget"]

BUDGET = 20_000_000
"""What one rendering may spend; a character costs one, a turn of a loop or a call ten."""
OUTPUT_LIMIT = 2_000_000
"""Characters of one rendered text. A CloudFormation template is refused by AWS above 1 MB."""
TURN = 10
MAX_INTEGER_BITS = 4096

_STRING_METHODS = frozenset({
    "capitalize", "count", "endswith", "find", "isalnum", "isalpha", "isdigit", "lower", "lstrip", "partition",
    "removeprefix", "removesuffix", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "title",
    "upper",
})
_FILTERS = ("abs", "capitalize", "dictsort", "first", "float", "int", "items", "last", "length", "list", "lower", "map", "max",
            "min", "reject", "rejectattr", "reverse", "round", "select", "selectattr", "sort", "string", "sum", "title", "trim",
            "unique", "upper", "count")


class Budget:
    """What is left for one rendering."""

    def __init__(self, units: int) -> None:
        self.left = units

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise SecurityError("The template does too much work or makes too much text.")


budget: ContextVar[Budget] = ContextVar("budget")
"""The budget of the rendering that is going on."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates of definitions. Whitespace: a line that holds only a block tag leaves nothing behind."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, loader: BaseLoader | None, read: Callable[[str], str]) -> None:
        super().__init__(
            loader=loader, undefined=Unset, autoescape=False, optimized=False, auto_reload=False, cache_size=64,
            trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, finalize=_finalize,
        )
        self.filters = {name: _paid(FILTERS[name]) for name in _FILTERS}
        self.filters |= {name: _paid(function) for name, function in _OWN_FILTERS.items()}
        self.globals = {"range": self.globals["range"], "dict": dict, "joiner": self.globals["joiner"],
                        "namespace": self.globals["namespace"], "read": read}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Metering().visit(super()._parse(source, name, filename))
        return tree

    def joined(self, *parts: Any) -> str:
        """The `~` operator."""
        budget.get().spend(sum(_weight(part) for part in parts))
        return "".join(str(part) for part in parts)

    def counted(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values of a loop, each of which costs."""
        purse = budget.get()
        for value in values:
            purse.spend(TURN)
            yield value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "%" and not numbers:
            raise SecurityError("The % operator takes numbers; join texts with ~.")
        if operator == "*" and not numbers:
            times = max((value for value in (left, right) if isinstance(value, int)), default=1)
            budget.get().spend((_weight(left) + _weight(right)) * max(times, 1))
        elif operator == "**" and numbers and _bits(left) * abs(right) > MAX_INTEGER_BITS:
            raise SecurityError("The number is too large.")
        budget.get().spend(_weight(left) + _weight(right))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        budget.get().spend(TURN + sum(_weight(value) for value in (*args, *kwargs.values())))
        return super().call(context, function, *args, **kwargs)

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:
        if purse := budget.get(None):
            purse.spend(100 * TURN)
        return super().get_template(name, parent, globals)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str) and attr not in _STRING_METHODS:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """`format` is no method of texts here: a field width is a way to make endless text."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Blank):
            return obj
        if isinstance(obj, Members):
            if attribute in obj:
                return obj[attribute]
            return getattr(obj, attribute) if attribute in ("items", "keys", "values", "get") else obj.missing(attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Blank):
            return obj
        if isinstance(obj, Members) and not isinstance(argument, Undefined):
            return obj[argument] if argument in obj else obj.missing(str(argument))
        return super().getitem(obj, argument)


class _Metering(NodeTransformer):
    """Rewrites a parsed template so that loops, joins and plain text pass through the budget."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return nodes.Call(nodes.EnvironmentAttribute("joined"), node.nodes, [], None, None, lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        if node.recursive:
            raise SecurityError("Recursive loops are not supported.")
        self.generic_visit(node)
        node.iter = nodes.Call(nodes.EnvironmentAttribute("counted"), [node.iter], [], None, None, lineno=node.lineno)
        return node

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:
        return nodes.Const(node.data, lineno=node.lineno)


def _weight(value: Any) -> int:
    """About how many characters a value is, counted no further than the budget; each member counts like a turn of a loop."""
    total, stack, limit = 0, [value], budget.get().left
    while stack and total <= limit:
        value = stack.pop()
        total += 1
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, Context):
            continue  # what some of Jinja2's filters are handed beside their values
        elif isinstance(value, Mapping):
            stack.extend(value.values())
            total += TURN * len(value)
        elif isinstance(value, list | tuple | set | frozenset):
            stack.extend(value)
            total += TURN * len(value)
        elif isinstance(value, int):
            total += value.bit_length() // 3
    return total


def _bits(value: float) -> int:
    return value.bit_length() if isinstance(value, int) else 1


@pass_eval_context  # keeps Jinja2 from calling it while it compiles, when there is no budget
def _finalize(_context: EvalContext, value: Any) -> Any:
    if callable(value) and not isinstance(value, Undefined):
        raise SecurityError("A function stands where its result is meant: call it with ().")
    budget.get().spend(_weight(value))
    return value


def _paid(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def filter_(*args: Any, **kwargs: Any) -> Any:
        budget.get().spend(TURN + sum(_weight(value) for value in (*args, *kwargs.values())))
        result = function(*args, **kwargs)
        budget.get().spend(_weight(result))
        return result

    return filter_


def _fingerprint(value: Any) -> str:
    """Eight hexadecimal digits that change when the text changes: for names that must be new for new content."""
    return hashlib.sha256(str(value).encode()).hexdigest()[:8]


def _tojson(value: Any, indent: int | None = None) -> str:
    """JSON that may stand in a script element as well: `<`, `>` and `&` are escaped."""
    if indent is not None and not 0 <= indent <= 16:
        raise SecurityError("tojson: indent is between 0 and 16.")
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=indent)
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
    budget.get().spend(str(value).count("\n") * len(prefix))
    lines = str(value).split("\n")
    return "\n".join(prefix + line if line and (first or number) else line for number, line in enumerate(lines))


def _join(value: Iterable[Any], separator: str = "") -> str:
    parts = [str(part) for part in value]
    budget.get().spend(len(separator) * len(parts) + sum(len(part) for part in parts))
    return separator.join(parts)


def _replace(value: Any, old: str, new: str) -> str:
    text = str(value)
    budget.get().spend(len(new) * (text.count(old) if old else len(text) + 1))
    return text.replace(old, new)


def _default(value: Any, default: Any = "", boolean: bool = False) -> Any:
    return default if isinstance(value, Undefined | Blank) or (boolean and not value) else value


_OWN_FILTERS: dict[str, Callable[..., Any]] = {
    "default": _default, "d": _default, "fingerprint": _fingerprint, "indent": _indent, "join": _join, "replace": _replace,
    "tojson": _tojson,
}
