"""What is in a zone besides its own NS and SOA records: what a teardown removes, and what keeps a zone from being deleted.

In: a context, a zone's records. Out: the records that are ours to remove, the others as leftovers. Ours are the texts by which
the workshop marks its names, and the validation records that no certificate of the account has any more
(docs/aws-behaviours.md, sections 6.5 and 6.7).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from workshop.aws.regions import enabled_regions
from workshop.aws.resources.certificates import certificates_validated_by, is_validation
from workshop.aws.resources.route53 import HostedZone, RecordSet, plain_name, record_sets
from workshop.quoting import shown
from workshop.shell import aws_line
from workshop.steps.base import Context
from workshop.steps.route53.record_sets import ADDRESSED, marked_name, owner_texts

__all__ = ["deletion_line", "described", "foreign_records", "is_mark", "names_of_records", "removable"]

MOST_NAMED = 10
"""Records that a leftover names."""
MOST_PASTED = 50
"""Records that a line for pasting removes at once."""


def is_mark(ctx: Context[Any], record: RecordSet) -> bool:
    """Whether a record is the text by which this workshop marks a name as its own."""
    return owner_texts([record], marked_name(record)).get("workshop") == ctx.workshop


async def removable(ctx: Context[Any], zone: HostedZone, *, names: Collection[str] | None = None) -> list[RecordSet]:
    """The records of a zone that go with it. With `names`, validation records of these names alone: the zone is another's.

    A mark stays while the records of its name are there: it is what shows whose they are.
    """
    records = foreign_records(zone, await record_sets(ctx.aws, zone.id))
    validations = [record for record in records if is_validation(record)]
    if names is not None:
        validations = [record for record in validations if record.name.partition(".")[2] in names]
    in_use: dict[str, list[str]] = {}
    if validations:
        regions = [*ctx.regions, *(r for r in await enabled_regions(ctx.aws, ctx.home) if r not in ctx.regions)]
        in_use = await certificates_validated_by(ctx.aws, regions, [record.name for record in validations])
    for name, arns in in_use.items():
        ctx.report.progress(f"{shown(name)} stays: {', '.join(map(shown, arns))} is renewed by it")
    addressed = {record.name for record in records if record.type in ADDRESSED}
    marks = [record for record in records if is_mark(ctx, record) and marked_name(record) not in addressed]
    return [*marks, *(record for record in validations if record.name not in in_use)]


def foreign_records(zone: HostedZone, records: Sequence[RecordSet]) -> list[RecordSet]:
    """The records that a zone does not have by itself."""
    return [record for record in records if record.name != zone.name or record.type not in ("NS", "SOA")]


def names_of_records(ctx: Context[Any]) -> set[str]:
    """The names that the definition's record steps make."""
    return {plain_name(str(settings.get("name", ""))) for settings in ctx.others("route53.records")} - {""}


def described(records: Sequence[RecordSet]) -> str:
    """The records in a few words."""
    named = [shown(f"{record.type} {record.name}") for record in records[:MOST_NAMED]]
    more = f", and {len(records) - MOST_NAMED} more" if len(records) > MOST_NAMED else ""
    return ", ".join(named) + more


def deletion_line(zone: HostedZone, records: Sequence[RecordSet]) -> str:
    """The line that removes records (the first fifty) and the zone."""
    delete = aws_line("route53 delete-hosted-zone", id=zone.id)
    if not records:
        return delete
    changes = [{"Action": "DELETE", "ResourceRecordSet": dict(record.raw)} for record in records[:MOST_PASTED]]
    batch = json.dumps({"Changes": changes})
    return f"{aws_line('route53 change-resource-record-sets', hosted_zone_id=zone.id, change_batch=batch)} && {delete}"
