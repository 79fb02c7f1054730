"""The experiments with a global table, on a deployed workshop: replication and conflicts, measured and plotted.

In: a session, two regions, a number of rounds. Out: an `Observation`, which the command renders. The counter is removed again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workshop.app.connections import Notice
from workshop.app.drill import commands_for, deployment_of, fault_context, load_requests, undo_log_of, unknown_region
from workshop.app.machine_access import machine_access
from workshop.app.session import Session
from workshop.drill.api_client import http_client
from workshop.drill.counters import COUNTER_ROUTES, ApiCounter, Counter, StoredCounter
from workshop.drill.deployment import Deployment
from workshop.drill.machine_client import machine_tokens
from workshop.drill.observe import EXPERIMENTS, Experiment, ExperimentRunner, ReplicationLatency, replication_latency
from workshop.drill.own_rows import OwnRows, RowsJournal, RowsSnapshot
from workshop.drill.plot import plot_experiments
from workshop.drill.shielding import shielded
from workshop.engine.undos import BY_DRILL, Undo
from workshop.errors import UsageError, WorkshopError
from workshop.quoting import visible
from workshop.state_dir import prepare as prepare_folder
from workshop.state_dir import write_private

__all__ = ["Observation", "observe"]


@dataclass(frozen=True)
class Observation:
    """The rounds of an experiment between two regions, CloudWatch's figures, and the file of the plot."""

    kind: str
    regions: tuple[str, str]
    rounds: tuple[Experiment, ...]
    latency: ReplicationLatency
    plot: Path

    @property
    def ok(self) -> bool:
        return all(each.ok for each in self.rounds)


async def observe(session: Session, kind: str, wanted: tuple[str, ...], rounds: int, notice: Notice) -> Observation:
    """Run an experiment some times and save its plot. Its counter is removed again, whatever happens."""
    regions = _pair(session, wanted)
    found, latency = await _experiments(session, kind, regions, rounds, notice)
    plot = prepare_folder(session.folder / "reports") / f"observe-{kind}-{session.workspace.run}.svg"
    title = f"{kind.capitalize()} between {regions[0]} and {regions[1]}, {session.workspace.target.name}"
    write_private(plot, visible(plot_experiments(title, regions, found)))
    return Observation(kind, regions, tuple(found), latency, plot)


async def _experiments(
    session: Session, kind: str, regions: tuple[str, str], rounds: int, notice: Notice
) -> tuple[list[Experiment], ReplicationLatency]:
    undo_log, context, clock = undo_log_of(session), fault_context(session), session.workspace.clock
    spec = session.workspace.workshop.definition.drill
    stored = spec is not None and load_requests(session).shows_values
    try:
        deployment = await deployment_of(session, () if stored else COUNTER_ROUTES)
    except WorkshopError as error:
        raise (error if stored or error.code != "NoRoute" else _no_counter(session, error)) from error
    a, b = (deployment.in_region(region) for region in regions)
    access = machine_access(session, deployment, load_requests(session), commands_for(session)) if stored else None
    undos: list[Undo] = []

    def record(snapshot: str) -> None:
        undos.append(undo_log.record(OwnRows.name, regions[0], snapshot, BY_DRILL))

    counter = _stored(session, deployment.regions, record) if stored else _counted(session, deployment, record)
    found: list[Experiment] = []
    try:
        async with http_client() as client, machine_tokens(access, deployment.workshop, client, context, undo_log) as tokens:
            runner = ExperimentRunner(client, counter, commands_for(session), tokens)
            for number in range(1, rounds + 1):
                notice(f"Round {number} of {rounds}")
                found.append(await EXPERIMENTS[kind](runner, a, b))
        return found, await replication_latency(context.aws, clock, deployment.table, *regions)
    finally:
        await shielded(undo_log.undo_all(context, undos))


def _no_counter(session: Session, error: WorkshopError) -> UsageError:
    return UsageError(
        what=f"{session.workspace.name} has no counter that both regions could change.",
        why=f"No item of its load can be the counter, and its API does not count by itself: {error.what}",
        fix="Choose a workshop with one: --workshop global-serverless",
        code="NoCounter",
    )


def _stored(session: Session, regions: tuple[str, ...], record: Callable[[str], None]) -> Counter:
    """A counter in an item of the load that the definition describes."""
    requests = load_requests(session, f"observe-{session.workspace.run}")
    RowsJournal(requests, regions, record, block=1).cover(1)
    return StoredCounter(requests)


def _counted(session: Session, deployment: Deployment, record: Callable[[str], None]) -> Counter:
    """The counter of an API that counts by itself."""
    key = f"observe-{session.workspace.run}"
    snapshot = RowsSnapshot(table=deployment.table, regions=deployment.regions, key=key, partition={"PK": key})
    record(snapshot.model_dump_json())
    return ApiCounter(key)


def _pair(session: Session, wanted: tuple[str, ...]) -> tuple[str, str]:
    """The two regions of an experiment: the wanted ones, else home and the next one."""
    regions = session.workspace.settings.regions
    for region in wanted:
        if region not in regions:
            raise unknown_region(session, region, "An experiment takes two of the workshop's regions.", "two")
    pair = wanted or regions[:2]
    if len(pair) < 2:
        raise UsageError(
            what=f"{session.workspace.name} is deployed in one region only.",
            why="An experiment needs two.",
            fix=f"Set it up in two: {commands_for(session).setup_in_two(regions[0])}",
            code="OneRegion",
        )
    return pair[0], pair[1]
