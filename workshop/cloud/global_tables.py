"""DynamoDB with everything that makes its tables global: built from the parts of this room.

What comes in: MiniStack's DynamoDB module, an agenda, a pace and the faults that concern tables. What goes out: the module,
extended, and one state to save and take back.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Protocol

from workshop.cloud.agenda import Agenda
from workshop.cloud.groups import Groups
from workshop.cloud.lifecycle import Lifecycle
from workshop.cloud.pacing import Pacing
from workshop.cloud.replicas import ReplicaRules
from workshop.cloud.replication import Replication
from workshop.cloud.store import Store
from workshop.cloud.tables import TableRules
from workshop.cloud.writes import Writes

__all__ = ["GlobalTables", "TableFaults"]


class TableFaults(Protocol):
    """What can go wrong with a table: a way is cut, a region is disabled, a creation vanishes."""

    def cut(self, table: str, source: str, target: str) -> bool: ...
    def disabled(self, region: str) -> bool: ...
    def dooms(self, region: str, table: str) -> bool: ...


class GlobalTables:
    """`changed` hears of changes without a request, `measured` of every lag; `defer` takes work found by another thread."""

    def __init__(
        self,
        dynamodb: Any,
        agenda: Agenda,
        pacing: Pacing,
        faults: TableFaults,
        *,
        changed: Callable[[], None],
        measured: Callable[[str, str, str, str, float], None],
        defer: Callable[[Callable[[], None]], bool],
        chance: random.Random,
    ) -> None:
        self._agenda, self._groups, store = agenda, Groups(), Store(dynamodb)
        self.replication = Replication(self._groups, store, agenda, pacing, is_cut=faults.cut, measured=measured, chance=chance)
        self._lifecycle = Lifecycle(self._groups, store, self.replication, agenda, pacing, changed)
        rules = ReplicaRules(
            self._groups, store, self._lifecycle, agenda.now, is_disabled=faults.disabled, is_doomed=faults.dooms
        )
        self._rules = TableRules(dynamodb, self._groups, store, self._lifecycle, rules, agenda, pacing)
        Writes(dynamodb, self._groups, store, self.replication, defer)

    def removal_refused(self, account: str, region: str, table: str) -> str:
        """Why the table of a region cannot be deleted now; "" when it can."""
        return self._rules.removal_refused(account, region, table)

    def document(self) -> dict[str, Any]:
        return {
            "groups": self._groups.document(),
            "steps": self._lifecycle.document(),
            "orphans": self.replication.document(),
        }

    def restore(self, document: dict[str, Any]) -> None:
        """Take back what `document` gave, once MiniStack has its tables back, and send again what was on its way."""
        self._groups.restore(document["groups"])
        self._lifecycle.restore(document["steps"])
        self.replication.restore(document.get("orphans", []))

    def clear(self) -> None:
        self._agenda.clear()
        self._groups.clear()
        self._lifecycle.clear()
        self._rules.clear()
        self.replication.clear()
