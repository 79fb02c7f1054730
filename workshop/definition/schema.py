"""The JSON Schema of `workshop.yaml`, for editors and for people who want to know what a step kind takes.

In: the models and the registered kinds. Out: one schema, in which the `with:` block depends on `kind:`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from workshop.definition.loader import known_kinds
from workshop.definition.model import REGION_PATTERN, Definition
from workshop.definition.semantics import Kinds
from workshop.steps.base import Placement

__all__ = ["json_schema"]

_TEMPLATE = {"type": "string", "pattern": r"\{[{%]"}
"""A template is allowed wherever a kind wants a number, a word of a list or a text of some form."""
_RESTRICTED = ("enum", "const", "pattern", "minLength", "maxLength")


def json_schema(kinds: Kinds | None = None) -> dict[str, Any]:
    """The schema (draft 2020-12); `kinds` are the registered ones unless given."""
    known = known_kinds() if kinds is None else kinds
    schema = Definition.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema["$defs"]
    step = definitions["StepSpec"]
    step["properties"]["kind"] |= {"enum": sorted(known)}
    step["allOf"] = []
    for name in sorted(known):
        kind = known[name]
        settings = kind.Params.model_json_schema(by_alias=True, ref_template=f"#/$defs/{name}.{{model}}")
        definitions |= {f"{name}.{key}": _with_templates(value) for key, value in settings.pop("$defs", {}).items()}
        definitions[name] = _with_templates(settings) | {"title": name, "description": kind.summary}
        then: dict[str, Any] = {
            "properties": {
                "with": {"$ref": f"#/$defs/{name}"},
                "in": _places(kind.placements),
            }
        }
        if settings.get("required"):
            then["required"] = ["with"]
        step["allOf"].append({"if": {"properties": {"kind": {"const": name}}, "required": ["kind"]}, "then": then})
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "workshop.yaml"}


def _places(placements: Collection[Placement]) -> dict[str, Any]:
    words = {"enum": sorted(place.value for place in placements if place is not Placement.NAMED)}
    return {"anyOf": [words, {"pattern": REGION_PATTERN}, _TEMPLATE]} if Placement.NAMED in placements else words


def _with_templates(schema: Any) -> Any:
    """The schema of settings before they are filled in."""
    if not isinstance(schema, dict):
        return schema
    changed = {key: _below(key, value) for key, value in schema.items()}
    restricted = schema.get("type") in ("integer", "number", "boolean") or any(key in schema for key in _RESTRICTED)
    if not restricted:
        return changed
    outside = {key: changed.pop(key) for key in ("title", "description", "default") if key in changed}
    return {"anyOf": [changed, _TEMPLATE], **outside}


def _below(key: str, value: Any) -> Any:
    if key in ("properties", "$defs"):
        return {name: _with_templates(member) for name, member in value.items()}
    if key in ("items", "additionalProperties", "propertyNames"):
        return _with_templates(value)
    if key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        return [_with_templates(member) for member in value]
    return value
