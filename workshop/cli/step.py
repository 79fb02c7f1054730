"""`workshop step`: one step by itself."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from workshop.cli.options import Common, common_options, retyped
from workshop.console.echo import say
from workshop.errors import ExitCode, UsageError, WorkshopError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workshop.engine.plan import Plan
    from workshop.steps.base import Context, Step

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
@click.option("--file", "request", is_flag=True, help="Print the items' request file, under the table's name.")
@in_option
@common_options
def show(common: Common, step: str, template: bool, request: bool, place: str | None) -> int:
    """Show one step: its settings filled in, what it needs, minutes and cost; or its rendered template, or its request file.

    \b
    Examples:
      workshop step show table
      workshop step show api --template --in us-west-2
      workshop step show data --file > items.json
    """
    from workshop.cli.running import run

    if template and request:
        raise UsageError(
            what="--template and --file cannot be given together.", why="A step has one of the two.", fix="Leave one out",
            code="Usage",
        )  # fmt: skip
    return run(_show(common, step, "template" if template else "file" if request else "", place))


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


async def _show(common: Common, step: str, part: str, place: str | None) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.console.document import print_document
    from workshop.console.progress import progress
    from workshop.console.steps import print_step, step_document
    from workshop.engine.workspace import Contexts

    shown = progress()
    shown.close()
    async with open_workspace(common, shown.notice, offline=True) as opened:
        contexts = Contexts(opened.workspace, lambda _: None)
        whole = opened.workspace.plan()
        contexts.remember(whole)
        nodes = chosen(whole, step, place).nodes
        kind, ctx = contexts.lenient(nodes[0])
        if part:
            text = _part(part, kind, ctx)
            if common.json:
                shown_part = json.loads(text) if part == "file" else text
                print_document("step show", True, {"id": step, "region": nodes[0].key.region, part: shown_part})
            else:
                say(text, nl=False)
            return ExitCode.DONE
        (step_document if common.json else print_step)(nodes, kind, ctx)
        return ExitCode.DONE


def _part(part: str, kind: Step[Any], ctx: Context[Any]) -> str:
    """The rendered template or the request file of a step; raises `UsageError` for a step that has none."""
    from workshop.steps.cloudformation_stack import CloudFormationStack
    from workshop.steps.dynamodb_items import DynamoDBItems

    if part == "template" and isinstance(kind, CloudFormationStack):
        return kind.template(ctx)
    if part == "file" and isinstance(kind, DynamoDBItems):
        return "".join(kind.request(ctx))
    raise UsageError(
        what=f"The step {ctx.step} has no {part}.", why=f"It is a {kind.kind}.", fix=f"Leave --{part} out",
        code=f"No{part.capitalize()}",
    )  # fmt: skip


async def _run(common: Common, step: str, place: str | None) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.confirm import confirm
    from workshop.cli.grant import require_grant
    from workshop.cli.setup import bring_up
    from workshop.console.progress import progress
    from workshop.engine.setup import check_files
    from workshop.engine.survey import survey
    from workshop.engine.workspace import Contexts

    start = time.monotonic()
    shown = progress()
    try:
        async with open_workspace(common, shown.notice) as found:
            opened = found
            shown.notice(f"Target: {opened.workspace.target.name}, account {opened.account}")
            whole = opened.workspace.plan()
            wanted = chosen(whole, step, place)
            await check_files(opened.workspace, wanted)
            opened = require_grant(common, opened, f"step run {step}", shown)
            contexts = Contexts(opened.workspace, shown)
            points = await survey(opened.workspace, _needed(whole, wanted), contexts)
            _raise_for_missing(common, opened.workspace.target.name, whole, wanted, points)
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


def _raise_for_missing(common: Common, target: str, whole: Plan, wanted: Plan, points: Sequence[Any]) -> None:
    from workshop.steps.base import State

    own = {node.key for node in wanted.nodes}
    needs = {need for node in whole.nodes if node.key in own for need in node.needs if need not in own}
    for point in points:
        if point.node.key in needs and point.observed.state is not State.READY:
            raise WorkshopError(
                f"The step {wanted.nodes[0].key.step} needs {point.node.key} first.", f"That is {point.observed.state.value}.",
                f"Run: {retyped(common, f'step run {point.node.key.step}', target)}, "
                f"or all of it: {retyped(common, 'setup', target)}",
                code="Needs",
            )  # fmt: skip
