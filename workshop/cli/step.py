"""`workshop step`: one step by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from workshop.cli.options import Common, common_options
from workshop.console.echo import say
from workshop.errors import ExitCode, UsageError, WorkshopError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workshop.engine.plan import Plan

__all__ = ["chosen", "command", "in_option"]

in_option = click.option("--in", "place", metavar="REGION", help="Only in this region of the workshop.")


@click.group("step")
def command() -> None:
    """One step by itself: create the table, add the replica, load, deploy, render.

    \b
    Examples:
      workshop step list
      workshop step show api --template --in us-west-2
      workshop step run data
    """


@command.command("list")
@common_options
def list_steps(common: Common) -> int:
    """List the steps of the workshop, module by module.

    \b
    Example:
      workshop step list --workshop ./mine
    """
    from workshop.console.steps import print_steps, steps_document
    from workshop.definition.loader import load

    definition = load(common.workshop).definition
    (steps_document if common.json else print_steps)(definition)
    return ExitCode.DONE


@command.command("show")
@click.argument("step")
@click.option("--template", is_flag=True, help="Print the rendered CloudFormation template.")
@in_option
@common_options
def show(common: Common, step: str, template: bool, place: str | None) -> int:
    """Show one step: its settings filled in, what it needs, minutes and cost; or its rendered template.

    \b
    Example:
      workshop step show table
    """
    from workshop.cli.running import run

    return run(_show(common, step, template, place))


@command.command("run")
@click.argument("step")
@in_option
@common_options
def run_step(common: Common, step: str, place: str | None) -> int:
    """Bring one step to ready. What it needs must stand already.

    \b
    Example:
      workshop step run replica --in eu-west-1
    """
    from workshop.cli.running import run

    return run(_run(common, step, place))


def chosen(plan: Plan, step: str | None, place: str | None) -> Plan:
    """The nodes of one step, or of all, in one region, or in all; raises `UsageError` for names that are not there."""
    names = sorted({node.key.step for node in plan.nodes})
    if step is not None and step not in names:
        raise UsageError(f"There is no step {step!r}.", "", f"Steps: {', '.join(names)}", code="UnknownStep")
    selected = plan.select(lambda node: step in (None, node.key.step) and place in (None, node.key.region))
    if not selected.nodes:
        places = sorted({node.key.region for node in plan.nodes if step in (None, node.key.step)})
        raise UsageError(f"Nothing of that runs in {place}.", "", f"It runs in: {', '.join(places)}", code="UnknownRegion")
    return selected


async def _show(common: Common, step: str, template: bool, place: str | None) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.console.document import print_document
    from workshop.console.progress import progress
    from workshop.console.steps import print_step, step_document
    from workshop.engine.workspace import Contexts
    from workshop.steps.cloudformation_stack import CloudFormationStack

    shown = progress()
    shown.close()
    async with open_workspace(common, shown.notice, offline=True) as opened:
        contexts = Contexts(opened.workspace, lambda _: None)
        whole = opened.workspace.plan()
        contexts.remember(whole)
        nodes = chosen(whole, step, place).nodes
        kind, ctx = contexts.lenient(nodes[0])
        if template:
            if not isinstance(kind, CloudFormationStack):
                raise UsageError(
                    f"The step {step} has no template.", f"It is a {kind.kind}.", "Leave --template out", code="NoTemplate"
                )
            if common.json:
                where = {"id": step, "region": nodes[0].key.region}
                print_document("step show", True, {**where, "template": kind.template(ctx)})
            else:
                say(kind.template(ctx), nl=False)
            return ExitCode.DONE
        (step_document if common.json else print_step)(nodes, kind, ctx)
        return ExitCode.DONE


async def _run(common: Common, step: str, place: str | None) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.confirm import confirm
    from workshop.cli.setup import bring_up
    from workshop.console.progress import progress
    from workshop.engine.setup import check_files
    from workshop.engine.survey import survey
    from workshop.engine.workspace import Contexts

    start = time.monotonic()
    shown = progress()
    try:
        async with open_workspace(common, shown.notice) as opened:
            shown.notice(f"Target: {opened.workspace.target.name}, account {opened.account}")
            whole = opened.workspace.plan()
            wanted = chosen(whole, step, place)
            await check_files(opened.workspace, wanted)
            contexts = Contexts(opened.workspace, shown)
            points = await survey(opened.workspace, _needed(whole, wanted), contexts)
            _raise_for_missing(whole, wanted, points)
            if opened.workspace.target.name == "aws":
                confirm(common, "setup", opened, [p for p in points if p.node.key.step == step], shown, words=f"step run {step}")
            return await bring_up(common, opened, wanted, contexts, shown, start, step=step)
    finally:
        shown.close()


def _needed(whole: Plan, wanted: Plan) -> Plan:
    """The wanted nodes and everything before them."""
    by_key = {node.key: node for node in whole.nodes}
    keys: set[Any] = set()
    todo = [node.key for node in wanted.nodes]
    while todo:
        key = todo.pop()
        if key not in keys:
            keys.add(key)
            todo += by_key[key].needs
    return whole.select(lambda node: node.key in keys)


def _raise_for_missing(whole: Plan, wanted: Plan, points: Sequence[Any]) -> None:
    from workshop.steps.base import State

    own = {node.key for node in wanted.nodes}
    needs = {need for node in whole.nodes if node.key in own for need in node.needs if need not in own}
    for point in points:
        if point.node.key in needs and point.observed.state is not State.READY:
            raise WorkshopError(
                f"The step {wanted.nodes[0].key.step} needs {point.node.key} first.", f"That is {point.observed.state.value}.",
                f"Run: workshop step run {point.node.key.step}, or all of it: workshop setup", code="Needs",
            )  # fmt: skip
