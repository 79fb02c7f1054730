"""Renders the settings of a step, and every other block of templates.

In: a `StepSpec`, the variables, the settings that have an entry for each region. Out: the same with every template rendered.
In the strict form a missing output is a `MissingOutputError`; in the lenient form, for teardown and status, it is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any

from workshop.definition.form import Located
from workshop.definition.model import StepSpec
from workshop.definition.renderer import MissingOutputError, Renderer
from workshop.errors import DefinitionError
from workshop.quoting import hidden, shown
from workshop.steps.base import Placement

__all__ = ["MissingOutputError", "render_entry", "render_settings", "render_settings_leniently", "render_value"]

Fill = Callable[[str, Mapping[str, Any], str], str]


def render_settings(spec: StepSpec, variables: Mapping[str, Any], per_region: Set[str] = frozenset()) -> dict[str, Any]:
    """The `with:` block of a step, rendered; of a setting in `per_region` a list, an entry for each of `regions`.

    Raises `DefinitionError` naming file, line, field and the region of such an entry, and `MissingOutputError` when it reads an
    output that does not exist.
    """
    return _settings(spec, variables, _strictly(spec), per_region)


def render_settings_leniently(spec: StepSpec, variables: Mapping[str, Any], per_region: Set[str] = frozenset()) -> dict[str, Any]:
    """The same, with the empty string in place of outputs that do not exist, and with hidden characters of those that do:
    what an account holds must not prevent a teardown."""
    return _settings(spec, variables, _renderer(spec).render_leniently, per_region)


def render_entry(spec: StepSpec, key: str, region: str, variables: Mapping[str, Any]) -> Any:
    """The entry for one region of a setting that has one for each; raises as `render_settings` does."""
    return _entry(spec, key, region, variables, _strictly(spec))


def _settings(spec: StepSpec, variables: Mapping[str, Any], fill: Fill, per_region: Set[str]) -> dict[str, Any]:
    return {
        key: [_entry(spec, key, region, variables, _fill_for(spec, region, variables, fill)) for region in variables["regions"]]
        if key in per_region
        else _value(spec, value, variables, fill, ("with", key))
        for key, value in spec.settings.items()
    }


def _fill_for(spec: StepSpec, region: str, variables: Mapping[str, Any], fill: Fill) -> Fill:
    """How the entry of a region is filled in. A step with `in: each` waits for its own region only, so that the outputs of the
    others may not exist yet."""
    return _renderer(spec).render_leniently if spec.placement is Placement.EACH and region != variables["region"] else fill


def _entry(spec: StepSpec, key: str, region: str, variables: Mapping[str, Any], fill: Fill) -> Any:
    try:
        return _value(spec, spec.settings[key], {**variables, "region": region}, fill, ("with", key))
    except DefinitionError as error:
        raise _changed(error, what=f"{error.problem.rstrip('.')} (in the entry for {region}).") from error


def render_value(block: Located, value: Any, variables: Mapping[str, Any], *field: str | int) -> Any:
    """A value of a block of a definition, which is in its `field`, with every text in it rendered; raises `DefinitionError`."""
    return _value(block, value, variables, _strictly(block), field)


def _value(spec: Located, value: Any, variables: Mapping[str, Any], fill: Fill, field: tuple[str | int, ...]) -> Any:
    if isinstance(value, str):
        return _text(spec, value, variables, fill, field)
    if isinstance(value, Mapping):
        return {
            _text(spec, key, variables, fill, (*field, key)): _value(spec, member, variables, fill, (*field, key))
            for key, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [_value(spec, member, variables, fill, (*field, number)) for number, member in enumerate(value)]
    return value


def _text(spec: Located, text: str, variables: Mapping[str, Any], fill: Fill, field: tuple[str | int, ...]) -> str:
    if "{" not in text and text.isprintable():
        return text  # most settings: neither a template nor anything hidden in it
    where = spec.location.where(*field) if spec.location else _called(spec)
    try:
        return fill(text, variables, where)
    except DefinitionError as error:
        dotted = (
            spec.location.dotted(*field) if spec.location else ".".join(map(str, (_called(spec).removeprefix("step "), *field)))
        )
        raise _changed(error, field=dotted) from error


def _changed(error: DefinitionError, *, what: str = "", field: str = "") -> DefinitionError:
    """The same error of the same class with another text, or about another field."""
    return type(error)(
        what=what or error.problem, why=error.why, fix=error.fix, where=error.where, field=field or error.field, code=error.code
    )


def _strictly(spec: Located) -> Fill:
    def fill(text: str, values: Mapping[str, Any], where: str) -> str:
        return _without_hidden(_renderer(spec).render(text, values, where), where)

    return fill


def _without_hidden(text: str, where: str) -> str:
    """`text` as it is; an escape code that a template made could hide what a command does from the person who pastes it."""
    if found := hidden(text.replace("\r\n", "\n")):
        raise DefinitionError(
            what=f"It renders to a text with the character {found}, which cannot be seen.",
            why="A terminal could obey it, or show another text than the one that is used.",
            fix="Leave that character out.",
            where=where,
        )
    return text


def _called(spec: Located) -> str:
    return f"step {spec.id}" if isinstance(spec, StepSpec) else type(spec).__name__


def _renderer(spec: Located) -> Renderer:
    return spec.location.renderer if spec.location else Renderer(_no_files)


def _no_files(name: str) -> str:
    raise DefinitionError(
        what=f"There is no file '{shown(name)}'.",
        why="This text belongs to no definition.",
        fix="Read files in the templates of a definition only.",
    )
