"""The questions before a change: whether a definition's code may run, and before the first change in a real account.

In: a session and what would be done. Out: nothing, after a yes. Without a terminal they are refused, unless --yes was given.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workshop.console.echo import say
from workshop.errors import UsageError
from workshop.quoting import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workshop.app.session import Session
    from workshop.console.progress import Progress
    from workshop.console.report import PlanReport
    from workshop.engine.adoption import Adoption

__all__ = ["agree", "ask", "confirm", "require_grant"]


def ask(question: str) -> None:
    """Go on after a yes; raises `click.Abort` otherwise."""
    click.confirm(visible(question), abort=True, err=True)


def confirm(session: Session, plan: PlanReport, progress: Progress | None = None, *, line: str = "") -> None:
    """Show account, regions, plan, minutes and cost on stderr, and go on only after a yes.

    `line` is the command line as it was typed, where it is more than the plan's command.
    """
    from workshop.console.plan import print_plan

    if progress is not None:
        progress.close()
    print_plan(plan, err=True)
    if session.invocation.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            what=f"{plan.command} on AWS asks before the first change, and there is no terminal to ask on.",
            why="Nothing was changed.",
            fix=f"Give --yes beforehand: {line or session.command_line(plan.command)} --yes",
            code="Confirmation",
        )
    ask(f"Go on with {plan.command} in account {session.account}?")


def agree(session: Session, wanted: Sequence[Adoption], progress: Progress, *, line: str) -> None:
    """Ask for each foreign thing by its name whether it becomes ours, and go on only after a yes to all of them."""
    from workshop.console.plan import adoption_text

    if not wanted or session.invocation.yes:
        return
    progress.close()
    if not sys.stdin.isatty():
        raise UsageError(
            what=f"--adopt asks for each thing that would become ours ({len(wanted)}), and there is no terminal to ask on.",
            why=f"{adoption_text(wanted[0].resource)}. Nothing was changed.",
            fix=f"Read what would be adopted: {line} --plan. Then give --yes: {line} --yes",
            code="Confirmation",
        )
    for each in wanted:
        ask(f"{adoption_text(each.resource)}. Go on?")


def require_grant(session: Session, line: str, progress: Progress | None = None, *, remembered: Path | None = None) -> Session:
    """Show what the definition brings, and go on only after a yes; one that is built in, or was granted as it is, goes on.

    `line` is the command line as it was typed. `remembered` is the state folder that keeps the grants, where that is not the
    session's own.
    """
    from workshop.app.trust import granted, missing_grant
    from workshop.console.brings import print_brings
    from workshop.console.style import stream
    from workshop.quoting import shown

    missing = missing_grant(session, remembered)
    if missing is not None:
        if progress is not None:
            progress.close()
        say(f"{missing.workshop} is not built in: setting it up runs its author's code.", err=True)
        say(f"  from     {shown(str(missing.folder), 300)}", err=True)
        print_brings(stream(err=True), missing.brings)
        if not session.invocation.yes:
            _ask_for_grant(session, line)
    return granted(session, missing, remembered)


def _ask_for_grant(session: Session, line: str) -> None:
    name = session.workspace.name
    if not sys.stdin.isatty():
        raise UsageError(
            what=f"{name} is not built in and was not granted as it is now, and there is no terminal to ask on.",
            why="Setting it up runs its author's code. Nothing was created.",
            fix=f"Read what it brings: {session.command_line('setup')} --plan. Then give --yes: {line} --yes",
            code="NotGranted",
        )
    ask(f"Run {name}, until its files change?")
