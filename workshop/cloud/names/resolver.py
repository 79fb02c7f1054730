"""The resolver in front of the cloud: it asks the zones as a user's own resolver would, and keeps each answer for its TTL.

In: a name, who asks, and from where. Out: the answer, and whether it was asked for now or kept. Every client has a cache of its
own, on the cloud's clock; failures are not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from workshop.cloud.names.clock import interval
from workshop.cloud.names.lookup import Lookup, ResolvedName
from workshop.cloud.names.places import Location
from workshop.cloud.timing import Timing

__all__ = ["MOST_KEPT", "Answer", "Resolver"]

MOST_KEPT = 10_000
"""How many answers are kept at once: a client may call itself what it likes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`ttl`: for how many seconds it still holds, on the cloud's clock. `source`: `asked`, `cache` or, when the client resolved
    the name by itself, `address`. `target`: the name at the end of the chain."""

    rcode: str
    values: tuple[str, ...] = ()
    ttl: float = 0.0
    region: str = ""
    source: str = "asked"
    target: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    ends: float


class Resolver:
    """`now` returns the time; `kept_longer` by how many seconds resolvers overstay a TTL (the fault `stale-resolver`)."""

    def __init__(self, lookup: Lookup, timing: Timing, now: Callable[[], float], kept_longer: Callable[[], float]) -> None:
        self._lookup, self._timing, self._now, self._kept_longer = lookup, timing, now, kept_longer
        self._cache: dict[tuple[str, Location, str, str], _Kept] = {}

    def resolve(self, name: str, kind: str, client: str, place: Location) -> Answer:
        """What this client's resolver returns for the name."""
        key = (client, place, name, kind)
        kept = self._cache.get(key)
        if kept is not None and (left := kept.ends + self._kept_longer() - self._now()) > 0:
            return replace(kept.answer, ttl=left, source="cache")
        self._cache.pop(key, None)
        answer = _as_answer(self._lookup.find(name, kind, place), self._timing)
        if answer.rcode == "NOERROR" and answer.ttl > 0:
            self._keep(key, answer)
        return answer

    def flush(self) -> int:
        """Forget every answer, as people flush the cache of their laptop; returns how many there were."""
        count = len(self.document())
        self._cache.clear()
        return count

    def document(self) -> list[dict[str, Any]]:
        """What is kept, and for how long it still holds."""
        now, longer = self._now(), self._kept_longer()
        return [
            {
                "client": client,
                "name": name,
                "type": kind,
                "values": list(kept.answer.values),
                "region": kept.answer.region,
                "target": kept.answer.target,
                "seconds": round(kept.ends + longer - now, 3),
            }
            for (client, _, name, kind), kept in self._cache.items()
            if kept.ends + longer > now
        ]

    def _keep(self, key: tuple[str, Location, str, str], answer: Answer) -> None:
        """The newest answers are kept: the oldest makes room."""
        while len(self._cache) >= MOST_KEPT:
            del self._cache[next(iter(self._cache))]
        self._cache[key] = _Kept(answer, self._now() + answer.ttl)


def _as_answer(found: ResolvedName, timing: Timing) -> Answer:
    values = found.answers[-1].values if found.answers else ()
    return Answer(found.rcode, values, interval(timing, found.ttl), found.region, "asked", found.target)
