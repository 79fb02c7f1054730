"""`workshop check`: go or no-go, before an event."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workshop.app.invocation import Invocation
from workshop.checks.registry import FAMILIES
from workshop.cli.options import common_options
from workshop.cli.questions import confirm, require_grant
from workshop.cli.terminal import asynchronous, interruptible
from workshop.console.echo import say
from workshop.errors import UsageError

if TYPE_CHECKING:
    from workshop.app.runs import Watch
    from workshop.app.session import Session
    from workshop.checks.runner import CheckListener
    from workshop.console.report import PlanReport

__all__ = ["command"]

TICK = 0.5
REHEARSAL = "check --rehearse"


@click.command("check")
@click.option(
    "--only",
    multiple=True,
    metavar="FAMILY",
    help=f"Run the checks of this family alone; repeat it. Families: {', '.join(FAMILIES)}.",
)
@click.option("--skip", multiple=True, metavar="FAMILY", help="Leave the checks of this family out; repeat it.")
@click.option("--strict", is_flag=True, help="Exit 4 when there are warnings.")
@click.option(
    "--html", "page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as one page, too."
)
@click.option("--mask", is_flag=True, help="Hide account numbers but for their last four digits.")
@click.option(
    "--participants",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    help="How many people take part, each with an account.",
)
@click.option(
    "--minutes", type=click.FloatRange(1, 10_080), default=120.0, show_default=True, help="How long the event is planned to take."
)
@click.option("--rehearse", is_flag=True, help="Do everything for real: setup, verify, drill, teardown, with the time of each.")
@common_options
@asynchronous
async def command(
    invocation: Invocation,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    strict: bool,
    page: Path | None,
    mask: bool,
    participants: int,
    minutes: float,
    rehearse: bool,
) -> int:
    """Decide before an event whether it can go ahead: go or no-go.

    Checks the caller, regions, network, permissions, quotas, names, leftovers, files, this machine, time and cost. Changes
    nothing, unless --rehearse is given. Exits 0 for go, 3 for no-go, 4 for warnings under --strict.

    \b
    Examples:
      workshop check                                  on the local cloud
      workshop check --target aws --expect-account 111122223333
      workshop check --only quotas --only permissions
      workshop check --html report.html --mask        a page to be mailed
      workshop check --rehearse                       the dress rehearsal
    """
    from workshop.app.check import check, with_rehearsal
    from workshop.checks.context import EventPlan
    from workshop.console.checks import check_document, masked, print_report, write_page

    if rehearse and invocation.target == "aws" and not invocation.yes:
        _require_terminal(invocation)
    report, about = await check(invocation, EventPlan(participants, minutes), only, skip, _listening, _notice)
    if rehearse:
        report = await with_rehearsal(invocation, report, _Prompts(), _notice)
    report, about = masked(report, about) if mask else (report, about)
    code = report.exit_code(strict=strict)
    if page is not None:
        write_page(page, report, about)
        _notice(f"Wrote {page}")
    (check_document if invocation.json else print_report)(report, about, code)
    return code


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[CheckListener]:
    """What names the checks that take long."""
    from workshop.console.checks import Waiting

    waiting = Waiting()

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK)
            waiting.tick()

    ticking = asyncio.create_task(tick())
    try:
        yield waiting
    finally:
        ticking.cancel()


class _Prompts:
    """What a rehearsal needs of a terminal."""

    def grant(self, session: Session, remembered: Path | None) -> Session:
        return require_grant(session, session.command_line(REHEARSAL), remembered=remembered)

    def confirm(self, session: Session, plan: PlanReport) -> None:
        confirm(session, plan, line=session.command_line(REHEARSAL))

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncIterator[Watch]:
        from workshop.console.progress import progress

        async with interruptible(progress()) as watch:
            yield watch


def _require_terminal(invocation: Invocation) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            what="A rehearsal on AWS makes real resources and asks first, and there is no terminal to ask on.",
            why="Nothing was changed.",
            fix=f"Give --yes beforehand: {invocation.command_line(REHEARSAL, 'aws')} --yes",
            code="Confirmation",
        )


def _notice(text: str) -> None:
    say(text, err=True)
