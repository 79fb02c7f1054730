"""`dynamodb.replica`: the replica of a table in one more region, which makes the table global.

In: the home table's name. Out: source and replica both ACTIVE, the replica tagged in its own region. AWS has no waiter for
this, takes one replica change per table at a time, and may silently drop one that it had accepted
(docs/aws-behaviours.md, sections 1.2 to 1.8): every round here looks at both regions afresh and asks again where needed.
"""

from __future__ import annotations

import json
from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.tables import Table, describe_table, is_busy, is_protected, is_source_region_rule, table_tags, tag_table
from workshop.errors import WorkshopError
from workshop.shell import aws, aws_line, command_line, poll
from workshop.steps.base import Context, Estimate, Observed, Outputs, Params, Permission, Phase, Placement, Resource, State, Step
from workshop.steps.dynamodb_table import (
    CLOCKS_APART,
    DEAD,
    SOURCE_RULE_PATIENCE,
    UNTOLD,
    TableName,
    drill_permissions,
    is_noted,
    is_ours,
    table_arn,
)
from workshop.steps.table_remains import ADDED, REPLICA, delete_command, protected, source_rule, standing
from workshop.waiting import monotonic, wait_for

__all__ = ["DynamoDBReplica", "ReplicaParams"]

DEADLINE = 2400.0
"""A replica of a table that holds data took up to 690 s (section 1.3); three and a half times that."""
INTERVAL = 4.0
MOST_REQUESTS = 5
"""How often a replica that vanishes is asked for again before that counts as a failure."""
MOST_FAILURES = 2
"""How often a replica whose creation failed is removed and asked for again."""
FAILURES = {
    "CREATION_FAILED": "DynamoDB could not create the replica",
    "REGION_DISABLED": "the region was disabled for this account",
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": "the table's encryption key cannot be used",
    "ARCHIVING": "the replica is being archived because its encryption key is gone",
    "ARCHIVED": "the replica was archived because its encryption key is gone",
    "REPLICATION_NOT_AUTHORIZED": "a policy forbids replication",
}


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

    async def observe(self, ctx: Context[ReplicaParams]) -> Observed:
        home, local = await self._both(ctx)
        entry = home.replica(ctx.region) if home else None
        if local is None and entry is None:
            if home is not None and home.status == "UPDATING" and _is_noted(ctx, home, None):
                return Observed(State.PARTIAL, "was asked for, and the home table is still UPDATING: it may show any moment")
            return Observed(State.ABSENT)
        ours = await self._is_ours(ctx, home, local)
        outputs = {"Arn": local.arn} if local else {}
        if entry is None and local is not None and local.status != "DELETING" and not _linked(ctx, local):
            return self._standalone(ctx, local, ours=ours)
        if entry is not None and entry.status in FAILURES:
            return Observed(State.BROKEN, FAILURES[entry.status], outputs, ours=ours)
        if home is not None and local is not None and entry is not None and _settled(home, local, ctx.region):
            if ours and not ctx.owns(await table_tags(ctx.aws, ctx.region, local.arn)):
                return Observed(State.PARTIAL, "is not tagged yet", outputs)
            return Observed(State.READY, "" if ours else "made by someone else: used, and left alone", outputs, ours=ours)
        return Observed(State.PARTIAL, _situation(home, local, ctx.region), outputs, ours=ours)

    async def create(self, ctx: Context[ReplicaParams]) -> Outputs:
        name, accepted, failed = ctx.params.table, 0, 0

        async def ready() -> Table | None:
            nonlocal accepted, failed
            home, local = await self._both(ctx)
            if home is None:
                fix = f"Run: {command_line(ctx.again('setup'))}"
                raise WorkshopError(f"The table {name} in {ctx.home} is gone.", "", fix, code="TableGone")
            entry = home.replica(ctx.region)
            if entry is not None and entry.status == "CREATION_FAILED" and home.status == "UPDATING":
                return None  # its removal is under way, and shows late (section 1.7)
            if entry is not None and entry.status == "CREATION_FAILED" and failed < MOST_FAILURES:
                ctx.progress(f"DynamoDB says CREATION_FAILED: removing what it began and asking again. {entry.detail}".rstrip())
                failed += await self._request(ctx, "Delete")
                return None
            self._raise_for_failure(ctx, home)
            if local is not None and _settled(home, local, ctx.region):
                return local
            if entry is None and home.status == "ACTIVE" and await self._free(ctx, local):
                if accepted >= MOST_REQUESTS:
                    raise _vanished(ctx, accepted)
                accepted += await self._request(ctx, "Create")
            return None

        reason = f"replica of {name} in {ctx.region} to become ACTIVE"
        local = await wait_for(ready, reason=reason, deadline=DEADLINE, interval=INTERVAL, waiting=ctx.waiting)
        if await self._is_ours(ctx, await describe_table(ctx.aws, ctx.home, name), local):
            await self._tag(ctx, local)
        return {"Arn": local.arn}

    async def destroy(self, ctx: Context[ReplicaParams]) -> None:
        name = ctx.params.table
        first_refusal: float | None = None

        async def gone() -> bool | None:
            nonlocal first_refusal
            home, local = await self._both(ctx)
            entry = home.replica(ctx.region) if home else None
            if entry is None and local is None:
                return None if await self._may_show_yet(ctx, home) else True
            alone = entry is None and local is not None and local.status not in UNTOLD and not (home and _linked(ctx, local))
            listed = entry is not None and entry.status != "DELETING" and home is not None and home.status == "ACTIVE"
            if (alone or listed) and not await self._is_ours(ctx, home, local):
                return True
            try:
                if alone and local is not None:
                    # Disassociated, or its home table is gone: a table by itself, deleted in its own region (section 1.7).
                    await self._delete_table(ctx, local)
                elif listed:
                    await self._request(ctx, "Delete")
            except AwsError as error:
                table = local or home
                if table is None or not is_source_region_rule(error):
                    raise
                first_refusal = first_refusal if first_refusal is not None else monotonic()
                if monotonic() - first_refusal > SOURCE_RULE_PATIENCE:
                    raise source_rule(ctx, table, error) from error
            return None

        reason = f"replica of {name} in {ctx.region} to be gone"
        await wait_for(gone, reason=reason, deadline=DEADLINE, interval=INTERVAL, waiting=ctx.waiting)
        ctx.forget(REPLICA, name)  # what somebody makes there later is theirs

    async def leftovers(self, ctx: Context[ReplicaParams]) -> list[Resource]:
        home, local = await self._both(ctx)
        if local is None:
            return []
        ours = await self._is_ours(ctx, home, local)
        return [standing(local, ours=ours)]

    def commands(self, ctx: Context[ReplicaParams]) -> list[str]:
        table, home = ctx.params.table, ctx.home

        def status(region: str, query: str) -> list[str]:
            return aws("dynamodb describe-table", table_name=table, output="text", region=region, query=query)

        entry = f"Table.Replicas[?RegionName=='{ctx.region}'].ReplicaStatus | [0]"
        change = json.dumps([{"Create": {"RegionName": ctx.region}}])
        return [
            aws_line("dynamodb update-table", region=home, table_name=table, replica_updates=change),
            poll(status(home, entry), "ACTIVE", FAILURES),
            poll(status(home, "Table.TableStatus"), "ACTIVE", sorted(DEAD)),
            poll(status(ctx.region, "Table.TableStatus"), "ACTIVE", sorted(DEAD), quiet=True),
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

    async def _both(self, ctx: Context[ReplicaParams]) -> tuple[Table | None, Table | None]:
        """The home table and the regional one, each as its own region tells it."""
        return (
            await describe_table(ctx.aws, ctx.home, ctx.params.table),
            await describe_table(ctx.aws, ctx.region, ctx.params.table),
        )

    async def _is_ours(self, ctx: Context[ReplicaParams], home: Table | None, local: Table | None) -> bool:
        """Ours through our own note, its tags, or the home table that it is a replica of: then each lists the other.

        While it comes or goes, one side says so before the other (sections 1.3 and 1.7).
        """
        if _is_noted(ctx, home, local):
            return True
        if local is not None and ctx.owns(await table_tags(ctx.aws, ctx.region, local.arn)):
            return True
        sides = [home is not None and home.replica(ctx.region) is not None, local is not None and _linked(ctx, local)]
        linked = any(sides) if local is None or local.status in UNTOLD else all(sides)
        return linked and home is not None and await is_ours(ctx, home)

    async def _may_show_yet(self, ctx: Context[ReplicaParams], home: Table | None) -> bool:
        """Whether nothing is seen of a replica that may be on its way all the same.

        For about 6 seconds after the request the home table is UPDATING without an entry, and its region knows nothing (1.3).
        """
        return home is not None and home.status == "UPDATING" and (_is_noted(ctx, home, None) or await is_ours(ctx, home))

    def _standalone(self, ctx: Context[ReplicaParams], local: Table, *, ours: bool) -> Observed:
        fix = f"If nobody needs it: {delete_command(local.name, ctx.region)}"
        if ours:
            return Observed(State.BROKEN, f"{local.name} in {ctx.region} is a table by itself now, not a replica", fix=fix)
        detail = f"A table {local.name} that is not a replica stands in {ctx.region}, so AWS cannot create one there."
        return Observed(State.FOREIGN, detail, fix=f"{fix}, or choose another name: --param table=NAME", ours=False)

    async def _free(self, ctx: Context[ReplicaParams], local: Table | None) -> bool:
        """Whether the name is free in the target region; raises for a table that stands in the way."""
        if local is None:
            return True
        if local.status == "DELETING" or _linked(ctx, local):
            return False
        found = self._standalone(ctx, local, ours=False)
        raise WorkshopError(found.detail, "", found.fix, code="Foreign")

    async def _request(self, ctx: Context[ReplicaParams], action: str) -> bool:
        """Ask for one replica change, the only one in its call; answers whether AWS accepted it."""
        noted = ctx.made(REPLICA, ctx.params.table, ctx.region) is not None
        if action == "Create":
            ctx.record(REPLICA, ctx.params.table)
        try:
            await ctx.aws.call(
                "dynamodb", ctx.home, "update_table", TableName=ctx.params.table,
                ReplicaUpdates=[{action: {"RegionName": ctx.region}}],
            )  # fmt: skip
        except AwsError as error:
            if self._passes(error):
                return False
            if action == "Create" and not noted and error.final:
                ctx.forget(REPLICA, ctx.params.table)
            if is_protected(error):
                local = await describe_table(ctx.aws, ctx.region, ctx.params.table)
                if local is not None:
                    raise protected(local, ctx.region) from error
            if error.says("the region is disabled") or error.says("is not supported"):
                raise WorkshopError(
                    f"DynamoDB cannot add a replica in {ctx.region}.", error.message,
                    f"Enable the region {ctx.region} for this account, or choose others: --region {ctx.home} --region OTHER",
                    code="RegionDisabled",
                ) from error  # fmt: skip
            raise
        if action == "Create":
            ctx.record(ADDED, ctx.params.table)
        return True

    @staticmethod
    def _passes(error: AwsError) -> bool:
        """Refusals that the next look at both regions settles: another change in flight, an entry that comes or goes."""
        return (
            is_busy(error)
            or error.says("already exists with replicas")
            or error.says("already existed as tables")
            or error.says("were not part of the global table")
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
        async def tagged() -> bool | None:
            if ctx.owns(await table_tags(ctx.aws, ctx.region, local.arn)):
                return True
            try:
                await tag_table(ctx.aws, ctx.region, local.arn, ctx.tags)
            except AwsError as error:
                if not is_busy(error) and error.code != "ResourceNotFoundException":
                    raise
            return None

        reason = f"the tags of {local.name} in {ctx.region} to show"
        await wait_for(tagged, reason=reason, deadline=120, interval=INTERVAL, waiting=ctx.waiting)

    @staticmethod
    def _raise_for_failure(ctx: Context[ReplicaParams], home: Table) -> None:
        entry = home.replica(ctx.region)
        status = home.status if home.status in DEAD else entry.status if entry else ""
        if status in FAILURES:
            detail = f" {entry.detail}" if entry and entry.detail else ""
            raise WorkshopError(
                f"The replica of {home.name} in {ctx.region} failed: {status}.", f"{FAILURES[status].capitalize()}.{detail}",
                f"Run: {command_line(ctx.again('teardown'))}, fix the cause, then: {command_line(ctx.again('setup'))}",
                code=status,
            )  # fmt: skip


def _is_noted(ctx: Context[Any], home: Table | None, local: Table | None) -> bool:
    """Whether our note speaks of this very replica; before its region tells, whether it can speak of one of this home table."""
    if local is not None and local.status not in UNTOLD:
        return is_noted(ctx, REPLICA, local)
    note = ctx.made(REPLICA, ctx.params.table, ctx.region)
    if note is None or home is None or home.created is None:
        return note is not None
    return home.created <= note + CLOCKS_APART


def _linked(ctx: Context[Any], local: Table) -> bool:
    """Whether the regional table belongs to the home table's group: a global table of somebody else may bear the same name."""
    return local.replica(ctx.home) is not None


def _settled(home: Table, local: Table, region: str) -> bool:
    """The done condition of section 1.3, from both sides."""
    entry = home.replica(region)
    return home.status == "ACTIVE" and entry is not None and entry.status == "ACTIVE" and local.status == "ACTIVE"


def _situation(home: Table | None, local: Table | None, region: str) -> str:
    entry = home.replica(region) if home else None
    says = home.status if home else "no table"
    return f"source {says}, entry {entry.status if entry else 'not listed'}, region {local.status if local else 'no table'}"


def _vanished(ctx: Context[Any], times: int) -> WorkshopError:
    return WorkshopError(
        f"The replica in {ctx.region} vanished {times} times after DynamoDB had accepted it.",
        "AWS drops a replica without a word when something it needs is missing, such as an encryption key or a permission there.",
        f"Run: {command_line(ctx.again('check'))}, or look at the account's AWS Health events, then: "
        f"{command_line(ctx.again('setup'))}",
        code="ReplicaVanished",
    )
