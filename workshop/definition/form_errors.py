"""Translates pydantic's errors into problems that name line, field and fix.

In: the values of a document, or the settings of one step. Out: the checked model, or the list of problems, in the words of
YAML.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workshop.definition.model import Definition
from workshop.definition.problem import Problem, closest
from workshop.definition.yamlfile import Document, FieldPath
from workshop.quoting import shown
from workshop.steps.settings import per_region

__all__ = ["definition_of", "problem_at", "problems_of"]

_PATTERNS = {
    "regions": ("is not the name of a region", "Regions look like us-west-2."),
    "parameters": ("cannot be the name of a variable", "Use letters, digits and _, beginning with a letter."),
    "in": ("is not a place where a step runs", "Use home, replicas, each, global, a region, or '{{ parameter }}'."),
    "stage": ("cannot be a stage", "Use letters, digits, - and _."),
    "page": ("is not a page of the site", "Name a file inside the site, such as index.html."),
}
_NAMES = ("cannot be a name here", "Use lower case letters, digits and -, beginning with a letter; at most 40.")


def definition_of(document: Document) -> Definition:
    """The definition of a document; raises pydantic's `ValidationError`."""
    return Definition.model_validate(document.data, by_alias=True, by_name=False)


def problem_at(document: Document, field: FieldPath, what: str, fix: str = "") -> Problem:
    """A problem of one field of a document."""
    return Problem(document.name, document.line(field), document.dotted(field), what, fix)


def problems_of(
    error: ValidationError,
    model: type[BaseModel],
    document: Document,
    base: FieldPath = (),
    *,
    skip: Set[str] = frozenset(),
    regions: Sequence[str] = (),
    form_only: bool = False,
) -> list[Problem]:
    """Every error about `model`, whose values are at `base` in the document; none about the fields in `skip`, and
    with `form_only` none about values: only about fields that are missing or do not exist.

    `regions` are those of the entries of settings that have one for each region: an error names the first in which it is met.
    """
    entries = per_region(model)
    every = [details for details in _causes(error) if not skip & set(details["loc"][:1])]
    if form_only:
        every = [details for details in every if details["type"] in ("missing", "extra_forbidden")]
    misspelt = _misspelt(every)
    merged = {(*loc[:-1], name) for loc, name in misspelt.items()}
    found: dict[tuple[FieldPath, str], Problem] = {}
    for details in (details for details in every if details["loc"] not in merged):
        loc, meant = details["loc"], misspelt.get(details["loc"], "")
        number = loc[1] if len(loc) > 1 and loc[0] in entries else None
        if isinstance(number, int):
            loc = (loc[0], *loc[2:])
        problem = _problem({**details, "loc": loc}, model, document, base, meant)
        if isinstance(number, int) and number < len(regions):
            problem = replace(problem, what=f"{problem.what.rstrip('.')} (in the entry for {regions[number]}).")
        found.setdefault((loc, details["type"]), problem)
    return list(found.values())


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """The errors without their consequences: a list whose only entry is wrong is reported as too short as well."""
    every = error.errors(include_url=False)
    wrong = {details["loc"][:length] for details in every for length in range(len(details["loc"]))}
    return [details for details in every if details["type"] != "too_short" or details["loc"] not in wrong]


def _misspelt(every: list[ErrorDetails]) -> dict[FieldPath, str]:
    """The places of fields that do not exist, each with the name of a missing field beside it that was probably meant."""
    missing: dict[FieldPath, list[str]] = {}
    for details in every:
        if details["type"] == "missing":
            missing.setdefault(details["loc"][:-1], []).append(str(details["loc"][-1]))
    found: dict[FieldPath, str] = {}
    for details in every:
        beside = missing.get(details["loc"][:-1], []) if details["type"] == "extra_forbidden" else []
        if near := difflib.get_close_matches(str(details["loc"][-1]), beside, n=1, cutoff=0.55):
            beside.remove(near[0])
            found[details["loc"]] = near[0]
    return found


