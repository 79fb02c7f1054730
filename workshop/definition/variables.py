"""The variables of templates, and what an output is that does not exist.

In: the facts of one step in one region. Out: the variables that its templates see. A missing output below `steps`, `apis`,
`names` or `signin` is no typing mistake: it raises `MissingMember`; in the lenient form, for teardown and status, it is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError
from jinja2.utils import missing

__all__ = ["RESERVED", "Blank", "Members", "MissingMember", "TemplateVariables", "Unset", "lenient", "strict"]

OUTPUT_NAMES = ("steps", "apis", "names", "signin")
"""The variables whose members appear while a workshop is being set up."""


@dataclass(frozen=True, slots=True)
class TemplateVariables:
    """What every template sees besides the parameters (docs/authoring.md, Templates)."""

    workshop: str
    title: str
    target: str
    account: str
    region: str
    """The region of the step; for a global one the home region."""
    home: str
    regions: Sequence[str]
    """All regions, home first."""
    zone_name: str
    """The DNS zone of the workshop."""
    delegated: bool
    """Whether resolvers find that zone."""
    steps: Mapping[str, Any]
    """The outputs of each step, by region where it runs in several."""
    apis: Mapping[str, Any]
    """`{region: {"url": ..., "path_url": ..., "host": ..., "id": ..., "stage": ...}}`."""
    names: Mapping[str, Any]
    """`{name: {"host": ..., "url": ...}}`, the names that DNS routes."""
    signin: Mapping[str, Any]
    """`{"authorize_url": ..., "client_id": ...}`, where people sign in (workshop/definition/signin.py)."""

    @classmethod
    def of_plan(cls) -> tuple[str, ...]:
        """The variables that are known before the first step, and are the same for all steps of an account."""
        return tuple(field.name for field in fields(cls) if field.name not in ("region", *OUTPUT_NAMES))

    def with_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """All variables by name."""
        return {**parameters, **{field.name: getattr(self, field.name) for field in fields(self)}}


RESERVED = (*(field.name for field in fields(TemplateVariables)), "read")
"""The names that a parameter cannot have, because every template sees them already."""


class MissingMember(UndefinedError):
    """Something below `steps`, `apis`, `names` or `signin` does not exist (yet, or any more)."""


class Unset(StrictUndefined):
    """An undefined name: any use of it is an error."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return f"The variable '{self._undefined_name}' is not defined."
        return f"There is no member '{self._undefined_name}' in a {type(self._undefined_obj).__name__}."


class Blank(str):
    """The empty string in place of a missing output; its members are the same."""

    __slots__ = ()


class Members(Mapping[str, Any]):
    """A mapping below one of `OUTPUT_NAMES`. `path` is its name in messages."""

    def __init__(self, values: Mapping[str, Any], path: str) -> None:
        self._values, self._path = values, path

    def __getitem__(self, key: str) -> Any:
        value = self._values[key]
        return type(self)(value, self._below(key)) if isinstance(value, Mapping) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(dict(self))

    def missing(self, key: str) -> Undefined | Blank:
        """What a template gets for a member that does not exist."""
        return Unset(f"{self._below(key)} is not there.", exc=MissingMember)

    def _below(self, key: str) -> str:
        return f"{self._path}.{key}" if key.isidentifier() else f"{self._path}['{key}']"


class LenientMembers(Members):
    """The same, whose missing members are blank."""

    def missing(self, key: str) -> Blank:  # noqa: ARG002 - the strict form names the key
        return Blank()


def strict(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables, with missing outputs as `MissingMember`."""
    return _with_outputs(variables, Members)


def lenient(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables, with missing outputs as the empty string."""
    return _with_outputs(variables, LenientMembers)


def _with_outputs(variables: Mapping[str, Any], form: type[Members]) -> dict[str, Any]:
    return {**variables, **{name: form(variables.get(name, {}), name) for name in OUTPUT_NAMES}}
