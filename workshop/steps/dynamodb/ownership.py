"""Whose a table is: by its tags, or by the TableId that the journal noted from the response that created it.

In: a table as its region describes it. Out: its owner, and what a foreign one is to people. Tags come with CreateTable and show
together with ACTIVE (docs/aws-behaviours.md, sections 1.3 and 10.2), so while a table is CREATING only a noted id decides.
"""

from __future__ import annotations

from typing import Any

from workshop.aws.errors import AwsError, CredentialsError
from workshop.aws.resources.tables import Table, count_items, table_tags
from workshop.steps.base import Context, Resource
from workshop.steps.dynamodb.leftovers import TABLE_NOTE, leftover_of
from workshop.steps.dynamodb.sides import TAGS_NOT_READABLE
from workshop.steps.ownership import Note, Owner, owner_of

__all__ = ["foreign_table", "is_ours", "owner_of_table", "readable_tags"]

MOST_COUNTED = 1_000
"""Items that are counted of a foreign table: one page, so that looking costs it next to nothing."""


async def owner_of_table(ctx: Context[Any], table: Table, kind: str = TABLE_NOTE) -> Owner:
    """Whose the table is."""
    return owner_of(ctx, await readable_tags(ctx, table), Note(kind, table.name, table.region, table.identity))


async def readable_tags(ctx: Context[Any], table: Table) -> dict[str, str]:
    """The tags of the table in its own region; none while it comes or goes and DynamoDB denies them (section 1.3)."""
    try:
        return await table_tags(ctx.aws, table.region, table.arn)
    except AwsError as error:
        if error.denied and table.status in TAGS_NOT_READABLE:
            return {}
        raise


async def is_ours(ctx: Context[Any], table: Table) -> bool:
    """Whether the table is ours."""
    return (await owner_of_table(ctx, table)).ours


async def foreign_table(ctx: Context[Any], table: Table, *, why: str = "", adoption: str = "") -> Resource:
    """A foreign table as a setup shows it: how old, how full, and what adoption would do."""
    found = leftover_of(table, ours=False)
    return Resource(
        found.kind,
        found.name,
        found.region,
        why=why,
        fix=found.fix,
        show=found.show,
        ours=False,
        created=table.created_at,
        size=await _size(ctx, table),
        adoption=adoption,
    )


async def _size(ctx: Context[Any], table: Table) -> str:
    """The items, counted where that is allowed."""
    try:
        return await count_items(ctx.aws, table.region, table.name, 1, Limit=MOST_COUNTED)
    except CredentialsError:
        raise
    except AwsError:
        return f"about {table.counted:,} items" if table.counted else ""
