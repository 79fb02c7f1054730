"""`workshop observe`: the experiments with a global table, measured and plotted."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from workshop.cli.options import Common, common_options
from workshop.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from workshop.cli.compose import Opened
    from workshop.console.progress import Progress
    from workshop.drill.metric import Latency
    from workshop.drill.observe import Experiment

__all__ = ["command"]

rounds_option = click.option("--rounds", type=click.IntRange(1, 100), envvar="WORKSHOP_ROUNDS", help="How often.")


@click.group("observe")
def command() -> None:
    """Run the experiments of module 2: measured replication lag, and who wins a conflict.

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
def replication(common: Common, rounds: int | None) -> int:
    """Write in one region, ask the other until it has it; five rounds unless --rounds says otherwise.

    Two --region options name the writing and the asking region (home and the next one otherwise).

    \b
    Example:
      workshop observe replication --json
    """
    from workshop.cli.running import run

    return run(_observe(common, "replication", rounds or 5))


@command.command("conflict")
@rounds_option
@common_options
def conflict(common: Common, rounds: int | None) -> int:
    """Add one in one region, take one away in the other within the lag, and see which write stands.

    \b
    Example:
      workshop observe conflict
    """
    from workshop.cli.running import run

    return run(_observe(common, "conflict", rounds or 1))


async def _observe(common: Common, kind: str, rounds: int) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.grant import require_grant
    from workshop.console.observe import observation_document, print_observation
    from workshop.console.progress import progress
    from workshop.drill.observe_plot import plot_experiments
    from workshop.engine import lock
    from workshop.home import prepare, write_private

    common, wanted = _pair(common)
    shown = progress()
    try:
        async with open_workspace(common, shown.notice) as opened:
            shown.notice(f"Target: {opened.workspace.target.name}, account {opened.account}")
            regions = _chosen(opened, wanted)
            require_grant(common, opened, f"observe {kind}", shown)
            with lock.hold(opened.folder / "locks", opened.scope, f"observe {kind}"):
                found, latency = await _experiments(opened, shown, kind, regions, rounds)
            shown.close()
            svg = prepare(opened.folder / "reports") / f"observe-{kind}-{opened.workspace.run}.svg"
            title = f"{kind.capitalize()} between {regions[0]} and {regions[1]}, {opened.workspace.target.name}"
            write_private(svg, plot_experiments(title, regions, found))
            if common.json:
                head = {
                    "workshop": opened.workspace.name, "target": opened.workspace.target.name, "account": opened.account,
                    "regions": list(regions),
                }  # fmt: skip
                observation_document(head, kind, found, latency, svg)
            else:
                print_observation(kind, found, latency, svg)
            return ExitCode.DONE if all(each.ok for each in found) else ExitCode.FAILED
    finally:
        shown.close()


async def _experiments(
    opened: Opened, shown: Progress, kind: str, regions: tuple[str, str], rounds: int
) -> tuple[list[Experiment], Latency]:
    """All rounds; the counter's removal is owed before its first write, and done whatever happens."""
    from workshop.cli.scene import ledger_of, means_of, scene_of
    from workshop.drill.bookmarks import Bookmarks, memory_of
    from workshop.drill.caller import http_caller
    from workshop.drill.metric import replication_latency
    from workshop.drill.observe import Lab, conflict, replication
    from workshop.drill.run import undisturbed
    from workshop.engine.undos import BY_DRILL

    scene = await scene_of(opened)
    ledger, means = ledger_of(opened), means_of(opened, shown.notice)
    key = f"observe-{opened.workspace.run}"
    a, b = (scene.place(region) for region in regions)
    owed = ledger.owe(Bookmarks.name, regions[0], memory_of(scene.table, scene.regions, key), BY_DRILL)
    found: list[Experiment] = []
    try:
        async with http_caller() as caller:
            lab = Lab(caller, opened.workspace.clock, key)
            experiment = replication if kind == "replication" else conflict
            for number in range(1, rounds + 1):
                shown.notice(f"Round {number} of {rounds}")
                found.append(await experiment(lab, a, b))
        latency = await replication_latency(means.aws, means.clock, scene.table, *regions)
    finally:
        await undisturbed(ledger.settle(means, owed))
    return found, latency


def _pair(common: Common) -> tuple[Common, tuple[str, ...]]:
    """For experiments two `--region` options name the pair; the workshop's regions are those it stands in."""
    from click.core import ParameterSource

    if click.get_current_context().get_parameter_source("region") is not ParameterSource.COMMANDLINE:
        return common, ()
    if len(common.regions) != 2 or len(set(common.regions)) != 2:
        raise UsageError("An experiment takes two regions.", "", "Name both, or none: --region A --region B", code="Usage")
    return dataclasses.replace(common, regions=()), common.regions


def _chosen(opened: Opened, wanted: tuple[str, ...]) -> tuple[str, str]:
    regions = opened.workspace.settings.regions
    for region in wanted:
        if region not in regions:
            raise UsageError(
                f"{opened.workspace.name} does not stand in {region}.", "",
                f"Name two of: {', '.join(regions)}", code="UnknownRegion",
            )  # fmt: skip
    pair = wanted or regions[:2]
    if len(pair) < 2:
        raise UsageError(
            f"{opened.workspace.name} stands in one region only.", "An experiment needs two.",
            "Set it up in two: workshop setup --region us-west-2 --region eu-west-1", code="OneRegion",
        )  # fmt: skip
    return pair[0], pair[1]
