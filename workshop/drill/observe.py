"""The two experiments with a global table: how late the other region is, and who wins when both write at once.

In: two regions' APIs, a key of the run's own. Out: every call with its time, and what it means in a sentence. The harness page of
the workshop does the same by hand; nothing but the public API is used.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from workshop.clock import Clock
from workshop.drill.caller import Caller
from workshop.drill.durations import spoken
from workshop.drill.scene import Place
from workshop.errors import WorkshopError

__all__ = ["Call", "Experiment", "Lab", "Outcome", "conflict", "lags", "replication"]

SORT, FIRST = "counter", 10
ASK_EVERY = 0.05
LEVEL_SECONDS, GIVE_UP_SECONDS = 60.0, 60.0
DEADLINE = 10.0


class Outcome(enum.StrEnum):
    """What an experiment came to."""

    STALE = "stale"
    """The other region answered the old value first, then the new one."""
    AT_ONCE = "at-once"
    """Replication was quicker than the first question."""
    CONFLICT = "conflict"
    """Both wrote without knowing of each other; one write won, the other is gone."""
    NO_CONFLICT = "no-conflict"
    """The second write knew of the first already."""
    NEVER = "never"
    """The regions did not come together in time."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call; times in seconds since the experiment began. `by` is what a write added, None for a read."""

    region: str
    by: int | None
    sent: float
    answered: float
    value: int | None


@dataclass(frozen=True, slots=True)
class Experiment:
    """One round: `lag` is (at least, at most) seconds; `winner` the region whose write stands after a conflict."""

    outcome: Outcome
    words: str
    calls: tuple[Call, ...]
    lag: tuple[float, float] | None = None
    winner: str = ""
    final: int | None = None

    @property
    def ok(self) -> bool:
        return self.outcome is not Outcome.NEVER


class Lab:
    """Calls the two APIs and keeps every answer."""

    def __init__(self, caller: Caller, clock: Clock, key: str) -> None:
        self.calls: list[Call] = []
        self._caller, self._clock, self._key = caller, clock, key
        self._origin = clock.monotonic()

    def now(self) -> float:
        return self._clock.monotonic() - self._origin

    async def read(self, place: Place) -> Call:
        """The counter as a region sees it; None where it does not know it yet."""
        return await self._call(place, None, f"get/{self._key}/{SORT}")

    async def add(self, place: Place, by: int) -> Call:
        """Add to the counter in a region."""
        return await self._call(place, by, f"update/{self._key}/{SORT}/{by}")

    async def rest(self) -> None:
        await self._clock.sleep(ASK_EVERY)

    async def level(self, first: Place, second: Place, seconds: float) -> tuple[Call, Call] | None:
        """Ask both until they answer the same number; None when they did not in time."""
        end = self.now() + seconds
        while True:
            one, two = await self.read(first), await self.read(second)
            if one.value is not None and one.value == two.value:
                return one, two
            if self.now() > end:
                return None
            await self.rest()

    async def _call(self, place: Place, by: int | None, path: str) -> Call:
        sent = self.now()
        answer = await self._caller(place.url + path, DEADLINE)
        if not answer.ok:
            raise WorkshopError(
                f"The API in {place.region} answers GET /{path.partition('/')[0]} with: {answer.why}.",
                "The experiment stopped there.", "See what stands: workshop status", code="ObserveFailed",
            )  # fmt: skip
        body = answer.body or {}
        held = body.get("Item") if by is None else body.get("Attributes")
        number = (held or {}).get("Bookmark", {}).get("N")
        call = Call(place.region, by, sent, self.now(), None if number is None else int(number))
        self.calls.append(call)
        return call


async def replication(lab: Lab, a: Place, b: Place) -> Experiment:
    """Write in `a`, ask `b` again and again until it has it."""
    await _begin(lab, a, b)
    start = len(lab.calls)
    write = await lab.add(a, 1)
    reads: list[Call] = []
    while True:
        reads.append(await lab.read(b))
        if reads[-1].value == write.value:
            break
        if lab.now() - write.answered > GIVE_UP_SECONDS:
            words = f"{a.region} wrote {write.value}; {spoken(GIVE_UP_SECONDS)} later {b.region} still answers {reads[-1].value}."
            return Experiment(Outcome.NEVER, words, tuple(lab.calls[start:]), final=None)
        await lab.rest()
    most = reads[-1].answered - write.answered
    if len(reads) == 1:
        words = f"{a.region} wrote {write.value}, and {b.region} had it at the first question, {spoken(most)} later."
        return Experiment(Outcome.AT_ONCE, words, tuple(lab.calls[start:]), (0.0, most), final=write.value)
    least = max(0.0, reads[-2].sent - write.answered)
    words = (
        f"{a.region} wrote {write.value}. {spoken(reads[0].answered - write.answered)} later {b.region} still answered"
        f" {reads[0].value}: a stale read. It answered {write.value} {spoken(most)} after the write."
    )
    return Experiment(Outcome.STALE, words, tuple(lab.calls[start:]), (least, most), final=write.value)


async def conflict(lab: Lab, a: Place, b: Place) -> Experiment:
    """Add one in `a` and take one away in `b` before replication; ask both until they agree."""
    level = await _begin(lab, a, b)
    start = len(lab.calls)
    plus = await lab.add(a, 1)
    minus = await lab.add(b, -1)
    end = await lab.level(a, b, GIVE_UP_SECONDS)
    calls = tuple(lab.calls[start:])
    if end is None:
        return Experiment(Outcome.NEVER, f"{a.region} and {b.region} did not come together in {spoken(GIVE_UP_SECONDS)}.", calls)
    final = end[0].value
    lag = (0.0, max(end[0].answered, end[1].answered) - minus.answered)
    told = f"{a.region} counted {level} up to {plus.value} and said so; {spoken(minus.answered - plus.answered)} later {b.region}"
    if minus.value != level - 1:
        words = f"{told} had heard of it already and counted down to {minus.value}: nothing collided."
        return Experiment(Outcome.NO_CONFLICT, words, calls, lag, final=final)
    winner, loser = (b, a) if final == minus.value else (a, b)
    words = (
        f"{told}, which had not heard of it, counted {level} down to {minus.value}. Both answer {final} now:"
        f" {winner.region} wrote last, and the last writer wins. The write of {loser.region} was acknowledged and is gone."
    )
    return Experiment(Outcome.CONFLICT, words, calls, lag, winner.region, final)


async def _begin(lab: Lab, a: Place, b: Place) -> int:
    """The number that both regions hold; made when there is none."""
    if not lab.calls:
        await lab.add(a, FIRST)
    level = await lab.level(a, b, LEVEL_SECONDS)
    if level is None or level[0].value is None:
        raise WorkshopError(
            f"{a.region} and {b.region} do not come together.",
            f"They hold different numbers for {spoken(LEVEL_SECONDS)} already.",
            "Is replication interrupted? workshop cloud fault list, or workshop status", code="NotLevel",
        )  # fmt: skip
    return level[0].value


def lags(rounds: Sequence[Experiment]) -> list[float]:
    """The longest possible lag of each round that measured one, in seconds."""
    return [each.lag[1] for each in rounds if each.lag is not None]
