"""Whether what a template was filled in to can be read: well-formed YAML or JSON that does not blow up while it is read.

In: the setting that names the template, the template's name, the rendered text. Out: what is wrong, or nothing. Builds no values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

__all__ = ["malformed"]

MOST_LEVELS = 100
"""Lists and groups inside each other; CloudFormation's own limits are far below."""
MOST_CHARACTERS = 2_000_000
"""Of all texts and names, repeated aliases included."""
_PLAIN_TAGS = frozenset({"bool", "float", "int", "map", "null", "seq", "str", "timestamp"})
_STANDARD = "tag:yaml.org,2002:"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def malformed(key: str, name: str, text: str) -> str:
    """What is wrong with a rendered file, in a sentence; empty when nothing is.

    `key` is the setting: a `config` is JSON, and a `template` YAML or JSON, whatever it is called.
    """
    if key == "config" or name.endswith(".json") or (key == "template" and text.lstrip().startswith("{")):
        return _json(text)
    return _yaml(text) if key == "template" or name.endswith((".yaml", ".yml")) else ""


def _json(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        return f"As JSON: {error} of the result."
    except RecursionError:
        return "As JSON: it is nested too deeply."
    return ""


def _yaml(text: str) -> str:
    try:
        return _Reader(yaml.parse(text, Loader=_LOADER)).read()
    except yaml.YAMLError as error:
        return f"As YAML: {' '.join(str(error).split())}."


class _Reader:
    """Goes through the parser's events and adds up what the values would be."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.total = 0
        self.sizes: dict[str, int] = {}
        self.open: list[tuple[str | None, int]] = []
        """The anchor of each list and group around, and the total before it."""

    def read(self) -> str:
        for event in self.events:
            if wrong := self.event(event):
                return f"As YAML: {wrong} in line {event.start_mark.line + 1} of the result."
        return ""

    def event(self, event: Any) -> str:
        """What is wrong with one event."""
        tag = getattr(event, "tag", None) or ""
        if tag.startswith(_STANDARD) and tag.removeprefix(_STANDARD) not in _PLAIN_TAGS:
            return f"there is the tag !!{tag.removeprefix(_STANDARD)}, which nobody reads,"
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.sizes:
                return f"the alias *{event.anchor} stands inside the value that it names, or before it,"
            self.total += self.sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            self.total += 1 + len(event.value)
            self.sizes[event.anchor or ""] = 1 + len(event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            self.open.append((event.anchor, self.total))
            self.total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self.open.pop()
            self.sizes[anchor or ""] = self.total - before
        if len(self.open) > MOST_LEVELS:
            return "it is nested too deeply"
        return f"its aliases make more than {MOST_CHARACTERS:,} characters of it" if self.total > MOST_CHARACTERS else ""
