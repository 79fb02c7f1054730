"""Checks what the fields of a definition mean together: ids, needs, cycles, kinds, placements, names.

In: a definition of the right form. Out: every problem found. Reads no file and renders no template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from workshop.definition.form_errors import problem_at
from workshop.definition.model import LONGEST_VALUE, MOST_STEPS, Definition, ModuleSpec, ParameterSpec, Patience, StepSpec
from workshop.definition.placement import by_region
from workshop.definition.problem import Problem, closest
from workshop.definition.variables import RESERVED
from workshop.definition.yamlfile import Document, FieldPath
from workshop.quoting import shown
from workshop.steps.base import Placement, Step

__all__ = ["Kinds", "placed_steps", "semantic_problems"]

Kinds = Mapping[str, Step[Any]]

MOST_PROBLEMS = 100
"""Problems of one sort that are listed: finding the nearest name to each takes time."""
CLAIM = "claim"
"""The name below a workshop's parameters of Systems Manager that the lock of its account uses (workshop/aws/lock)."""
_WORDS_OF_TEMPLATES = (
    "and or not in is if else true false none True False None range dict joiner namespace loop self super caller varargs "
    "kwargs import from recursive with context"
)


def placed_steps(definition: Definition) -> Iterator[tuple[FieldPath, ModuleSpec, StepSpec]]:
    """Every step with its place in the document and its module."""
    for module_number, module in enumerate(definition.modules):
        for number, step in enumerate(module.steps):
            yield ("modules", module_number, "steps", number), module, step


def semantic_problems(definition: Definition, document: Document, kinds: Kinds) -> list[Problem]:
    """Every problem that shows without files and templates, in the order of the lines."""
    if len(definition.steps()) > MOST_STEPS:
        return [problem_at(document, ("modules",), f"There are more than {MOST_STEPS} steps.", "Split the workshop in two.")]
    rules = (_regions, _parameters, _requires, _modules, _steps, _needs, _cycles, _results, _names)
    found = [problem for rule in rules for problem in islice(rule(definition, document), MOST_PROBLEMS)]
    found += _kinds(definition, document, kinds)
    return sorted(found, key=lambda problem: problem.line)


def _regions(definition: Definition, document: Document) -> Iterator[Problem]:
    for number, region in enumerate(definition.regions):
        if region in definition.regions[:number]:
            yield problem_at(document, ("regions", number), f"The region {region} is listed twice.", "Remove one of the two.")
    if len(definition.regions) == 1:
        for field, _, step in placed_steps(definition):
            if step.placement is Placement.REPLICAS:
                yield problem_at(
                    document,
                    (*field, "in"),
                    f"The step '{step.id}' runs in replicas, and there is only one region.",
                    "Add a second region to `regions`.",
                )


def _parameters(definition: Definition, document: Document) -> Iterator[Problem]:
    patience = Patience()
    for name, parameter in definition.parameters.items():
        field: FieldPath = ("parameters", name)
        if name in RESERVED or name in _WORDS_OF_TEMPLATES.split():
            yield problem_at(
                document, field, f"'{name}' cannot be a parameter: templates use that word already.", "Choose another name."
            )
        yield from _secret(name, parameter, document) if parameter.secret else _chosen(name, parameter, document)
        if len(parameter.default) > LONGEST_VALUE:
            yield problem_at(
                document,
                (*field, "default"),
                f"The default is too long: at most {LONGEST_VALUE} characters fit.",
                "Put long texts into a file, and read() it in a template.",
            )
            continue
        if not parameter.pattern or (parameter.secret and not parameter.default):
            continue
        if patience.is_over:
            yield problem_at(
                document,
                (*field, "pattern"),
                "The patterns up to here take too long to prepare.",
                r"Make them simpler: [A-Za-z0-9_] for \w, and smaller numbers of repetitions.",
            )
            return
        try:
            fits = patience.matches(parameter.pattern, parameter.default)
        except ValueError as error:
            yield problem_at(document, (*field, "pattern"), f"The pattern is not a regular expression: {error}.", "Correct it.")
            continue
        if not fits:
            yield problem_at(
                document,
                (*field, "default"),
                f"The default '{shown(parameter.default)}' does not match the pattern.",
                "Change one of the two.",
            )


def _secret(name: str, parameter: ParameterSpec, document: Document) -> Iterator[Problem]:
    field: FieldPath = ("parameters", name)
    if parameter.default:
        yield problem_at(document, (*field, "default"), "A secret has no default: it would be in this file.", "Remove it.")
    if name == CLAIM:
        yield problem_at(document, field, f"'{name}' cannot be a secret: the lock keeps its claim there.", "Choose another name.")


def _chosen(name: str, parameter: ParameterSpec, document: Document) -> Iterator[Problem]:
    field: FieldPath = ("parameters", name)
    if "default" not in parameter.model_fields_set:
        yield problem_at(document, (*field, "default"), "The field 'default' is missing.", "Add `default:`.")
    elif parameter.choices and parameter.default not in parameter.choices:
        what = f"The default '{shown(parameter.default)}' is none of the choices."
        yield problem_at(document, (*field, "default"), what, f"Use one of: {', '.join(map(shown, parameter.choices))}.")


