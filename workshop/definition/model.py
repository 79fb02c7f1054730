"""The form of a `workshop.yaml`, as frozen models.

In: the plain values of the file. Out: a `Definition`. The models check each field by itself; what fields mean together (needs,
cycles, kinds) is checked by `workshop.definition.semantics`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from workshop.definition.drill_model import LoadSpec
from workshop.definition.form import Form, Located
from workshop.definition.signin_model import SigninSpec
from workshop.steps.base import Placement
from workshop.steps.settings import PARAMETER_PATTERN

__all__ = [
    "LONGEST_VALUE",
    "MOST_STEPS",
    "REGION_PATTERN",
    "ApiSpec",
    "Definition",
    "LinkSpec",
    "ModuleSpec",
    "NameSpec",
    "ParameterSpec",
    "Patience",
    "RequirementSpec",
    "StepSpec",
    "matches",
]

REGION_PATTERN = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"

MOST_STEPS = 300
"""Steps of a workshop; the built-in one has six."""
LONGEST_VALUE = 256
"""Characters of a parameter's value."""
PATTERN_SECONDS = 2.0
"""Processor time for preparing all patterns of one definition. An ordinary one takes less than a thousandth of a second."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""A workshop, module or link: lower case, because it becomes part of paths, addresses and tags."""
StepId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Variable = Annotated[str, Field(pattern=PARAMETER_PATTERN)]
"""A parameter: it becomes a variable of templates."""
Region = Annotated[str, Field(pattern=REGION_PATTERN)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Page = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_-]*(?:[./][A-Za-z0-9_-]+)*/?$")]


_PLACES = {placement.value: placement for placement in Placement if placement is not Placement.NAMED}
"""The words of `in:`; every other value names a region."""


class StepSpec(Located):
    """One step: what kind it is, where it runs, what it waits for, and the kind's settings."""

    id: StepId = Field(description="The step's name, unique in the workshop.")
    kind: str = Field(description="What the step does: one of the step kinds.")
    place: str = Field(
        alias="in",
        pattern=rf"^({'|'.join(_PLACES)})$|{REGION_PATTERN}|\{{[{{%]",
        description="Where it runs: home, replicas, each, global, a region, or a template of a region.",
    )
    needs: tuple[str, ...] = Field(default=(), max_length=50, description="The steps that must be ready before this one starts.")
    settings: Mapping[str, Any] = Field(default_factory=dict, alias="with", description="The settings of the kind.")
    title: str = Field(default="", description="What people read instead of the id.")
    when: str = Field(default="true", description="Whether it runs, by parameters and target: a template of true or false.")
    minutes: float | None = Field(
        default=None, gt=0, le=1440, description="How long it takes on AWS, where that is not what its kind usually takes."
    )

    @property
    def placement(self) -> Placement:
        """Where it runs."""
        return _PLACES.get(self.place, Placement.NAMED)


class ModuleSpec(Located):
    """One module of the workshop: the steps that bring an attendee to the start of the next one."""

    name: Name = Field(description="The module's name, for --through.")
    title: Title = Field(description="The module's title.")
    steps: tuple[StepSpec, ...] = Field(min_length=1, max_length=MOST_STEPS, description="The steps of this module.")
    when: str = Field(default="true", description="Whether its steps run, by parameters and target: a template of true or false.")


class ParameterSpec(Form):
    """A value that a facilitator may change with `--param`; templates see it as a variable."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"secret": {"const": True}}, "required": ["secret"]},
            "then": {},
            "else": {"required": ["default"]},
        }
    )

    default: str = Field(default="", description="The value unless --param gives another; a secret has none.")
    pattern: str = Field(default="", description="A regular expression that the whole value must match.")
    description: str = Field(default="", description="What it is, for people.")
    choices: tuple[str, ...] = Field(default=(), max_length=50, description="The values that it may have.")
    secret: bool = Field(default=False, description="Whether it is a secret: never given by --param, never shown or kept.")
    changeable: bool = Field(default=False, description="Whether a change of it is one setup away, without a teardown.")


class RequirementSpec(Located):
    """Parameters that belong together: where the condition is true, none of them may be empty."""

    when: str = Field(default="true", description="When they are wanted, by parameters and target: a template of true or false.")
    parameters: tuple[str, ...] = Field(min_length=1, max_length=50, description="The parameters that may not be empty then.")
    why: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="Why they are wanted, as a sentence for people.")


class ApiSpec(Form):
    """Which step's output is the id of the API in each region: of one `step`, or of several `steps` for different regions."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["step"]}, {"required": ["steps"]}]})

    step: str = Field(default="", description="The step that makes the API.")
    steps: tuple[str, ...] = Field(default=(), max_length=50, description="The steps that make it, each in other regions.")
    output: str = Field(default="ApiId", description="The step's output that holds the API's id.")
    stage: str = Field(pattern=r"^[A-Za-z0-9_-]{1,128}$", description="The API's stage.")

    @property
    def made_by(self) -> tuple[str, ...]:
        """The steps that make the API."""
        return self.steps or (self.step,)