def _problem(details: ErrorDetails, model: type[BaseModel], document: Document, base: FieldPath, meant: str) -> Problem:
    loc = tuple(part for part in details["loc"] if part != "[key]")
    if meant:
        what, fix = f"There is no field '{shown(str(loc[-1]))}' here, and '{meant}' is missing.", f"Did you mean '{meant}'?"
    else:
        what, fix = _words(details, model, loc)
    return problem_at(document, (*base, *loc), what, fix)


def _words(details: ErrorDetails, model: type[BaseModel], loc: FieldPath) -> tuple[str, str]:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    name = str(loc[-1]) if loc else ""
    if kind == "missing":
        return f"The field '{name}' is missing.", f"Add `{name}:`."
    if kind == "extra_forbidden":
        return f"There is no field '{shown(name)}' here.", closest(name, _fields(model, loc[:-1])) or "Remove it."
    if kind == "string_pattern_mismatch":
        value = shown(str(value))
        if model is not Definition:
            return f"'{value}' does not fit here.", f"The whole value must match {context.get('pattern')}"
        reason, fix = next((_PATTERNS[part] for part in reversed(loc) if part in _PATTERNS), _NAMES)
        return f"'{value}' {reason}.", fix
    if kind == "string_type" and isinstance(value, int | float | bool):
        return f"{_yaml(value)} must be text.", f"Put it in quotes: '{_yaml(value)}'."
    if kind in ("enum", "literal_error"):
        return f"'{shown(str(value))}' is not one of the values that fit here.", f"Use {context.get('expected')}."
    if kind in ("too_long", "string_too_long"):
        most, parts = context.get("max_length"), "entries" if kind == "too_long" else "characters"
        return f"This is too long: at most {most} {parts} fit.", "Shorten it, or split the workshop in two."
    if kind in ("too_short", "string_too_short"):
        return "This must not be empty.", f"Give '{name}' at least one entry." if kind == "too_short" else "Write something."
    if kind in _BOUNDS:
        bound = next(iter(context.values()), "")
        return f"{_yaml(value)} does not fit here.", f"Write a number {_BOUNDS[kind]}{bound}."
    expected = _EXPECTED.get(kind)
    if expected:
        return f"{expected[0]} is needed here, and there is {_found(value)}.", expected[1]
    text = details["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{text[:1].upper()}{text[1:]}.", str(context.get("fix", ""))  # a kind's own error may bring one


_BOUNDS = {
    "greater_than": "above ", "greater_than_equal": "of at least ", "less_than": "below ", "less_than_equal": "of at most ",
    "finite_number": "that has an end",
}  # fmt: skip
_EXPECTED = {
    "string_type": ("A text", "Write a text, in quotes when in doubt."),
    "tuple_type": ("A list", "Write [one, two], or one entry per line with a dash."),
    "list_type": ("A list", "Write [one, two], or one entry per line with a dash."),
    "mapping_type": ("A group of fields", "Write {key: value}, or one field per line, indented."),
    "dict_type": ("A group of fields", "Write {key: value}, or one field per line, indented."),
    "model_type": ("A group of fields", "Write {key: value}, or one field per line, indented."),
    "model_attributes_type": ("A group of fields", "Write {key: value}, or one field per line, indented."),
    "bool_type": ("true or false", "Write true or false."),
    "bool_parsing": ("true or false", "Write true or false."),
    "int_type": ("A whole number", "Write digits only."),
    "int_parsing": ("A whole number", "Write digits only."),
    "float_type": ("A number", "Write a number, such as 1.5."),
    "float_parsing": ("A number", "Write a number, such as 1.5."),
}
_KIND: dict[type, str] = {dict: "a group of fields", list: "a list"}


def _found(value: Any) -> str:
    if isinstance(value, str):
        return f"'{shown(value)}'"
    return "nothing" if value is None else _KIND.get(type(value), _yaml(value))


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields(model: type[BaseModel], path: FieldPath) -> list[str]:
    """The names that a mapping at `path` inside `model` may hold, as they are written in YAML."""
    for part in path:
        if isinstance(part, str) and (found := _named(model, part)) is not None:
            model = found
    return [field.alias or name for name, field in model.model_fields.items()]


def _named(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    for field_name, field in model.model_fields.items():
        if name == (field.alias or field_name):
            return _model_in(field.annotation)
    return None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        if (found := _model_in(inner)) is not None:
            return found
    return None
