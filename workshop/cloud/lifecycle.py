"""The life of tables and replicas: each documented state, one after the other, at its time.

In: a change that the rules have accepted. Out: statuses in the regional tables and in the global table, at once and later.
Every later step is a value that is saved, so a cloud that was killed continues where it was
(docs/aws-behaviours.md, sections 1.3 and 1.7).
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import asdict, dataclass
from typing import Any

from workshop.cloud.events import TABLES_CHANGED, EventBus
from workshop.cloud.global_tables import GlobalTable, GlobalTables, TableReplica
from workshop.cloud.replication import Replication
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.store import Store
from workshop.cloud.timing import Timing, Wait

__all__ = ["Lifecycle"]


@dataclass(frozen=True, slots=True)
class LifecycleStep:
    """A change of `table` in `region` that is due at `at` (seconds since the epoch); `peer` is the other region, or "".

    `name` is the wait that precedes it (`timing.Wait`).
    """

    at: float
    name: str
    account: str
    table: str
    region: str
    peer: str = ""


class Lifecycle:
    """Publishes `TABLES_CHANGED` after every step, because steps happen without a request."""

    def __init__(
        self,
        global_tables: GlobalTables,
        store: Store,
        replication: Replication,
        scheduler: Scheduler,
        timing: Timing,
        events: EventBus,
    ) -> None:
        self._global_tables, self._store, self._replication = global_tables, store, replication
        self._scheduler, self._timing, self._events = scheduler, timing, events
        self._steps: dict[int, LifecycleStep] = {}
        self._numbers = itertools.count()

    def table_created(self, account: str, region: str, table: str) -> None:
        record = self._store.get(account, region, table)
        if record is not None:
            record["TableStatus"] = "CREATING"
            wait: Wait = "table.active.indexed" if record.get("GlobalSecondaryIndexes") else "table.active"
            self._later(wait, _of(account, table, region))

    def table_deleted(self, account: str, region: str, table: str) -> None:
        """DeleteTable of a single table, or of a replica in its own region."""
        self._store.set_status(account, region, table, "DELETING")
        global_table = self._global_tables.of(account, table, region)
        if global_table is None:
            self._later("table.gone", _of(account, table, region))
            return
        replica = global_table.replicas[region]
        replica.status, global_table.changing = "DELETING", True
        self._remove_later(global_table, "", replica)

    def protection_changed(self, account: str, region: str, table: str) -> None:
        """A replica whose deletion protection was changed is UPDATING for a while."""
        self._store.set_status(account, region, table, "UPDATING")
        self._later("protection", _of(account, table, region))

    def replica_added(self, account: str, source: str, target: str, table: str, *, aborts: bool) -> None:
        """`aborts`: the replica will vanish from the list without ever having existed, as seen on AWS (section 1.3)."""
        now = self._scheduler.now()
        global_table = self._global_tables.of(account, table, source)
        if global_table is None:
            global_table = GlobalTable(account, table, {source: TableReplica(source, added=now)})
            self._global_tables.add(global_table)
        record = self._store.get(account, source, table)
        replica = TableReplica(target, "CREATING", source, now, listed=False, visible=False, aborts=aborts)
        replica.filled = bool(record and record["items"])
        global_table.replicas[target], global_table.changing = replica, True
        self._store.enable_stream(account, source, table)
        self._store.set_status(account, source, table, "UPDATING")
        if replica.filled:
            waits: list[Wait] = ["fill.listed", "fill.visible", "fill.updating", "fill.active"]
        else:
            waits = ["create.listed", "create.visible", "create.active"]
        for wait in waits:
            self._later(wait, _of(account, table, source, target))

    def replica_removed(self, account: str, source: str, target: str, table: str) -> None:
        global_table = self._global_tables.of(account, table, source)
        if global_table is not None:
            global_table.changing = True
            self._store.set_status(account, source, table, "UPDATING")
            for wait in ("remove.deleting", "remove.updating"):
                self._later(wait, _of(account, table, source, target))
            self._remove_later(global_table, source, global_table.replicas[target])

    def anything_creating(self) -> bool:
        """Whether some table has not been ACTIVE yet."""
        return any(step.name in ("table.active", "table.active.indexed") for step in self._steps.values())

    def document(self) -> list[dict[str, Any]]:
        return [asdict(step) for step in self._steps.values()]

    def restore(self, document: list[dict[str, Any]]) -> None:
        for row in document:
            self._plan(LifecycleStep(**row))

    def clear(self) -> None:
        self._steps.clear()

    def _remove_later(self, global_table: GlobalTable, source: str, replica: TableReplica) -> None:
        gone: Wait = "remove.gone.filled" if replica.filled else "remove.gone"
        self._later(gone, _of(global_table.account, global_table.name, source, replica.region))
        self._later("remove.absent", _of(global_table.account, global_table.name, replica.region), self._timing.seconds(gone))

    def _later(self, wait: Wait, where: dict[str, str], plus: float = 0.0) -> None:
        self._plan(LifecycleStep(self._scheduler.now() + plus + self._timing.seconds(wait), wait, **where))

    def _plan(self, step: LifecycleStep) -> None:
        number = next(self._numbers)
        self._steps[number] = step
        self._scheduler.at(step.at, functools.partial(self._carry_out, number))

    def _carry_out(self, number: int) -> None:
        step = self._steps.pop(number, None)
        if step is None:
            return
        account, table, region = step.account, step.table, step.region
        if step.name in ("table.active", "table.active.indexed", "protection"):
            record = self._store.get(account, region, table)
            if record is not None and record["TableStatus"] in ("CREATING", "UPDATING"):
                record["TableStatus"] = "ACTIVE"
        elif step.name in ("table.gone", "remove.absent"):
            record = self._store.get(account, region, table)
            if record is not None and record["TableStatus"] == "DELETING":
                self._store.remove(account, region, table)
        else:
            global_table = self._global_tables.named(account, table)
            replica = global_table.replicas.get(step.peer) if global_table else None
            if global_table is not None and replica is not None:
                self._change_replica(step, global_table, replica)
        self._events.publish(TABLES_CHANGED)

    def _change_replica(self, step: LifecycleStep, global_table: GlobalTable, replica: TableReplica) -> None:
        set_source = functools.partial(self._store.set_status, step.account, step.region, step.table)
        match step.name:
            case "create.listed":
                replica.listed = True
            case "fill.listed":
                replica.listed = True
                set_source("ACTIVE")
            case "create.visible" | "fill.visible":
                replica.visible = not replica.aborts
            case "fill.updating" | "remove.updating":
                set_source("UPDATING")
            case "create.active" | "fill.active" if replica.aborts:
                self._forget(global_table, replica)
                set_source("ACTIVE")
            case "create.active" | "fill.active":
                self._store.fill(step.account, step.region, replica.region, step.table, replica.added)
                replica.status, replica.listed, global_table.changing = "ACTIVE", True, False
                set_source("ACTIVE")
                self._replication.replica_joined(global_table, replica.region)
            case "remove.deleting":
                replica.status = "DELETING"
                self._store.set_status(step.account, replica.region, step.table, "DELETING")
                set_source("ACTIVE")
            case "remove.gone" | "remove.gone.filled":
                self._forget(global_table, replica)
                set_source("ACTIVE")

    def _forget(self, global_table: GlobalTable, replica: TableReplica) -> None:
        del global_table.replicas[replica.region]
        global_table.changing = False
        if len(global_table.replicas) < 2:
            self._global_tables.drop(global_table)


def _of(account: str, table: str, region: str, peer: str = "") -> dict[str, str]:
    return {"account": account, "table": table, "region": region, "peer": peer}
