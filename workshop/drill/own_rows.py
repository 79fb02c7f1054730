"""The drill's own items: found in every region by the keys that only this run has, compared, and removed at the end.

In: a table, regions, what tells the items of one run apart. Out: items as DynamoDB has them. Attendees' items are never changed,
and read only where the API chooses the ids: then the table is searched for the run's own name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, model_validator

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.drill.base import FaultContext, Undoable
from workshop.drill.load_requests import LoadRequests, Row
from workshop.drill.registry import OWN_ROWS
from workshop.errors import WorkshopError
from workshop.waiting import monotonic, wait_for

__all__ = ["UNDO", "Item", "OwnRows", "RowsJournal", "RowsSnapshot", "absent", "own_items", "rows_in"]

Item = Mapping[str, Mapping[str, Any]]
BATCH = 25
"""BatchWriteItem takes 25 requests (docs/aws-behaviours.md, section 2)."""
READ_BATCH = 100
"""BatchGetItem takes 100 keys (the same section)."""
UNREAD_SECONDS = 0.2
"""Before keys that were left unread are read again."""
BLOCK = 500
"""Writes whose keys are recorded at once, before the first of them is sent."""
REMOVE_SECONDS = 120.0
"""Until the removal is given up."""
REPLICATION_SECONDS = 3.0
"""Within which a write is in every region (docs/aws-behaviours.md, section 1.9), and a cancelled request has ended."""
INVOCATION_SECONDS = 10.0
"""The time limit of the API's function: a request of a killed process may go on for so long, and write at its end."""