def _requires(definition: Definition, document: Document) -> Iterator[Problem]:
    for number, spec in enumerate(definition.requires):
        for position, name in enumerate(spec.parameters):
            if name not in definition.parameters:
                field: FieldPath = ("requires", number, "parameters", position)
                yield problem_at(document, field, f"'{shown(name)}' is not a parameter.", closest(name, definition.parameters))


def _modules(definition: Definition, document: Document) -> Iterator[Problem]:
    names = definition.module_names()
    for number, name in enumerate(names):
        if name in names[:number]:
            yield problem_at(document, ("modules", number, "name"), f"There are two modules named '{name}'.", "Rename one.")


def _steps(definition: Definition, document: Document) -> Iterator[Problem]:
    first: dict[str, FieldPath] = {}
    for field, _, step in placed_steps(definition):
        if step.id in first:
            line = document.line((*first[step.id], "id"))
            yield problem_at(
                document,
                (*field, "id"),
                f"There are two steps with the id '{step.id}', the first in line {line}.",
                "Rename one: ids are unique in the whole workshop.",
            )
        first.setdefault(step.id, field)


def _needs(definition: Definition, document: Document) -> Iterator[Problem]:
    order = {step.id: definition.module_names().index(module.name) for _, module, step in placed_steps(definition)}
    for field, module, step in placed_steps(definition):
        for number, need in enumerate(step.needs):
            here = (*field, "needs", number)
            if need not in order:
                yield problem_at(
                    document, here, f"The step '{step.id}' needs '{shown(need)}', which is not a step.", closest(need, order)
                )
            elif order[need] > definition.module_names().index(module.name):
                later = definition.modules[order[need]].name
                yield problem_at(
                    document,
                    here,
                    f"The step '{step.id}' of module {module.name} needs '{need}' of the later module {later}.",
                    "A module is complete without the ones after it: move one of the steps.",
                )


def _cycles(definition: Definition, document: Document) -> Iterator[Problem]:
    fields = {step.id: field for field, _, step in placed_steps(definition)}
    needs = {step.id: [need for need in step.needs if need in fields] for step in definition.steps()}
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        waiting = [(start, False)]
        while waiting:
            step, leaving = waiting.pop()
            if leaving:
                done.add(path.pop())
            elif step in path:
                circle = [*path[path.index(step) :], step]
                yield problem_at(
                    document,
                    (*fields[step], "needs"),
                    f"The steps wait for each other: {' -> '.join(circle)}.",
                    "Remove one of these needs.",
                )
            elif step not in done:
                path.append(step)
                waiting.append((step, True))
                waiting += [(need, False) for need in reversed(needs[step])]


def _results(definition: Definition, document: Document) -> Iterator[Problem]:
    ids = [step.id for step in definition.steps()]
    wanted: list[tuple[FieldPath, str]] = [(("links", name, "step"), link.step) for name, link in definition.links.items()]
    wanted += [(("names", name, "step"), spec.step) for name, spec in definition.names.items()]
    if definition.apis:
        if bool(definition.apis.step) == bool(definition.apis.steps):
            what = "Both 'step' and 'steps' are there." if definition.apis.step else "The field 'step' is missing."
            yield problem_at(document, ("apis",), what, "Name the step that makes the API, or several as `steps:`; not both.")
        elif definition.apis.step:
            wanted.append((("apis", "step"), definition.apis.step))
        wanted += [(("apis", "steps", number), step) for number, step in enumerate(definition.apis.steps)]
    for field, step in wanted:
        if step not in ids:
            yield problem_at(document, field, f"'{shown(step)}' is not a step.", closest(step, ids))


def _names(definition: Definition, document: Document) -> Iterator[Problem]:
    places = {step.id: step.placement for step in definition.steps()}
    for name, spec in definition.names.items():
        if spec.step in places and by_region(places[spec.step]):
            yield problem_at(
                document,
                ("names", name, "step"),
                f"The step '{spec.step}' runs in several regions, and a name has one.",
                "Name the step that makes the records, with `in: global`.",
            )


def _kinds(definition: Definition, document: Document, kinds: Kinds) -> Iterator[Problem]:
    for field, _, step in placed_steps(definition):
        kind = kinds.get(step.kind)
        if kind is None:
            yield problem_at(
                document, (*field, "kind"), f"There is no step kind '{shown(step.kind)}'.", closest(step.kind, kinds)
            )
        elif step.placement not in kind.placements:
            fitting = ", ".join(placement.value for placement in Placement if placement in kind.placements)
            yield problem_at(
                document,
                (*field, "in"),
                f"A step of kind {step.kind} cannot run in '{shown(step.place)}'.",
                f"Use one of: {fitting}.",
            )
