"""Which regions are still failed, after a drill that was killed or by hand: every command warns of them, `status` lists them.

In: the journal, the state folder. Out: lines for people, or the regions as values. Changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workshop.drill.registry import MACHINE_CLIENT, OWN_ROWS, OWN_THINGS
from workshop.engine import lock
from workshop.engine.journal import Journal
from workshop.engine.scope import Scope
from workshop.engine.undos import BY_HAND, Undo
from workshop.errors import WorkshopError
from workshop.shell import command_line, flagged

__all__ = ["FailedRegion", "failed_regions", "pending_notices", "recover_command"]


@dataclass(frozen=True, slots=True)
class FailedRegion:
    """A region that was failed on purpose and is not restored. `since` is ISO 8601 UTC, `fix` the command that restores it."""

    region: str
    fault: str
    since: str
    manual: bool
    fix: str


def failed_regions(folder: Path, journal: Journal, scope: Scope) -> list[FailedRegion]:
    """Those of one workshop, the latest first. A drill that is running restores its own region, so that one is not listed."""
    found = [undo for undo in journal.undos.pending(scope) if undo.kind not in OWN_THINGS]
    if any(undo.by != BY_HAND for undo in found) and _running(folder, scope):
        found = [undo for undo in found if undo.by == BY_HAND]
    return [FailedRegion(u.region, u.kind, u.since, u.by == BY_HAND, recover_command(u)) for u in found]


def pending_notices(folder: Path, journal: Journal) -> list[str]:
    """One line for each pending undo, except those of a drill that is running in another terminal."""
    found: list[str] = []
    busy: dict[Scope, bool] = {}
    for undo in journal.undos.everywhere():
        scope = Scope(undo.workshop, undo.target, undo.account)
        if undo.by == BY_HAND:
            found.append(
                f"! {undo.region} of {undo.workshop} on {undo.target} is failed by hand ({undo.kind}) since {undo.since}."
                f" It stays so until: {recover_command(undo)}"
            )
            continue
        if scope not in busy:
            busy[scope] = _running(folder, scope)
        if not busy[scope]:
            found.append(f"! {_left(undo)} Put it back: {recover_command(undo)}")
    return found


def recover_command(undo: Undo) -> str:
    """The command that restores it, from any shell."""
    words = ["workshop", "drill", "recover"]
    if undo.source != "global-serverless":
        words += flagged("--workshop", undo.source)
    words += ["--target", undo.target]
    if undo.profile:
        words += flagged("--profile", undo.profile)
    return command_line(words)


def _left(undo: Undo) -> str:
    where = f"{undo.workshop} on {undo.target}"
    if undo.kind == OWN_ROWS:
        return f"A command that was killed left its own items in the table of {where} (since {undo.since})."
    if undo.kind == MACHINE_CLIENT:
        return f"A drill that was killed left its app client in the user pool of {where} (since {undo.since})."
    return f"A drill that was killed left {undo.region} of {where} failed ({undo.kind}, since {undo.since})."


def _running(folder: Path, scope: Scope) -> bool:
    """Whether the command that recorded it is still running: it holds the lock of its scope."""
    try:
        with lock.hold(folder / "locks", scope, "a look at what is pending"):
            return False
    except WorkshopError as error:
        if error.code != "Busy":
            raise
        return True
