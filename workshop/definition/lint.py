"""Everything that is wrong with a workshop, at once, before anything is made.

In: a name or a path. Out: a list of problems, each with file, line, field and remedy; empty when the workshop is sound.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from workshop.definition.dry_render import dry_render
from workshop.definition.form_errors import definition_of, problems_of
from workshop.definition.loader import Workshop, assemble, known_kinds, locate
from workshop.definition.model import Definition
from workshop.definition.parameters import Settings
from workshop.definition.problem import Problem, from_error
from workshop.definition.salvage import salvage
from workshop.definition.semantics import Kinds, semantic_problems
from workshop.definition.yamlfile import Document, FieldPath, read
from workshop.errors import DefinitionError

__all__ = ["Problem", "lint", "require_sound"]


def lint(name_or_path: str, kinds: Kinds | None = None) -> list[Problem]:
    """Every problem, in the order of files and lines; `kinds` are the registered ones unless given.

    Raises `UsageError` only when there is no workshop of that name or path at all.
    """
    place = locate(name_or_path)
    kinds = known_kinds() if kinds is None else kinds
    try:
        document = read(place.source)
    except DefinitionError as error:
        return [from_error(error)]
    problems, definition, unreadable = _read(document)
    if definition is None:
        return _sorted(problems)
    problems += semantic_problems(definition, document, kinds, unreadable)
    workshop = assemble(definition, document, place)
    problems += dry_render(workshop, _defaults(definition), kinds, unreadable)
    return _sorted(problems)


def require_sound(workshop: Workshop, settings: Settings, kinds: Kinds | None = None) -> None:
    """Raise the first problem of filling in every template with the settings of a run: nothing is begun that cannot end."""
    for problem in dry_render(workshop, settings, known_kinds() if kinds is None else kinds):
        raise problem.error()


def _read(document: Document) -> tuple[list[Problem], Definition | None, frozenset[FieldPath]]:
    try:
        return [], definition_of(document), frozenset()
    except ValidationError as error:
        problems = problems_of(error, Definition, document)
        rest = salvage(document, error)
    return (problems, rest.definition, rest.unreadable) if rest else (problems, None, frozenset())


def _defaults(definition: Definition) -> Settings:
    return Settings({name: spec.default for name, spec in definition.parameters.items()}, definition.regions)


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.where, problem.line))
