"""`workshop explain`: the AWS CLI lines that a person would type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workshop.cli.options import Common, common_options
from workshop.cli.step import chosen, in_option
from workshop.console.echo import say
from workshop.errors import ExitCode
from workshop.shell import comment

if TYPE_CHECKING:
    from workshop.engine.plan import Node
    from workshop.engine.workspace import Contexts

__all__ = ["command"]


@click.command("explain")
@click.argument("step", required=False)
@in_option
@common_options
def command(common: Common, step: str | None, place: str | None) -> int:
    """Print the AWS CLI lines that a person would type for a step, or for the whole workshop, with real values.

    Makes no call. On the local cloud, first run: eval "$(workshop cloud env)"

    \b
    Examples:
      workshop explain
      workshop explain replica
    """
    from workshop.cli.running import run

    return run(_explain(common, step, place))


async def _explain(common: Common, step: str | None, place: str | None) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.console.document import print_document
    from workshop.console.progress import progress
    from workshop.engine.workspace import Contexts

    shown = progress()
    shown.close()
    async with open_workspace(common, shown.notice, offline=True) as opened:
        contexts = Contexts(opened.workspace, lambda _: None)
        whole = opened.workspace.plan()
        contexts.remember(whole)
        target = opened.workspace.target.name
        lines = [(node.key, _commands(contexts, node)) for node in chosen(whole, step, place).nodes]
        if common.json:
            steps = [{"id": key.step, "region": key.region, "commands": commands} for key, commands in lines]
            print_document("explain", True, {"workshop": opened.workspace.name, "target": target, "steps": steps})
            return ExitCode.DONE
        say(comment([opened.workspace.name, "on", target]))
        if target == "local":
            say('eval "$(workshop cloud env)"')
        say()
        for key, commands in lines:
            say("\n".join([comment([key.step, "in", key.region]), *commands, ""]))
    return ExitCode.DONE


def _commands(contexts: Contexts, node: Node) -> list[str]:
    """The node's lines; where a value comes from a step that does not stand yet, a remark in their place."""
    from workshop.definition.templating import MissingOutputError

    try:
        kind, ctx = contexts.strict(node)
    except MissingOutputError:
        remark = "needs what earlier steps make, shown after: workshop setup"
        return [comment([*remark.split(), *contexts.workspace.given])]
    return kind.commands(ctx)
