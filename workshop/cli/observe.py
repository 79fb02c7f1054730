"""`workshop observe`: the experiments with a global table, measured and plotted."""

from __future__ import annotations

import dataclasses

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.questions import require_grant
from workshop.cli.terminal import asynchronous, opened
from workshop.errors import ExitCode, UsageError

__all__ = ["command"]

rounds_option = click.option("--rounds", type=click.IntRange(1, 100), envvar="WORKSHOP_ROUNDS", help="How often.")


@click.group("observe")
def command() -> None:
    """Measure replication lag, and see which write wins a conflict.

    These are the experiments of module 2. They use the workshop's own APIs and a counter of their own, which is removed again.

    \b
    Examples:
      workshop observe replication --rounds 10
      workshop observe conflict
      workshop observe conflict --region eu-west-1 --region us-west-2
    """


@command.command("replication")
@rounds_option
@common_options
@asynchronous
async def replication_command(invocation: Invocation, rounds: int | None) -> int:
    """Write in one region, read in the other until it has the write; five rounds without --rounds.

    Two --region options name the writing and the reading region (home and the next one otherwise).

    \b
    Example:
      workshop observe replication --json
    """
    invocation, regions = _without_regions(invocation)
    return await _observe(invocation, "replication", regions, rounds or 5)


@command.command("conflict")
@rounds_option
@common_options
@asynchronous
async def conflict_command(invocation: Invocation, rounds: int | None) -> int:
    """Add one in one region, subtract one in the other within the lag, and see which write survives.

    \b
    Example:
      workshop observe conflict
    """
    invocation, regions = _without_regions(invocation)
    return await _observe(invocation, "conflict", regions, rounds or 1)


async def _observe(invocation: Invocation, kind: str, regions: tuple[str, ...], rounds: int) -> int:
    from workshop.app.drill import commands_for, observe
    from workshop.app.locking import locked_here
    from workshop.console.observe import observation_document, print_observation

    async with opened(invocation, named=True) as (session, progress):
        words = " ".join([f"observe {kind}", *(f"--region {region}" for region in regions), f"--rounds {rounds}"])
        session = require_grant(session, commands_for(session).line(words), progress)  # noqa: PLW2901
        with locked_here(session, f"observe {kind}"):
            found = await observe(session, kind, regions, rounds, progress.notice)
        progress.close()
        if invocation.json:
            head = {
                "workshop": session.workspace.name,
                "target": session.workspace.target.name,
                "account": session.account,
                "regions": list(found.regions),
            }
            observation_document(head, kind, found.rounds, found.latency, found.plot)
        else:
            print_observation(kind, found.rounds, found.latency, found.plot)
        return ExitCode.DONE if found.ok else ExitCode.FAILED


def _without_regions(invocation: Invocation) -> tuple[Invocation, tuple[str, ...]]:
    """For experiments two `--region` options name the pair; the workshop's regions are those it is deployed in."""
    from click.core import ParameterSource

    if click.get_current_context().get_parameter_source("region") is not ParameterSource.COMMANDLINE:
        return invocation, ()
    if len(invocation.regions) != 2 or len(set(invocation.regions)) != 2:
        what, fix = "An experiment takes two regions.", "Name both, or none: --region A --region B"
        raise UsageError(what=what, fix=fix, code="Usage")
    return dataclasses.replace(invocation, regions=()), invocation.regions
