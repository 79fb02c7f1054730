"""Composes YAML into nodes within bounds, so that a short text cannot turn into more than the machine holds.

In: a text and its bounds. Out: PyYAML's nodes, which carry their lines. No value is built and no tag is acted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from workshop.quoting import shown

__all__ = ["Bounds", "YamlBoundError", "compose"]

# Without implicit resolvers a plain word has the tag of a text, and every other tag was written by the author.
_LOADER: Any = type("_Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {"yaml_implicit_resolvers": {}})

_STANDARD = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset({"bool", "float", "int", "map", "null", "seq", "str", "timestamp"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a text may hold once every alias is written out."""

    levels: int
    """Lists and mappings inside each other."""
    values: int
    """Values and keys."""
    characters: int
    """Of all values and keys together."""


class YamlBoundError(Exception):
    """A text that no reader should be given. The message is a predicate: `is nested deeper than 40 levels`. `line`: from 1."""

    def __init__(self, predicate: str, place: Any) -> None:
        super().__init__(predicate)
        self.line: int = place.start_mark.line + 1


@dataclass(frozen=True, slots=True)
class _Extent:
    """What one node holds once its aliases are written out."""

    values: int
    characters: int
    levels: int = 0


def compose(text: str, bounds: Bounds) -> Any:
    """The root node of the only document in `text`, None for an empty one.

    Raises `YamlBoundError` where a bound is exceeded, a value contains itself or a tag names an object of a programming
    language, and `yaml.YAMLError` for invalid YAML.
    """
    _scan(text, bounds)
    node = yaml.compose(text, Loader=_LOADER)
    if node is not None:
        _measure(node, bounds, {})
    return node


def _scan(text: str, bounds: Bounds) -> None:
    """Check the parser's events first: composing recurses without a limit of its own, and nodes are large."""
    level = values = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            level -= 1
        elif isinstance(event, yaml.NodeEvent):
            values += 1
            level += isinstance(event, yaml.CollectionStartEvent)
            _require(_Extent(values, 0, level), bounds, event)


def _measure(node: Any, bounds: Bounds, known: dict[int, _Extent | None]) -> _Extent:
    """The extent of a node. `known` holds those measured before, and None for those around this one."""
    if id(node) in known:
        extent = known[id(node)]
        if extent is None:
            raise YamlBoundError("has an alias inside the value that the alias repeats", node)
        return extent
    if node.tag.startswith(_STANDARD) and node.tag.removeprefix(_STANDARD) not in _PLAIN_TAGS:
        raise YamlBoundError(f"has the tag !!{shown(node.tag.removeprefix(_STANDARD))}, which is not supported", node)
    known[id(node)] = None
    if isinstance(node, yaml.ScalarNode):
        extent = _Extent(1, len(node.value))
    else:
        extent = _Extent(1, 0, 1)
        members = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
        for member in members:
            inner = _measure(member, bounds, known)
            extent = _Extent(
                extent.values + inner.values, extent.characters + inner.characters, max(extent.levels, 1 + inner.levels)
            )
            _require(extent, bounds, member)
    known[id(node)] = extent
    return extent


def _require(extent: _Extent, bounds: Bounds, place: Any) -> None:
    if extent.levels > bounds.levels:
        raise YamlBoundError(f"is nested deeper than {bounds.levels} levels", place)
    if extent.values > bounds.values:
        raise YamlBoundError(f"holds more than {bounds.values:,} values, repeated aliases included", place)
    if extent.characters > bounds.characters:
        raise YamlBoundError(f"holds more than {bounds.characters:,} characters, repeated aliases included", place)
