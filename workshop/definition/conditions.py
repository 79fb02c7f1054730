"""Decides before the first step which steps of a workshop run, and where: `when:` and the regions that `in:` names; and which
of its requirements hold.

In: a definition and the variables of its plan. Out: `Places`, requirements. Nothing that a step makes is known here: a template
that reads an output is refused, even where it would not come to read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from workshop.definition.model import REGION_PATTERN, Definition, ModuleSpec, RequirementSpec, StepSpec
from workshop.definition.placement import Places
from workshop.definition.problem import closest
from workshop.definition.renderer import Renderer
from workshop.definition.variables import TemplateVariables
from workshop.errors import DefinitionError
from workshop.quoting import shown
from workshop.steps.base import Placement

__all__ = ["holding", "places"]

TRUE = frozenset({"true", "1", "yes"})
FALSE = frozenset({"false", "0", "no", ""})

Conditional = StepSpec | ModuleSpec | RequirementSpec
Failed = Callable[[DefinitionError], None]


def places(definition: Definition, plan: Mapping[str, Any], failed: Failed | None = None) -> Places:
    """Where the steps run with these variables (`plan_variables`).

    Raises `DefinitionError` naming file, line and field for a template that cannot be used; with `failed`, that is called for
    each instead, and the step counts as one that runs.
    """
    deciding = _Deciding(definition, plan, failed)
    off: set[str] = set()
    named: dict[str, str] = {}
    for module in definition.modules:
        whole = deciding.switched_on(module)
        for step in module.steps:
            if not (deciding.switched_on(step) and whole):
                off.add(step.id)
            if step.placement is Placement.NAMED:
                named |= deciding.region(step, required=step.id not in off)
    return Places(tuple(plan["regions"]), named, frozenset(off))


def holding(definition: Definition, plan: Mapping[str, Any], failed: Failed | None = None) -> list[RequirementSpec]:
    """The requirements whose condition is true with these variables; errors as those of `places`."""
    deciding = _Deciding(definition, plan, failed)
    return [spec for spec in definition.requires if deciding.switched_on(spec)]


class _Deciding:
    """One look at a definition."""

    def __init__(self, definition: Definition, plan: Mapping[str, Any], failed: Failed | None) -> None:
        self.plan, self.failed = plan, failed
        self.known = {*TemplateVariables.of_plan(), *(name for name, spec in definition.parameters.items() if not spec.secret)}

    def switched_on(self, spec: Conditional) -> bool:
        """Whether a step or a module is to run, or a requirement holds; one whose condition cannot be used does."""
        try:
            text = self._rendered(spec, "when", spec.when).strip()
            if text.lower() in TRUE | FALSE:
                return text.lower() in TRUE
            raise _wrong(
                spec, "when", f"It is '{shown(text)}', which is neither true nor false.", "Write a condition: '{{ delegated }}'."
            )
        except DefinitionError as error:
            self._fail(error)
            return True

    def region(self, step: StepSpec, *, required: bool) -> dict[str, str]:
        """The region of the step's own, by its id; nothing where a step that is switched off names none."""
        try:
            text = self._rendered(step, "in", step.place).strip()
            if re.fullmatch(REGION_PATTERN, text):
                return {step.id: text}
            if required:
                raise _wrong(step, "in", f"'{shown(text)}' is not the name of a region.", "Regions look like eu-central-1.")
        except DefinitionError as error:
            self._fail(error)
        return {}

    def _rendered(self, spec: Conditional, field: str, text: str) -> str:
        if "{" not in text:
            return text
        renderer = spec.location.renderer if spec.location else Renderer(_no_files)
        where = spec.location.where(field) if spec.location else field
        try:
            for name in sorted(renderer.variables_of(text, where) - self.known):
                raise _wrong(
                    spec,
                    field,
                    f"It reads '{name}', and `{field}` is decided before the first step.",
                    closest(name, sorted(self.known)),
                )
            return renderer.render(text, self.plan, where)
        except DefinitionError as error:
            raise _wrong(spec, field, error.problem, error.fix, error.why, error.where) from error

    def _fail(self, error: DefinitionError) -> None:
        if self.failed is None:
            raise error
        self.failed(error)


def _wrong(spec: Conditional, field: str, what: str, fix: str, why: str = "", where: str = "") -> DefinitionError:
    place = where or (spec.location.where(field) if spec.location else "")
    dotted = spec.location.dotted(field) if spec.location else field
    return DefinitionError(what=what, why=why, fix=fix, where=place, field=dotted)


def _no_files(name: str) -> str:
    raise DefinitionError(what=f"There is no file '{shown(name)}'.", fix="Read files in the templates of a definition only.")
