"""`dynamodb.items`: the sample data, loaded once and present in every region.

In: a BatchWriteItem request file. Out: every key of the file readable in every region. A rerun writes only the keys that are
missing and never overwrites an item, so attendees' changes survive. The items go with their table.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from workshop.aws.errors import AwsError
from workshop.aws.resources.tables import Table, describe_table
from workshop.errors import DefinitionError, UsageError, WorkshopError
from workshop.shell import aws_line, command_line, into
from workshop.steps.base import (
    Context,
    Estimate,
    Observed,
    Outputs,
    Params,
    Permission,
    Phase,
    Placement,
    Resource,
    State,
    Step,
)
from workshop.steps.dynamodb.itemfile import Item, read_items, validate
from workshop.steps.dynamodb.ownership import foreign_table, is_ours
from workshop.steps.dynamodb.service import DYNAMODB
from workshop.steps.dynamodb.table import STEP as TABLE_STEP
from workshop.steps.dynamodb.table import TableName, table_arn
from workshop.steps.ownership import foreign_error, observed_foreign
from workshop.steps.settings import DataFile

__all__ = ["STEP", "DynamoDBItems", "ItemsParams"]

MOST_WRITES = 25
"""Requests of one BatchWriteItem. With items of at most 400 KB that is 10 MB, so the limit of 16 MB is never met (section 2)."""
MOST_READS = 100
"""Keys of one BatchGetItem."""
BATCH_DEADLINE = 300.0
"""Seconds for which DynamoDB may leave items or keys of one batch unprocessed."""
REPLICATION_DEADLINE = 300.0
PROGRESS_EVERY = 500
"""Items between two lines of progress."""
_TABLE_NAME: TypeAdapter[str] = TypeAdapter(TableName)


class ItemsParams(Params):
    """`file` holds the items of `table`, under the table's default name."""

    table: TableName
    file: Annotated[str, DataFile()]


