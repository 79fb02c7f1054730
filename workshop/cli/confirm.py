"""Asks before the first change in a real account; without a terminal it refuses unless --yes was given."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workshop.cli.options import Common, retyped
from workshop.console.echo import ask
from workshop.errors import UsageError

if TYPE_CHECKING:
    from workshop.cli.compose import Opened
    from workshop.console.progress import Progress
    from workshop.engine.survey import Standpoint

__all__ = ["confirm"]


def confirm(common: Common, verb: str, opened: Opened, points: Sequence[Standpoint], shown: Progress, *, words: str = "") -> None:
    """Show account, regions, plan, minutes and cost on stderr, and go on only after a yes.

    `words` is the command as it was typed where that is not the verb itself (`step run api`).
    """
    from workshop.console.plan import print_plan

    shown.close()
    print_plan(verb, opened.workspace, opened.identity, points, err=True)
    if common.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            f"{verb} on AWS asks before the first change, and there is no terminal to ask on.",
            "Nothing was changed.", f"Say yes beforehand: {retyped(common, words or verb, 'aws')} --yes", code="Confirmation",
        )  # fmt: skip
    ask(f"Go on with {verb} in account {opened.account}?")
