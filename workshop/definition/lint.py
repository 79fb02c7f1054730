"""Lists what is wrong with a workshop before anything is created.

In: a name or a path. Out: problems, each with file, line, field and fix; none when the workshop is sound.
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
from workshop.definition.semantics import Kinds, semantic_problems
from workshop.definition.yamlfile import read
from workshop.errors import DefinitionError

__all__ = ["Problem", "lint", "require_sound"]

TARGETS = ("local", "aws")
"""Every template is rendered for both: a branch for one of them is looked at, too."""


def lint(name_or_path: str, kinds: Kinds | None = None) -> list[Problem]:
    """The problems, in the order of files and lines; `kinds` are the registered ones unless given.

    A file that is not YAML is one problem. Wrong form (missing or unknown fields, wrong types) is listed completely and ends the
    search: what fields mean together, and templates, are checked once the form is right. Raises `UsageError` when there is no
    workshop of that name or path.
    """
    source = locate(name_or_path)
    kinds = known_kinds() if kinds is None else kinds
    try:
        document = read(source.path)
        definition = definition_of(document)
    except DefinitionError as error:
        return [from_error(error)]
    except ValidationError as error:
        return _sorted(problems_of(error, Definition, document))
    workshop = assemble(definition, document, source)
    problems = semantic_problems(definition, document, kinds)
    for target in TARGETS:
        problems += dry_render(workshop, _defaults(definition), kinds, target)
    return _sorted(problems)


def require_sound(workshop: Workshop, settings: Settings, kinds: Kinds | None = None, target: str = "local") -> None:
    """Raise the first problem of rendering the templates of every step that runs with the settings of a run."""
    for problem in dry_render(workshop, settings, known_kinds() if kinds is None else kinds, target, off=False):
        raise problem.error()


def _defaults(definition: Definition) -> Settings:
    """The defaults; in place of each secret a text by which it is known."""
    specs = definition.parameters.items()
    values = {name: spec.default for name, spec in specs if not spec.secret}
    return Settings(values, definition.regions, secrets={name: f"secret-{name}" for name, spec in specs if spec.secret})


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.where, problem.line))
