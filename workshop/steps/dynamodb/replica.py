"""`dynamodb.replica`: the replica of a table in one more region, which makes the table global.

In: the home table's name. Out: source and replica both ACTIVE, the replica tagged in its own region. AWS has no waiter for
this, takes one replica change per table at a time, and may silently drop one that it had accepted
(docs/aws-behaviours.md, sections 1.2 to 1.8): every round here reads both regions afresh and asks again where needed.
"""

from __future__ import annotations

import json

from workshop.aws.errors import AwsError
from workshop.aws.resources.tables import (
    Table,
    describe_table,
    is_busy,
    is_protected,
    is_source_region_rule,
    table_tags,
    tag_table,
)
from workshop.errors import WorkshopError
from workshop.shell import aws, aws_line, command_line, poll
from workshop.steps.base import Context, Estimate, Observed, Outputs, Params, Permission, Phase, Placement, Resource, State, Step
from workshop.steps.dynamodb.leftovers import ADDED_NOTE, REPLICA_NOTE, delete_command, leftover_of, protected, source_rule
from workshop.steps.dynamodb.ownership import foreign_table, is_ours, owner_of_table
from workshop.steps.dynamodb.service import DYNAMODB, TABLE
from workshop.steps.dynamodb.sides import FAILURES, TERMINAL, Sides
from workshop.steps.dynamodb.table import SOURCE_RULE_PATIENCE, TableName, drill_permissions, table_arn
from workshop.steps.ownership import foreign_error, observed_foreign
from workshop.waiting import monotonic

__all__ = ["STEP", "DynamoDBReplica", "ReplicaParams"]

DEADLINE = 2400.0
"""A replica of a table that holds data took up to 690 s (section 1.3); three and a half times that."""
INTERVAL = 4.0
MOST_REQUESTS = 5
"""How often a replica that vanishes is asked for again before that counts as a failure."""
TAGS_DEADLINE = 120.0
MOST_FAILURES = 2
"""How often a replica whose creation failed is removed and asked for again."""


class ReplicaParams(Params):
    """`table` is the name of the table in the home region."""

    table: TableName


