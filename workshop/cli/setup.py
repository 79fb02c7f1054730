"""`workshop setup`: bring every step to ready."""

from __future__ import annotations

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.questions import agree, confirm, require_grant
from workshop.cli.terminal import asynchronous, interruptible, opened
from workshop.errors import ExitCode

__all__ = ["command"]


@click.command("setup")
@click.option("--through", metavar="MODULE", help="Stop after this module (catching up).")
@click.option("--plan", "only_plan", is_flag=True, help="Show steps, what is deployed, minutes and cost; change nothing.")
@click.option("--adopt", "adopts", is_flag=True, help="Make foreign things of our names ours, after asking for each.")
@common_options
@asynchronous
async def command(invocation: Invocation, through: str | None, only_plan: bool, adopts: bool) -> int:
    """Bring every step of every module to ready.

    What is ready is left as it is, so running setup again is safe: a run that was interrupted goes on where it stopped. What
    another hand made under our names is left alone and stops its step. With --adopt it becomes ours, by our tags: setup completes
    it, and teardown removes it with everything in it.

    \b
    Examples:
      workshop setup                          on the local cloud
      workshop setup --through backend        only the first module
      workshop setup --target aws --plan      what it would do on AWS
      workshop setup --adopt                  go on with what was begun by hand
    """
    from workshop.app.setup import adoptions, observed, plan_report, planned, setup
    from workshop.console.plan import show_plan
    from workshop.console.results import show_setup

    async with opened(invocation, default_target="local") as (session, progress):
        plan = await planned(session, through)
        if only_plan:
            found = plan_report(session, await observed(session, plan), adopts=adopts)
            progress.close()
            show_plan(found, json=invocation.json)
            return ExitCode.DONE
        words = ("setup", *(("--through", through) if through else ()), *(("--adopt",) if adopts else ()))
        line = session.command_line(" ".join(words))
        session = require_grant(session, line, progress)  # noqa: PLW2901
        points = await observed(session, plan) if session.on_aws or adopts else []
        if session.on_aws:
            confirm(session, plan_report(session, points, adopts=adopts), progress, line=line)
        agreed = adoptions(points) if adopts else []
        agree(session, agreed, progress, line=line)
        async with interruptible(progress) as watch:
            report = await setup(session, plan, watch, agreed=agreed)
        show_setup(report, json=invocation.json)
        return report.code
