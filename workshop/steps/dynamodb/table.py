"""`dynamodb.table`: one on-demand table in one region.

In: a name, its keys, its indexes. Out: the table, ACTIVE, tagged. A table of that name that another hand made stops the run,
and stays as it is until it is adopted; one with other keys or indexes cannot be.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from workshop.aws.errors import AwsError
from workshop.aws.resources.tables import (
    Table,
    as_table,
    count_items,
    describe_table,
    is_busy,
    is_protected,
    is_source_region_rule,
    list_tables,
    table_tags,
    tag_table,
)
from workshop.errors import WorkshopError
from workshop.shell import aws_line, command_line
from workshop.steps.base import Context, Estimate, Observed, Outputs, Params, Permission, Phase, Placement, Resource, State, Step
from workshop.steps.dynamodb.indexes import (
    MOST_INDEXES,
    Indexes,
    Keys,
    attributes,
    building,
    drift,
    index_requests,
    key_schema,
    shown,
)
from workshop.steps.dynamodb.leftovers import (
    STEP_TAG,
    TABLE_NOTE,
    earliest_deletion,
    leftover_of,
    protected,
    replicated,
    source_rule,
)
from workshop.steps.dynamodb.ownership import foreign_table, is_ours, owner_of_table, readable_tags
from workshop.steps.dynamodb.service import DYNAMODB, TABLE, TableQuota
from workshop.steps.dynamodb.sides import TERMINAL
from workshop.steps.ownership import Note, foreign_error, observed_foreign, owner_of
from workshop.waiting import WaitTimeout

__all__ = [
    "SOURCE_RULE_PATIENCE",
    "STEP",
    "DynamoDBTable",
    "TableName",
    "TableParams",
    "drill_permissions",
    "table_arn",
    "wait_gone",
]

TableName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$")]
ACTIVE_DEADLINE = 600.0
DELETE_DEADLINE = 900.0
SOURCE_RULE_PATIENCE = 300.0
"""How long the source-region rule is waited out before it is reported (docs/aws-behaviours.md, section 1.6)."""
INTERVAL = 2.0
MOST_COUNTED_PAGES = 20
"""Pages of up to 1 MB that are read to count what a deletion takes with it."""
ADOPTION = "it gets our tags, and from then on teardown deletes it with everything in it"


class TableParams(Params):
    """`keys` in order: the first is the partition key, a second the sort key; values are S, N or B. So are those of `indexes`."""

    name: TableName
    keys: Keys
    indexes: Indexes = Field(default_factory=dict, max_length=MOST_INDEXES)
    stream: bool = False

    @field_validator("keys")
    @classmethod
    def _one_or_two(cls, keys: dict[str, str]) -> dict[str, str]:
        if not 1 <= len(keys) <= 2:
            raise ValueError("a table has one key (partition) or two (partition, sort)")
        return keys

    @field_validator("indexes")
    @classmethod
    def _keys_of_indexes(cls, indexes: Indexes) -> Indexes:
        if not all(1 <= len(keys) <= 2 for keys in indexes.values()):
            raise ValueError("an index has one key (partition) or two (partition, sort)")
        return indexes

    @model_validator(mode="after")
    def _one_type_each(self) -> Self:
        attributes(self.keys, self.indexes)
        return self


class DynamoDBTable(Step[TableParams]):
    """The home table of a global table, or a table by itself."""

    kind = "dynamodb.table"
    summary = "an on-demand DynamoDB table"
    Params = TableParams
    estimate = Estimate(minutes=0.3, usd=0.01)
    placements = frozenset({Placement.HOME, Placement.EACH})
    services = (DYNAMODB,)
    resource_types = (TABLE,)
    noted_resources = frozenset({TABLE_NOTE})
    quotas = (TableQuota(),)

    async def observe(self, ctx: Context[TableParams]) -> Observed:
        table = await describe_table(ctx.aws, ctx.region, ctx.params.name)
        if table is None:
            return Observed(State.ABSENT)
        outputs, owner = _outputs(table), await owner_of_table(ctx, table)
        if table.status == "CREATING":  # its tags may not show yet: `create` and `destroy` wait for them before they decide
            return Observed(State.PARTIAL, "is being created", outputs)
        if table.status == "DELETING":
            return Observed(State.PARTIAL if owner.ours else State.ABSENT, "is being deleted", ours=owner.ours)
        if table.keys != tuple(ctx.params.keys.items()) or not owner.ours:
            return await self._foreign(ctx, table)
        if table.status in TERMINAL:
            return Observed(State.BROKEN, f"its status is {table.status}", outputs)
        differs, fix = drift(table, ctx.params.indexes)
        if differs:
            return Observed(State.BROKEN, differs, outputs, fix=fix, adopted=owner.adopted)
        if waiting := building(table):
            return Observed(State.PARTIAL, f"its index {waiting[0]}", outputs, adopted=owner.adopted)
        return Observed(State.READY, owner.detail, outputs, adopted=owner.adopted)

    async def create(self, ctx: Context[TableParams]) -> Outputs:
        table = await describe_table(ctx.aws, ctx.region, ctx.params.name)
        if table is not None and table.status == "DELETING":
            await wait_gone(ctx, table.name)
            table = None
        if table is None:
            await self._request(ctx)
        table = await self._wait_active(ctx)
        # "Already exists" is our own request whose response was lost, or another process that was quicker: the tags decide.
        tags = await table_tags(ctx.aws, ctx.region, table.arn)
        if not owner_of(ctx, tags, Note(TABLE_NOTE, table.name, table.region, table.identity)).ours:
            ctx.notes.forget(TABLE_NOTE, table.name)
            raise foreign_error(await self._foreign(ctx, table))
        ctx.notes.record(TABLE_NOTE, table.name, table.identity)
        if not ctx.owns(tags):
            await tag_table(ctx.aws, ctx.region, table.arn, ctx.tags)
        differs, fix = drift(table, ctx.params.indexes)
        if differs:
            raise WorkshopError(
                what=f"The table {table.name} in {ctx.region} is not as it should be: {differs}.",
                why="Indexes are made with their table, and this one exists already.",
                fix=f"{fix}. Or remove the table and make it again: {command_line(ctx.again('teardown'))}",
                code="IndexDrift",
            )
        return _outputs(table)

    async def adopt(self, ctx: Context[TableParams], resource: Resource) -> None:
        table = await describe_table(ctx.aws, ctx.region, resource.name)
        if table is not None:
            await tag_table(ctx.aws, ctx.region, table.arn, ctx.adoption_tags)
            ctx.notes.record(TABLE_NOTE, table.name, table.identity)

    async def destroy(self, ctx: Context[TableParams]) -> None:
        table = await self._wait_created(ctx)
        if table is None or not await is_ours(ctx, table):
            return
        if table.members:
            raise replicated(ctx, table)
        await self._delete(ctx, table)
        await wait_gone(ctx, table.name)
        ctx.notes.forget(TABLE_NOTE, table.name)  # what is made later under this name is not ours

    async def leftovers(self, ctx: Context[TableParams]) -> list[Resource]:
        table = await describe_table(ctx.aws, ctx.region, ctx.params.name)
        if table is None:
            return []
        tags = await readable_tags(ctx, table)
        owner = owner_of(ctx, tags, Note(TABLE_NOTE, table.name, table.region, table.identity))
        # While it is CREATING its tags may not show, and what we requested may be ours.
        ours = owner.ours or (table.status == "CREATING" and ctx.notes.made(TABLE_NOTE, table.name, ctx.region) is not None)
        until = earliest_deletion(ctx, table) if ours else ""
        step = tags.get(STEP_TAG, "")
        return [leftover_of(table, ours=ours, earliest=until, step=step, copies=table.members, adopted=owner.adopted)]

    async def tagged(self, ctx: Context[TableParams]) -> list[Resource]:
        found = []
        for name in await list_tables(ctx.aws, ctx.region):
            table = await describe_table(ctx.aws, ctx.region, name)
            tags = {} if table is None else await readable_tags(ctx, table)
            if table is not None and ctx.owns(tags):
                step = tags.get(STEP_TAG, "")
                copies = table.members if step == ctx.step else ()
                size = f"about {table.counted:,} items"
                found.append(leftover_of(table, ours=True, step=step, copies=copies, size=size))
        return found

    async def data_at_risk(self, ctx: Context[TableParams]) -> str:
        """The items, counted in the table itself: ItemCount is hours old (section 2)."""
        return await count_items(ctx.aws, ctx.region, ctx.params.name, MOST_COUNTED_PAGES)

    def data_table(self, ctx: Context[TableParams]) -> str:
        return ctx.params.name

    def commands(self, ctx: Context[TableParams]) -> list[str]:
        name, region, keys = ctx.params.name, ctx.region, list(ctx.params.keys.items())
        roles, types = zip(keys, ("HASH", "RANGE"), strict=False), attributes(ctx.params.keys, ctx.params.indexes)
        more = {"stream_specification": "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"} if ctx.params.stream else {}
        if ctx.params.indexes:
            more["global_secondary_indexes"] = json.dumps(index_requests(ctx.params.indexes))
        create = aws_line(
            "dynamodb create-table",
            region=region,
            table_name=name,
            attribute_definitions=[f"AttributeName={key},AttributeType={kind}" for key, kind in types.items()],
            key_schema=[f"AttributeName={key},KeyType={role}" for (key, _), role in roles],
            billing_mode="PAY_PER_REQUEST",
            **more,
            tags=[f"Key={key},Value={value}" for key, value in ctx.tags_by_hand.items()],
        )
        return [create, aws_line("dynamodb wait table-exists", region=region, table_name=name)]

    def permissions(self, ctx: Context[TableParams]) -> list[Permission]:
        arn = table_arn(ctx, ctx.region, ctx.params.name)
        # Scan counts the items of a table that is in the way, and those that a deletion would take with it.
        setup = ("DescribeTable", "CreateTable", "TagResource", "ListTagsOfResource", "Scan")
        teardown = ("DescribeTable", "DeleteTable", "ListTagsOfResource", "Scan")
        return [
            *(Permission(f"dynamodb:{action}", arn, ctx.region, Phase.SETUP) for action in setup),
            *(Permission(f"dynamodb:{action}", arn, ctx.region, Phase.TEARDOWN) for action in teardown),
            *(
                Permission(f"dynamodb:{action}", arn, ctx.region, Phase.CHECK)
                for action in ("DescribeTable", "ListTagsOfResource")
            ),
            *drill_permissions(arn, ctx.region),
        ]

    async def _request(self, ctx: Context[TableParams]) -> None:
        """Ask for the table; that one exists already is no error here: whose it is shows when it is ACTIVE."""
        ctx.notes.record(TABLE_NOTE, ctx.params.name)
        types = attributes(ctx.params.keys, ctx.params.indexes)
        request: dict[str, Any] = {
            "TableName": ctx.params.name,
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
            "KeySchema": key_schema(ctx.params.keys),
            "BillingMode": "PAY_PER_REQUEST",
            "Tags": [{"Key": key, "Value": value} for key, value in ctx.tags.items()],
        }
        if ctx.params.indexes:
            request["GlobalSecondaryIndexes"] = index_requests(ctx.params.indexes)
        if ctx.params.stream:
            request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        try:
            response = await ctx.aws.call("dynamodb", ctx.region, "create_table", **request)
        except AwsError as error:
            if error.code == "ResourceInUseException" and error.mentions("already exists"):
                return
            if error.final:
                ctx.notes.forget(TABLE_NOTE, ctx.params.name)
            raise
        made = as_table(response["TableDescription"], ctx.region)
        ctx.notes.record(TABLE_NOTE, made.name, made.identity)

    async def _foreign(self, ctx: Context[TableParams], table: Table) -> Observed:
        """What is observed of a table that is not ours, or has other keys."""
        wanted, adoption = tuple(ctx.params.keys.items()), ADOPTION
        why = ""
        if table.keys != wanted:
            why, adoption = f"It has the keys {shown(table.keys)}, not {shown(wanted)}.", ""
        elif (differs := drift(table, ctx.params.indexes)[0]) and table.status != "CREATING":
            why, adoption = f"{differs[0].upper()}{differs[1:]}.", ""
        found = await foreign_table(ctx, table, why=why, adoption=adoption if table.status in ("ACTIVE", "UPDATING") else "")
        return observed_foreign(ctx, [found], parameter="table")

    async def _wait_active(self, ctx: Context[TableParams]) -> Table:
        name = ctx.params.name

        async def active() -> Table | None:
            table = await describe_table(ctx.aws, ctx.region, name)
            if table is not None and table.status in TERMINAL:
                raise WorkshopError(
                    what=f"The table {name} in {ctx.region} became {table.status}.",
                    fix="Look at it in the DynamoDB console.",
                    code=table.status,
                )
            # UPDATING serves reads and writes: a replica is being added (section 1.3).
            return table if table is not None and table.status in ("ACTIVE", "UPDATING") and not building(table) else None

        return await ctx.wait_for(
            active,
            reason=f"table {name} in {ctx.region} to become ACTIVE",
            deadline=ACTIVE_DEADLINE,
            interval=INTERVAL,
        )

    async def _wait_created(self, ctx: Context[TableParams]) -> Table | None:
        """The table to delete, once it is not being created any more: before that its tags cannot be read, nor it be deleted."""
        table: Table | None = None

        async def created() -> bool:
            nonlocal table
            table = await describe_table(ctx.aws, ctx.region, ctx.params.name)
            return table is None or table.status != "CREATING"

        reason = f"the creation of {ctx.params.name} in {ctx.region} to end"
        await ctx.wait_until(created, reason=reason, deadline=ACTIVE_DEADLINE, interval=INTERVAL)
        return table

    async def _delete(self, ctx: Context[TableParams], table: Table) -> None:
        """Ask for the deletion until it is accepted: other changes pass, and so may the source-region rule."""
        refusal: AwsError | None = None

        async def accepted() -> bool:
            nonlocal refusal
            try:
                await ctx.aws.call("dynamodb", ctx.region, "delete_table", TableName=table.name)
            except AwsError as error:
                if error.code == "ResourceNotFoundException":
                    return True
                if is_protected(error):
                    raise protected(table, ctx.region) from error
                if not (is_busy(error) or is_source_region_rule(error)):
                    raise
                refusal = error
                # A replica that was asked for shows some seconds later (section 1.3), and goes with no amount of waiting.
                now = await describe_table(ctx.aws, ctx.region, table.name)
                if now is not None and now.members:
                    raise replicated(ctx, now) from error
                return False
            return True

        reason = f"DynamoDB to accept the deletion of {table.name} in {ctx.region}"
        try:
            await ctx.wait_until(accepted, reason=reason, deadline=SOURCE_RULE_PATIENCE, interval=5.0)
        except WaitTimeout as timeout:
            if refusal is not None and is_source_region_rule(refusal):
                raise source_rule(ctx, table, refusal) from timeout
            raise


STEP = DynamoDBTable()


def drill_permissions(arn: str, region: str) -> list[Permission]:
    """What a drill does with a table of one region: it reads what it wrote, and removes it."""
    actions = ("DescribeTable", "ListTagsOfResource", "GetItem", "BatchGetItem", "Query", "Scan", "BatchWriteItem")
    return [Permission(f"dynamodb:{action}", arn, region, Phase.DRILL) for action in actions]


def table_arn(ctx: Context[Any], region: str, name: str) -> str:
    """The ARN of a table, built: it is needed before the table exists."""
    return f"arn:aws:dynamodb:{region}:{ctx.account}:table/{name}"


async def wait_gone(ctx: Context[Any], name: str) -> None:
    """Wait until the region does not have the table any more."""

    async def gone() -> bool:
        return await describe_table(ctx.aws, ctx.region, name) is None

    reason = f"table {name} in {ctx.region} to be gone"
    await ctx.wait_until(gone, reason=reason, deadline=DELETE_DEADLINE, interval=INTERVAL)


def _outputs(table: Table) -> Outputs:
    return {"TableName": table.name, "Arn": table.arn}
