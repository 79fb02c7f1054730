"""Copy writes between the regions of a global table: later, in any order, the last writer wins.

In: every write that a region accepts. Out: the same write in the other regions after a lag, unless they have a later one for
that item. A cut holds back what passes it and loses nothing. The time of a write is one clock for all regions, so that every
pair of writes has an order (docs/aws-behaviours.md, section 1.9).

A table's stamps (which region wrote an item last, and when) are kept only while some write of its global table is in flight:
without one, all regions hold the same. They are part of the table's saved state; after a crash, the writes that were in flight
are found by them.
"""

from __future__ import annotations

import copy
import functools
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from workshop.cloud.events import EventBus, WriteReplicated
from workshop.cloud.global_tables import GlobalTable, GlobalTables, TableReplica
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.timing import Timing

__all__ = ["STAMPS", "RegionalTables", "Replication"]

STAMPS = "_workshop_stamps"
Stamp = tuple[int, str]
IsCut = Callable[[str, str, str], bool]


class RegionalTables(Protocol):
    """The regional tables, as MiniStack holds them."""

    def get(self, account: str, region: str, table: str) -> dict[str, Any] | None: ...
    def apply(self, account: str, region: str, table: str, key: tuple[str, str], item: dict[str, Any] | None) -> None: ...


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One write in flight to one region: to this replica of this global table, not to a later one of the same name.

    `origin` is the replica that sent it, None when the sender has left since.
    """

    global_table: GlobalTable
    replica: TableReplica
    source: str
    origin: TableReplica | None
    key: tuple[str, str]
    stamp: Stamp
    item: dict[str, Any] | None


class Replication:
    """`is_cut(table, source, target)` returns whether a path is interrupted. Publishes `WriteReplicated` for every delivery."""

    def __init__(
        self,
        global_tables: GlobalTables,
        tables: RegionalTables,
        scheduler: Scheduler,
        timing: Timing,
        *,
        is_cut: IsCut,
        events: EventBus,
        chance: random.Random,
    ) -> None:
        self._global_tables, self._tables, self._scheduler, self._timing = global_tables, tables, scheduler, timing
        self._is_cut, self._events, self._chance = is_cut, events, chance
        self._in_flight: dict[int, _Delivery] = {}
        self._held: list[int] = []
        self._numbers = itertools.count()
        self._pending: Counter[tuple[str, str]] = Counter()
        self._last = 0

    def wrote(self, account: str, region: str, table: str, key: tuple[str, str], item: dict[str, Any] | None) -> None:
        """A region accepted a write (`item` None: a delete). Sends it to every other region of the global table."""
        global_table = self._global_tables.of(account, table, region)
        record = self._tables.get(account, region, table)
        if global_table is None or record is None or len(global_table.replicas) < 2 or region not in global_table.writable():
            return
        stamp = (self._tick(), region)
        _stamps(record).setdefault(key[0], {})[key[1]] = list(stamp)
        targets = [target for target in global_table.writable() if target != region]
        self._send([_delivery(global_table, target, region, key, stamp, item) for target in targets])
        self._settle(global_table)

    def replica_joined(self, global_table: GlobalTable, region: str) -> None:
        """A region was filled from its source and takes part from now on: send it what the others have in flight."""
        in_flight = [delivery for delivery in self._in_flight.values() if delivery.global_table is global_table]
        deliveries = []
        for holder in global_table.writable():
            if holder != region:
                deliveries += self._stamped_writes(global_table, holder, [region])
        for one in in_flight:
            if one.replica.region != region:
                source = one.source if one.source != region else one.replica.region
                deliveries.append(_delivery(global_table, region, source, one.key, one.stamp, one.item))
        self._send(deliveries)

    def healed(self) -> None:
        """A cut has ended: deliver what was held back and may pass now."""
        held, self._held = self._held, []
        for number in held:
            self._deliver(number)

    def backlog(self) -> list[dict[str, Any]]:
        """How many writes are held back, by table and path."""
        deliveries = [self._in_flight[number] for number in self._held]
        held = Counter((d.global_table.account, d.global_table.name, d.source, d.replica.region) for d in deliveries)
        return [
            {"account": account, "table": table, "from": source, "to": target, "writes": count}
            for (account, table, source, target), count in sorted(held.items())
        ]

    def document(self) -> list[dict[str, Any]]:
        """The writes in flight from regions that have left since: their tables, and with them the stamps, are gone or going."""
        rows = []
        for delivery in self._in_flight.values():
            global_table, target = delivery.global_table, delivery.replica.region
            record = self._tables.get(global_table.account, target, global_table.name)
            left = delivery.origin is None or global_table.replicas.get(delivery.source) is not delivery.origin
            if record is not None and left:
                row: dict[str, Any] = {"account": global_table.account, "table": global_table.name, "source": delivery.source}
                row.update(target=target, id=record["TableId"], key=delivery.key, stamp=delivery.stamp, item=delivery.item)
                rows.append(row)
        return rows

    def restore(self, document: list[dict[str, Any]]) -> None:
        """Restore what `document` returned, then send again what the stamps of the tables show.

        All of it is under way before the first arrives: with the last arrival a table forgets its stamps, and whatever came
        after that would win, however old it is.
        """
        deliveries = []
        for row in document:
            record = self._tables.get(row["account"], row["target"], row["table"])
            if record is not None and record["TableId"] == row["id"]:
                account, table, target = row["account"], row["table"], row["target"]
                global_table = self._global_tables.of(account, table, target)
                global_table = global_table or GlobalTable(account, table, {target: TableReplica(target)})
                key, stamp = (row["key"][0], row["key"][1]), (row["stamp"][0], row["stamp"][1])
                deliveries.append(_delivery(global_table, target, row["source"], key, stamp, row["item"]))
        for global_table in self._global_tables:
            for holder in global_table.writable():
                others = [other for other in global_table.writable() if other != holder]
                deliveries += self._stamped_writes(global_table, holder, others)
        self._send(deliveries)
        for global_table in self._global_tables:
            self._settle(global_table)

    def clear(self) -> None:
        self._in_flight.clear()
        self._held.clear()
        self._pending.clear()

    def _tick(self) -> int:
        self._last = max(self._last + 1, int(self._scheduler.now() * 1_000_000_000))
        return self._last

    def _stamped_writes(self, global_table: GlobalTable, holder: str, targets: list[str]) -> list[_Delivery]:
        """The writes that are perhaps under way still, as one region has them."""
        record = self._tables.get(global_table.account, holder, global_table.name)
        deliveries = []
        for key, stamp in _stamped(record):
            self._last = max(self._last, stamp[0])
            item = record and record["items"].get(key[0], {}).get(key[1])
            deliveries += [_delivery(global_table, target, holder, key, stamp, item) for target in targets]
        return deliveries

    def _send(self, deliveries: list[_Delivery]) -> None:
        for delivery in deliveries:
            self._pending[delivery.global_table.account, delivery.global_table.name] += 1
        for delivery in deliveries:
            number = next(self._numbers)
            self._in_flight[number] = delivery
            lag = self._timing.lag(self._chance)
            if lag:
                self._scheduler.at(self._scheduler.now() + lag, functools.partial(self._deliver, number))
            else:
                self._deliver(number)

    def _deliver(self, number: int) -> None:
        delivery = self._in_flight[number]
        global_table, target, (part, sort) = delivery.global_table, delivery.replica.region, delivery.key
        if self._is_cut(global_table.name, delivery.source, target):
            self._held.append(number)
            return
        del self._in_flight[number]
        record = self._tables.get(global_table.account, target, global_table.name)
        if record is not None and global_table.replicas.get(target) is delivery.replica:
            here = _stamps(record).get(part, {}).get(sort)
            if here is None or tuple(here) < delivery.stamp:
                _stamps(record).setdefault(part, {})[sort] = list(delivery.stamp)
                self._tables.apply(global_table.account, target, global_table.name, delivery.key, copy.deepcopy(delivery.item))
            lag = self._scheduler.now() - delivery.stamp[0] / 1e9
            self._events.publish(WriteReplicated(global_table.account, delivery.source, target, global_table.name, lag))
        self._pending[global_table.account, global_table.name] -= 1
        self._settle(global_table)

    def _settle(self, global_table: GlobalTable) -> None:
        """Once nothing is in flight all regions are equal, and any later write is later than all stamps: forget them."""
        if self._pending[global_table.account, global_table.name] > 0:
            return
        del self._pending[global_table.account, global_table.name]
        for region in global_table.replicas:
            record = self._tables.get(global_table.account, region, global_table.name)
            if record is not None:
                record.pop(STAMPS, None)


def _delivery(global_table: GlobalTable, target: str, source: str, key: tuple[str, str], stamp: Stamp, item: Any) -> _Delivery:
    return _Delivery(global_table, global_table.replicas[target], source, global_table.replicas.get(source), key, stamp, item)


def _stamps(record: dict[str, Any]) -> dict[str, dict[str, list[Any]]]:
    found: dict[str, dict[str, list[Any]]] = record.setdefault(STAMPS, {})
    return found


def _stamped(record: dict[str, Any] | None) -> Iterator[tuple[tuple[str, str], Stamp]]:
    for part, sorts in list((record or {}).get(STAMPS, {}).items()):
        for sort, (time, origin) in list(sorts.items()):
            yield (part, sort), (int(time), str(origin))
