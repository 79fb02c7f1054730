"""`workshop policy`: the IAM policies that this workshop's steps need, and nothing else."""

from __future__ import annotations

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.terminal import asynchronous
from workshop.console.echo import say, say_json
from workshop.errors import ExitCode, UsageError

__all__ = ["command"]


@click.command("policy")
@click.option(
    "--phase",
    "phases",
    multiple=True,
    type=click.Choice(["setup", "teardown", "drill", "check"]),
    help="Only what this phase needs; repeat it. Default: all of them.",
)
@click.option("--split", is_flag=True, help="Print a list of policies even where one is enough.")
@click.option("--number", type=click.IntRange(min=1), help="Print one policy of the list, from 1.")
@click.option("--whole", is_flag=True, help="Print one document whatever its size, for an inline policy.")
@click.option("--why", is_flag=True, help="Print instead why some actions are allowed on every resource.")
@common_options
@asynchronous
async def command(
    invocation: Invocation, phases: tuple[str, ...], split: bool, number: int | None, whole: bool, why: bool
) -> int:
    """Print the least-privilege IAM policy of a workshop.

    It allows exactly what the steps need, narrowed by name, region and account. Where that is more than a managed policy of IAM
    holds, it is a list of policies, each valid by itself, to be attached together. The account is the one of --expect-account, or
    with --target aws the caller's; without either it is left open, which grants nothing outside the account that the policy is
    attached in. --json prints the same document.

    \b
    Examples:
      workshop policy --expect-account 111122223333 > policy.json
      workshop policy --phase check
      workshop policy --number 2 > policy-2.json
      workshop policy --why
    """
    from workshop.app.check import needed_policy
    from workshop.checks.policy import INLINE, MANAGED, document, everywhere, policies, size

    if sum((split, number is not None, whole, why)) > 1:
        raise UsageError(
            what="Only one of --split, --number, --whole and --why can be given.", fix="Leave the others out", code="Exclusive"
        )
    parts = await needed_policy(invocation, phases, lambda text: say(text, err=True))
    numbered, one = policies(parts), document(parts)
    if why:
        say_json(everywhere(parts))
        return ExitCode.DONE
    if number is not None and number > len(numbered):
        fix = f"Number {len(numbered)} is the last one" if len(numbered) > 1 else "Leave --number out"
        raise UsageError(what=f"There is no policy {number}.", fix=fix, code="NoSuchPolicy")
    if number is not None:
        say_json(numbered[number - 1])
    else:
        say_json(one if whole or (len(numbered) == 1 and not split) else numbered)
    if len(numbered) > 1 and number is None and not split:
        count = size(one)
        inline = f" As an inline policy of a role (at most {INLINE:,}): --whole." if count <= INLINE else ""
        advice = "" if whole else f" Print each with --number 1 to --number {len(numbered)}, and attach them all."
        say(f"{count:,} characters, and a managed policy takes {MANAGED:,}: these are {len(numbered)}.{advice}{inline}", err=True)
    return ExitCode.DONE
