"""What is left of a table and why it is kept, with the commands that a person goes on with.

In: a table as its region describes it. Out: leftovers and errors. No call is made.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.resources.tables import Table
from workshop.errors import PartlyDoneError, WorkshopError
from workshop.shell import aws, aws_line, command_line, repeat
from workshop.steps.base import Context, Resource
from workshop.steps.dynamodb.service import TABLE
from workshop.steps.ownership import LEFT_ALONE

__all__ = [
    "ADDED_NOTE",
    "REPLICA_NOTE",
    "STEP_TAG",
    "TABLE_NOTE",
    "delete_command",
    "earliest_deletion",
    "leftover_of",
    "protected",
    "replicated",
    "source_rule",
]

TABLE_NOTE = TABLE.name
"""The kind of the journal's notes about tables that we made."""
REPLICA_NOTE = "replica"
"""The kind of its notes about replicas that we made."""
ADDED_NOTE = "replica added"
"""The kind of its notes about when AWS accepted a replica: the replica may be gone, the source-region rule not."""
STEP_TAG = "workshop:step"
"""The tag with the id of the step that made a table."""
DAY = timedelta(hours=24)


def leftover_of(
    table: Table,
    *,
    ours: bool,
    earliest: str = "",
    step: str = "",
    copies: tuple[str, ...] = (),
    size: str = "",
    adopted: str = "",
) -> Resource:
    """An existing table as a leftover: why, until when, and the commands that show and remove it. The words are `Resource`'s."""
    fix, why = delete_command(table.name, table.region), ""
    if not ours:
        why = LEFT_ALONE
    elif copies:
        why = f"it has replicas in {', '.join(copies)}, which have to go first"
        fix = "; ".join(repeat(words) for words in (*_unreplicate(table), _delete(table.name, table.region)))
    elif table.protected:
        why, fix = "deletion protection is on", f"{_unprotect_command(table.name, table.region)} && {fix}"
    elif earliest:
        why = "AWS may keep a table that was the source of a new replica for 24 hours"
    show = aws_line("dynamodb describe-table", region=table.region, table_name=table.name)
    until = "" if table.protected else earliest
    return Resource(
        TABLE.name,
        table.name,
        table.region,
        why=why,
        fix=fix,
        earliest=until,
        show=show,
        ours=ours,
        step=step,
        copies=copies,
        created=table.created_at,
        size=size,
        adopted=adopted,
    )


def delete_command(name: str, region: str) -> str:
    """The line that deletes a table by hand."""
    return command_line(_delete(name, region))


def protected(table: Table, region: str) -> WorkshopError:
    """The error for a table with deletion protection, which a person decided on: it is reported, not undone."""
    return WorkshopError(
        what=f"The table {table.name} in {region} has deletion protection on.",
        why="It was switched on after setup.",
        fix=_unprotect_command(table.name, region),
        code="DeletionProtection",
    )


def replicated(ctx: Context[Any], table: Table) -> PartlyDoneError:
    """The error for a home table with replicas that no step of the run removed: deleting it alone would leave them."""
    return PartlyDoneError(
        what=f"The table {table.name} in {table.region} has replicas in {', '.join(table.members)}.",
        why="No step of this teardown removed them, and they would stay when the table goes.",
        fix=f"{' && '.join(map(command_line, _unreplicate(table)))}; when they are gone: {command_line(ctx.again('teardown'))}",
        code="Replicated",
    )


def earliest_deletion(ctx: Context[Any], table: Table) -> str:
    """When AWS deletes the table at the latest: a day after the newest replica that we added to it (section 1.6).

    ISO 8601 in UTC; empty when it may be deleted now.
    """
    day = _day_after_newest(ctx, table)
    return day.isoformat(timespec="seconds") if day is not None and day > ctx.clock.now() else ""


def source_rule(ctx: Context[Any], table: Table, refusal: AwsError) -> PartlyDoneError:
    """The error for the source-region rule, with the latest end of it: a day after the newest replica of ours (section 1.6)."""
    until = _day_after_newest(ctx, table) or ctx.clock.now() + DAY
    return PartlyDoneError(
        what=f"The table {table.name} in {table.region} cannot be deleted yet.",
        why=f"AWS keeps a table that was the source of a new replica in the last 24 hours ({refusal.message}). "
        f"It can be deleted from {until:%Y-%m-%d %H:%M} UTC at the latest.",
        fix=f"Run then: {command_line(ctx.again('teardown'))}",
        code="SourceRegionRule",
    )


def _day_after_newest(ctx: Context[Any], table: Table) -> datetime | None:
    notes = (ctx.notes.made(kind, table.name, region) for region in ctx.regions for kind in (REPLICA_NOTE, ADDED_NOTE))
    added = [when for when in notes if when is not None]
    return max(added) + DAY if added else None


def _delete(name: str, region: str) -> list[str]:
    return aws("dynamodb delete-table", region=region, table_name=name)


def _unreplicate(table: Table) -> list[list[str]]:
    """The words of the calls that remove the replicas."""
    changes = (json.dumps([{"Delete": {"RegionName": region}}]) for region in table.members)
    return [
        aws("dynamodb update-table", region=table.region, table_name=table.name, replica_updates=change) for change in changes
    ]


def _unprotect_command(name: str, region: str) -> str:
    return aws_line("dynamodb update-table", region=region, table_name=name, no_deletion_protection_enabled=True)
