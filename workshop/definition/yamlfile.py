"""Reads a YAML file into plain values and remembers the line of every field.

In: a path. Out: a `Document`. Never builds objects from tags, never expands aliases without bound, never lets a second key
of the same name replace the first, never lets in characters that cannot be seen. `no`, `on`, dates and `01` stay text: only
true, false, null and JSON numbers are special.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workshop.errors import DefinitionError
from workshop.quoting import hidden, shown

__all__ = ["MAX_BYTES", "Document", "FieldPath", "display", "parse", "read", "read_text"]

FieldPath = tuple[str | int, ...]
"""Keys and list positions from the top of a document: `("modules", 0, "steps", 2, "needs")`."""

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_VALUES = 20_000
"""Values after aliases are expanded: a workshop of a hundred steps has about two thousand."""

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,15})?([eE][-+]?\d{1,2})?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """The values of one file, and the line (from 1) of each field."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[FieldPath, int]

    def line(self, field: FieldPath) -> int:
        """The line of a field, or of the nearest one around it that is written down."""
        for length in range(len(field), 0, -1):
            if field[:length] in self.lines:
                return self.lines[field[:length]]
        return 1

    def where(self, field: FieldPath) -> str:
        """`file:line` of a field."""
        return f"{display(self.path)}:{self.line(field)}"

    def dotted(self, field: FieldPath) -> str:
        """A field in words: modules and steps by their names, `modules.backend.steps.api.needs`."""
        parts: list[str] = []
        value: Any = self.data
        for key in field:
            value = _member(value, key)
            name = (value.get("id") or value.get("name")) if isinstance(key, int) and isinstance(value, dict) else None
            parts.append(shown(name if isinstance(name, str) else str(key)))
        return ".".join(parts)


def display(path: Path) -> str:
    """A path as people like to read it: relative when it lies below the current folder."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def read(path: Path) -> Document:
    """Read one YAML file whose top is a mapping; raises `DefinitionError` naming `file:line`."""
    return parse(read_text(path), path)


def read_text(path: Path) -> str:
    """The text of a file of at most `MAX_BYTES`, in UTF-8; raises `DefinitionError`."""
    name = display(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DefinitionError(
            "The file cannot be read.", f"{os.strerror(error.errno or 0)}.", "Check the path and its permissions.", where=name
        ) from error
    if len(raw) > MAX_BYTES:
        raise DefinitionError(
            "The file is too large.",
            f"More than {MAX_BYTES:,} bytes are not read.",
            "Move data into its own file and name that file.",
            where=name,
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DefinitionError(
            "The file is not UTF-8 text.",
            f"Byte 0x{raw[error.start]:02x} does not belong there.",
            "Save the file as UTF-8.",
            where=f"{name}:{line}",
        ) from error


def parse(text: str, path: Path) -> Document:
    """Turn YAML text into a `Document`; `path` is only named in errors."""
    name = display(path)
    try:
        reader = _Reader(yaml.parse(text, Loader=_LOADER), name)
        data = reader.document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
        raise DefinitionError(
            "The file is not valid YAML.",
            f"{problem[:1].upper()}{problem[1:]}.",
            "Check the indentation, quotes and brackets of that line and of the one above.",
            where=f"{name}:{line}",
        ) from error
    if not isinstance(data, dict):
        kind = "empty" if data is None else "a list" if isinstance(data, list) else "one value"
        raise DefinitionError(
            "The file is not a workshop definition.",
            f"Its top must be a mapping, and it is {kind}.",
            "Start with `name:`, or make a skeleton with: workshop definition new NAME",
            where=f"{name}:1",
        )
    return Document(path, data, reader.lines)


class _Reader:
    """Builds values from the parser's events, in one pass and within the bounds."""

    def __init__(self, events: Iterator[Any], name: str) -> None:
        self.events, self.name = events, name
        self.lines: dict[FieldPath, int] = {}
        self.anchors: dict[str, Any] = {}
        self.left = MAX_VALUES

    def document(self) -> Any:
        value: Any = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.refuse(event, "The file holds several documents.", "Keep one, without a second `---`.")
                value = self.value(next(self.events), ())
        return value

    def value(self, event: Any, field: FieldPath) -> Any:
        if len(field) > MAX_DEPTH:
            raise self.too_deep(event)
        self.take(event, 1)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise self.refuse(
                    event,
                    f"The alias *{shown(str(event.anchor))} stands inside the value that it names, or before it.",
                    "Write the value out.",
                )
            value = self.anchors[event.anchor]
            self.take(event, _size(value))
            if len(field) + _depth(value) > MAX_DEPTH:
                raise self.too_deep(event)
            return value
        if event.tag is not None and event.tag != "!":
            raise self.refuse(event, f"The tag {shown(event.tag)} is not supported here.", "Write plain values, without tags.")
        if isinstance(event, yaml.ScalarEvent):
            self.look(event)
            value = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(field)
        else:
            value = self.mapping(field)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def sequence(self, field: FieldPath) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            here = (*field, len(values))
            self.lines[here] = _line(event)
            values.append(self.value(event, here))
        return values

    def mapping(self, field: FieldPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.refuse(event, "A key must be plain text.", "Quote keys that begin with { or [ or *.")
            self.look(event)
            key = event.value
            if key == "<<" and event.implicit[0]:
                raise self.refuse(event, "Merge keys (<<) are not supported.", "Write the fields out.")
            if key in values:
                first = self.lines[(*field, key)]
                raise self.refuse(event, f"The key '{shown(key)}' stands twice, first in line {first}.", "Remove one of the two.")
            here = (*field, key)
            self.lines[here] = _line(event)
            values[key] = None
            values[key] = self.value(next(self.events), here)
        return values

    def take(self, event: Any, values: int) -> None:
        self.left -= values
        if self.left < 0:
            raise self.refuse(
                event, "The file holds too many values.", f"Keep to {MAX_VALUES:,} values, repeated aliases included."
            )

    def look(self, event: Any) -> None:
        """Refuse a text that would look like another one, or that a terminal would obey."""
        if found := hidden(event.value):
            what = f"The text '{shown(event.value)}' holds the character {found}, which cannot be seen."
            raise self.refuse(event, what, "Remove it.")

    def too_deep(self, event: Any) -> DefinitionError:
        return self.refuse(event, "The fields are nested too deeply.", f"Keep to {MAX_DEPTH} levels.")

    def refuse(self, event: Any, what: str, fix: str) -> DefinitionError:
        return DefinitionError(what, "", fix, where=f"{self.name}:{_line(event)}")


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _scalar(event: Any) -> Any:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if match := _NUMBER.fullmatch(text):
        return float(text) if match[2] or match[3] else int(text)
    return text


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_size(member) for member in value.values())
    if isinstance(value, list):
        return 1 + sum(_size(member) for member in value)
    return 1


def _depth(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((1 + _depth(member) for member in members), default=0)


def _member(value: Any, key: str | int) -> Any:
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return None
