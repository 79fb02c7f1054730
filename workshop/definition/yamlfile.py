"""Reads a YAML file into plain values and remembers the line of every field.

In: a path. Out: a `Document`. Refuses tags, merge keys, a key that occurs twice, aliases beyond a bound and invisible characters.
`no`, `on`, dates and `01` stay text: only true, false, null and JSON numbers are special.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from workshop.definition.bounded_yaml import Bounds, YamlBoundError, compose
from workshop.errors import DefinitionError
from workshop.quoting import hidden, shown

__all__ = ["MAX_BYTES", "Document", "FieldPath", "display", "parse", "read", "read_text"]

FieldPath = tuple[str | int, ...]
"""Keys and list positions from the top of a document: `("modules", 0, "steps", 2, "needs")`."""

MAX_BYTES = 1_000_000
BOUNDS = Bounds(levels=40, values=40_000, characters=2_000_000)
"""A workshop of a hundred steps has about four thousand values and keys."""

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,15})?([eE][-+]?\d{1,2})?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


@dataclass(frozen=True)
class Document:
    """The values of one file, and the line (from 1) of each field."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[FieldPath, int]

    @cached_property
    def name(self) -> str:
        """The file as messages show it."""
        return display(self.path)

    def line(self, field: FieldPath) -> int:
        """The line of a field, or of the nearest enclosing one that has a line."""
        for length in range(len(field), 0, -1):
            if field[:length] in self.lines:
                return self.lines[field[:length]]
        return 1

    def where(self, field: FieldPath) -> str:
        """`file:line` of a field."""
        return f"{self.name}:{self.line(field)}"

    def dotted(self, field: FieldPath) -> str:
        """A field with modules and steps by their names: `modules.backend.steps.api.needs`."""
        parts: list[str] = []
        value: Any = self.data
        for key in field:
            value = _member(value, key)
            name = (value.get("id") or value.get("name")) if isinstance(key, int) and isinstance(value, dict) else None
            parts.append(shown(name if isinstance(name, str) else str(key)))
        return ".".join(parts)


def display(path: Path) -> str:
    """A path for messages: relative when it lies below the current folder."""
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
            what="The file cannot be read.",
            why=f"{os.strerror(error.errno or 0)}.",
            fix="Check the path and its permissions.",
            where=name,
        ) from error
    if len(raw) > MAX_BYTES:
        raise DefinitionError(
            what="The file is too large.",
            why=f"More than {MAX_BYTES:,} bytes are not read.",
            fix="Move data into its own file and name that file.",
            where=name,
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DefinitionError(
            what="The file is not UTF-8 text.",
            why=f"Byte 0x{raw[error.start]:02x} does not belong there.",
            fix="Save the file as UTF-8.",
            where=f"{name}:{line}",
        ) from error


def parse(text: str, path: Path) -> Document:
    """Turn YAML text into a `Document`; `path` is only named in errors."""
    values = _Values(display(path))
    try:
        root = compose(text, BOUNDS)
    except YamlBoundError as error:
        raise DefinitionError(
            what=f"The file {error}.", fix="Make it flatter or shorter.", where=f"{values.name}:{error.line}"
        ) from error
    except yaml.YAMLError as error:
        raise _invalid(error, values.name) from error
    data = None if root is None else values.of(root, ())
    if not isinstance(data, dict):
        kind = "empty" if data is None else "a list" if isinstance(data, list) else "one value"
        raise DefinitionError(
            what="The file is not a workshop definition.",
            why=f"Its top must be a mapping, and it is {kind}.",
            fix="Start with `name:`, or make a skeleton with: workshop definition new NAME",
            where=f"{values.name}:1",
        )
    return Document(path, data, values.lines)


def _invalid(error: yaml.YAMLError, name: str) -> DefinitionError:
    mark = getattr(error, "problem_mark", None)
    where = f"{name}:{mark.line + 1 if mark else 1}"
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
    if problem == "but found another document":
        return DefinitionError(what="The file holds several documents.", fix="Keep one, without a second `---`.", where=where)
    return DefinitionError(
        what="The file is not valid YAML.",
        why=f"{problem[:1].upper()}{problem[1:]}.",
        fix="Check the indentation, quotes and brackets of that line and of the one above.",
        where=where,
    )


class _Values:
    """Turns nodes into plain values and notes the line of each field. `name` is the file in errors."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[FieldPath, int] = {}

    def of(self, node: Any, field: FieldPath) -> Any:
        if node.tag not in _TAGS:
            raise self.refusal(node, f"The tag {shown(node.tag)} is not supported here.", "Write plain values, without tags.")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, field)
        if isinstance(node, yaml.SequenceNode):
            return [self.entry(member, (*field, number)) for number, member in enumerate(node.value)]
        return _scalar(self.visible(node), plain=not node.style)

    def entry(self, node: Any, field: FieldPath) -> Any:
        self.lines[field] = _line(node)
        return self.of(node, field)

    def mapping(self, node: yaml.MappingNode, field: FieldPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.refusal(key_node, "A key must be plain text.", "Quote keys that begin with { or [ or *.")
            key = self.visible(key_node)
            if key == "<<" and not key_node.style:
                raise self.refusal(key_node, "Merge keys (<<) are not supported.", "Write the fields out.")
            here = (*field, key)
            if key in values:
                first = self.lines[here]
                what = f"The key '{shown(key)}' occurs twice, first in line {first}."
                raise self.refusal(key_node, what, "Remove one of the two.")
            self.lines[here] = _line(key_node)
            values[key] = self.of(value_node, here)
        return values

    def visible(self, node: yaml.ScalarNode) -> str:
        """The text of a node; refuses characters that make it look like another text, or that a terminal obeys."""
        text: str = node.value
        if found := hidden(text):
            what = f"The text '{shown(text)}' holds the character {found}, which cannot be seen."
            raise self.refusal(node, what, "Remove it.")
        return text

    def refusal(self, node: yaml.Node, what: str, fix: str) -> DefinitionError:
        return DefinitionError(what=what, fix=fix, where=f"{self.name}:{_line(node)}")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _scalar(text: str, *, plain: bool) -> Any:
    if not plain:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if match := _NUMBER.fullmatch(text):
        return float(text) if match[2] or match[3] else int(text)
    return text


def _member(value: Any, key: str | int) -> Any:
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return None
