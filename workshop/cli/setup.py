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

    What is ready is left as it is, so running setup again is safe: a run that was interrupted goes on where it stopped.

    \b
    Examples:
      workshop setup                          on the local cloud
      workshop setup --through backend        only the first module
      workshop setup --target aws --plan      what it would do on AWS
    """
    from workshop.app.setup import observed, plan_report, planned, setup
    from workshop.console.plan import show_plan
    from workshop.console.results import show_setup

    async with opened(invocation, default_target="local") as (session, progress):
        plan = await planned(session, through)
        if only_plan:
            found = plan_report(session, await observed(session, plan))
            progress.close()
            show_plan(found, json=invocation.json)
            return ExitCode.DONE
        line = session.command_line(f"setup --through {through}" if through else "setup")
        session = require_grant(session, line, progress)  # noqa: PLW2901
        if session.on_aws:
            confirm(session, plan_report(session, await observed(session, plan)), progress, line=line)
        async with interruptible(progress) as watch:
            report = await setup(session, plan, watch)
        show_setup(report, json=invocation.json)
        return report.code
