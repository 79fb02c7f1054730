"""`workshop step`: one step by itself."""

from __future__ import annotations

import json

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options, in_option
from workshop.cli.questions import confirm, require_grant
from workshop.cli.terminal import asynchronous, interruptible, opened
from workshop.console.echo import say
from workshop.errors import ExitCode, UsageError

__all__ = ["command"]


@click.group("step")
def command() -> None:
    """List the steps, show one, or run one by itself.

    \b
    Examples:
      workshop step list
      workshop step show api --template --in us-west-2
      workshop step run data
    """


@command.command("list")
@common_options
def list_steps(invocation: Invocation) -> int:
    """List the steps of the workshop, module by module.

    \b
    Example:
      workshop step list --workshop ./mine
    """
    from workshop.console.steps import print_steps, steps_document
    from workshop.definition.loader import load

    definition = load(invocation.workshop).definition
    (steps_document if invocation.json else print_steps)(definition)
    return ExitCode.DONE


@command.command("show")
@click.argument("step")
@click.option("--template", is_flag=True, help="Print the rendered CloudFormation template.")
@click.option("--file", "request", is_flag=True, help="Print the items' request file, or the configuration of the pages.")
@in_option
@common_options
@asynchronous
async def show(invocation: Invocation, step: str, template: bool, request: bool, in_region: str | None) -> int:
    """Show one step: its settings filled in, what it needs, minutes and cost; or its rendered template, or its request file.

    \b
    Examples:
      workshop step show table
      workshop step show api --template --in us-west-2
      workshop step show data --file > items.json
    """
    from workshop.app.inspect import rendered, shown_step
    from workshop.console.document import print_document
    from workshop.console.steps import print_step, step_document

    if template and request:
        raise UsageError(
            what="--template and --file cannot be given together.",
            why="A step has one of the two.",
            fix="Leave one out",
            code="Usage",
        )
    async with opened(invocation, no_calls=True, silent=True) as (session, _):
        found = shown_step(session, step, in_region)
        part = "template" if template else "file" if request else ""
        if not part:
            (step_document if invocation.json else print_step)(found.nodes, found.kind, found.ctx)
            return ExitCode.DONE
        text = rendered(found, part)
        if invocation.json:
            content = json.loads(text) if part == "file" else text
            print_document("step show", True, {"id": step, "region": found.nodes[0].key.region, part: content})
        else:
            say(text, nl=False)
        return ExitCode.DONE


@command.command("run")
@click.argument("step")
@in_option
@common_options
@asynchronous
async def run_step(invocation: Invocation, step: str, in_region: str | None) -> int:
    """Bring one step to ready. What it needs must be ready already.

    \b
    Example:
      workshop step run replica --in eu-west-1
    """
    from workshop.app.setup import needed_plan, plan_report, selected, setup
    from workshop.console.results import show_setup
    from workshop.engine.setup import check_files

    async with opened(invocation, named=True) as (session, progress):
        whole = session.workspace.plan()
        wanted = selected(session.workspace, whole, step, in_region)
        await check_files(session.workspace, wanted)
        line = session.command_line(f"step run {step}")
        session = require_grant(session, line, progress)  # noqa: PLW2901
        points = await needed_plan(session, whole, wanted)
        if session.on_aws:
            own = [point for point in points if point.node.key.step == step]
            confirm(session, plan_report(session, own), progress, line=line)
        async with interruptible(progress) as watch:
            report = await setup(session, wanted, watch, step=step, needed=points)
        show_setup(report, json=invocation.json)
        return report.code
