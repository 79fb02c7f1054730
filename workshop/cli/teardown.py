"""`workshop teardown`: remove everything, in reverse order, and report what is left."""

from __future__ import annotations

import dataclasses

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.questions import confirm
from workshop.cli.terminal import asynchronous, interruptible, opened
from workshop.errors import ExitCode

__all__ = ["command"]


@click.command("teardown")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be removed; change nothing.")
@click.option("--sweep", "everywhere", is_flag=True, help="Search every region, whatever the journal contains.")
@click.option(
    "--yes-dangling", is_flag=True, envvar="WORKSHOP_YES_DANGLING", help="Delete a zone although its parent still points at it."
)
@common_options
@asynchronous
async def command(invocation: Invocation, only_plan: bool, everywhere: bool, yes_dangling: bool) -> int:
    """Remove everything that setup made, and report what is left.

    Only what carries the workshop's tags, or what the journal shows it made, is removed. Afterwards every region is queried
    twice for what is left. Exits 0 only when nothing is left, 5 when something is.

    \b
    Examples:
      workshop teardown                       where it was last set up
      workshop teardown --plan                what it would remove
      workshop teardown --target aws --yes    on AWS, without asking
      workshop teardown --sweep               without a journal, in every region
    """
    from workshop.app.session import open_journal_if_possible
    from workshop.app.teardown import located, planned_removal, teardown
    from workshop.console.plan import show_plan
    from workshop.console.results import show_teardown

    async with opened(invocation, named=True, journal=open_journal_if_possible) as (found, progress):
        session, search = await located(found, progress, progress.notice, everywhere=everywhere)
        session = dataclasses.replace(session, workspace=dataclasses.replace(session.workspace, allow_dangling=yes_dangling))
        if only_plan:
            plan = await planned_removal(session)
            progress.close()
            show_plan(plan, json=invocation.json)
            return ExitCode.DONE
        if session.on_aws:
            line = session.command_line("teardown --sweep" if everywhere else "teardown")
            confirm(session, await planned_removal(session), progress, line=line)
        async with interruptible(progress) as watch:
            report = await teardown(session, watch, search=search)
        show_teardown(report, json=invocation.json)
        for notice in report.notices:
            progress.notice(notice)
        return report.exit_code
