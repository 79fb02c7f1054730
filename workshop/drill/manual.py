"""A fault that is set by hand and stays: for an audience that watches its own player fail over.

In: a deployment, a region, a fault. Out: one sentence about what was changed. Its undo is in the journal before; only
`workshop drill recover` reverts it.
"""

from __future__ import annotations

from workshop.drill.api_client import ApiClient
from workshop.drill.base import FaultContext
from workshop.drill.deployment import Deployment
from workshop.drill.run import DrillSpec, check_health
from workshop.drill.shielding import shielded
from workshop.drill.undo_log import UndoLog
from workshop.engine.undos import BY_HAND

__all__ = ["fail_region"]


async def fail_region(
    deployment: Deployment, spec: DrillSpec, context: FaultContext, client: ApiClient, undo_log: UndoLog
) -> str:
    """Fail the region; raises `WorkshopError` when some region fails already. A fault that fails halfway is reverted."""
    await check_health(deployment, spec.requests, client, spec.settings, context.commands)
    fault, regional = spec.fault, deployment.in_region(spec.region)
    snapshot = await fault.snapshot(context, deployment, regional)
    undo = undo_log.record(fault.name, spec.region, snapshot, BY_HAND)
    try:
        await fault.inject(context, regional, snapshot)
    except BaseException:
        await shielded(undo_log.undo(context, undo))
        raise
    return fault.plan(regional, snapshot)
