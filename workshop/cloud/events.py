"""What the parts of the cloud announce to each other, so that none of them needs to know who listens.

In: events, from any part. Out: each event handed to its subscribers, at once, in the order of subscription.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["OWN", "TABLES_CHANGED", "EventBus", "StateChanged", "WriteReplicated"]

OWN = "workshop"
"""The name under which this room's own state is saved beside those of MiniStack's services."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Something changed without a request; `states` are the saved states it concerns, None for any."""

    states: frozenset[str] | None = None


TABLES_CHANGED = StateChanged(frozenset({"dynamodb", "cloudwatch", OWN}))
"""Tables, replicas or faults moved on; replication also publishes metrics."""


@dataclass(frozen=True, slots=True)
class WriteReplicated:
    """A write of `source` arrived in `target`, `lag` seconds after it was made."""

    account: str
    source: str
    target: str
    table: str
    lag: float


E = TypeVar("E", StateChanged, WriteReplicated)


class EventBus:
    """Subscribers are called in the publisher's thread."""

    def __init__(self) -> None:
        self._handlers: dict[type, list[Callable[[Any], None]]] = defaultdict(list)

    def subscribe(self, kind: type[E], handler: Callable[[E], None]) -> None:
        self._handlers[kind].append(handler)

    def publish(self, event: StateChanged | WriteReplicated) -> None:
        for handler in self._handlers[type(event)]:
            handler(event)
