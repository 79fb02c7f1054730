"""Whether what a template was filled in to can be read: well-formed YAML or JSON that does not blow up while it is read.

In: the rendered text, and where it is known what the text is for, the setting that names the template. Out: what is wrong, or
nothing. Builds no values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

__all__ = ["explosive", "malformed"]

MOST_LEVELS = 100
"""Lists and groups inside each other; CloudFormation's own limits are far below."""
MOST_CHARACTERS = 2_000_000
"""Of all texts and names, repeated aliases included."""
MOST_VALUES = 200_000
"""Values that are written out."""
TOO_DEEP = "it is nested too deeply"
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


def explosive(text: str) -> str:
    """Why nobody should read a text as YAML or JSON, whatever it was meant for; empty when reading it does no harm.

    A few characters of it can stand for more values than fit into the machine, or for more levels than a reader can take.
    """
    if len(text) <= MOST_LEVELS:
        return ""
    reader = _Reader(yaml.parse(text, Loader=_LOADER))
    try:
        return next(filter(None, map(reader.explosion, reader.events)), "")
    except yaml.YAMLError:  # JSON may hold what YAML does not, such as an escaped slash
        return TOO_DEEP if _json(text).endswith(f"{TOO_DEEP}.") else ""


def _json(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        return f"As JSON: {error} of the result."
    except RecursionError:
        return f"As JSON: {TOO_DEEP}."
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
        self.total = self.values = 0
        self.sizes: dict[str, int] = {}
        self.open: list[tuple[str | None, int]] = []
        """The anchor of each list and group around, and the total before it."""

    def read(self) -> str:
        for event in self.events:
            if wrong := self.mistake(event):
                return f"As YAML: {wrong} in line {event.start_mark.line + 1} of the result."
        return ""

    def mistake(self, event: Any) -> str:
        """What is wrong with one event."""
        tag = getattr(event, "tag", None) or ""
        if tag.startswith(_STANDARD) and tag.removeprefix(_STANDARD) not in _PLAIN_TAGS:
            return f"there is the tag !!{tag.removeprefix(_STANDARD)}, which nobody reads,"
        if isinstance(event, yaml.AliasEvent) and event.anchor not in self.sizes:
            return f"the alias *{event.anchor} stands inside the value that it names, or before it,"
        return self.explosion(event)

    def explosion(self, event: Any) -> str:
        """Whether what was read up to this event is more than anybody should read."""
        self.values += 1
        if isinstance(event, yaml.AliasEvent):
            self.total += self.sizes.get(event.anchor or "", 1)
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
            return TOO_DEEP
        if self.values > MOST_VALUES:
            return f"it holds more than {MOST_VALUES:,} values"
        return f"its aliases make more than {MOST_CHARACTERS:,} characters of it" if self.total > MOST_CHARACTERS else ""