class NameSpec(Form):
    """A name that DNS routes to the APIs, shown in the results."""

    step: str = Field(description="The step that makes its records.")
    output: str = Field(default="Name", description="The step's output that holds the name.")


class LinkSpec(Form):
    """One page of the web app, shown by name in the results."""

    step: str = Field(description="The step that makes the site.")
    page: Page = Field(default="index.html", description="The page inside the site.")


class Definition(Form):
    """A whole workshop."""

    name: Name = Field(description="The workshop's name: part of tags, addresses and the state folder.")
    title: Title = Field(description="The workshop's title.")
    description: str = Field(default="", description="What attendees build, in a sentence or two.")
    regions: tuple[Region, ...] = Field(min_length=1, max_length=40, description="The regions; the first is home.")
    parameters: Mapping[Variable, ParameterSpec] = Field(
        default_factory=dict, max_length=100, description="What --param may change."
    )
    requires: tuple[RequirementSpec, ...] = Field(
        default=(), max_length=50, description="Which parameters have to be given together."
    )
    modules: tuple[ModuleSpec, ...] = Field(min_length=1, max_length=50, description="The modules, in the order of the workshop.")
    apis: ApiSpec | None = Field(default=None, description="Where the addresses of the APIs come from.")
    names: Mapping[Name, NameSpec] = Field(default_factory=dict, max_length=20, description="The names that DNS routes.")
    links: Mapping[Name, LinkSpec] = Field(default_factory=dict, max_length=100, description="The pages that the results name.")
    signin: SigninSpec | None = Field(default=None, description="Where people sign in.")
    drill: LoadSpec | None = Field(default=None, description="The load of a drill.")

    def steps(self) -> tuple[StepSpec, ...]:
        """Every step, in the order of the file."""
        return tuple(step for module in self.modules for step in module.steps)

    def step(self, step_id: str) -> StepSpec:
        """The step of that id; raises `KeyError` when there is none."""
        for step in self.steps():
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def module_of(self, step_id: str) -> str:
        """The name of the module that a step belongs to; raises `KeyError` when there is no such step."""
        for module in self.modules:
            if any(step.id == step_id for step in module.steps):
                return module.name
        raise KeyError(step_id)

    def module_names(self) -> tuple[str, ...]:
        """The modules' names, in the order of the workshop."""
        return tuple(module.name for module in self.modules)


def matches(pattern: str, value: str) -> bool:
    """Whether `pattern` matches the whole `value`; raises `ValueError` with the reason when it is no regular expression.

    Matching takes time in proportion to the value, whatever the pattern: the engine does not back-track, and therefore has
    neither look-around nor back-references.
    """
    _compiled(pattern)  # by itself first: a bracket too many must not close the group below
    try:
        _compiled(rf"\A(?:{pattern})\z").validate_python(value)
    except ValidationError:
        return False
    return True


class Patience:
    """Bounds the work for all patterns of one definition: at most `PATTERN_SECONDS`, and the pattern that exceeds them."""

    def __init__(self) -> None:
        self._spent = 0.0

    @property
    def is_over(self) -> bool:
        return self._spent > PATTERN_SECONDS

    def matches(self, pattern: str, value: str) -> bool:
        """`matches`, with its time added up."""
        start = time.thread_time()
        try:
            return matches(pattern, value)
        finally:
            self._spent += time.thread_time() - start


def _compiled(pattern: str) -> SchemaValidator:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError as error:
        last = str(error).strip().splitlines()[-1].strip()
        raise ValueError(last.removeprefix("error: ").removeprefix("SchemaError: ").rstrip(".")) from error