class DynamoDBReplica(Step[ReplicaParams]):
    """One regional copy of the home table."""

    kind = "dynamodb.replica"
    summary = "a replica of the home table in one more region (global table)"
    Params = ReplicaParams
    estimate = Estimate(minutes=1.0, usd=0.01)
    placements = frozenset({Placement.REPLICAS})
    services = (DYNAMODB,)
    resource_types = (TABLE,)
    noted_resources = frozenset({REPLICA_NOTE})

    async def observe(self, ctx: Context[ReplicaParams]) -> Observed:
        sides = await _sides(ctx)
        if sides.nothing_seen:
            requested = ctx.notes.made(REPLICA_NOTE, ctx.params.table, ctx.region) is not None
            if requested and await self._may_show_yet(ctx, sides):
                return Observed(State.PARTIAL, "was asked for, and the home table is still UPDATING: it may show any moment")
            return Observed(State.ABSENT)
        ours = await self._is_ours(ctx, sides)
        outputs = {"Arn": sides.local.arn} if sides.local else {}
        if sides.separate is not None:
            return await _standalone(ctx, sides.separate, ours=ours)
        if not ours:
            detail = f"It is a replica of a table {ctx.params.table} in {ctx.home} that this workshop did not make."
            return Observed(State.FOREIGN, detail, outputs, ours=False)
        if sides.entry is not None and sides.entry.status in FAILURES:
            return Observed(State.BROKEN, FAILURES[sides.entry.status], outputs)
        if sides.settled is None:
            return Observed(State.PARTIAL, sides.summary, outputs)
        if not ctx.owns(await table_tags(ctx.aws, ctx.region, sides.settled.arn)):
            return Observed(State.PARTIAL, "is not tagged yet", outputs)
        return Observed(State.READY, outputs=outputs)

    async def create(self, ctx: Context[ReplicaParams]) -> Outputs:
        name, accepted, failed, known = ctx.params.table, 0, 0, False

        async def ready() -> Table | None:
            nonlocal accepted, failed, known
            sides = await _sides(ctx)
            if sides.home is None:
                fix = f"Run: {command_line(ctx.again('setup'))}"
                raise WorkshopError(what=f"The table {name} in {ctx.home} is gone.", fix=fix, code="TableGone")
            if not (known or await is_ours(ctx, sides.home)):
                raise foreign_error(observed_foreign(ctx, [await foreign_table(ctx, sides.home)]))
            known = True
            if sides.entry is not None and sides.entry.status == "CREATION_FAILED":
                if sides.home_is_updating:
                    return None  # its removal is under way, and shows late (section 1.7)
                if failed < MOST_FAILURES:
                    begun = f"CREATION_FAILED: removing what DynamoDB began and asking again. {sides.entry.detail}"
                    ctx.report.progress(begun.rstrip())
                    failed += await self._request(ctx, "Delete")
                    return None
            if sides.failure:
                raise _failed(ctx, sides)
            if sides.entry is None and sides.home_is_active and await self._name_is_free(ctx, sides):
                if accepted >= MOST_REQUESTS:
                    raise _vanished(ctx, accepted)
                accepted += await self._request(ctx, "Create")
            return sides.settled

        reason = f"replica of {name} in {ctx.region} to become ACTIVE"
        local = await ctx.wait_for(ready, reason=reason, deadline=DEADLINE, interval=INTERVAL)
        ctx.notes.record(REPLICA_NOTE, name, local.identity)
        await self._tag(ctx, local)
        return {"Arn": local.arn}

    async def destroy(self, ctx: Context[ReplicaParams]) -> None:
        name = ctx.params.table
        first_refusal: float | None = None

        async def gone() -> bool:
            nonlocal first_refusal
            sides = await _sides(ctx)
            if sides.nothing_seen:
                return not await self._may_show_yet(ctx, sides)
            if (sides.abandoned is not None or sides.is_removable) and not await self._is_ours(ctx, sides):
                return True
            try:
                await self._remove(ctx, sides)
            except AwsError as error:
                table = sides.local or sides.home
                if table is None or not is_source_region_rule(error):
                    raise
                first_refusal = first_refusal if first_refusal is not None else monotonic()
                if monotonic() - first_refusal > SOURCE_RULE_PATIENCE:
                    raise source_rule(ctx, table, error) from error
            return False

        reason = f"replica of {name} in {ctx.region} to be gone"
        await ctx.wait_until(gone, reason=reason, deadline=DEADLINE, interval=INTERVAL)
        ctx.notes.forget(REPLICA_NOTE, name)  # what is made there later is not ours

    async def leftovers(self, ctx: Context[ReplicaParams]) -> list[Resource]:
        sides = await _sides(ctx)
        if sides.local is None:
            return []
        adopted = (await owner_of_table(ctx, sides.local, REPLICA_NOTE)).adopted
        return [leftover_of(sides.local, ours=await self._is_ours(ctx, sides), adopted=adopted)]

    def commands(self, ctx: Context[ReplicaParams]) -> list[str]:
        table, home = ctx.params.table, ctx.home

        def status(region: str, query: str) -> list[str]:
            return aws("dynamodb describe-table", table_name=table, output="text", region=region, query=query)

        entry = f"Table.Replicas[?RegionName=='{ctx.region}'].ReplicaStatus | [0]"
        change = json.dumps([{"Create": {"RegionName": ctx.region}}])
        return [
            aws_line("dynamodb update-table", region=home, table_name=table, replica_updates=change),
            poll(status(home, entry), "ACTIVE", FAILURES),
            poll(status(home, "Table.TableStatus"), "ACTIVE", sorted(TERMINAL)),
            poll(status(ctx.region, "Table.TableStatus"), "ACTIVE", sorted(TERMINAL), quiet=True),
        ]

    def permissions(self, ctx: Context[ReplicaParams]) -> list[Permission]:
        here, there = (table_arn(ctx, region, ctx.params.table) for region in (ctx.home, ctx.region))
        linked = f"arn:aws:iam::{ctx.account}:role/aws-service-role/replication.dynamodb.amazonaws.com/*"
        # AWS checks these in the destination, although the call is made in the source region (section 1.8).
        data = ("Scan", "Query", "UpdateItem", "PutItem", "GetItem", "DeleteItem", "BatchWriteItem")
        create = ("CreateTable", "CreateTableReplica", "DescribeTable", "TagResource", "ListTagsOfResource", *data)
        remove = ("DeleteTable", "DeleteTableReplica", "DescribeTable", "ListTagsOfResource")
        return [
            *(
                Permission(f"dynamodb:{a}", here, ctx.home, Phase.SETUP)
                for a in ("UpdateTable", "DescribeTable", "ListTagsOfResource")
            ),
            *(Permission(f"dynamodb:{action}", there, ctx.region, Phase.SETUP) for action in create),
            Permission("iam:CreateServiceLinkedRole", linked, "", Phase.SETUP),
            *(
                Permission(f"dynamodb:{a}", here, ctx.home, Phase.TEARDOWN)
                for a in ("UpdateTable", "DescribeTable", "ListTagsOfResource")
            ),
            *(Permission(f"dynamodb:{action}", there, ctx.region, Phase.TEARDOWN) for action in remove),
            *(
                Permission(f"dynamodb:{action}", arn, region, Phase.CHECK)
                for arn, region in ((here, ctx.home), (there, ctx.region))
                for action in ("DescribeTable", "ListTagsOfResource")
            ),
            *drill_permissions(there, ctx.region),
        ]

    async def _is_ours(self, ctx: Context[ReplicaParams], sides: Sides) -> bool:
        """Ours by its tags, by the id that we noted, or by the home table that it is a replica of."""
        if sides.local is not None and (await owner_of_table(ctx, sides.local, REPLICA_NOTE)).ours:
            return True
        return sides.is_linked and sides.home is not None and await is_ours(ctx, sides.home)

    async def _may_show_yet(self, ctx: Context[ReplicaParams], sides: Sides) -> bool:
        """Whether a replica of which nothing is seen may be on its way all the same.

        For about 6 seconds after the request the home table is UPDATING without an entry, and the region has nothing (1.3).
        """
        return sides.home is not None and sides.home_is_updating and await is_ours(ctx, sides.home)

    async def _remove(self, ctx: Context[ReplicaParams], sides: Sides) -> None:
        """Ask for the removal on the side that takes it; neither side does while another change is under way."""
        if sides.abandoned is not None:
            await self._delete_table(ctx, sides.abandoned)
        elif sides.is_removable:
            await self._request(ctx, "Delete")

    @staticmethod
    async def _name_is_free(ctx: Context[ReplicaParams], sides: Sides) -> bool:
        """Whether the region has no table of the name; raises for one that blocks the replica."""
        if sides.separate is not None:
            raise foreign_error(await _standalone(ctx, sides.separate, ours=False))
        return sides.local is None

    async def _request(self, ctx: Context[ReplicaParams], action: str) -> bool:
        """Ask for one replica change, the only one in its call; returns whether AWS accepted it."""
        noted = ctx.notes.made(REPLICA_NOTE, ctx.params.table, ctx.region) is not None
        if action == "Create":
            ctx.notes.record(REPLICA_NOTE, ctx.params.table)
        try:
            await ctx.aws.call(
                "dynamodb",
                ctx.home,
                "update_table",
                TableName=ctx.params.table,
                ReplicaUpdates=[{action: {"RegionName": ctx.region}}],
            )
        except AwsError as error:
            if self._is_temporary(error):
                return False
            if action == "Create" and not noted and error.final:
                ctx.notes.forget(REPLICA_NOTE, ctx.params.table)
            if is_protected(error):
                local = await describe_table(ctx.aws, ctx.region, ctx.params.table)
                if local is not None:
                    raise protected(local, ctx.region) from error
            if error.mentions("the region is disabled") or error.mentions("is not supported"):
                raise WorkshopError(
                    what=f"DynamoDB cannot add a replica in {ctx.region}.",
                    why=error.message,
                    fix=f"Enable the region {ctx.region} for this account, or choose others: --region {ctx.home} --region OTHER",
                    code="RegionDisabled",
                ) from error
            raise
        if action == "Create":
            ctx.notes.record(ADDED_NOTE, ctx.params.table)
        return True

    @staticmethod
    def _is_temporary(error: AwsError) -> bool:
        """Whether the next round settles the refusal: another change is under way, or an entry comes or goes."""
        return (
            is_busy(error)
            or error.mentions("already exists with replicas")
            or error.mentions("already existed as tables")
            or error.mentions("were not part of the global table")
            or error.mentions("Replica Delete action of the request was not found")
        )

    async def _delete_table(self, ctx: Context[ReplicaParams], local: Table) -> None:
        try:
            await ctx.aws.call("dynamodb", ctx.region, "delete_table", TableName=local.name)
        except AwsError as error:
            if is_protected(error):
                raise protected(local, ctx.region) from error
            if not is_busy(error) and error.code != "ResourceNotFoundException":
                raise

    async def _tag(self, ctx: Context[ReplicaParams], local: Table) -> None:
        async def tagged() -> bool:
            if ctx.owns(await table_tags(ctx.aws, ctx.region, local.arn)):
                return True
            try:
                await tag_table(ctx.aws, ctx.region, local.arn, ctx.tags)
            except AwsError as error:
                if not is_busy(error) and error.code != "ResourceNotFoundException":
                    raise
            return False

        reason = f"the tags of {local.name} in {ctx.region} to show"
        await ctx.wait_until(tagged, reason=reason, deadline=TAGS_DEADLINE, interval=INTERVAL)


