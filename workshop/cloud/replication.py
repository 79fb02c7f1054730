"""Copy writes between the regions of a global table: later, in any order, the last writer wins.

What comes in: every write that a region accepts. What goes out: the same write in the other regions after a lag, unless they have
a later one for that item. A cut holds back what passes it and loses nothing. The time of a write is one clock for all
regions, so that every pair of writes has an order (docs/aws-behaviours.md, section 1.9).

A table's stamps (who wrote an item last, and when) are kept only while something of its group is on its way: once nothing is, all
regions hold the same. They are part of the table's saved state, and what was on its way when the process died is found by them.
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

from workshop.cloud.agenda import Agenda
from workshop.cloud.groups import Group, Groups, Member
from workshop.cloud.pacing import Pacing

__all__ = ["STAMPS", "Replication", "Tables"]

STAMPS = "_workshop_stamps"
Stamp = tuple[int, str]
Cuts = Callable[[str, str, str], bool]


class Tables(Protocol):
    """The regional tables, as MiniStack holds them."""

    def get(self, account: str, region: str, table: str) -> dict[str, Any] | None: ...
    def apply(self, account: str, region: str, table: str, key: tuple[str, str], item: dict[str, Any] | None) -> None: ...


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One write on its way to one region: to this member of this group, not to a later one of the same name; `origin` is the
    member that sent it, if it was one."""

    group: Group
    member: Member
    source: str
    origin: Member | None
    key: tuple[str, str]
    stamp: Stamp
    item: dict[str, Any] | None


