"""The fault `replication`: the region's table neither sends nor receives, while its API goes on taking writes.

Only the local cloud can do this; DynamoDB has no switch for it.
"""

from __future__ import annotations

from pydantic import BaseModel

from workshop.drill.fault import Cuts, Fault, Means, already, refusal
from workshop.drill.scene import Place, Scene

__all__ = ["CutReplication"]


class Memory(BaseModel):
    """The table whose replication is interrupted."""

    table: str


class CutReplication(Fault):
    """Both ways between the region and all others."""

    name = "replication"
    summary = "replication to and from the region is paused (local cloud only)"
    stops_writes = False

    async def remember(self, means: Means, scene: Scene, place: Place) -> str:
        cuts = _cuts(means, place.region)
        if await cuts.held(place.region, scene.table):
            raise already(
                place.region, f"Replication of {scene.table} is interrupted, and the journal knows of no drill that did it.",
                "Mend it: workshop cloud fault clear",
            )  # fmt: skip
        return Memory(table=scene.table).model_dump_json()

    def plan(self, place: Place, memory: str) -> str:
        table = Memory.model_validate_json(memory).table
        return f"Replication of {table} to and from {place.region} is paused and resumed."

    async def inject(self, means: Means, place: Place, memory: str) -> None:
        await _cuts(means, place.region).cut(place.region, Memory.model_validate_json(memory).table)

    async def undo(self, means: Means, region: str, memory: str) -> str:
        table, cuts = Memory.model_validate_json(memory).table, _cuts(means, region)
        await cuts.join(region, table)
        if await cuts.held(region, table):
            raise already(region, f"Replication of {table} is still interrupted.", "Mend it: workshop cloud fault clear")
        return f"{region}: replication of {table} goes on, asked back."


def _cuts(means: Means, region: str) -> Cuts:
    if means.cuts is None:
        why = "DynamoDB replicates by itself and has no switch that a customer could turn; only the local cloud can pause it."
        raise refusal("replication", region, why, "Use another fault (throttle), or the local cloud: --target local")
    return means.cuts
