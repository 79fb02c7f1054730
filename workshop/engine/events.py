"""Everything that a console, a board or a log may show while a run is under way.

In: nodes and their results. Out: events, as plain values. The engine emits, never prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workshop.engine.plan import Node, Plan
from workshop.engine.results import NodeResult

__all__ = ["Emit", "Event", "NodeFinished", "NodeProgressed", "NodeStarted", "NodeWaits", "Noticed", "RunStarted", "StopAsked"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins; `verb` is the command's word (`setup`)."""

    verb: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node's needs are met and its work begins."""

    node: Node


@dataclass(frozen=True, slots=True)
class NodeWaits:
    """A node waits for `reason`, for `seconds` already."""

    node: Node
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class NodeProgressed:
    """A node reports something worth a line: a resource of a stack, a batch of items."""

    node: Node
    text: str


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node ended, well or not; a cancelled one too."""

    result: NodeResult


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something about the whole run, not about one node."""

    text: str


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The run was asked to end, by Ctrl-C or an error: nothing new starts, calls in flight are finished."""


Event = RunStarted | NodeStarted | NodeWaits | NodeProgressed | NodeFinished | Noticed | StopAsked
Emit = Callable[[Event], None]
