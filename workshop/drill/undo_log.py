"""Guarantees that every change is reverted: it is recorded in the journal before, and closed after the settings were read back.

In: the journal's undos, the scope that they belong to. Out: sentences about what was restored. An undo that fails stays pending,
so that the next command can do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from workshop.drill.base import FaultContext
from workshop.drill.pending import recover_command
from workshop.drill.registry import undoable_named
from workshop.engine.scope import Scope
from workshop.engine.undos import Undo, Undos
from workshop.errors import PartlyDoneError, WorkshopError

__all__ = ["UndoLog", "Undone"]


@dataclass(frozen=True, slots=True)
class Undone:
    """One undo that was done, and a sentence about what is in force now."""

    undo: Undo
    text: str

    def document(self) -> dict[str, str]:
        """The undo as `--json` documents have it."""
        return {
            "region": self.undo.region,
            "fault": self.undo.kind,
            "by": self.undo.by,
            "since": self.undo.since,
            "restored": self.text,
        }


@dataclass(frozen=True)
class UndoLog:
    """The undos of one workshop on one target in one account, written on behalf of one run."""

    undos: Undos
    scope: Scope
    source: str
    profile: str
    run: str

    def record(self, kind: str, region: str, snapshot: str, by: str) -> Undo:
        """Record what must be restored, before it is changed. `by` is `BY_DRILL` or `BY_HAND`."""
        return self.undos.record(
            self.scope,
            source=self.source,
            profile=self.profile,
            region=region,
            kind=kind,
            snapshot=snapshot,
            by=by,
            run=self.run,
        )

    def pending(self, wanted: Callable[[Undo], bool] = lambda _: True) -> list[Undo]:
        """What is not restored yet, the latest first."""
        return [undo for undo in self.undos.pending(self.scope) if wanted(undo)]

    async def undo(self, context: FaultContext, undo: Undo) -> Undone:
        """Restore one change; raises `WorkshopError` when that fails, and it stays pending."""
        context = replace(context, abandoned=undo.run != self.run)
        text = await undoable_named(undo.kind).undo(context, undo.region, undo.snapshot)
        self.undos.done(undo)
        return Undone(undo, text)

    async def undo_all(self, context: FaultContext, undos: Iterable[Undo]) -> list[Undone]:
        """Restore all of them, one failure stopping none of the others; raises `PartlyDoneError` naming the first that failed."""
        done: list[Undone] = []
        failed: list[tuple[Undo, WorkshopError]] = []
        for undo in undos:
            try:
                done.append(await self.undo(context, undo))
            except WorkshopError as error:
                failed.append((undo, error))
        if failed:
            first, cause = failed[0]
            raise PartlyDoneError(
                what=f"{first.region} is not restored yet ({first.kind}).",
                why=f"{cause.what} {cause.why}".strip(),
                fix=f"The journal keeps it. Try again: {recover_command(first)}",
                code="NotRestored",
            ) from cause
        return done
