"""The Jinja2 environment of definitions: sandboxed, strict about undefined names, and bounded in work and output.

A definition may come from anywhere, so a template reaches no Python internals, and every loop, call, operator and piece of
output draws on one budget: a template that runs away is refused instead of filling the machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import BaseLoader, Undefined, nodes, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from workshop.definition.budget import TURN, budget, spend, weight
from workshop.definition.filters import filters
from workshop.definition.namespace import Blank, Members, Unset

__all__ = ["Sandbox"]

MAX_INTEGER_BITS = 4096

_STRING_METHODS = frozenset(
    [
        "capitalize",
        "count",
        "endswith",
        "find",
        "isalnum",
        "isalpha",
        "isdigit",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "title",
        "upper",
    ]
)
"""Those that make no text longer than what they are given."""


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
        self.filters = filters()
        self.globals = {
            "range": self.globals["range"],
            "dict": dict,
            "joiner": self.globals["joiner"],
            "namespace": self.globals["namespace"],
            "read": read,
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Metering().visit(super()._parse(source, name, filename))
        return tree

    def joined(self, *parts: Any) -> str:
        """The `~` operator."""
        spend(sum(weight(part) for part in parts))
        return "".join(str(part) for part in parts)

    def weighed(self, value: Any) -> Any:
        """A value that is about to be compared, searched, tested or cut: that takes longer the larger it is."""
        spend(weight(value))
        return value

    def counted(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values of a loop, each of which costs."""
        purse = budget.get()
        for value in values:
            purse.spend(TURN)
            yield value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if max(_bits(left), _bits(right)) > MAX_INTEGER_BITS:
            raise SecurityError("The number is too large.")
        if operator == "%" and not numbers:
            raise SecurityError("The % operator takes numbers; join texts with ~.")
        if operator == "*" and not numbers:
            times = max((value for value in (left, right) if isinstance(value, int)), default=1)
            spend((weight(left) + weight(right)) * max(times, 1))
        elif operator == "**" and numbers and _bits(left) * abs(right) > MAX_INTEGER_BITS:
            raise SecurityError("The number is too large.")
        spend(weight(left) + weight(right))
        return _finite(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        owner = getattr(function, "__self__", None)
        if owner is self:  # one of the meters above, put there by `_Metering`
            return function(*args)
        spend(TURN + weight(owner) + sum(weight(value) for value in (*args, *kwargs.values())))
        result = super().call(context, function, *args, **kwargs)
        spend(weight(result))
        return result

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:
        if purse := budget.get(None):
            purse.spend(100 * TURN)
        return super().get_template(name, parent, globals)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str) and attr not in _STRING_METHODS:
            return False
        if isinstance(obj, int | float | complex | bytes):  # (1).to_bytes(10**10) is one of theirs
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
    """Rewrites a parsed template so that loops, joins, comparisons, tests, slices and plain text pass through the budget."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _through("joined", *node.nodes)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _through("weighed", node.expr)
        for operand in node.ops:
            operand.expr = _through("weighed", operand.expr)
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:
        self.generic_visit(node)
        node.node = _through("weighed", node.node)
        node.args = [_through("weighed", argument) for argument in node.args]
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            node.node = _through("weighed", node.node)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:
        if node.recursive:
            raise SecurityError("Recursive loops are not supported.")
        self.generic_visit(node)
        node.iter = _through("counted", node.iter)
        return node

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        _finite(node.value)  # Jinja2 writes constants into the code that it makes, and Python has no constant for this one
        return node

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:
        return nodes.Const(node.data, lineno=node.lineno)


def _through(method: str, *values: nodes.Node) -> nodes.Call:
    """The values as they come out of a method of the environment."""
    return nodes.Call(nodes.EnvironmentAttribute(method), list(values), [], None, None, lineno=values[0].lineno)


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 1


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise SecurityError("The number is too large, or none at all.")
    return value


@pass_eval_context  # keeps Jinja2 from calling it while it compiles, when there is no budget
def _finalize(_context: EvalContext, value: Any) -> Any:
    if callable(value) and not isinstance(value, Undefined):
        raise SecurityError("A function stands where its result is meant: call it with ().")
    spend(weight(value))
    return _finite(value)
