"""Renders every template of a workshop with placeholders, before anything is created.

In: a workshop, the settings of a run, the kinds. Out: problems: undefined variables, missing files, settings that the kind
refuses, outputs read without waiting for the step that makes them. Writes nothing and calls no service.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from workshop.definition.budget import SECONDS, UNITS, budget
from workshop.definition.conditions import holding, places
from workshop.definition.derived import plan_variables, template_variables
from workshop.definition.drill_lint import drill_problems
from workshop.definition.form_errors import problem_at, problems_of
from workshop.definition.loader import Workshop
from workshop.definition.model import Definition, StepSpec
from workshop.definition.parameters import Settings
from workshop.definition.placeholders import PlaceholderOutputs, placeholders
from workshop.definition.placement import GLOBAL, Places, by_region
from workshop.definition.problem import Problem, from_error
from workshop.definition.semantics import Kinds
from workshop.definition.signin import signin_problems
from workshop.definition.source_location import SourceLocation
from workshop.definition.templating import render_entry, render_settings
from workshop.definition.wellformed import malformed
from workshop.errors import DefinitionError
from workshop.steps.base import Params, Placement
from workshop.steps.settings import TemplateFile, named_files, per_region

__all__ = ["dry_render"]

NO_ACCOUNT = "000000000000"
TOTAL = 5
"""The work of all renderings together, in budgets of a single one."""


def dry_render(workshop: Workshop, settings: Settings, kinds: Kinds, target: str = "local", *, off: bool = True) -> list[Problem]:
    """Every problem that shows when the steps are prepared for a target, each once; with `off` of those switched off, too."""
    found: dict[Problem, None] = {}

    def failed(error: DefinitionError) -> None:
        found[from_error(error)] = None

    refusal = "The templates of this workshop do too much work together."
    with budget(refusal, TOTAL * UNITS, TOTAL * SECONDS) as total:
        plan = plan_variables(workshop.definition, settings, target, NO_ACCOUNT)
        where = places(workshop.definition, plan, failed)
        holding(workshop.definition, plan, failed)
        for step in (step for step in workshop.definition.steps() if off or step.id not in where.off):
            kind = kinds.get(step.kind)
            for region in where.of(step):
                if step.location is not None and not total.exhausted:
                    node = _DryNode(workshop, plan, where, step, step.location, region, settings.secrets)
                    found |= dict.fromkeys(node.problems(kind.Params if kind else None))
        found |= dict.fromkeys(drill_problems(workshop.definition, plan))
        found |= dict.fromkeys(_signin_problems(workshop.definition, plan, where, kinds))
    return list(found)


class _DryNode:
    """One step in one region."""

    def __init__(
        self,
        workshop: Workshop,
        plan: Mapping[str, Any],
        where: Places,
        step: StepSpec,
        location: SourceLocation,
        region: str,
        secrets: Mapping[str, str],
    ) -> None:
        self.workshop, self.step, self.location, self.region = workshop, step, location, region
        self.off = step.id in where.off
        """Switched off: it is looked at as if all steps ran, and what its values are with these parameters means nothing."""
        self.places = replace(where, off=frozenset()) if self.off else where
        self.outputs = PlaceholderOutputs(workshop.definition, self.places)
        self.secrets = secrets
        own = plan["home"] if region == GLOBAL else region
        self.variables = template_variables(plan, own, placeholders(self.outputs, plan))

    def problems(self, params: type[Params] | None) -> Iterator[Problem]:
        """What is wrong with the step. `params` is None for an unknown kind, whose settings are only rendered."""
        rendered: dict[str, Any] = {}
        entries = per_region(params) if params else frozenset[str]()
        for key, value in self.step.settings.items():
            try:
                if key in entries:
                    rendered[key] = yield from self._entries(key)
                else:
                    rendered |= render_settings(self.step.model_copy(update={"settings": {key: value}}), self.variables)
            except DefinitionError as error:
                yield from_error(error)
        yield from self._not_waited_for("with")
        yield from (self._told(name, "with", key) for key, value in rendered.items() for name in self._secrets_in(value))
        if params is None:
            return
        failed = self.step.settings.keys() - rendered.keys()
        try:
            rendered = params.model_validate({**self.step.settings, **rendered}).model_dump(exclude=failed)
        except ValidationError as error:
            base = (*self.location.base, "with")
            yield from problems_of(
                error, params, self.location.document, base, skip=failed, regions=self.places.regions, form_only=self.off
            )
            refused = {details["loc"][0] for details in error.errors() if details["loc"]}
            rendered = {key: value for key, value in rendered.items() if key not in refused}
        yield from self._files(params, rendered)

    def _entries(self, key: str) -> Generator[Problem, None, list[Any]]:
        """The entries of a setting that has one for each region. What is kept by region is read from the entry's own:
        a host of one region beside the health of another is found here, and not when the one fails."""
        several = {step.id for step in self.workshop.definition.steps() if by_region(step.placement)}
        entries, read = list[Any](), set(self.outputs.read)
        for region in self.places.regions:
            self.outputs.read.clear()
            entries.append(render_entry(self.step, key, region, self.variables))
            if self.step.placement is Placement.EACH and region != self.region:
                self.outputs.read.clear()  # it is not used, and its outputs are not waited for
            read |= self.outputs.read
            for name, place in sorted(self.outputs.read):
                if name in several and place != region:
                    yield problem_at(
                        self.location.document,
                        (*self.location.base, "with", key),
                        f"The entry for {region} reads an output that '{name}' has in {place}.",
                        f"Read that of its own region: steps.{name}[region].",
                    )
        self.outputs.read.update(read)
        return entries

    def _files(self, params: type[Params], rendered: Mapping[str, Any]) -> Iterator[Problem]:
        for key, mark in named_files(params).items():
            name = rendered.get(key)
            if not isinstance(name, str):
                continue
            try:
                if not isinstance(mark, TemplateFile):
                    self.workshop.files.path(name)
                    continue
                name = self._inside(rendered.get(mark.inside), name)
                self.workshop.files.path(name)
            except DefinitionError as error:
                yield self._at(key, error)
                continue
            yield from self._template(key, mark, name)
            yield from self._not_waited_for("with", key)

    def _template(self, key: str, mark: TemplateFile, name: str) -> Iterator[Problem]:
        try:
            text = self.workshop.files.render(name, self.variables)
        except DefinitionError as error:
            yield from_error(error) if error.where else self._at(key, error)
            return
        yield from (self._told(secret, "with", key) for secret in self._secrets_in(text))
        if reason := malformed(text, mark.form, name.removesuffix(".j2")):
            wrong = DefinitionError(
                what=f"The result of '{name}' is not well formed.",
                why=reason,
                fix="Check its quotes and commas, and the indentation of what it fills in.",
            )
            yield self._at(key, wrong)

    def _secrets_in(self, text: Any) -> list[str]:
        """The secrets that a text holds: what is no text, such as the parameters of a stack, may hold them."""
        secrets = self.secrets.items()
        return [name for name, value in secrets if value and value in text] if isinstance(text, str) else []

    def _told(self, secret: str, *field: str) -> Problem:
        return problem_at(
            self.location.document,
            (*self.location.base, *field),
            f"The secret '{secret}' would be part of it, and be shown and kept with it.",
            "Give it to a stack in `parameters`, and declare it in the template with NoEcho: true.",
        )

    def _inside(self, folder: Any, name: str) -> str:
        """The template in `folder` if there is one, otherwise the one beside the definition."""
        if not isinstance(folder, str):
            return name
        try:
            self.workshop.files.path(f"{folder}/{name}")
        except DefinitionError:
            return name
        return f"{folder}/{name}"

    def _not_waited_for(self, *field: str) -> Iterator[Problem]:
        """The outputs read since the last call although the step does not wait for them."""
        early = self.outputs.read - _waited_for(self.workshop.definition, self.places, self.step, self.region)
        self.outputs.read.clear()
        for name in sorted({name for name, _ in early}):
            regions = ", ".join(sorted(region for read, region in early if read == name))
            yield problem_at(
                self.location.document,
                (*self.location.base, *field),
                f"The step '{self.step.id}' reads an output of '{name}' ({regions}) and does not wait for it.",
                "In one region a step waits for that region only: read the others in a step with `in: global`."
                if name in self.step.needs
                else f"Add '{name}' to `needs` of '{self.step.id}'.",
            )

    def _at(self, key: str, error: DefinitionError) -> Problem:
        what = " ".join(part for part in (error.problem, error.why) if part)
        return problem_at(self.location.document, (*self.location.base, "with", key), what, error.fix)


def _signin_problems(definition: Definition, plan: Mapping[str, Any], where: Places, kinds: Kinds) -> Iterator[Problem]:
    outputs = PlaceholderOutputs(definition, where)
    variables = template_variables(plan, plan["home"], placeholders(outputs, plan))
    users = {name for name, kind in kinds.items() if kind.makes_users}
    return signin_problems(definition, variables, outputs.read, users)


def _waited_for(definition: Definition, where: Places, step: StepSpec, region: str) -> set[tuple[str, str]]:
    """The steps, each with a region, that are done when `step` starts in `region`: also what those that are switched off need."""
    by_id = {each.id: each for each in definition.steps()}
    found: set[tuple[str, str]] = set()
    waiting = [(step, region)]
    while waiting:
        node, place = waiting.pop()
        for need in (by_id[name] for name in node.needs if name in by_id):
            for each in where.needed(need, node, place):
                if (need.id, each) not in found:
                    found.add((need.id, each))
                    waiting.append((need, each))
    return {(name, place) for name, place in found if name not in where.off}
