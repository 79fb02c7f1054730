"""Asks before the code of a definition that is not built in runs for the first time, and after every change to its folder.

In: an opened workshop. Out: the same, granted; `UsageError` without a terminal unless --yes was given, before anything is made.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.cli.options import Common, retyped
from workshop.console.echo import ask, say
from workshop.errors import UsageError

if TYPE_CHECKING:
    from workshop.cli.compose import Opened
    from workshop.console.progress import Progress

__all__ = ["require_grant"]


def require_grant(
    common: Common, opened: Opened, words: str, shown: Progress | None = None, *, state: Path | None = None
) -> Opened:
    """Show what the definition brings, and go on only after a yes; one that is built in, or was granted as it is, goes on.

    `words` is the command as it was typed. `state` is the state folder that remembers, where that is not the opened one.
    """
    from workshop.console.brings import print_brings
    from workshop.console.style import stream
    from workshop.definition.fingerprint import fingerprint
    from workshop.engine.brings import brought
    from workshop.engine.grants import Grants
    from workshop.quoting import shown as visible

    workspace, grants = opened.workspace, Grants(state or opened.folder)
    workshop = workspace.workshop
    if not grants.hold(workshop):
        digest, found = fingerprint(workshop), brought(workspace)
        if shown is not None:
            shown.close()
        place = visible(str(workshop.source.parent), 300)
        say(f"{workshop.name} is not built in: running it is running its author's code.\n  from     {place}", err=True)
        print_brings(stream(err=True), found)
        if not common.yes:
            _ask(common, opened, words)
        grants.keep(workshop, digest)
    if state is not None and not workshop.builtin:
        Grants(opened.folder).keep(workshop, fingerprint(workshop))  # for the commands that are run in there
    return replace(opened, workspace=replace(workspace, granted=True))


def _ask(common: Common, opened: Opened, words: str) -> None:
    name, target = opened.workspace.name, opened.workspace.target.name
    if not sys.stdin.isatty():
        raise UsageError(
            what=f"{name} is not built in and was not granted as it is now, and there is no terminal to ask on.",
            why="Running it is running its author's code. Nothing was created.",
            fix=f"Read what it brings: {retyped(common, 'setup', target)} --plan."
            f" Then say yes beforehand: {retyped(common, words, target)} --yes",
            code="NotGranted",
        )
    ask(f"Run {name}, until its files change?")
