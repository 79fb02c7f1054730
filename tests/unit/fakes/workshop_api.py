"""The workshop's API and its replicated table in memory: the one model of them for drills in virtual time and for the browser.

In: region names, a lag in seconds, a function that returns the time. Out: items as DynamoDB has them, the JSON of the API's
routes. Nothing waits here: replication is applied when a region is read or written.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Item", "ReplicatedTable", "respond"]

Key = tuple[str, str]
Item = dict[str, Any]


@dataclass
class Delivery:
    """A write on its way to one region; `item` None is a deletion, `due` the time of its arrival."""

    source: str
    target: str
    key: Key
    item: Item | None
    stamp: float
    due: float


class ReplicatedTable:
    """One global table: every region has its own items, the last writer wins after `lag` seconds."""

    def __init__(self, names: Sequence[str], now: Callable[[], float], *, lag: float) -> None:
        self.lag = lag
        self.regions: dict[str, dict[Key, tuple[Item | None, float]]] = {name: {} for name in names}
        """Each region's items, with the stamp of their last write; None where it was a deletion."""
        self.undelivered: set[str] = set()
        """Sort keys that replication never delivers."""
        self._now = now
        self._paused: set[str] = set()
        self._in_flight: list[Delivery] = []
        self._last_stamp = -math.inf
        self._lock = threading.RLock()

    def load(self, item: Item) -> None:
        """Put an item into every region at once, older than any write."""
        for table in self.regions.values():
            table[item["PK"]["S"], item["SK"]["S"]] = (dict(item), -math.inf)

    def clear(self) -> None:
        """Empty every region."""
        with self._lock:
            self._in_flight.clear()
            for table in self.regions.values():
                table.clear()

    def put(self, region: str, pk: str, sk: str, item: Item | None) -> None:
        """A region takes a write (None deletes), and it is sent to the others."""
        with self._lock:
            self._deliver(self._now())
            now, key = self._now(), (pk, sk)
            self._last_stamp = stamp = max(now, math.nextafter(self._last_stamp, math.inf))
            self.regions[region][key] = (item, stamp)
            for other in self.regions.keys() - {region}:
                due = math.inf if self._blocked(region, other, sk, item) else now + self.lag
                self._in_flight.append(Delivery(region, other, key, item, stamp, due))

    def update(self, region: str, pk: str, sk: str, attributes: Item) -> Item:
        """Set attributes of an item in a region, which is made when it does not exist; returns the whole item."""
        with self._lock:
            item = {"PK": {"S": pk}, "SK": {"S": sk}, **(self.item(region, pk, sk) or {}), **attributes}
            self.put(region, pk, sk, item)
            return dict(item)

    def add(self, region: str, pk: str, sk: str, number: int) -> Item:
        """Add to the item's counter in a region; returns the whole item."""
        with self._lock:
            before = int((self.item(region, pk, sk) or {}).get("Bookmark", {"N": "0"})["N"])
            return self.update(region, pk, sk, {"Bookmark": {"N": str(before + number)}})

    def item(self, region: str, pk: str, sk: str) -> Item | None:
        """The item as that region has it now."""
        with self._lock:
            self._deliver(self._now())
            item = self.regions[region].get((pk, sk), (None, 0.0))[0]
            return dict(item) if item is not None else None

    def items(self, region: str, pk: str | None = None) -> list[Item]:
        """The items of a region, of one partition if it is named, in the order of their keys."""
        with self._lock:
            self._deliver(self._now())
            found = sorted((key, item) for key, (item, _) in self.regions[region].items() if item is not None)
            return [dict(item) for (partition, _), item in found if pk in (None, partition)]

    def catch_up(self) -> None:
        """Deliver everything that is in flight now, whatever its lag."""
        with self._lock:
            self._deliver(math.inf)

    def is_paused(self, region: str) -> bool:
        return region in self._paused

    def pause(self, region: str) -> None:
        """Hold back what is in flight from or to a region, and every write until `resume`."""
        with self._lock:
            self._deliver(self._now())
            self._paused.add(region)
            for each in self._in_flight:
                if region in (each.source, each.target):
                    each.due = math.inf

    def resume(self, region: str) -> None:
        """Deliver what was held back after the lag."""
        with self._lock:
            self._paused.discard(region)
            due = self._now() + self.lag
            for each in self._in_flight:
                if not self._blocked(each.source, each.target, each.key[1], each.item):
                    each.due = min(each.due, due)

    def _blocked(self, source: str, target: str, sk: str, item: Item | None) -> bool:
        return bool(self._paused & {source, target}) or (item is not None and sk in self.undelivered)

    def _deliver(self, until: float) -> None:
        due = [each for each in self._in_flight if each.due <= until]
        self._in_flight = [each for each in self._in_flight if each.due > until]
        for each in due:
            table = self.regions[each.target]
            if each.key not in table or table[each.key][1] < each.stamp:
                table[each.key] = (each.item, each.stamp)


def respond(table: ReplicatedTable, region: str, parts: Sequence[str]) -> dict[str, Any] | None:
    """The JSON of a route of the region's API, by the parts of its path; None when there is no such route."""
    match parts:
        case []:
            return {"ping": "ok"}
        case ["scan"]:
            return {"Items": table.items(region), "Latency": 3}
        case ["query", pk]:
            return {"Items": table.items(region, pk), "Latency": 2}
        case ["get", pk, sk]:
            return {"Item": table.item(region, pk, sk), "Latency": 2}
        case ["update", pk, sk, value]:
            item = table.add(region, pk, sk, int(value))
        case ["update", pk, sk, value, thumb]:
            item = table.update(region, pk, sk, {"bookmark": {"S": value}, "thumb": {"S": thumb}})
        case _:
            return None
    return {"Attributes": {k: v for k, v in item.items() if k not in ("PK", "SK")}, "PK": pk, "SK": sk, "Latency": 4}
