"""`workshop explain`: the AWS CLI commands that do what a step does."""

from __future__ import annotations

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options, in_option
from workshop.cli.terminal import asynchronous, opened
from workshop.console.echo import say
from workshop.errors import ExitCode
from workshop.shell import comment

__all__ = ["command"]


@click.command("explain")
@click.argument("step", required=False)
@in_option
@common_options
@asynchronous
async def command(invocation: Invocation, step: str | None, in_region: str | None) -> int:
    """Print the AWS CLI commands of a step, with real values.

    They do what setup does for the step, or without STEP for the whole workshop, and can be pasted. Makes no call. On the local
    cloud, first run: eval "$(workshop cloud env)"

    \b
    Examples:
      workshop explain
      workshop explain replica
    """
    from workshop.app.inspect import explained
    from workshop.console.document import print_document

    async with opened(invocation, no_calls=True, silent=True) as (session, _):
        name, target = session.workspace.name, session.workspace.target.name
        lines = explained(session, step, in_region)
    if invocation.json:
        steps = [{"id": key.step, "region": key.region, "commands": commands} for key, commands in lines]
        print_document("explain", True, {"workshop": name, "target": target, "steps": steps})
        return ExitCode.DONE
    say(comment([name, "on", target]))
    if target == "local":
        say('eval "$(workshop cloud env)"')
    say()
    for key, commands in lines:
        say("\n".join([comment([key.step, "in", key.region]), *commands, ""]))
    return ExitCode.DONE
