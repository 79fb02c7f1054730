"""Marks settings of a step kind that name files or are filled in once per region, so that definitions are checked and rendered
without knowing the kinds.

In: `Annotated[str, DataFile()]`, `Annotated[tuple[Target, ...], PerRegion()]` on a field of a kind's `Params`. Out: `named_files`
and `per_region`, the marked fields of such a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from workshop.quoting import shown

__all__ = ["PARAMETER_PATTERN", "DataFile", "Folder", "NamedFile", "PerRegion", "TemplateFile", "named_files", "per_region"]

PARAMETER_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,39}$"
"""The name of a workshop's parameter, in definitions and in the settings that name one."""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """The base of the marks below: a name on one line, without hidden characters, since names are shown and pasted."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_without_hidden, handler(source))


@dataclass(frozen=True, slots=True)
class DataFile(NamedFile):
    """The setting names a file that is read as it is."""


@dataclass(frozen=True, slots=True)
class Folder(NamedFile):
    """The setting names a folder that is taken as it is."""


@dataclass(frozen=True, slots=True)
class TemplateFile(NamedFile):
    """The setting names a template, whose result must have a form.

    `inside` is the setting of a `Folder` that is looked into first.
    """

    form: Literal["json", "yaml or json"]
    inside: str = ""


@dataclass(frozen=True, slots=True)
class PerRegion:
    """The author writes one entry, which is rendered once for each region of the workshop, with `region` bound to it.

    The field is a tuple of such entries; the kind is given one for each region of `ctx.regions`, in that order (home first).
    """

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of what is written: one entry and not the tuple."""
        entry: JsonSchemaValue = handler(schema)["items"]
        return entry


def per_region(params: type[BaseModel]) -> frozenset[str]:
    """The settings of a kind that are rendered once for each region."""
    fields = params.model_fields.items()
    return frozenset(name for name, field in fields if any(isinstance(mark, PerRegion) for mark in field.metadata))


def named_files(params: type[BaseModel]) -> dict[str, NamedFile]:
    """The settings of a kind that name files or folders, each with its mark, in the order of the fields."""
    return {name: mark for name, field in params.model_fields.items() for mark in field.metadata if isinstance(mark, NamedFile)}


def _without_hidden(name: str | None) -> str | None:
    if name is not None and shown(name, len(name)) != name:
        raise PydanticCustomError(
            "hidden_characters",
            "The name '{name}' holds characters that cannot be seen",
            {"name": shown(name), "fix": "Leave those characters out."},
        )
    return name
