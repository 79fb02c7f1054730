"""`workshop teardown`: remove everything, in reverse order, and report what is left."""

from __future__ import annotations

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
@common_options
@asynchronous
async def command(invocation: Invocation, only_plan: bool, everywhere: bool) -> int:
    """Remove everything that setup made, then query every region for what is left.

    Only what carries the workshop's tags, or what the journal shows it made, is removed. Exits 0 only when nothing is left, 5
    when something is.

    \b
    Examples:
      workshop teardown                       where it was last set up
      workshop teardown --plan                what it would remove
      workshop teardown --target aws --yes    on AWS, without asking
      workshop teardown --sweep               without a journal, in every region
    """
    from workshop.app.teardown import located, planned_removal, teardown
    from workshop.console.plan import plan_document, print_plan
    from workshop.console.results import show_teardown

    async with opened(invocation, named=True) as (found, progress):
        session, search = await located(found, progress, progress.notice, everywhere=everywhere)
        points = await planned_removal(session) if only_plan or session.on_aws else []
        if only_plan:
            progress.close()
            if invocation.json:
                plan_document("teardown", session.workspace, session.account, points)
            else:
                print_plan("teardown", session.workspace, session.identity, points)
            return ExitCode.DONE
        if session.on_aws:
            confirm(session, "teardown", points, progress)
        async with interruptible(progress) as watch:
            report = await teardown(session, watch, search=search)
        show_teardown(report, json=invocation.json)
        for notice in report.notices:
            progress.notice(notice)
        return report.exit_code
