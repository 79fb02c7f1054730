"""DynamoDB with everything that makes its tables global: built from the parts of this room.

In: MiniStack's DynamoDB module, a scheduler, the timing and the faults that concern tables. Out: the module, extended, and one
state to save and restore.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from workshop.cloud.events import EventBus
from workshop.cloud.global_tables import GlobalTables
from workshop.cloud.lifecycle import Lifecycle
from workshop.cloud.replicas import ReplicaRules
from workshop.cloud.replication import Replication
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.store import Store
from workshop.cloud.tables import TableRules
from workshop.cloud.timing import Timing
from workshop.cloud.write_log import ItemLog, LoggedWrite, Unlogged
from workshop.cloud.writes import Writes

__all__ = ["MultiRegionDynamoDB", "TableFaults"]


class TableFaults(Protocol):
    """What can go wrong with a table: a path is cut, a region is disabled, a creation vanishes."""

    def cut(self, table: str, source: str, target: str) -> bool: ...
    def disabled(self, region: str) -> bool: ...
    def aborts_replica(self, region: str, table: str) -> bool: ...


class MultiRegionDynamoDB:
    """`events` gets the changes that happen without a request and every replicated write; `defer` takes work found by another
    thread and returns whether it did."""

    def __init__(
        self,
        dynamodb: Any,
        scheduler: Scheduler,
        timing: Timing,
        faults: TableFaults,
        *,
        events: EventBus,
        defer: Callable[[Callable[[], None]], bool],
        chance: random.Random,
        log: ItemLog | None = None,
    ) -> None:
        tables, store = GlobalTables(), Store(dynamodb)
        self._scheduler, self._global_tables = scheduler, tables
        self.replication = Replication(tables, store, scheduler, timing, is_cut=faults.cut, events=events, chance=chance)
        self._lifecycle = Lifecycle(tables, store, self.replication, scheduler, timing, events)
        replicas = ReplicaRules(
            tables,
            store,
            self._lifecycle,
            scheduler.now,
            is_disabled=faults.disabled,
            aborts_replica=faults.aborts_replica,
        )
        self._rules = TableRules(dynamodb, tables, store, self._lifecycle, replicas, scheduler, timing)
        self._rules.apply()
        self._writes = Writes(dynamodb, tables, store, self.replication, defer, log or Unlogged())
        self._writes.apply()

    def removal_refused(self, account: str, region: str, table: str) -> str:
        """Why the table of a region cannot be deleted now; "" when it can."""
        return self._rules.removal_refused(account, region, table)

    def document(self) -> dict[str, Any]:
        """The saved form of everything that MiniStack does not save itself."""
        return {
            "groups": self._global_tables.document(),
            "steps": self._lifecycle.document(),
            "orphans": self.replication.document(),
        }

    def restore(self, document: dict[str, Any]) -> None:
        """Restore what `document` returned, once MiniStack has its tables back, and send again what was in flight."""
        self._global_tables.restore(document["groups"])
        self._lifecycle.restore(document["steps"])
        self.replication.restore(document.get("orphans", []))

    def replay(self, writes: Iterable[LoggedWrite]) -> None:
        """Make the writes of a log once more, after `restore`; they are replicated as any write."""
        self._writes.replay(writes)

    def clear(self) -> None:
        self._scheduler.clear()
        self._global_tables.clear()
        self._lifecycle.clear()
        self._rules.clear()
        self.replication.clear()
