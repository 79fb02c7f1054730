"""The mistake of the talk, made on purpose: the health checks of two records are exchanged.

In: two records of a name, as they are. Out: the same with each other's check, and after the undo with their own, read back. A
record whose check others changed meanwhile is left as it is, and so is one that is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from workshop.aws.resources.route53 import RecordSet, change_and_wait, records_at
from workshop.drill.base import FaultContext, Undoable
from workshop.errors import WorkshopError

__all__ = ["UNDO", "CrossedChecks", "CrossedSnapshot", "crossed_snapshot", "inject_crossed"]


class CrossedSnapshot(BaseModel):
    """The health check of each record by its SetIdentifier, as it was (`own`) and as the drill sets it (`crossed`)."""

    zone: str
    name: str
    own: Mapping[str, str]
    crossed: Mapping[str, str]


class CrossedChecks(Undoable):
    """The two records of one name."""

    name = "crossed-checks"

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        before = CrossedSnapshot.model_validate_json(snapshot)
        records = await _records(context, before)
        wrong = [each for each in records if each.health_check == before.crossed[each.set_identifier]]
        await _set_checks(context, before, wrong, before.own)
        left = [each for each in await _records(context, before) if each.health_check == before.crossed[each.set_identifier]]
        if left:
            raise WorkshopError(
                what=f"The records of {before.name} still carry each other's health check.",
                why="Route 53 took the change and shows the earlier values.",
                fix=f"Look at {region} again: {context.commands.recover}",
                code="NotRestored",
            )
        kept = [each.set_identifier for each in records if each not in wrong]
        more = f"; left as others have set it: {', '.join(kept)}" if kept and wrong else ""
        return f"{before.name}: each record carries its own health check again{more}."


UNDO = CrossedChecks()


def crossed_snapshot(zone: str, name: str, pair: tuple[RecordSet, RecordSet]) -> str:
    """What to restore, and what to set: the text for the journal."""
    one, two = pair
    own = {each.set_identifier: each.health_check for each in pair}
    crossed = {one.set_identifier: two.health_check, two.set_identifier: one.health_check}
    return CrossedSnapshot(zone=zone, name=name, own=own, crossed=crossed).model_dump_json()


async def inject_crossed(context: FaultContext, snapshot: str) -> None:
    """Exchange the checks in one batch; every name server has it afterwards."""
    wanted = CrossedSnapshot.model_validate_json(snapshot)
    await _set_checks(context, wanted, await _records(context, wanted), wanted.crossed)


async def _records(context: FaultContext, snapshot: CrossedSnapshot) -> list[RecordSet]:
    """The records of the snapshot that exist."""
    found = await records_at(context.aws, snapshot.zone, snapshot.name)
    return [each for each in found if each.set_identifier in snapshot.own]


async def _set_checks(
    context: FaultContext, snapshot: CrossedSnapshot, records: Sequence[RecordSet], checks: Mapping[str, str]
) -> None:
    changes: list[tuple[str, dict[str, Any]]] = [
        ("UPSERT", {**each.raw, "HealthCheckId": checks[each.set_identifier]}) for each in records
    ]
    await change_and_wait(
        context.aws,
        snapshot.zone,
        changes,
        reason=f"the records of {snapshot.name} to be on every name server",
        waiting=lambda _reason, _seconds: None,
    )
