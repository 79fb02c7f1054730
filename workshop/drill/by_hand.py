"""A fault that is set by hand and stays: for a room that watches its own player fail over.

In: a scene, a region, a fault. Out: one sentence about what was changed. The ledger has it before; only a person takes it back.
"""

from __future__ import annotations

from workshop.drill.caller import Caller
from workshop.drill.fault import Fault, Means
from workshop.drill.ledger import Ledger
from workshop.drill.run import check_health, undisturbed
from workshop.drill.scene import Scene
from workshop.drill.settings import FailoverSettings
from workshop.engine.undos import BY_HAND

__all__ = ["fail_by_hand"]


async def fail_by_hand(
    scene: Scene, region: str, fault: Fault, settings: FailoverSettings, means: Means, caller: Caller, ledger: Ledger
) -> str:
    """Fail the region; raises `WorkshopError` when some region fails already. A fault that fails halfway is taken back."""
    await check_health(scene, caller, settings)
    place = scene.place(region)
    memory = await fault.remember(means, scene, place)
    owed = ledger.owe(fault.name, region, memory, BY_HAND)
    try:
        await fault.inject(means, place, memory)
    except BaseException:
        await undisturbed(ledger.settle(means, owed))
        raise
    return fault.plan(place, memory)
