"""The parameters that others ask for: what the `requires:` of a workshop wants with the values of a run.

In: a workshop, its settings, the variables of its plan. Out: each parameter that is wanted, with the error of one that is
missing. Only what makes or checks something asks: a teardown needs none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workshop.definition.conditions import holding
from workshop.definition.loader import Workshop
from workshop.definition.model import RequirementSpec
from workshop.definition.parameters import Settings
from workshop.definition.secrets import give_line
from workshop.errors import UsageError
from workshop.quoting import shown

__all__ = ["require_parameters", "required"]


def require_parameters(workshop: Workshop, settings: Settings, plan: Mapping[str, Any]) -> None:
    """Raise `UsageError`, which names all that are missing; `DefinitionError` for a condition that cannot be used."""
    for error in required(workshop, settings, plan).values():
        if error is not None:
            raise error


def required(workshop: Workshop, settings: Settings, plan: Mapping[str, Any]) -> dict[str, UsageError | None]:
    """Every parameter that a requirement wants with these values (`plan_variables`), with one error for all that are missing;
    None for one that is given. A secret that is there and does not fit has an error of its own (`Settings.unread`).
    """
    specs = holding(workshop.definition, plan)
    names = list(dict.fromkeys(name for spec in specs for name in spec.parameters))
    given = {*settings.unread, *(name for name, value in {**settings.parameters, **settings.secrets}.items() if value)}
    missing = [name for name in names if name not in given]
    error = _missing(workshop, missing, [spec for spec in specs if not given.issuperset(spec.parameters)]) if missing else None
    return {name: error if name in missing else None for name in names}


def _missing(workshop: Workshop, names: Sequence[str], specs: Sequence[RequirementSpec]) -> UsageError:
    known = workshop.definition.parameters
    options = [f"--param {name}=VALUE" for name in names if not known[name].secret]
    lines = [give_line(name) for name in names if known[name].secret]
    give = [f"Give with the command: {' '.join(options)}"] if options else []
    first = [f"{'First run' if options else 'Run'}: {' && '.join(lines)}"] if lines else []
    return UsageError(
        what=f"The parameter {names[0]} is missing." if len(names) == 1 else f"The parameters {_listed(names)} are missing.",
        why=" ".join(dict.fromkeys(shown(spec.why) for spec in specs)),
        fix=". ".join([*give, *first]),
        code="MissingParameter",
    )


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
