"""Makes the best of a definition whose form is wrong, so that one mistake does not hide the others.

In: a document and what pydantic said about it. Out: a definition in which the unreadable parts are replaced by something
harmless, with a list of those parts; or None when too little is left. Only lint uses this; nothing ever runs it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from workshop.definition.form_errors import causes, definition_of
from workshop.definition.model import Definition
from workshop.definition.yamlfile import Document, FieldPath

__all__ = ["Salvaged", "salvage"]

_ROUNDS = 3
"""Replacing a part can bring out an error behind it, such as a name that must also be unique."""


@dataclass(frozen=True)
class Salvaged:
    """What could be read. `unreadable` are the places of the steps that only their ids are left of."""

    definition: Definition
    unreadable: frozenset[FieldPath]


def salvage(document: Document, error: ValidationError) -> Salvaged | None:
    """The readable parts of `document`, about which pydantic raised `error`."""
    data = copy.deepcopy(document.data)
    unreadable: set[FieldPath] = set()
    for _ in range(_ROUNDS):
        for details in causes(error):
            _replace(data, details["loc"], details["type"], unreadable)
        try:
            return Salvaged(definition_of(Document(document.path, data, document.lines)), frozenset(unreadable))
        except ValidationError as again:
            error = again
    return None


def _replace(data: dict[str, Any], loc: FieldPath, kind: str, unreadable: set[FieldPath]) -> None:
    if kind == "extra_forbidden":
        _inside(data, loc[:-1]).pop(loc[-1], None)
        if loc[:1] == ("modules",) and loc[2:3] == ("steps",):
            return
    match loc:
        case ("modules", int(module), "steps", int(number), *_) if kind != "extra_forbidden":
            unreadable.add(("modules", module, "steps", number))
            steps = data["modules"][module]["steps"]
            steps[number] = _step(steps[number], f"unreadable-{module}-{number}")
        case ("modules", int(module), *_) if kind != "extra_forbidden":
            data["modules"][module] = _module(data["modules"][module], module, str(loc[-1]), unreadable)
        case ("regions", int(number)):
            data["regions"][number] = f"xx-unreadable-{number % 10}"
        case ("regions",):
            data["regions"] = ["xx-unreadable-1", "xx-unreadable-2"]
        case ("parameters" | "links", str(name), "[key]"):
            data[str(loc[0])].pop(name, None)
        case ("parameters", str(name), *_):
            data["parameters"][name] = {"default": ""}
        case ("links", str(name), *_):
            data["links"].pop(name, None)
        case ("name" | "title",):
            data[str(loc[0])] = "unreadable"
        case ("parameters" | "links" | "apis" | "description", *_):
            data.pop(str(loc[0]), None)
        case _:
            pass


def _inside(value: Any, path: FieldPath) -> dict[str | int, Any]:
    for key in path:
        value = value[key]
    return value if isinstance(value, dict) else {}


def _step(value: Any, placeholder: str) -> dict[str, Any]:
    name = value.get("id") if isinstance(value, dict) else None
    return {
        "id": name if isinstance(name, str) and name != placeholder and _plain(name) else placeholder,
        "kind": "unreadable",
        "in": "home",
    }


def _module(value: Any, number: int, field: str, unreadable: set[FieldPath]) -> dict[str, Any]:
    module = dict(value) if isinstance(value, dict) else {}
    if field == "name" or not module:
        module["name"] = f"unreadable-{number}"
    if field == "title" or "title" not in module:
        module["title"] = "unreadable"
    if field == "steps" or "steps" not in module:
        unreadable.add(("modules", number, "steps", 0))
        module["steps"] = [_step(None, f"unreadable-{number}-0")]
    return module


def _plain(name: str) -> bool:
    return name[:1].isascii() and name[:1].islower() and name.replace("-", "").replace("_", "").isalnum() and len(name) <= 40
