"""From `--param` and `--region` to the settings of a run.

In: a workshop and what was given on the command line. Out: every parameter with its value, and the regions, home first.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workshop.definition.loader import Workshop
from workshop.definition.model import LONGEST_VALUE, REGION_PATTERN, ParameterSpec, matches
from workshop.definition.problem import closest
from workshop.errors import UsageError
from workshop.shell import command_line
from workshop.steps.base import Placement

__all__ = ["Settings", "resolve", "still_valid"]


@dataclass(frozen=True)
class Settings:
    """What one run works with. The first region is home."""

    parameters: Mapping[str, str]
    regions: tuple[str, ...]
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By step with a region of its own: the other regions in which a search found something of it."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The parameters that are secrets, as far as they are given: nothing that records parameters sees them."""
    unread: Mapping[str, UsageError] = field(default_factory=dict)
    """The secrets that could not be read or do not fit, each with the error that a setup raises."""

    @property
    def home(self) -> str:
        return self.regions[0]


def resolve(workshop: Workshop, given: Mapping[str, str], regions: Sequence[str]) -> Settings:
    """The given values over the definition's defaults; no `regions` means the definition's. Raises `UsageError`."""
    known = workshop.definition.parameters
    for name in given:
        if name in known and known[name].secret:
            raise _secret_in_the_open(workshop.name, name)
        if name not in known:
            raise UsageError(
                what=f"The workshop {workshop.name} has no parameter '{name}'.",
                why=f"It has: {', '.join(known)}." if known else "It has none.",
                fix=_suggestion(name, known),
                code="UnknownParameter",
            )
    values = {name: _checked(name, given.get(name, spec.default), spec) for name, spec in known.items() if not spec.secret}
    return Settings(values, _regions(workshop, tuple(regions) or workshop.definition.regions))


def still_valid(workshop: Workshop, values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Of the values that an earlier run was given, those that the definition still takes, and the names of the others.

    A definition that changed since must not prevent a teardown.
    """
    known = workshop.definition.parameters
    kept: dict[str, str] = {}
    for name, value in values.items():
        try:
            kept |= {name: _checked(name, value, known[name])} if name in known and not known[name].secret else {}
        except UsageError:
            continue
    return kept, [name for name in values if name not in kept]


def _suggestion(name: str, known: Mapping[str, ParameterSpec]) -> str:
    hint = closest(name, known)
    return hint if hint.startswith("Did you mean") else "Leave it out, or add it to `parameters` of the workshop."


def _nearest(value: str, spec: ParameterSpec) -> str:
    return next(iter(difflib.get_close_matches(value, spec.choices, 1)), spec.default)


def _secret_in_the_open(workshop: str, name: str) -> UsageError:
    return UsageError(
        what=f"'{name}' is a secret, and is not taken from --param.",
        why="A command line stays in the shell's history, and every user of the machine can list it.",
        fix=f"Set the environment variable WORKSHOP_SECRET_{name.upper()}, or store a SecureString in Systems Manager as "
        f"/workshop/{workshop}/{name}",
        code="SecretInTheOpen",
    )


def _checked(name: str, value: str, spec: ParameterSpec) -> str:
    if len(value) > LONGEST_VALUE:
        raise UsageError(
            what=f"The value of parameter '{name}' is too long.",
            why=f"At most {LONGEST_VALUE} characters fit.",
            fix=f"Give a shorter one: --param {name}=VALUE",
            code="BadParameter",
        )
    if spec.choices and value not in spec.choices:
        raise UsageError(
            what=f"The value '{value}' does not fit parameter '{name}'.",
            why=f"It may be: {', '.join(spec.choices)}.",
            fix=f"Give one of them, for example: {command_line(['--param', f'{name}={_nearest(value, spec)}'])}",
            code="BadParameter",
        )
    if spec.pattern and not matches(spec.pattern, value):
        raise UsageError(
            what=f"The value '{value}' does not fit parameter '{name}'.",
            why=f"The whole value must match {spec.pattern}",
            fix=f"Give one that does, for example: {command_line(['--param', f'{name}={spec.default}'])}",
            code="BadParameter",
        )
    return value


def _regions(workshop: Workshop, regions: tuple[str, ...]) -> tuple[str, ...]:
    for number, region in enumerate(regions):
        if not re.fullmatch(REGION_PATTERN, region):
            raise UsageError(
                what=f"'{region}' is not the name of a region.",
                why="Regions look like us-west-2.",
                fix="Name the home region first: --region us-west-2 --region eu-west-1",
                code="BadRegion",
            )
        if region in regions[:number]:
            raise UsageError(
                what=f"The region {region} is named twice.",
                why="Each region of a workshop is a different one.",
                fix="Name each once: --region us-west-2 --region eu-west-1",
                code="BadRegion",
            )
    if len(regions) == 1:
        for step in workshop.definition.steps():
            if step.placement is Placement.REPLICAS:
                raise UsageError(
                    what=f"The workshop {workshop.name} needs at least two regions.",
                    why=f"Its step '{step.id}' makes replicas outside the home region {regions[0]}.",
                    fix=f"Name another one: --region {regions[0]} --region "
                    f"{next((r for r in workshop.definition.regions if r != regions[0]), 'eu-west-1')}",
                    code="BadRegion",
                )
    return regions
