"""`workshop teardown`: remove everything, in reverse order, and say what is left."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from workshop.cli.options import Common, common_options, retyped
from workshop.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workshop.cli.compose import Opened
    from workshop.console.progress import Progress
    from workshop.engine.discover import Search
    from workshop.engine.execute import Stop
    from workshop.engine.plan import Plan
    from workshop.engine.results import NodeResult
    from workshop.engine.workspace import Contexts
    from workshop.steps.base import Resource

__all__ = ["bring_down", "command"]


@click.command("teardown")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be removed; change nothing.")
@click.option("--sweep", "everywhere", is_flag=True, help="Search every region, whatever the journal says.")
@common_options
def command(common: Common, only_plan: bool, everywhere: bool) -> int:
    """Remove everything that setup made, then ask every region what is left.

    Only what carries the workshop's tags, or what the journal shows it made, is removed. Exits 0 only when nothing is left, 5
    when something is.

    \b
    Examples:
      workshop teardown                       where it was last set up
      workshop teardown --plan                what it would remove
      workshop teardown --target aws --yes    on AWS, without asking
      workshop teardown --sweep               without a journal, in every region
    """
    from workshop.cli.running import run

    return run(_teardown(common, only_plan, everywhere))


async def _teardown(common: Common, only_plan: bool, everywhere: bool) -> int:
    from workshop.aws.sessions import enabled_regions
    from workshop.cli.compose import open_workspace
    from workshop.cli.confirm import confirm
    from workshop.console.plan import plan_document, print_plan
    from workshop.console.progress import progress
    from workshop.engine.discover import Search, settled_where_found, settled_where_it_stands
    from workshop.engine.survey import survey, with_stakes
    from workshop.engine.workspace import Contexts

    start = time.monotonic()
    shown = progress()
    try:
        async with open_workspace(common, shown.notice) as found:
            opened, search = found, None
            shown.notice(f"Target: {opened.workspace.target.name}, account {opened.account}")
            if everywhere:
                search = Search(await enabled_regions(opened.workspace.doors[opened.account], opened.workspace.home))
                shown.notice(f"Searching {len(search.regions)} regions.")
                opened = replace(opened, workspace=await settled_where_found(opened.workspace, search, shown))
            else:
                opened = replace(opened, workspace=await settled_where_it_stands(opened.workspace, shown))
            if only_plan or opened.workspace.target.name == "aws":
                contexts = Contexts(opened.workspace, lambda _: None)
                points = await with_stakes(await survey(opened.workspace, opened.workspace.plan(), contexts), contexts)
                if only_plan:
                    shown.close()
                    if common.json:
                        plan_document("teardown", opened.workspace, opened.account, points)
                    else:
                        print_plan("teardown", opened.workspace, opened.identity, points)
                    return ExitCode.DONE
                confirm(common, "teardown", opened, points, shown)
            return await bring_down(common, opened, shown, start, search=search)
    finally:
        shown.close()


async def bring_down(common: Common, opened: Opened, shown: Progress, start: float, *, search: Search | None = None) -> int:
    """Take everything down under the lock and the journal, write the receipt, show the result, answer the exit code.

    In the regions of the search, what carries our tags under other names is reported too.
    """
    from workshop.cli.drill_session import commands_for, revert_faults
    from workshop.cli.guard import claim_left, guard
    from workshop.cli.running import interruptible
    from workshop.console.receipt import write_page
    from workshop.console.results import print_teardown, teardown_document
    from workshop.engine.execute import unless_stopped
    from workshop.engine.receipt import make_receipt, write_receipt
    from workshop.engine.teardown import take_down
    from workshop.engine.workspace import Contexts

    workspace, journal = opened.workspace, opened.workspace.journal
    contexts, plan = Contexts(workspace, shown), workspace.plan()
    leftovers: list[Resource] = []
    receipt = None
    again = retyped(common, "teardown --sweep" if search else "teardown", workspace.target.name)
    denied = search.denied if search else []
    async with interruptible(shown) as stop, guard(opened, "teardown", shown) as claim:
        claim.listen(stop.end)
        journal.begin_run(workspace.run, "teardown", opened.scope, opened.identity)
        await revert_faults(opened, commands_for(common, opened), shown.notice)
        results = await take_down(workspace, plan, contexts, shown, stop)
        found = await unless_stopped(stop, _everything_left(opened, plan, contexts, results, search, shown))
        if found is not None and not stop.asked:
            leftovers = [*found, *await claim_left(opened, claim)]
            made = make_receipt(
                workspace, opened.account, results, leftovers, since=opened.standing.since if opened.standing else "",
                by=opened.identity, again=again, unsearched=denied,
            )  # fmt: skip
            receipt = write_receipt(opened.folder / "receipts", made)
            write_page(receipt, made)
        code = _exit_code(results, leftovers, stop)
        journal.end_run(workspace.run, ok=code == ExitCode.DONE)
        if receipt is not None and not any(r.error for r in results) and not any(left.ours for left in leftovers):
            # Forgotten although foreign things of our names stand: a note that outlived its thing would claim theirs.
            journal.gone(opened.scope)
    shown.close()
    elsewhere = _also_stands(common, opened)
    answer = ExitCode.PARTLY if elsewhere and code == ExitCode.DONE else code
    if common.json:
        teardown_document(workspace, opened.account, results, leftovers, receipt, time.monotonic() - start, answer, denied)
    else:
        print_teardown(workspace, opened.account, results, leftovers, receipt, time.monotonic() - start, code, again, denied)
    for notice in elsewhere:
        shown.notice(notice)
    return answer


async def _everything_left(
    opened: Opened, plan: Plan, contexts: Contexts, results: Sequence[NodeResult], search: Search | None, shown: Progress
) -> list[Resource]:
    """What two sweeps of the plan, and a look for what the plan does not know, still find."""
    from workshop.cli.guard import claims_elsewhere
    from workshop.engine.discover import Search, under_other_names
    from workshop.engine.teardown import sweep
    from workshop.steps.base import MAY_STAND

    workspace = opened.workspace
    left = await sweep(plan, contexts, shown, results)
    if search is not None:
        left += await claims_elsewhere(opened, search.regions, shown)
    elif workspace.journal.remembers_made(opened.scope, MAY_STAND):
        search = Search(workspace.settings.regions)  # the definition may have changed since
    if search is not None:
        left += await under_other_names(workspace, search, left, shown)
        left += search.silent.values()
    return left


def _exit_code(results: Sequence[NodeResult], leftovers: Sequence[Resource], stop: Stop) -> int:
    if stop.asked:
        return ExitCode.FAILED if stop.fatal else ExitCode.INTERRUPTED
    if leftovers:
        return ExitCode.PARTLY
    errors = [result.error for result in results if result.error]
    if all(error.exit_code is ExitCode.PARTLY for error in errors):
        return ExitCode.PARTLY if errors else ExitCode.DONE
    return ExitCode.FAILED


def _also_stands(common: Common, opened: Opened) -> list[str]:
    """What costs money is never forgotten: other runs on AWS that still stand, each with its removal."""
    others = [
        standing for standing in opened.workspace.journal.standings(opened.workspace.name)
        if standing.scope.target == "aws" and standing.scope != opened.scope
    ]  # fmt: skip
    return [
        f"! {opened.workspace.name} still stands on AWS, in account {other.scope.account} since {other.since}."
        f" Remove it: {retyped(replace(common, profile=other.profile, regions=(), parameters={}), 'teardown', 'aws')}"
        for other in others
    ]
