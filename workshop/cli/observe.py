"""`workshop observe`: the experiments with a global table, measured and plotted."""

from __future__ import annotations

import dataclasses

import click

from workshop.cli.options import Common, common_options
from workshop.errors import ExitCode, UsageError

__all__ = ["command"]

rounds_option = click.option("--rounds", type=click.IntRange(1, 100), envvar="WORKSHOP_ROUNDS", help="How often.")


@click.group("observe")
def command() -> None:
    """Run the experiments of module 2: measured replication lag, and which write wins a conflict.

    They use the workshop's own APIs and a counter of their own, which is removed again.

    \b
    Examples:
      workshop observe replication --rounds 10
      workshop observe conflict
      workshop observe conflict --region eu-west-1 --region us-west-2
    """


@command.command("replication")
@rounds_option
@common_options
def replication_command(common: Common, rounds: int | None) -> int:
    """Write in one region, read in the other until it has the write; five rounds without --rounds.

    Two --region options name the writing and the reading region (home and the next one otherwise).

    \b
    Example:
      workshop observe replication --json
    """
    from workshop.cli.running import run

    common, regions = _without_regions(common)
    return run(_observe(common, "replication", regions, rounds or 5))


@command.command("conflict")
@rounds_option
@common_options
def conflict_command(common: Common, rounds: int | None) -> int:
    """Add one in one region, subtract one in the other within the lag, and see which write survives.

    \b
    Example:
      workshop observe conflict
    """
    from workshop.cli.running import run

    common, regions = _without_regions(common)
    return run(_observe(common, "conflict", regions, rounds or 1))


async def _observe(common: Common, kind: str, regions: tuple[str, ...], rounds: int) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.drill_session import commands_for, observe
    from workshop.cli.grant import require_grant
    from workshop.console.observe import observation_document, print_observation
    from workshop.console.progress import progress as open_progress
    from workshop.engine import lock

    progress = open_progress()
    try:
        async with open_workspace(common, progress.notice) as opened:
            progress.notice(f"Target: {opened.workspace.target.name}, account {opened.account}")
            words = " ".join([f"observe {kind}", *(f"--region {region}" for region in regions), f"--rounds {rounds}"])
            require_grant(dataclasses.replace(common, regions=()), opened, words, progress)
            with lock.hold(opened.folder / "locks", opened.scope, f"observe {kind}"):
                found = await observe(opened, kind, regions, rounds, commands_for(common, opened), progress.notice)
            progress.close()
            if common.json:
                head = {
                    "workshop": opened.workspace.name,
                    "target": opened.workspace.target.name,
                    "account": opened.account,
                    "regions": list(found.regions),
                }
                observation_document(head, kind, found.rounds, found.latency, found.plot)
            else:
                print_observation(kind, found.rounds, found.latency, found.plot)
            return ExitCode.DONE if found.ok else ExitCode.FAILED
    finally:
        progress.close()


def _without_regions(common: Common) -> tuple[Common, tuple[str, ...]]:
    """For experiments two `--region` options name the pair; the workshop's regions are those it is deployed in."""
    from click.core import ParameterSource

    if click.get_current_context().get_parameter_source("region") is not ParameterSource.COMMANDLINE:
        return common, ()
    if len(common.regions) != 2 or len(set(common.regions)) != 2:
        what, fix = "An experiment takes two regions.", "Name both, or none: --region A --region B"
        raise UsageError(what=what, fix=fix, code="Usage")
    return dataclasses.replace(common, regions=()), common.regions
