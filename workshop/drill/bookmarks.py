"""The drill's own items: numbered bookmarks under a key of the run's own, read back from every region and removed at the end.

In: a table, regions, the partition key. Out: what each region holds. Attendees' items are never read, let alone changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from workshop.aws.door import Door
from workshop.aws.errors import AwsError
from workshop.clock import wait_for
from workshop.drill.fault import Means, Undoable
from workshop.drill.pending import ITEMS
from workshop.errors import WorkshopError

__all__ = ["Bookmarks", "held", "memory_of"]

BATCH = 25
"""BatchWriteItem takes 25 requests (docs/aws-behaviours.md, section 2)."""
REMOVE_SECONDS = 120.0


class Memory(BaseModel):
    """Where the items are: one partition of one table, in these regions."""

    table: str
    regions: tuple[str, ...]
    key: str


def memory_of(table: str, regions: tuple[str, ...], key: str) -> str:
    """The text for the journal."""
    return Memory(table=table, regions=regions, key=key).model_dump_json()


class Bookmarks(Undoable):
    """Removes the items of one run from every region."""

    name = ITEMS

    async def undo(self, means: Means, region: str, memory: str) -> str:
        known = Memory.model_validate_json(memory)
        removed: set[str] = set()

        async def empty() -> bool | None:
            """Writes may still be on their way, so every region is asked until all say that nothing is there."""
            found = {place: set(await held(means.aws, place, known.table, known.key)) for place in known.regions}
            for place, sorts in found.items():
                await _delete(means.aws, place, known, sorted(sorts))
                removed.update(sorts)
            return None if any(found.values()) else True

        try:
            await wait_for(
                empty, clock=means.clock, reason=f"the removal of {known.key}", deadline=REMOVE_SECONDS, interval=2.0,
                waiting=lambda _reason, _seconds: None,
            )  # fmt: skip
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return f"The table {known.table} is gone, and with it the drill's bookmarks."
        except WorkshopError as error:
            raise WorkshopError(
                f"The drill's bookmarks cannot be removed from {known.table}.", f"Items under {known.key} keep coming back.",
                "Try again: workshop drill recover", code="NotRestored",
            ) from error  # fmt: skip
        return f"{len(removed)} bookmarks under {known.key} removed from {region} and every other region, read back."


async def held(aws: Door, region: str, table: str, key: str) -> dict[str, str]:
    """What a region's table holds under a key: sort key to bookmark. A consistent read of that region."""
    found: dict[str, str] = {}
    page: dict[str, Any] = {}
    while True:
        answer = await aws.call(
            "dynamodb", region, "query", TableName=table, ConsistentRead=True, KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": {"S": key}}, **page,
        )  # fmt: skip
        for item in answer.get("Items", []):
            found[item["SK"]["S"]] = item.get("bookmark", {}).get("S", "")
        if not answer.get("LastEvaluatedKey"):
            return found
        page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


async def _delete(aws: Door, region: str, known: Memory, sorts: list[str]) -> None:
    for first in range(0, len(sorts), BATCH):
        requests: list[Mapping[str, Any]] = [
            {"DeleteRequest": {"Key": {"PK": {"S": known.key}, "SK": {"S": sort}}}} for sort in sorts[first : first + BATCH]
        ]
        # What comes back unprocessed is found again by the next query.
        await aws.call("dynamodb", region, "batch_write_item", RequestItems={known.table: requests})
