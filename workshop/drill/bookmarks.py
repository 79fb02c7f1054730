"""The drill's own items: numbered bookmarks under a key of the run's own, read back from every region and removed at the end.

In: a table, regions, the partition key. Out: the items of each region. Attendees' items are never read, let alone changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.drill.base import FaultContext, Undoable
from workshop.errors import WorkshopError
from workshop.waiting import monotonic, wait_for

__all__ = ["UNDO", "Bookmarks", "bookmarks_in", "bookmarks_snapshot"]

BATCH = 25
"""BatchWriteItem takes 25 requests (docs/aws-behaviours.md, section 2)."""
REMOVE_SECONDS = 120.0
"""Until the removal is given up."""
REPLICATION_SECONDS = 3.0
"""Within which a write is in every region (docs/aws-behaviours.md, section 1.9), and a cancelled request has ended."""
INVOCATION_SECONDS = 10.0
"""The time limit of the API's function: a request of a killed process may go on for so long, and write at its end."""


class BookmarksSnapshot(BaseModel):
    """Where the items are: one partition of one table, in these regions."""

    table: str
    regions: tuple[str, ...]
    key: str


def bookmarks_snapshot(table: str, regions: tuple[str, ...], key: str) -> str:
    """The text for the journal."""
    return BookmarksSnapshot(table=table, regions=regions, key=key).model_dump_json()


class Bookmarks(Undoable):
    """Removes the items of one run from every region."""

    name = "bookmarks"

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        known = BookmarksSnapshot.model_validate_json(snapshot)
        removed: set[str] = set()
        quiet = REPLICATION_SECONDS + (INVOCATION_SECONDS if context.abandoned else 0.0)
        empty_since: float | None = None

        async def stays_empty() -> bool | None:
            """Writes may still be in flight, so every region is queried until all have been empty for some seconds."""
            nonlocal empty_since
            now = monotonic()
            found = {name: set(await bookmarks_in(context.aws, name, known.table, known.key)) for name in known.regions}
            for name, sorts in found.items():
                await _delete(context.aws, name, known, sorted(sorts))
                removed.update(sorts)
            if any(found.values()):
                empty_since = None
            elif empty_since is None:
                empty_since = monotonic()
            return True if empty_since is not None and now - empty_since >= quiet else None

        try:
            await wait_for(
                stays_empty,
                reason=f"the removal of {known.key}",
                deadline=REMOVE_SECONDS,
                interval=2.0,
                waiting=lambda _reason, _seconds: None,
            )
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return f"The table {known.table} no longer exists, and neither do the drill's bookmarks."
        except WorkshopError as error:
            raise WorkshopError(
                what=f"The drill's bookmarks cannot be removed from {known.table}.",
                why=f"Items under {known.key} keep coming back.",
                fix=f"Try again: {context.commands.recover}",
                code="NotRestored",
            ) from error
        return f"{len(removed)} bookmarks under {known.key} removed from {region} and every other region, read back."


async def bookmarks_in(aws: AwsClient, region: str, table: str, key: str) -> dict[str, str]:
    """The items of a region's table under a key: sort key to bookmark. A consistent read of that region."""
    found: dict[str, str] = {}
    page: dict[str, Any] = {}
    while True:
        response = await aws.call(
            "dynamodb",
            region,
            "query",
            TableName=table,
            ConsistentRead=True,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": {"S": key}},
            **page,
        )
        for item in response.get("Items", []):
            found[item["SK"]["S"]] = item.get("bookmark", {}).get("S", "")
        if not response.get("LastEvaluatedKey"):
            return found
        page = {"ExclusiveStartKey": response["LastEvaluatedKey"]}


async def _delete(aws: AwsClient, region: str, known: BookmarksSnapshot, sorts: list[str]) -> None:
    for first in range(0, len(sorts), BATCH):
        requests: list[Mapping[str, Any]] = [
            {"DeleteRequest": {"Key": {"PK": {"S": known.key}, "SK": {"S": sort}}}} for sort in sorts[first : first + BATCH]
        ]
        # What is returned unprocessed is found again by the next query.
        await aws.call("dynamodb", region, "batch_write_item", RequestItems={known.table: requests})


UNDO = Bookmarks()
