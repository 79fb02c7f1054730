"""Whether the code of a definition that is not built in may run: asked once, and again after every change to its folder.

In: a session. Out: what has to be granted, for the caller to show and to ask about, and the session once it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workshop.app.session import Session
from workshop.definition.fingerprint import fingerprint
from workshop.engine.brings import Brings, brought
from workshop.engine.grants import Grants
from workshop.errors import UsageError

__all__ = ["MissingGrant", "granted", "missing_grant"]


@dataclass(frozen=True)
class MissingGrant:
    """A definition that was not granted as it is now: where it is from, and what it brings."""

    workshop: str
    folder: Path
    digest: str
    brings: Sequence[Brings]


def missing_grant(session: Session, remembered: Path | None = None) -> MissingGrant | None:
    """What has to be granted before the definition's code runs; None when it is built in, or was granted as it is.

    `remembered` is the state folder that keeps the answers, where that is not the session's own.
    """
    workshop = session.workspace.workshop
    if Grants(remembered or session.folder).hold(workshop):
        return None
    return MissingGrant(workshop.name, workshop.source.parent, fingerprint(workshop), brought(session.workspace))


def granted(session: Session, missing: MissingGrant | None, remembered: Path | None = None) -> Session:
    """The session with the right to run the definition's code; an answer is kept for the next time.

    Raises `UsageError` when the definition is not any more what `missing` describes.
    """
    workshop = session.workspace.workshop
    if missing is not None:
        if fingerprint(workshop) != missing.digest:
            raise UsageError(
                what=f"{workshop.name} changed while its grant was asked for.",
                why="What was shown is not what would run. Nothing was created.",
                fix="Run the same command again, and read what it brings now",
                code="NotGranted",
            )
        Grants(remembered or session.folder).keep(workshop, missing.digest)
    return replace(session, workspace=replace(session.workspace, granted=True))