class DynamoDBItems(Step[ItemsParams]):
    """The items of one file."""

    kind = "dynamodb.items"
    summary = "items loaded from a BatchWriteItem request file"
    Params = ItemsParams
    estimate = Estimate(minutes=0.2, usd=0.01)
    deleted_with_parent = True
    placements = frozenset({Placement.HOME})
    services = (DYNAMODB,)

    def check_files(self, ctx: Context[ItemsParams]) -> None:
        keys: dict[str, str] = next((o["keys"] for o in ctx.others(TABLE_STEP.kind) if o.get("name") == ctx.params.table), {})
        validate(_file(ctx), _name_in_file(ctx), keys)

    async def observe(self, ctx: Context[ItemsParams]) -> Observed:
        try:
            return await self._compared(ctx)
        except UsageError as error:
            # A wrong file must not keep a person from seeing, or removing, what exists.
            return Observed(State.BROKEN, error.what, fix=error.fix)

    async def _compared(self, ctx: Context[ItemsParams]) -> Observed:
        """How many of the items in the file exist."""
        table = await describe_table(ctx.aws, ctx.region, ctx.params.table)
        if table is None or table.status not in ("ACTIVE", "UPDATING"):
            return Observed(State.ABSENT, f"the table {ctx.params.table} does not exist")
        total = missing = 0
        for chunk in _chunks(read_items(_file(ctx), _name_in_file(ctx)), MOST_READS):
            if any(name not in item.attributes for item in chunk for name, _ in table.keys):
                return Observed(State.ABSENT, f"the table {table.name} has other keys than the items of {ctx.params.file}")
            total += len(chunk)
            missing += len(await _missing(ctx, table.region, table, chunk))
        if missing == total:
            return Observed(State.ABSENT, f"0 of {total} items in {ctx.region}")
        if not await is_ours(ctx, table):  # they stay, as attendees' items do
            return Observed(State.FOREIGN, f"They are in a table {table.name} that this workshop did not make.", ours=False)
        if missing:
            return Observed(State.PARTIAL, f"{total - missing} of {total} items in {ctx.region}")
        for region in _replica_regions(table):
            lacking = await self._lacking(ctx, table, region)
            if lacking:
                return Observed(State.PARTIAL, f"{total - lacking} of {total} items in {region}", _outputs(total))
        return Observed(State.READY, f"{total} items", _outputs(total))

    async def create(self, ctx: Context[ItemsParams]) -> Outputs:
        table = await describe_table(ctx.aws, ctx.region, ctx.params.table)
        if table is None:
            raise WorkshopError(
                what=f"The table {ctx.params.table} in {ctx.region} is gone.",
                fix=f"Run: {command_line(ctx.again('setup'))}",
                code="TableGone",
            )
        if not await is_ours(ctx, table):
            raise foreign_error(observed_foreign(ctx, [await foreign_table(ctx, table)]))
        total = validate(_file(ctx), _name_in_file(ctx), dict(table.keys))
        seen = written = reported = 0
        for chunk in _chunks(read_items(_file(ctx), _name_in_file(ctx)), MOST_READS):
            missing = await _missing(ctx, ctx.region, table, chunk)
            for batch in _chunks(missing, MOST_WRITES):
                await self._write(ctx, batch)
            seen, written = seen + len(chunk), written + len(missing)
            if seen - reported >= PROGRESS_EVERY or seen == total:
                ctx.report.progress(f"{seen:,} of {total:,} items present, {written:,} written")
                reported = seen
        for region in _replica_regions(table):
            await self._wait_present(ctx, table, region, total)
        return _outputs(total)

    async def destroy(self, ctx: Context[ItemsParams]) -> None:
        """Nothing: the items go with their table, and attendees' items are never deleted by themselves."""

    async def leftovers(self, ctx: Context[ItemsParams]) -> list[Resource]:  # noqa: ARG002
        return []

    def commands(self, ctx: Context[ItemsParams]) -> list[str]:
        table, lines, file = ctx.params.table, [], str(_file(ctx))
        if table != _name_in_file(ctx):
            file = f"{ctx.step}-{table}.json"
            lines.append(into(ctx.again("step", "show", ctx.step, "--file"), file))
        lines.append(aws_line("dynamodb batch-write-item", region=ctx.region, request_items=f"file://{file}"))
        scans = (
            aws_line("dynamodb scan", table_name=table, select="COUNT", query="Count", region=region) for region in ctx.regions
        )
        return [*lines, *scans]

    def rendered(self, part: str, ctx: Context[ItemsParams]) -> str | None:
        """The request `file`."""
        return "".join(self._request(ctx)) if part == "file" else None

    def _request(self, ctx: Context[ItemsParams]) -> Iterator[str]:
        """The lines of the file as the AWS CLI takes it for the table of this run, whatever name the file has for it."""
        yield f"{{{json.dumps(ctx.params.table)}: [\n"
        before = ""
        for item in read_items(_file(ctx), _name_in_file(ctx)):
            yield before + json.dumps({"PutRequest": {"Item": item.attributes}}, default=_base64)
            before = ",\n"
        yield "\n]}\n"

    def permissions(self, ctx: Context[ItemsParams]) -> list[Permission]:
        home = table_arn(ctx, ctx.region, ctx.params.table)
        return [
            Permission("dynamodb:BatchWriteItem", home, ctx.region, Phase.SETUP),
            *(
                Permission("dynamodb:ListTagsOfResource", home, ctx.region, phase)
                for phase in (Phase.SETUP, Phase.TEARDOWN, Phase.CHECK)
            ),
            *(
                Permission(f"dynamodb:{action}", table_arn(ctx, region, ctx.params.table), region, phase)
                for region in ctx.regions
                for action in ("DescribeTable", "BatchGetItem")
                for phase in (Phase.SETUP, Phase.TEARDOWN, Phase.CHECK)
            ),
        ]

    async def _write(self, ctx: Context[ItemsParams], items: list[Item]) -> None:
        """Write one batch; what DynamoDB leaves unprocessed is sent again with growing pauses until nothing is left."""
        table = ctx.params.table
        pending: list[dict[str, Any]] = [{"PutRequest": {"Item": item.attributes}} for item in items]

        async def all_taken() -> bool:
            nonlocal pending
            try:
                response = await ctx.aws.call("dynamodb", ctx.region, "batch_write_item", RequestItems={table: pending})
            except AwsError as error:
                if error.throttled:
                    return False
                raise
            pending = response.get("UnprocessedItems", {}).get(table, [])
            return not pending

        await ctx.wait_until(
            all_taken,
            reason=f"DynamoDB to take the rest of {len(items)} items",
            deadline=BATCH_DEADLINE,
            interval=20.0,
            fix="Wait until the table is less busy, then run the same command again: it goes on where it stopped.",
        )

    async def _lacking(self, ctx: Context[ItemsParams], table: Table, region: str) -> int:
        lacking = 0
        for chunk in _chunks(read_items(_file(ctx), _name_in_file(ctx)), MOST_READS):
            lacking += len(await _missing(ctx, region, table, chunk))
        return lacking

    async def _wait_present(self, ctx: Context[ItemsParams], table: Table, region: str, total: int) -> None:
        async def present() -> bool:
            try:
                return await self._lacking(ctx, table, region) == 0
            except AwsError as error:
                if error.code == "ResourceNotFoundException":  # a replica that is still CREATING (section 1.3)
                    return False
                raise

        reason = f"{total} items to reach {region}"
        await ctx.wait_until(present, reason=reason, deadline=REPLICATION_DEADLINE, interval=3.0)