class RowsSnapshot(BaseModel):
    """Where the items are: one table in these regions, and there one partition, or these keys, or what contains these marks.

    `attributes` are those of the key, the partition key first. A snapshot of the first version has the partition's key alone.
    """

    table: str
    regions: tuple[str, ...]
    key: str
    attributes: tuple[str, ...] = ("PK", "SK")
    partition: Mapping[str, str] = {}
    keys: tuple[Mapping[str, str], ...] = ()
    marks: Mapping[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _first_version(cls, given: Any) -> Any:
        if isinstance(given, dict) and not {"partition", "keys", "marks"} & given.keys():
            return {**given, "partition": {"PK": given.get("key", "")}}
        return given


class RowsJournal:
    """Records what a load is about to write, a `block` of writes at a time; `record` puts a snapshot into the journal."""

    def __init__(
        self, requests: LoadRequests, regions: tuple[str, ...], record: Callable[[str], object], *, block: int = BLOCK
    ) -> None:
        self._requests, self._regions, self._record, self._block = requests, regions, record, block
        self._until = 0

    def cover(self, number: int) -> None:
        """The journal has what removes the item of this write. To be called before it is sent."""
        requests = self._requests
        if number <= self._until:
            return
        shared = requests.partition or requests.marks
        first, self._until = self._until + 1, number if shared else self._until + self._block
        if shared and first > 1:
            return
        numbers = () if shared else range(first, self._until + 1)
        snapshot = RowsSnapshot(
            table=requests.table,
            regions=self._regions,
            key=requests.name,
            attributes=requests.key_attributes,
            partition=requests.partition,
            keys=tuple(requests.row(n, "", requests.id_of(n, "")).key for n in numbers),
            marks={} if requests.partition else requests.marks,
        )
        self._record(snapshot.model_dump_json())


class OwnRows(Undoable):
    """Removes the items of one run from every region."""

    name = OWN_ROWS

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        known = RowsSnapshot.model_validate_json(snapshot)
        removed: set[tuple[str, ...]] = set()
        quiet = REPLICATION_SECONDS + (INVOCATION_SECONDS if context.abandoned else 0.0)
        empty_since: float | None = None

        async def stays_empty() -> bool | None:
            """Writes may still be in flight, so every region is queried until all have been empty for some seconds."""
            nonlocal empty_since
            now = monotonic()
            found = {name: [_key(item, known) for item in await own_items(context.aws, name, known)] for name in known.regions}
            for name, keys in found.items():
                await _delete(context.aws, name, known, keys)
                removed.update(tuple(key.values()) for key in keys)
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
            return f"The table {known.table} no longer exists, and neither do the drill's own items."
        except WorkshopError as error:
            raise WorkshopError(
                what=f"The drill's own items cannot be removed from {known.table}.",
                why=f"Items of {known.key} keep coming back.",
                fix=f"Try again: {context.commands.recover}",
                code="NotRestored",
            ) from error
        return f"{len(removed)} items of {known.key} removed from {region} and every other region, read back."


async def own_items(aws: AwsClient, region: str, known: RowsSnapshot) -> list[Item]:
    """The items of a run in a region's table. A consistent read of that region."""
    if known.partition:
        return await _in_partition(aws, region, known.table, known.partition)
    if known.keys:
        return await _with_keys(aws, region, known.table, known.keys)
    return await _with_marks(aws, region, known.table, known.marks)


async def rows_in(aws: AwsClient, region: str, requests: LoadRequests, rows: Sequence[Row]) -> list[Item]:
    """The items of these rows that a region's table has, maybe with others of the run. A consistent read of that region."""
    if requests.partition:
        return await _in_partition(aws, region, requests.table, requests.partition)
    return await _with_keys(aws, region, requests.table, [row.key for row in rows])


def absent(items: Sequence[Item], rows: Sequence[Row]) -> list[Row]:
    """The rows that no item has the key of, or that hold something else there."""
    names = tuple(rows[0].key) if rows else ()
    by_key = {tuple(_text(item.get(name)) for name in names): item for item in items}

    def is_there(row: Row) -> bool:
        item = by_key.get(tuple(row.key.values()))
        return item is not None and all(_text(item.get(name)) == value for name, value in row.holds.items())

    return [row for row in rows if not is_there(row)]


async def _in_partition(aws: AwsClient, region: str, table: str, partition: Mapping[str, str]) -> list[Item]:
    ((name, value),) = partition.items()
    return await _paged(
        aws,
        region,
        "query",
        TableName=table,
        KeyConditionExpression="#pk = :pk",
        ExpressionAttributeNames={"#pk": name},
        ExpressionAttributeValues={":pk": {"S": value}},
    )


async def _with_marks(aws: AwsClient, region: str, table: str, marks: Mapping[str, str]) -> list[Item]:
    names = {f"#a{number}": name for number, name in enumerate(marks)}
    values = {f":v{number}": {"S": text} for number, text in enumerate(marks.values())}
    if not names:
        return []
    return await _paged(
        aws,
        region,
        "scan",
        TableName=table,
        FilterExpression=" AND ".join(f"contains({name}, {value})" for name, value in zip(names, values, strict=True)),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )


async def _paged(aws: AwsClient, region: str, operation: str, **given: Any) -> list[Item]:
    found: list[Item] = []
    page: dict[str, Any] = {}
    while True:
        response = await aws.call("dynamodb", region, operation, ConsistentRead=True, **given, **page)
        found += response.get("Items", [])
        if not response.get("LastEvaluatedKey"):
            return found
        page = {"ExclusiveStartKey": response["LastEvaluatedKey"]}


async def _with_keys(aws: AwsClient, region: str, table: str, keys: Sequence[Mapping[str, str]]) -> list[Item]:
    found: list[Item] = []
    left = [{name: {"S": value} for name, value in key.items()} for key in keys]
    while left:
        request = {table: {"Keys": left[:READ_BATCH], "ConsistentRead": True}}
        response = await aws.call("dynamodb", region, "batch_get_item", RequestItems=request)
        found += response.get("Responses", {}).get(table, [])
        unread = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        left = [*unread, *left[READ_BATCH:]]
        if unread:
            await asyncio.sleep(UNREAD_SECONDS)
    return found


def _key(item: Item, known: RowsSnapshot) -> dict[str, str]:
    return {name: _text(item.get(name)) for name in known.attributes if name in item}


def _text(value: Mapping[str, Any] | None) -> str:
    return str(next(iter(value.values()), "")) if value else ""


async def _delete(aws: AwsClient, region: str, known: RowsSnapshot, keys: Sequence[Mapping[str, str]]) -> None:
    for first in range(0, len(keys), BATCH):
        requests: list[Mapping[str, Any]] = [
            {"DeleteRequest": {"Key": {name: {"S": value} for name, value in key.items()}}} for key in keys[first : first + BATCH]
        ]
        # What is returned unprocessed is found again by the next query.
        await aws.call("dynamodb", region, "batch_write_item", RequestItems={known.table: requests})


UNDO = OwnRows()
