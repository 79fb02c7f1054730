"""The Jinja2 environment of definitions: sandboxed, strict about undefined names, and bounded in time and memory.

In: a loader and `read()`. Out: compiled templates that reach no Python internals, and whose loops, calls and new values are
charged to the budget of their rendering. A definition may come from anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import BaseLoader, TemplateSyntaxError, Undefined, nodes, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from workshop.definition.budget import TURN, charge, charge_value, size
from workshop.definition.filters import filters, tests
from workshop.definition.variables import Blank, Members, Unset

__all__ = ["Sandbox"]

MAX_INTEGER_BITS = 4096

_STRING_METHODS = (
    "capitalize count endswith find isalnum isalpha isdigit lower lstrip partition removeprefix removesuffix rpartition "
    "rsplit rstrip split splitlines startswith strip title upper"
)
"""The methods of texts that are available: their result is no longer than the text itself."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates of definitions. Whitespace: a line that holds only a block tag leaves nothing behind."""

    intercepted_binops = frozenset({"+", "-", "*", "**", "/", "//", "%"})

    def __init__(self, loader: BaseLoader | None, read: Callable[[str], str]) -> None:
        super().__init__(
            loader=loader,
            undefined=Unset,
            autoescape=False,
            optimized=False,
            auto_reload=False,
            cache_size=64,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=_finalize,
        )
        self.filters, self.tests = dict[str, Any](filters()), dict[str, Any](tests())
        self.globals = {
            "range": self.globals["range"],
            "dict": dict,
            "joiner": self.globals["joiner"],
            "namespace": self.globals["namespace"],
            "read": read,
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Charging(filename).visit(super()._parse(source, name, filename))
        return tree

    def joined(self, *parts: Any) -> str:
        """The result of the `~` operator."""
        charge(sum(size(part) for part in parts))
        return "".join(str(part) for part in parts)

    def made(self, value: Any) -> Any:
        """A new value."""
        return charge_value(value)

    def counted(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values of a loop."""
        for value in values:
            charge()
            yield value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if max(_bits(left), _bits(right)) > MAX_INTEGER_BITS:
            raise SecurityError("The number is too large.")
        if operator == "%" and not numbers:
            raise SecurityError("The % operator takes numbers; join texts with ~.")
        if operator == "*" and not numbers:
            values, times = (right, left) if isinstance(left, int) else (left, right)
            charge((size(values) - TURN) * max(times, 0) if isinstance(times, int) else 0)
        elif operator == "**" and numbers and _bits(left) * abs(right) > MAX_INTEGER_BITS:
            raise SecurityError("The number is too large.")
        return charge_value(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(function, "__self__", None) is self:  # one of the methods above, put there by `_Charging`
            return function(*args)
        charge(TURN + sum(size(value) for value in (*args, *kwargs.values())))  # a macro makes a list of them
        return charge_value(super().call(context, function, *args, **kwargs))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str) and attr not in _STRING_METHODS.split():
            return False
        if isinstance(obj, int | float | complex | bytes):  # (1).to_bytes(10**10) is one of theirs
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """`format` is not available: a field width makes a text of any length."""

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


class _Charging(NodeTransformer):
    """Rewrites a parsed template so that loops, comparisons and new values pass through the methods of `Sandbox`.

    Operators, calls and filters have hooks of their own; what is here has none.
    """

    def __init__(self, filename: str | None) -> None:
        self._filename = filename

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise self._refusal("A number is too large", node)
        return node

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:
        return nodes.Const(node.data, lineno=node.lineno)  # which passes through `_finalize`

    def visit_For(self, node: nodes.For) -> nodes.Node:
        if node.recursive:
            raise self._refusal("Recursive loops are not supported", node)
        self.generic_visit(node)
        node.iter = _through("counted", node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _through("joined", *node.nodes)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        return _through("made", node) if isinstance(node.arg, nodes.Slice) else node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        return self._made(node) if node.ctx == "load" else node

    def _made(self, node: nodes.Node) -> nodes.Node:
        self.generic_visit(node)
        return _through("made", node)

    visit_List = visit_Dict = visit_Compare = _made

    def _refusal(self, what: str, node: nodes.Node) -> TemplateSyntaxError:
        return TemplateSyntaxError(what, node.lineno, filename=self._filename)


def _through(method: str, *values: nodes.Node) -> nodes.Call:
    """A call of a method of the environment with these values."""
    return nodes.Call(nodes.EnvironmentAttribute(method), list(values), [], None, None, lineno=values[0].lineno)


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 1


@pass_eval_context  # keeps Jinja2 from calling it while it compiles, when there is no budget
def _finalize(_context: EvalContext, value: Any) -> Any:
    if callable(value) and not isinstance(value, Undefined):
        raise SecurityError("A function is written where its result is meant: call it with ().")
    return charge_value(value)
