"""A fault that is set by hand and stays: for an audience that watches its own player fail over.

In: a deployment, a region, a fault. Out: one sentence about what was changed. Its undo is in the journal before; only
`workshop drill recover` reverts it.
"""

from __future__ import annotations

from workshop.drill.api_client import ApiClient
from workshop.drill.base import FaultContext, RegionFault
from workshop.drill.deployment import Deployment
from workshop.drill.run import check_health, shielded
from workshop.drill.settings import FailoverSettings
from workshop.drill.undo_log import UndoLog
from workshop.engine.undos import BY_HAND

__all__ = ["fail_region"]


async def fail_region(
    deployment: Deployment,
    region: str,
    fault: RegionFault,
    settings: FailoverSettings,
    context: FaultContext,
    client: ApiClient,
    undo_log: UndoLog,
) -> str:
    """Fail the region; raises `WorkshopError` when some region fails already. A fault that fails halfway is reverted."""
    await check_health(deployment, client, settings, context.commands)
    regional = deployment.in_region(region)
    snapshot = await fault.snapshot(context, deployment, regional)
    undo = undo_log.record(fault.name, region, snapshot, BY_HAND)
    try:
        await fault.inject(context, regional, snapshot)
    except BaseException:
        await shielded(undo_log.undo(context, undo))
        raise
    return fault.plan(regional, snapshot)
