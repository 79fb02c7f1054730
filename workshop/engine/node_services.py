"""What the engine gives to one node besides the account: its notes in the journal, its reports as events, its files.

In: a journal, a node, the files of a definition. Out: the values behind `Notes`, `Reporter` and `Files` of a `Context`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from workshop.definition.files import DefinitionFiles
from workshop.engine.events import Emit, NodeProgressed, NodeWaits
from workshop.engine.journal import Journal
from workshop.engine.plan import Node, NodeKey
from workshop.engine.scope import Scope
from workshop.steps.base import Files

__all__ = ["BlankFiles", "JournalNotes", "NodeReporter"]


@dataclass(frozen=True, slots=True)
class JournalNotes:
    """The notes of one node, in the journal."""

    journal: Journal
    scope: Scope
    run: str
    key: NodeKey
    region: str

    def record(self, kind: str, name: str, identity: str = "") -> None:
        self.journal.record_made(self.run, self.scope, self.key, (kind, name, self.region), identity)

    def forget(self, kind: str, name: str) -> None:
        self.journal.forget_made(self.scope, (kind, name, self.region))

    def made(self, kind: str, name: str, region: str) -> datetime | None:
        return self.journal.made(self.scope, (kind, name, region))

    def identity(self, kind: str, name: str, region: str) -> str:
        return self.journal.identity(self.scope, (kind, name, region))


@dataclass(frozen=True, slots=True)
class NodeReporter:
    """The reports of one node, as events."""

    node: Node
    emit: Emit

    def progress(self, text: str) -> None:
        self.emit(NodeProgressed(self.node, text))

    def waiting(self, reason: str, seconds: float) -> None:
        self.emit(NodeWaits(self.node, reason, seconds))


class BlankFiles(Files):
    """The files of a definition, whose templates may read outputs that do not exist (any more): those are empty."""

    def __init__(self, files: DefinitionFiles) -> None:
        self._files = files

    @property
    def root(self) -> Path:
        return self._files.root

    def path(self, name: str) -> Path:
        return self._files.path(name)

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        return self._files.render_leniently(name, variables)
