"""`workshop setup`: bring every step to ready."""

from __future__ import annotations

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.questions import confirm, require_grant
from workshop.cli.terminal import asynchronous, interruptible, opened
from workshop.errors import ExitCode

__all__ = ["command"]


@click.command("setup")
@click.option("--through", metavar="MODULE", help="Stop after this module (catching up).")
@click.option("--plan", "only_plan", is_flag=True, help="Show steps, what is deployed, minutes and cost; change nothing.")
@common_options
@asynchronous
async def command(invocation: Invocation, through: str | None, only_plan: bool) -> int:
    """Bring every step of every module to ready.

    What is ready is left as it is, so running it again is safe, and a run that stopped goes on where it was.

    \b
    Examples:
      workshop setup                          on the local cloud
      workshop setup --through backend        only the first module
      workshop setup --target aws --plan      what it would do on AWS
    """
    from workshop.app.setup import observed, planned, setup
    from workshop.console.plan import plan_document, print_plan
    from workshop.console.results import show_setup

    async with opened(invocation, default_target="local") as (session, progress):
        plan = await planned(session, through)
        if only_plan:
            points = await observed(session, plan)
            progress.close()
            if invocation.json:
                plan_document("setup", session.workspace, session.account, points)
            else:
                print_plan("setup", session.workspace, session.identity, points)
            return ExitCode.DONE
        line = session.command_line(f"setup --through {through}" if through else "setup")
        session = require_grant(session, line, progress)  # noqa: PLW2901
        if session.on_aws:
            confirm(session, "setup", await observed(session, plan), progress)
        async with interruptible(progress) as watch:
            report = await setup(session, plan, watch)
        show_setup(report, json=invocation.json)
        return report.code