STEP = DynamoDBReplica()


async def _sides(ctx: Context[ReplicaParams]) -> Sides:
    home = await describe_table(ctx.aws, ctx.home, ctx.params.table)
    local = await describe_table(ctx.aws, ctx.region, ctx.params.table)
    return Sides(home, local, ctx.home, ctx.region)


async def _standalone(ctx: Context[ReplicaParams], local: Table, *, ours: bool) -> Observed:
    """A table by itself in the region of the replica."""
    if ours:
        fix = f"If it is not needed: {delete_command(local.name, local.region)}"
        return Observed(State.BROKEN, f"{local.name} in {local.region} is a table by itself now, not a replica", fix=fix)
    why = "It is not a replica, so AWS cannot create one there."
    return observed_foreign(ctx, [await foreign_table(ctx, local, why=why)], parameter="table")


def _failed(ctx: Context[ReplicaParams], sides: Sides) -> WorkshopError:
    """The error for a replica in a status that does not end by itself."""
    status, detail = sides.failure, sides.entry.detail if sides.entry else ""
    return WorkshopError(
        what=f"The replica of {ctx.params.table} in {ctx.region} failed: {status}.",
        why=f"{FAILURES[status].capitalize()}. {detail}".rstrip(),
        fix=f"Run: {command_line(ctx.again('teardown'))}, fix the cause, then: {command_line(ctx.again('setup'))}",
        code=status,
    )


def _vanished(ctx: Context[ReplicaParams], times: int) -> WorkshopError:
    return WorkshopError(
        what=f"The replica in {ctx.region} vanished {times} times after DynamoDB had accepted it.",
        why="AWS drops a replica without an error when something is missing there, such as an encryption key or a permission.",
        fix=f"Run: {command_line(ctx.again('check'))}, or look at the account's AWS Health events, then: "
        f"{command_line(ctx.again('setup'))}",
        code="ReplicaVanished",
    )
