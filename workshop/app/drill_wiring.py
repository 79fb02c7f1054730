"""Crosses the health checks of two regions on purpose, shows what happens, and puts everything back.

In: a session, a region, a number of questions. Out: what was measured, and the drawing of the crossed wiring.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from workshop.app.connections import Notice
from workshop.app.drill import (
    commands_for,
    fault_context,
    not_drillable,
    revert_left_over,
    stack_names,
    undo_log_of,
    unknown_region,
)
from workshop.app.runs import Watch
from workshop.app.session import Session
from workshop.drill.api_client import http_client
from workshop.drill.base import FaultContext
from workshop.drill.deployment import find_regions
from workshop.drill.registry import fault_named
from workshop.drill.undo_log import UndoLog
from workshop.drill.wiring import WiringDrill, WiringResult, run_wiring
from workshop.drill.wiring_plot import draw_wiring
from workshop.engine.workspace import Contexts
from workshop.quoting import visible
from workshop.state_dir import prepare as prepare_folder
from workshop.state_dir import write_private
from workshop.steps.route53.authority import zone_and_authority

__all__ = ["FAULT", "PreparedWiring", "prepare_wiring", "run_prepared_wiring"]

FAULT = "health"
"""How the region is broken: its functions report themselves unhealthy, and calls of the health route fail."""


@dataclass(frozen=True)
class PreparedWiring:
    """A drill that can begin; `change` is one sentence about what will be changed. Nothing is changed yet."""

    drill: WiringDrill
    context: FaultContext
    undo_log: UndoLog
    change: str


async def prepare_wiring(session: Session, region: str, queries: int, notice: Notice) -> PreparedWiring:
    """Find the name and the deployment, and revert what a killed drill left.

    Raises `UsageError` for a workshop without a routed name, and for a region that cannot be broken.
    """
    undo_log, context, workspace = undo_log_of(session), fault_context(session), session.workspace
    regions = workspace.settings.regions
    if region and region not in regions:
        raise unknown_region(session, region, "The drill breaks one of the workshop's regions.", "one")
    name, zone_id = _routed_name(session)
    aws, commands = workspace.clients[session.account], commands_for(session)
    deployment = await find_regions(aws, workspace.target, stack_names(session), commands)
    await revert_left_over(undo_log, context, notice)
    zone, authority = await zone_and_authority(aws, workspace.target, name, zone_id)
    fault, broken = fault_named(FAULT), region or regions[0]
    regional = deployment.in_region(broken)
    snapshot = await fault.snapshot(context, deployment, regional)
    drill = WiringDrill(zone, name, authority, deployment, broken, fault, queries, commands.options)
    change = f"The health checks of two records of {name} are exchanged and put back. {fault.plan(regional, snapshot)}"
    return PreparedWiring(drill, context, undo_log, change)


async def run_prepared_wiring(session: Session, prepared: PreparedWiring, watch: Watch) -> tuple[WiringResult, Path] | None:
    """Drill and put everything back; None when it was stopped. The run is in the journal, the drawing in the reports."""
    journal, run, done = session.workspace.journal, session.workspace.run, False
    journal.begin_run(run, "drill wiring", session.scope)
    try:
        async with http_client() as client:
            task = asyncio.create_task(
                run_wiring(prepared.drill, prepared.context, session.workspace.target, client, prepared.undo_log, watch.notice)
            )

            def stopped() -> None:
                watch.notice("Stopping: everything is being put back. Press Ctrl-C again to end at once.")
                task.cancel()

            watch.stop.listen(stopped)
            if watch.stop.asked:
                stopped()
            try:
                result = await task
            except asyncio.CancelledError:
                return None
        done = True
        path = prepare_folder(session.folder / "reports") / f"wiring-{run}.svg"
        write_private(path, visible(draw_wiring(result.crossed)))
        return result, path
    finally:
        journal.end_run(run, ok=done)


def _routed_name(session: Session) -> tuple[str, str]:
    """The first name that a step leads to several regions, and the id of its zone where it is known."""
    workspace = session.workspace
    contexts, plan = Contexts(workspace, lambda _: None), workspace.plan()
    contexts.remember(plan)
    for node in plan.nodes:
        step, ctx = contexts.context(node, missing="blank")
        if step.routed_name(ctx) and (name := step.wired_name(ctx)):
            return name, ctx.params.zone
    raise not_drillable(session, "has no step that writes the records of a name for several regions")
