"""Fills in every template of a workshop with stand-ins, before anything is made.

In: a workshop, the settings of a run, the kinds. Out: every problem: undefined variables, missing files, settings that the
kind refuses, outputs read without waiting for the step that makes them. Nothing is written and no one is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from workshop.definition.budget import SECONDS, UNITS, budget
from workshop.definition.form_errors import problem_at, problems_of
from workshop.definition.loader import Workshop
from workshop.definition.model import Definition, StepSpec
from workshop.definition.parameters import Settings
from workshop.definition.placeholders import PlaceholderApis, PlaceholderOutputs, regions_of
from workshop.definition.problem import Problem, from_error
from workshop.definition.semantics import Kinds
from workshop.definition.source_location import SourceLocation
from workshop.definition.templating import render_settings
from workshop.definition.wellformed import malformed
from workshop.errors import DefinitionError
from workshop.steps.base import Placement

__all__ = ["FILE_FIELDS", "TEMPLATE_FIELDS", "dry_render"]

TEMPLATE_FIELDS = ("template", "config")
"""Settings that name a template file."""
TOTAL = 5
"""The work of all renderings together, in budgets of a single one."""
FILE_FIELDS = ("file", "source")
"""Settings that name a file or folder that is taken as it is."""


def dry_render(workshop: Workshop, settings: Settings, kinds: Kinds) -> list[Problem]:
    """Every problem that shows when the steps are prepared."""
    found: dict[Problem, None] = {}
    with budget("The templates of this workshop do too much work together.", TOTAL * UNITS, TOTAL * SECONDS) as total:
        for render in _dry_renders(workshop, settings, kinds):
            found |= dict.fromkeys(render.problems())
            if total.exhausted:
                break
    return list(found)


def _dry_renders(workshop: Workshop, settings: Settings, kinds: Kinds) -> Iterator[_DryRender]:
    for step in workshop.definition.steps():
        if step.location is not None:
            for region in regions_of(step, settings):
                yield _DryRender(workshop, settings, kinds, step=step, location=step.location, region=region)


class _DryRender:
    """One step in one region."""

    def __init__(
        self,
        workshop: Workshop,
        settings: Settings,
        kinds: Kinds,
        *,
        step: StepSpec,
        location: SourceLocation,
        region: str,
    ) -> None:
        self.workshop, self.step, self.location, self.kinds = workshop, step, location, kinds
        self.settings, self.region = settings, region
        self.outputs = PlaceholderOutputs(workshop.definition, settings)
        self.variables: dict[str, Any] = {
            **settings.parameters,
            "workshop": workshop.name,
            "title": workshop.definition.title,
            "target": "local",
            "account": "000000000000",
            "region": region,
            "home": settings.home,
            "regions": settings.regions,
            "steps": self.outputs,
            "apis": PlaceholderApis(self.outputs),
        }

    def problems(self) -> Iterator[Problem]:
        rendered: dict[str, Any] = {}
        for key, value in self.step.settings.items():
            try:
                rendered |= render_settings(self.step.model_copy(update={"settings": {key: value}}), self.variables)
            except DefinitionError as error:
                yield from_error(error)
        yield from self.waits("with")
        kind = self.kinds.get(self.step.kind)
        if kind is not None:
            failed = self.step.settings.keys() - rendered.keys()
            try:
                rendered = kind.Params.model_validate({**self.step.settings, **rendered}).model_dump(exclude=failed)
            except ValidationError as error:
                yield from problems_of(error, kind.Params, self.location.document, (*self.location.base, "with"), skip=failed)
        yield from self.files(rendered)

    def files(self, rendered: Mapping[str, Any]) -> Iterator[Problem]:
        """The files that the settings name."""
        for key in (*FILE_FIELDS, *TEMPLATE_FIELDS):
            name = rendered.get(key)
            if not isinstance(name, str):
                continue
            try:
                self.workshop.files.path(self.beside(key, name, rendered))
            except DefinitionError as error:
                yield self.at(key, error)
                continue
            if key in TEMPLATE_FIELDS:
                yield from self.template(key, self.beside(key, name, rendered))
                yield from self.waits("with", key)

    def template(self, key: str, name: str) -> Iterator[Problem]:
        """What is wrong in one template file."""
        self.outputs.read.clear()
        try:
            text = self.workshop.files.render(name, self.variables)
        except DefinitionError as error:
            yield from_error(error) if error.where else self.at(key, error)
            return
        if error_text := malformed(key, name.removesuffix(".j2"), text):
            yield self.at(
                key,
                DefinitionError(
                    f"'{name}' filled in is not well formed.",
                    error_text,
                    "Check its quotes and commas, and the indentation of what it fills in.",
                ),
            )

    def beside(self, key: str, name: str, rendered: Mapping[str, Any]) -> str:
        """A site's configuration may lie in its source folder."""
        inside = f"{rendered.get('source')}/{name}"
        if key != "config" or not isinstance(rendered.get("source"), str):
            return name
        try:
            self.workshop.files.path(inside)
        except DefinitionError:
            return name
        return inside

    def waits(self, *field: str) -> Iterator[Problem]:
        """PlaceholderOutputs that were read although the step does not wait for them."""
        early = self.outputs.read - _waited_for(self.workshop.definition, self.settings, self.step, self.region)
        self.outputs.read.clear()
        for name in sorted({name for name, _ in early}):
            regions = ", ".join(sorted(region for read, region in early if read == name))
            fix = (
                "In one region a step waits for that region only: read the others in a step with `in: global`."
                if name in self.step.needs
                else f"Add '{name}' to `needs` of '{self.step.id}'."
            )
            yield problem_at(
                self.location.document,
                (*self.location.base, *field),
                f"The step '{self.step.id}' reads an output of '{name}' ({regions}) and does not wait for it.",
                fix,
            )

    def at(self, key: str, error: DefinitionError) -> Problem:
        what = " ".join(part for part in (error.problem, error.why) if part)
        return problem_at(self.location.document, (*self.location.base, "with", key), what, error.fix)


def _waited_for(definition: Definition, settings: Settings, step: StepSpec, region: str) -> set[tuple[str, str]]:
    """The steps, each with a region, that are done when `step` starts in `region`.

    Between two steps that run in each region, a region waits for itself only.
    """
    by_id = {each.id: each for each in definition.steps()}
    found: set[tuple[str, str]] = set()
    waiting = [(step, region)]
    while waiting:
        node, place = waiting.pop()
        for need in (by_id[name] for name in node.needs if name in by_id):
            same = need.placement is Placement.EACH and node.placement is Placement.EACH
            for each in (place,) if same else regions_of(need, settings):
                if (need.id, each) not in found:
                    found.add((need.id, each))
                    waiting.append((need, each))
    return found