STEP = DynamoDBItems()


async def _missing(ctx: Context[ItemsParams], region: str, table: Table, items: list[Item]) -> list[Item]:
    """Those of up to 100 items whose key the region does not have."""
    names = [name for name, _ in table.keys]
    aliases = {f"#k{i}": name for i, name in enumerate(names)}
    unread: list[dict[str, Any]] = [item.key_attributes(names) for item in items]
    found: set[str] = set()

    async def all_read() -> bool:
        nonlocal unread
        request = {
            "Keys": unread,
            "ProjectionExpression": ", ".join(aliases),
            "ExpressionAttributeNames": aliases,
            "ConsistentRead": True,
        }
        response = await ctx.aws.call("dynamodb", region, "batch_get_item", RequestItems={table.name: request})
        found.update(_shown(entry, names) for entry in response.get("Responses", {}).get(table.name, []))
        unread = response.get("UnprocessedKeys", {}).get(table.name, {}).get("Keys", [])
        return not unread

    reason = f"DynamoDB to read {len(items)} keys in {region}"
    await ctx.wait_until(all_read, reason=reason, deadline=BATCH_DEADLINE, interval=5.0)
    return [item for item in items if _shown(item.attributes, names) not in found]


def _shown(attributes: Any, names: list[str]) -> str:
    """A key as text that is equal for equal keys: numbers come back in DynamoDB's own form."""
    return repr(Item(0, attributes, 0).key(names))


def _replica_regions(table: Table) -> list[str]:
    return [replica.region for replica in table.replicas if replica.status == "ACTIVE"]


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


def _file(ctx: Context[ItemsParams]) -> Path:
    return ctx.files.path(ctx.params.file)


def _name_in_file(ctx: Context[ItemsParams]) -> str:
    """The data file names the definition's default table, whatever this run's table is called."""
    try:
        return _TABLE_NAME.validate_python(ctx.defaults()["table"])
    except ValidationError as error:
        raise DefinitionError(
            what="With every parameter at its default this is not the name of a table",
            why="The file names its table like that",
            fix="Correct the defaults of the parameters in it",
            field=f"{ctx.step}.table",
        ) from error


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _outputs(total: int) -> Outputs:
    return {"Items": str(total)}
