"""`workshop observe`: the experiments with a global table, and what DNS answers, measured and plotted."""

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
    """Measure replication, conflicts of writes, and what DNS answers.

    The experiments use the workshop's own APIs and a counter of their own, which is removed again; asking DNS changes nothing.

    \b
    Examples:
      workshop observe replication --rounds 10
      workshop observe answers --queries 400 --workshop multi-region-backend
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


@command.command("answers")
@click.option(
    "--queries",
    type=click.IntRange(10, 10_000),
    default=200,
    show_default=True,
    envvar="WORKSHOP_QUERIES",
    help="How often to ask.",
)
@click.option(
    "--from", "source", metavar="SUBNET", envvar="WORKSHOP_FROM", help="Ask as from this network, such as 198.51.100.0/24."
)
@click.option("--name", default="", metavar="NAME", help="One of the workshop's `names:`; the first one without it.")
@common_options
@asynchronous
async def answers_command(invocation: Invocation, queries: int, source: str | None, name: str) -> int:
    """Ask the zone's own name servers many times, and compare the shares of the regions with the routing policy.

    A resolver would give the same answer until its TTL ends: what one of them sees is shown over three TTLs. Exits 1 when
    chance does not explain the difference (one time in a thousand it is chance all the same).

    \b
    Examples:
      workshop observe answers --workshop multi-region-backend
      workshop observe answers --workshop multi-region-backend --from 198.51.100.0/24
    """
    from workshop.app.answers import observe_answers
    from workshop.console.answers import answers_document, print_answers

    subnet = _subnet(source) if source else ""
    async with opened(invocation, named=True) as (session, progress):
        report = await observe_answers(session, name, queries, subnet, progress.notice)
        progress.close()
        if invocation.json:
            head = {
                "workshop": session.workspace.name,
                "target": session.workspace.target.name,
                "account": session.account,
                "regions": list(session.workspace.settings.regions),
            }
            answers_document(head, report.found, report.plot)
        else:
            print_answers(report.found, report.plot)
        return ExitCode.DONE if report.found.ok else ExitCode.FAILED


def _subnet(text: str) -> str:
    """The network with its length; a single address means the network around it that resolvers pass on."""
    import ipaddress

    try:
        address = ipaddress.ip_interface(text)
    except ValueError as error:
        what, fix = f"{text!r} is no network.", "Write it like 198.51.100.0/24"
        raise UsageError(what=what, fix=fix, code="Usage") from error
    if "/" in text:
        return str(address.network)
    return str(ipaddress.ip_network(f"{text}/{24 if address.version == 4 else 56}", strict=False))


async def _observe(invocation: Invocation, kind: str, regions: tuple[str, ...], rounds: int) -> int:
    from workshop.app.drill import commands_for
    from workshop.app.experiments import observe
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
