"""The secrets of a workshop: parameters that are given by the environment or by Systems Manager, and are never shown or kept.

In: a workshop. Out: where each secret comes from, and the error of one that is missing. Nothing is read here.
"""

from __future__ import annotations

from workshop.definition.loader import Workshop
from workshop.definition.model import ParameterSpec, matches
from workshop.definition.parameters import Settings
from workshop.errors import UsageError
from workshop.redaction import SHORTEST
from workshop.shell import command_line

__all__ = ["environment_name", "faulty", "give_line", "obstacles", "require_secrets", "secret_names", "store_line", "store_name"]


def secret_names(workshop: Workshop) -> tuple[str, ...]:
    """The parameters that are secrets, in the order of the definition."""
    return tuple(name for name, spec in workshop.definition.parameters.items() if spec.secret)


def environment_name(name: str) -> str:
    """The environment variable that a secret is read from first."""
    return f"WORKSHOP_SECRET_{name.upper()}"


def give_line(name: str) -> str:
    """The shell line that gives a secret without showing it."""
    variable = environment_name(name)
    return f"read -rs {variable} && export {variable}"


def store_name(workshop: str, name: str) -> str:
    """The SecureString of Systems Manager, in the home region, that it is read from otherwise."""
    return f"/workshop/{workshop}/{name}"


def store_line(workshop: str, name: str, region: str) -> str:
    """The command that stores a secret out of a file: on the command line it would stay in the shell's history."""
    words = ["aws", "ssm", "put-parameter", "--region", region, "--name", store_name(workshop, name)]
    return command_line([*words, "--type", "SecureString", "--value", f"file://{name}.txt"])


def require_secrets(workshop: Workshop, settings: Settings) -> None:
    """Raise `UsageError` for the first secret that a setup needs and that could not be read, or that was given wrongly."""
    for error in obstacles(workshop, settings).values():
        if error is not None:
            raise error


def obstacles(workshop: Workshop, settings: Settings) -> dict[str, UsageError | None]:
    """Every secret, with the error that keeps a setup from beginning; None for one that is given, or not needed."""
    return {name: settings.unread.get(name) or _missing(workshop, name, settings) for name in secret_names(workshop)}


def _missing(workshop: Workshop, name: str, settings: Settings) -> UsageError | None:
    if settings.secrets.get(name) or not _required(workshop.definition.parameters[name]):
        return None
    region = settings.home
    return UsageError(
        what=f"The secret '{name}' is not given.",
        why=f"Neither {environment_name(name)} nor the SecureString {store_name(workshop.name, name)} in {region} is there.",
        fix=f"Put it into a file and run: {store_line(workshop.name, name, region)}",
        code="MissingSecret",
    )


def faulty(workshop: Workshop, name: str, value: str, origin: str) -> UsageError | None:
    """What is wrong with the value of a secret, which the error does not show; None for one that fits."""
    spec = workshop.definition.parameters[name]
    if len(value) < SHORTEST:
        why = f"It has fewer than {SHORTEST} characters: so short a text cannot be kept out of all that is shown."
    elif spec.choices and value not in spec.choices:
        why = "It is none of its `choices`."
    elif spec.pattern and not matches(spec.pattern, value):
        why = f"The whole value must match {spec.pattern}"
    else:
        return None
    return UsageError(what=f"The secret '{name}' in {origin} does not fit.", why=why, fix="Correct it there", code="BadSecret")


def _required(spec: ParameterSpec) -> bool:
    """Whether a setup cannot do without it: the empty text does not fit."""
    return bool(spec.pattern and not matches(spec.pattern, "")) or bool(spec.choices and "" not in spec.choices)
