"""`workshop setup`: bring every step to ready."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from workshop.cli.options import Common, common_options, retyped
from workshop.errors import ExitCode

if TYPE_CHECKING:
    from workshop.cli.compose import Opened
    from workshop.console.progress import Progress
    from workshop.engine.plan import Plan
    from workshop.engine.workspace import Contexts
    from workshop.errors import WorkshopError

__all__ = ["bring_up", "command"]


@click.command("setup")
@click.option("--through", metavar="MODULE", help="Stop after this module (catching up).")
@click.option("--plan", "only_plan", is_flag=True, help="Show steps, what stands, minutes and cost; change nothing.")
@common_options
def command(common: Common, through: str | None, only_plan: bool) -> int:
    """Bring every step of every module to ready.

    What stands already is left as it is, so running it again is safe, and a run that stopped goes on where it was.

    \b
    Examples:
      workshop setup                          on the local cloud
      workshop setup --through backend        only the first module
      workshop setup --target aws --plan      what it would do on AWS
    """
    from workshop.cli.running import run

    return run(_setup(common, through, only_plan))


async def _setup(common: Common, through: str | None, only_plan: bool) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.confirm import confirm
    from workshop.cli.grant import require_grant
    from workshop.console.plan import plan_document, print_plan
    from workshop.console.progress import progress
    from workshop.engine.setup import check_files
    from workshop.engine.survey import survey
    from workshop.engine.workspace import Contexts

    start = time.monotonic()
    shown = progress()
    try:
        async with open_workspace(common, shown.notice, default_target="local") as found:
            opened = found
            plan = opened.workspace.plan(through)
            await check_files(opened.workspace, plan)
            if not only_plan:
                opened = require_grant(common, opened, f"setup --through {through}" if through else "setup", shown)
            if only_plan or opened.workspace.target.name == "aws":
                points = await survey(opened.workspace, plan, Contexts(opened.workspace, lambda _: None))
                if only_plan:
                    shown.close()
                    if common.json:
                        plan_document("setup", opened.workspace, opened.account, points)
                    else:
                        print_plan("setup", opened.workspace, opened.identity, points)
                    return ExitCode.DONE
                confirm(common, "setup", opened, points, shown)
            contexts = Contexts(opened.workspace, shown)
            return await bring_up(common, opened, plan, contexts, shown, start)
    finally:
        shown.close()


async def bring_up(
    common: Common, opened: Opened, plan: Plan, contexts: Contexts, shown: Progress, start: float, *, step: str = ""
) -> int:
    """Run a plan under the lock and the journal, show the result, answer the exit code. `start` is when the command began.

    `step` is the one step that `step run` was asked for.
    """
    from workshop.cli.guard import guard
    from workshop.cli.running import interruptible
    from workshop.console.results import print_setup, setup_document
    from workshop.engine.setup import set_up

    workspace, journal = opened.workspace, opened.workspace.journal
    command = "step run" if step else "setup"
    title = f"{command} {step}".rstrip()
    async with interruptible(shown) as stop, guard(opened, title, shown) as claim:
        claim.listen(stop.end)
        journal.begin_run(workspace.run, title, opened.scope, opened.identity)
        journal.stands(workspace.standing(opened.account, opened.standing.since if opened.standing else ""))
        results = await set_up(workspace, plan, contexts, shown, stop)
        failures = [r for r in results if not r.outcome.good]
        journal.end_run(workspace.run, ok=not failures)
    shown.close()
    interrupted = stop.asked and stop.fatal is None
    code = _exit_code([r.error for r in failures if r.error], interrupted=interrupted, failed=bool(failures))
    seconds = time.monotonic() - start
    if common.json:
        setup_document(command, workspace, opened.account, results, contexts, seconds, code)
    else:
        again = retyped(common, title, workspace.target.name)
        place = replace(common, regions=(), parameters={}, expect_account="")  # the journal knows them now

        def onward(verb: str) -> str:
            return retyped(place, verb, workspace.target.name)

        print_setup(workspace, opened.account, results, contexts, seconds, code, again, onward)
    return code


def _exit_code(errors: list[WorkshopError], *, interrupted: bool, failed: bool) -> int:
    if interrupted:
        return ExitCode.INTERRUPTED
    codes = {error.exit_code for error in errors}
    if len(codes) == 1:
        return int(codes.pop())
    return ExitCode.FAILED if failed else ExitCode.DONE
