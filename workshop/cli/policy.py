"""`workshop policy`: the IAM policy that this workshop's steps need, and nothing else."""

from __future__ import annotations

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.terminal import asynchronous
from workshop.console.echo import say, say_json
from workshop.errors import ExitCode

__all__ = ["command"]


@click.command("policy")
@click.option(
    "--phase",
    "phases",
    multiple=True,
    type=click.Choice(["setup", "teardown", "drill", "check"]),
    help="Only what this phase needs; repeat it. Default: all of them.",
)
@click.option("--split", is_flag=True, help="Print a list of policies, each small enough for a managed policy.")
@common_options
@asynchronous
async def command(invocation: Invocation, phases: tuple[str, ...], split: bool) -> int:
    """Print the least-privilege IAM policy of a workshop.

    It allows exactly what the steps need, narrowed by name, region and account. The account is the one of --expect-account, or
    with --target aws the caller's; without either it is left open, which grants nothing outside the account that the policy is
    attached in. --json prints the same document.

    \b
    Examples:
      workshop policy --expect-account 111122223333 > policy.json
      workshop policy --phase check
      workshop policy --split --region us-east-1 --region eu-west-1
    """
    from workshop.app.check import needed_policy
    from workshop.checks.policy import INLINE, MANAGED, document, policies, size

    parts = await needed_policy(invocation, phases, lambda text: say(text, err=True))
    whole = document(parts)
    say_json(policies(parts) if split else whole)
    count = size(whole)
    if not split and count > MANAGED:
        inline = f" It fits a role as an inline policy ({INLINE:,})." if count <= INLINE else ""
        say(f"{count:,} characters, and a managed policy takes {MANAGED:,}: print it in parts with --split.{inline}", err=True)
    return ExitCode.DONE