class Replication:
    """`is_cut(table, source, target)` says whether a way is interrupted; `measured` hears every lag in seconds."""

    def __init__(
        self,
        groups: Groups,
        tables: Tables,
        agenda: Agenda,
        pacing: Pacing,
        *,
        is_cut: Cuts,
        measured: Callable[[str, str, str, str, float], None],
        chance: random.Random,
    ) -> None:
        self._groups, self._tables, self._agenda, self._pacing = groups, tables, agenda, pacing
        self._is_cut, self._measured, self._chance = is_cut, measured, chance
        self._flying: dict[int, _Delivery] = {}
        self._waiting: list[int] = []
        self._numbers = itertools.count()
        self._pending: Counter[tuple[str, str]] = Counter()
        self._last = 0

    def wrote(self, account: str, region: str, table: str, key: tuple[str, str], item: dict[str, Any] | None) -> None:
        """A region accepted a write (None: a delete). Sends it to every other region of the group."""
        group = self._groups.of(account, table, region)
        record = self._tables.get(account, region, table)
        if group is None or record is None or len(group.members) < 2 or region not in group.writable():
            return
        stamp = (self._tick(), region)
        _stamps(record).setdefault(key[0], {})[key[1]] = list(stamp)
        targets = [target for target in group.writable() if target != region]
        self._send([_delivery(group, target, region, key, stamp, item) for target in targets])
        self._settle(group)

    def joined(self, group: Group, region: str) -> None:
        """A region was filled from its source and takes part from now on: send it what the others have on its way."""
        flying = [delivery for delivery in self._flying.values() if delivery.group is group]
        for member in group.writable():
            if member != region:
                self._resend(group, member, [region])
        for one in flying:
            if one.member.region != region:
                source = one.source if one.source != region else one.member.region
                self._send([_delivery(group, region, source, one.key, one.stamp, one.item)])

    def mended(self) -> None:
        """A cut has changed: deliver what waited and may pass now."""
        waiting, self._waiting = self._waiting, []
        for number in waiting:
            self._deliver(number)

    def backlog(self) -> list[dict[str, Any]]:
        """How many writes are held back, by table and way."""
        waiting = [self._flying[number] for number in self._waiting]
        held = Counter((d.group.account, d.group.table, d.source, d.member.region) for d in waiting)
        return [
            {"account": account, "table": table, "from": source, "to": target, "writes": count}
            for (account, table, source, target), count in sorted(held.items())
        ]

    def in_flight(self, account: str, table: str) -> int:
        """Deliveries of a table that are on their way or held back."""
        return self._pending[account, table]

    def document(self) -> list[dict[str, Any]]:
        """What is on its way from regions that have left since: their tables, and with them the stamps, are gone or going."""
        rows = []
        for delivery in self._flying.values():
            group, target = delivery.group, delivery.member.region
            record = self._tables.get(group.account, target, group.table)
            left = delivery.origin is None or group.members.get(delivery.source) is not delivery.origin
            if record is not None and left:
                row: dict[str, Any] = {"account": group.account, "table": group.table, "source": delivery.source}
                row.update(target=target, id=record["TableId"], key=delivery.key, stamp=delivery.stamp, item=delivery.item)
                rows.append(row)
        return rows

    def restore(self, document: list[dict[str, Any]]) -> None:
        """Take back what `document` gave, then send again what the stamps of the tables show."""
        for row in document:
            record = self._tables.get(row["account"], row["target"], row["table"])
            if record is not None and record["TableId"] == row["id"]:
                group = self._groups.of(row["account"], row["table"], row["target"])
                group = group or Group(row["account"], row["table"], {row["target"]: Member(row["target"])})
                key, stamp = (row["key"][0], row["key"][1]), (row["stamp"][0], row["stamp"][1])
                self._send([_delivery(group, row["target"], row["source"], key, stamp, row["item"])])
        for group in self._groups:
            for member in group.writable():
                self._resend(group, member, [other for other in group.writable() if other != member])
            self._settle(group)

    def clear(self) -> None:
        self._flying.clear()
        self._waiting.clear()
        self._pending.clear()

    def _tick(self) -> int:
        self._last = max(self._last + 1, int(self._agenda.now() * 1_000_000_000))
        return self._last

    def _resend(self, group: Group, holder: str, targets: list[str]) -> None:
        record = self._tables.get(group.account, holder, group.table)
        for key, stamp in _stamped(record):
            self._last = max(self._last, stamp[0])
            item = record and record["items"].get(key[0], {}).get(key[1])
            self._send([_delivery(group, target, holder, key, stamp, item) for target in targets])

    def _send(self, deliveries: list[_Delivery]) -> None:
        for delivery in deliveries:
            self._pending[delivery.group.account, delivery.group.table] += 1
        for delivery in deliveries:
            number = next(self._numbers)
            self._flying[number] = delivery
            lag = self._pacing.lag(self._chance)
            if lag:
                self._agenda.at(self._agenda.now() + lag, functools.partial(self._deliver, number))
            else:
                self._deliver(number)

    def _deliver(self, number: int) -> None:
        delivery = self._flying[number]
        group, target, (part, sort) = delivery.group, delivery.member.region, delivery.key
        if self._is_cut(group.table, delivery.source, target):
            self._waiting.append(number)
            return
        del self._flying[number]
        record = self._tables.get(group.account, target, group.table)
        if record is not None and group.members.get(target) is delivery.member:
            here = _stamps(record).get(part, {}).get(sort)
            if here is None or tuple(here) < delivery.stamp:
                _stamps(record).setdefault(part, {})[sort] = list(delivery.stamp)
                self._tables.apply(group.account, target, group.table, delivery.key, copy.deepcopy(delivery.item))
            lag = self._agenda.now() - delivery.stamp[0] / 1e9
            self._measured(group.account, delivery.source, target, group.table, lag)
        self._pending[group.account, group.table] -= 1
        self._settle(group)

    def _settle(self, group: Group) -> None:
        """Once nothing is on its way all regions are equal, and any later write is later than all stamps: forget them."""
        if self._pending[group.account, group.table] > 0:
            return
        del self._pending[group.account, group.table]
        for region in group.members:
            record = self._tables.get(group.account, region, group.table)
            if record is not None:
                record.pop(STAMPS, None)


def _delivery(group: Group, target: str, source: str, key: tuple[str, str], stamp: Stamp, item: Any) -> _Delivery:
    return _Delivery(group, group.members[target], source, group.members.get(source), key, stamp, item)


def _stamps(record: dict[str, Any]) -> dict[str, dict[str, list[Any]]]:
    found: dict[str, dict[str, list[Any]]] = record.setdefault(STAMPS, {})
    return found


def _stamped(record: dict[str, Any] | None) -> Iterator[tuple[tuple[str, str], Stamp]]:
    for part, sorts in list((record or {}).get(STAMPS, {}).items()):
        for sort, (time, origin) in list(sorts.items()):
            yield (part, sort), (int(time), str(origin))
