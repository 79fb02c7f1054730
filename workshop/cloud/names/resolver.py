"""The resolver in front of the cloud: it asks the zones as a user's own resolver would, and keeps each answer for its TTL.

In: a name, who asks, and from where. Out: the answer, and whether it was asked for now or kept. Every client has a cache of its
own, on the cloud's clock; failures are not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from workshop.cloud.names.lookup import Lookup, RecordSet
from workshop.cloud.names.places import Location
from workshop.cloud.timing import Timing

__all__ = ["MOST_KEPT", "Answer", "Resolver"]

MOST_KEPT = 10_000
"""How many answers are kept at once: a client may call itself what it likes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`ttl`: for how many seconds it still holds, on the cloud's clock. `source`: `asked`, `cache` or, when the client resolved
    the name by itself, `address`. `target`: the name at the end of the chain. `answers`: every record set on the way there."""

    rcode: str
    values: tuple[str, ...] = ()
    ttl: float = 0.0
    region: str = ""
    source: str = "asked"
    target: str = ""
    answers: tuple[RecordSet, ...] = ()


class Resolver:
    """`now` returns the time; `kept_longer` by how many seconds resolvers overstay a TTL (the fault `stale-resolver`)."""

    def __init__(self, lookup: Lookup, timing: Timing, now: Callable[[], float], kept_longer: Callable[[], float]) -> None:
        self._lookup, self._timing, self._now, self._kept_longer = lookup, timing, now, kept_longer
        self._cache: dict[tuple[str, Location, str, str], tuple[Answer, float]] = {}

    def ask(self, name: str, kind: str, place: Location) -> Answer:
        """What the zones say now, past every cache."""
        found = self._lookup.find(name, kind, place)
        values = found.answers[-1].values if found.answers else ()
        ttl = self._timing.names_seconds(found.ttl)
        return Answer(found.rcode, values, ttl, found.region, "asked", found.target, found.answers)

    def resolve(self, name: str, kind: str, client: str, place: Location) -> Answer:
        """What this client's resolver returns for the name. Of the answers that are kept the oldest makes room."""
        key = (client, place, name, kind)
        kept, ends = self._cache.get(key, (None, 0.0))
        left = ends + self._kept_longer() - self._now()
        if kept is not None and left > 0:
            return replace(kept, ttl=left, source="cache")
        self._cache.pop(key, None)
        answer = self.ask(name, kind, place)
        if answer.rcode == "NOERROR" and answer.ttl > 0:
            while len(self._cache) >= MOST_KEPT:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = answer, self._now() + answer.ttl
        return answer

    def flush(self) -> int:
        """Forget every answer, as people flush the cache of their laptop; returns how many there were."""
        count = len(self.document())
        self._cache.clear()
        return count

    def document(self) -> list[dict[str, Any]]:
        """What is kept, and for how long it still holds."""
        after = self._now() - self._kept_longer()
        return [
            {
                "client": client,
                "name": name,
                "type": kind,
                "values": list(answer.values),
                "region": answer.region,
                "target": answer.target,
                "seconds": round(ends - after, 3),
            }
            for (client, _, name, kind), (answer, ends) in self._cache.items()
            if ends > after
        ]
