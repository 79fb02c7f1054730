"""Keeps the promise that everything is put back: written into the journal before, closed after the settings were read back.

In: the journal's undos, the place they belong to. Out: sentences about what was put back. An undo that fails stays pending, so
that the next command can do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workshop.drill.fault import Means
from workshop.drill.pending import recover_command
from workshop.drill.registry import UNDOABLE
from workshop.engine.scope import Scope
from workshop.engine.undos import Undo, Undos
from workshop.errors import PartlyDoneError, WorkshopError

__all__ = ["Ledger", "Settled"]


@dataclass(frozen=True, slots=True)
class Settled:
    """One undo that was done, and what is in force now."""

    undo: Undo
    text: str

    def document(self) -> dict[str, str]:
        """The undo as it stands in `--json` documents."""
        return {
            "region": self.undo.region, "fault": self.undo.kind, "by": self.undo.by, "since": self.undo.since,
            "restored": self.text,
        }  # fmt: skip


@dataclass(frozen=True)
class Ledger:
    """The undos of one workshop on one target in one account."""

    undos: Undos
    scope: Scope
    source: str
    profile: str
    run: str

    def owe(self, kind: str, region: str, memory: str, by: str) -> Undo:
        """Write down what must be put back, before it is changed."""
        return self.undos.owe(
            self.scope, source=self.source, profile=self.profile, region=region, kind=kind, memory=memory, by=by, run=self.run
        )

    def pending(self, wanted: Callable[[Undo], bool] = lambda _: True) -> list[Undo]:
        """What is still to be put back, the latest first."""
        return [undo for undo in self.undos.pending(self.scope) if wanted(undo)]

    async def settle(self, means: Means, undo: Undo) -> Settled:
        """Put one thing back; raises `WorkshopError` when that fails, and it stays pending."""
        text = await UNDOABLE[undo.kind].undo(means, undo.region, undo.memory)
        self.undos.done(undo)
        return Settled(undo, text)

    async def settle_all(self, means: Means, undos: Iterable[Undo]) -> list[Settled]:
        """Put all of them back, each whatever became of the others; raises `PartlyDoneError` naming the first that failed."""
        settled: list[Settled] = []
        failed: list[tuple[Undo, WorkshopError]] = []
        for undo in undos:
            try:
                settled.append(await self.settle(means, undo))
            except WorkshopError as error:
                failed.append((undo, error))
        if failed:
            first, cause = failed[0]
            raise PartlyDoneError(
                f"{first.region} is not put back yet ({first.kind}).", f"{cause.what} {cause.why}".strip(),
                f"The journal keeps it. Try again: {recover_command(first)}", code="NotRestored",
            ) from cause  # fmt: skip
        return settled
