"""`workshop explain`: the AWS CLI lines that a person would type."""

from __future__ import annotations

import click

from workshop.cli.options import Common, common_options
from workshop.cli.step import chosen, in_option
from workshop.errors import ExitCode

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
        steps = []
        for node in chosen(whole, step, place).nodes:
            kind, ctx = contexts.lenient(node)
            steps.append({"id": node.key.step, "region": node.key.region, "commands": kind.commands(ctx)})
        if common.json:
            print_document(
                "explain", True, {"workshop": opened.workspace.name, "target": opened.workspace.target.name, "steps": steps}
            )
            return ExitCode.DONE
        if opened.workspace.target.name == "local":
            click.echo('eval "$(workshop cloud env)"\n')
        for entry in steps:
            click.echo(f"# {entry['id']} ({entry['region']})")
            for line in entry["commands"]:
                click.echo(line)
            click.echo()
    return ExitCode.DONE
