"""`workshop policy`: the IAM policy that this workshop's steps need, and nothing else."""

from __future__ import annotations

import click

from workshop.cli.options import Common, common_options
from workshop.console.echo import say, say_json
from workshop.errors import UsageError

__all__ = ["command"]

ANY_ACCOUNT = "*"
"""IAM takes it in place of an account number; a policy only ever grants what is in its own account."""


@click.command("policy")
@click.option(
    "--phase",
    "phases",
    multiple=True,
    type=click.Choice(["setup", "teardown", "drill", "check"]),
    help="Only what this phase needs; repeat it. Default: all of them.",
)
@click.option("--split", is_flag=True, help="Print a list of policies, each small enough for a managed policy.")
@common_options  # fmt: skip
def command(common: Common, phases: tuple[str, ...], split: bool) -> int:
    """Print the least-privilege IAM policy for exactly this workshop's steps.

    Resources are narrowed by name, region and account. The account is the one of --expect-account, or with --target aws the
    caller's; without either it is left open, which grants nothing outside the account that the policy is attached in. --json
    prints the same document.

    \b
    Examples:
      workshop policy --expect-account 111122223333 > policy.json
      workshop policy --phase check
      workshop policy --split --region us-east-1 --region eu-west-1
    """
    from workshop.cli.running import run

    return run(_policy(common, phases, split))


async def _policy(common: Common, phases: tuple[str, ...], split: bool) -> int:
    from workshop.checks.catalogue import needed_permissions
    from workshop.checks.policy import INLINE, MANAGED, document, policies, size, statements
    from workshop.cli.subject import Wanted, open_subject, open_unconnected
    from workshop.errors import ExitCode

    if common.target == "aws" and not common.expect_account:
        opened = open_subject(common, Wanted(), lambda text: say(text, err=True))
    else:
        opened = open_unconnected(common, common.expect_account or ANY_ACCOUNT)
    async with opened as subject:
        if subject.caller is None and subject.caller_error is not None:
            raise subject.caller_error
        if subject.problems and not subject.stops:
            raise subject.problems[0].error()
        wanted = [p for p in needed_permissions(subject) if not phases or p.phase.value in phases]
    parts = statements(wanted)
    if not parts:
        raise UsageError(
            f"No step needs anything in the phase {', '.join(phases)}.", "", "Leave --phase out to see all", code="EmptyPolicy"
        )
    whole = document(parts)
    say_json(policies(parts) if split else whole)
    count = size(whole)
    if not split and count > MANAGED:
        inline = f" It fits a role as an inline policy ({INLINE:,})." if count <= INLINE else ""
        say(f"{count:,} characters, and a managed policy takes {MANAGED:,}: print it in parts with --split.{inline}", err=True)
    return ExitCode.DONE
