"""Renders templates and turns everything that can go wrong in one into an error that names file and line.

In: a text, its variables, its place. Out: the rendered text. Writes no file.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

from jinja2 import FunctionLoader, Template, TemplateError, TemplateNotFound, TemplateSyntaxError, UndefinedError, meta
from jinja2.exceptions import SecurityError

from workshop.definition.budget import OUTPUT_LIMIT, SOURCE_LIMIT, TURN, budget, charge
from workshop.definition.problem import closest
from workshop.definition.sandbox import Sandbox
from workshop.definition.variables import MissingMember, lenient, strict
from workshop.errors import DefinitionError
from workshop.quoting import shown

__all__ = ["MissingOutputError", "Renderer"]

_PREFIX = "template:"
# What the expressions of a template can raise: the sandbox calls Python's own operators and methods.
_FAULTS = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    MemoryError,
    SyntaxError,
)


class MissingOutputError(DefinitionError):
    """A template reads an output below `steps`, `apis` or `names` that does not exist at this moment."""


class Renderer:
    """The templates of one definition. `text_of` returns the text of a file by its name, for `read()` and `{% include %}`."""

    def __init__(self, text_of: Callable[[str], str]) -> None:
        self._text_of = text_of
        self._sandbox = Sandbox(FunctionLoader(self._load), self._read)
        self._compiled = lru_cache(maxsize=256)(self._compile)

    def render(self, text: str, variables: Mapping[str, Any], where: str) -> str:
        """The rendered `text`. `where` is its file, or `file:line` of its first line. Raises `DefinitionError`, and
        `MissingOutputError` for an output that does not exist."""
        return self._render(text, strict(variables), where)

    def render_leniently(self, text: str, variables: Mapping[str, Any], where: str) -> str:
        """The same, with the empty string in place of outputs that do not exist."""
        return self._render(text, lenient(variables), where)

    def variables_of(self, text: str, where: str) -> frozenset[str]:
        """The names that a template reads and does not set itself, in all its branches; raises `DefinitionError`."""
        try:
            with budget("The template does too much work or makes too much text."):
                _charge_source(text)
                return frozenset(meta.find_undeclared_variables(self._sandbox.parse(text, filename=_PREFIX + where)))
        except _FAULTS as error:
            raise _explain(error, where, {}) from error

    def _render(self, text: str, variables: dict[str, Any], where: str) -> str:
        if "{" not in text:
            return text
        try:
            with budget("The template does too much work or makes too much text."):
                _charge_source(text)
                return self._bounded(self._compiled(text, where), variables)
        except DefinitionError as error:
            if error.where:
                raise
            raise DefinitionError(what=error.problem, why=error.why, fix=error.fix, where=_line_of(error, where)) from error
        except _FAULTS as error:
            raise _explain(error, where, variables) from error

    def _bounded(self, template: Template, variables: dict[str, Any]) -> str:
        parts: list[str] = []
        size = 0
        for part in template.generate(variables):
            size += len(part)
            if size > OUTPUT_LIMIT:
                raise SecurityError(f"The rendered text is longer than {OUTPUT_LIMIT:,} characters.")
            parts.append(part)
        return "".join(parts)

    def _compile(self, text: str, where: str) -> Template:
        return Template.from_code(self._sandbox, _code(text, where), self._sandbox.make_globals(None))

    def _read(self, name: str) -> str:
        charge(500 * TURN)
        return self._text_of(name)

    def _load(self, name: str) -> tuple[str, str, None]:
        text = self._text_of(name)
        _charge_source(text)
        return text, _PREFIX + name, None


@lru_cache(maxsize=256)
def _code(text: str, where: str) -> CodeType:
    """A compiled template, which is the same for every definition that has it: compiling takes longer than rendering."""
    return Sandbox(None, lambda _: "").compile(text, name=where, filename=_PREFIX + where)


def _charge_source(source: str) -> None:
    """Compiling takes time and memory too."""
    if len(source) > SOURCE_LIMIT:
        raise SecurityError(f"The template is longer than {SOURCE_LIMIT:,} characters: move long texts into a file to read().")
    charge(TURN * len(source))


def _explain(error: BaseException, where: str, variables: Mapping[str, Any]) -> DefinitionError:
    place, message = _line_of(error, where), shown(str(error), 300)
    if isinstance(error, MissingMember):
        return MissingOutputError(
            what=message,
            why="The step that makes it has not run, or it is gone.",
            fix="Add that step to `needs`, or set the workshop up first.",
            where=place,
            code="MissingOutput",
        )
    if isinstance(error, TemplateNotFound):
        return DefinitionError(what=f"There is no template '{shown(str(error.name))}'.", fix="Correct the name.", where=place)
    if isinstance(error, TemplateSyntaxError):
        return DefinitionError(
            what="The template is not well formed.",
            why=f"{shown(error.message or '', 300).rstrip('.')}.",
            fix="Check the {{ }} and {% %} of that line.",
            where=place,
        )
    if isinstance(error, SecurityError):
        return DefinitionError(
            what="The template is refused.",
            why=message,
            fix="Templates fill in values; do heavy work elsewhere.",
            where=place,
        )
    if isinstance(error, UndefinedError):
        name = re.match(r"The variable '(\w+)' is not defined\.$", str(error))
        fix = closest(name[1], sorted(variables)) if name else "Correct the name."
        return DefinitionError(what=message, fix=fix, where=place, code="UndefinedVariable")
    if isinstance(error, RecursionError | MemoryError | SyntaxError):
        return DefinitionError(
            what="The template is refused.", why="It is nested too deeply.", fix="Make it flatter.", where=place
        )
    return DefinitionError(
        what="The template cannot be rendered.",
        why=f"{type(error).__name__}: {message}.",
        fix="Check the expression of that line.",
        where=place,
    )


def _line_of(error: BaseException, where: str) -> str:
    """`file:line` of the innermost template line that the error went through."""
    file, line = where, 1
    if isinstance(error, TemplateSyntaxError):
        file, line = (error.filename or where).removeprefix(_PREFIX), error.lineno
    else:
        for frame, number in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename.startswith(_PREFIX):
                file, line = frame.f_code.co_filename.removeprefix(_PREFIX), number
    name, _, start = file.rpartition(":")
    return f"{name}:{int(start) + line - 1}" if name and start.isdigit() else f"{file}:{line}"
