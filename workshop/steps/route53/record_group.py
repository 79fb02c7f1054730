"""The records of one name as a zone has them now: whose they are, and which health checks they leave behind.

In: a context, a zone. Out: frozen values; reads only. Records have no tags: a TXT record beside them shows whose they are,
written and removed in the same batch as they are (docs/aws-behaviours.md, section 6.11).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workshop.aws.resources.route53 import RecordSet, covering_zone, covering_zones, plain_name, record_sets, records_at
from workshop.quoting import shown
from workshop.shell import aws_line
from workshop.steps.base import Context, Resource
from workshop.steps.ownership import LEFT_ALONE
from workshop.steps.route53.health import tagged_checks
from workshop.steps.route53.record_sets import ADDRESSED, RecordsParams, owner_texts, ownership_name
from workshop.steps.route53.service import GLOBAL, RECORD

__all__ = ["RecordGroup", "leftover_group", "read_group", "superseded_checks", "zone_of"]

ADOPTION = "its records are marked as ours, and from then on setup replaces and teardown deletes them"


@dataclass(frozen=True)
class RecordGroup:
    """The records that lead somewhere (`records`) and the TXT record that shows whose they are (`mark`)."""

    zone: str
    name: str
    workshop: str
    records: tuple[RecordSet, ...]
    mark: RecordSet | None

    @property
    def owner(self) -> dict[str, str]:
        """What the TXT record names; empty without one of our form."""
        return owner_texts([self.mark] if self.mark else [], self.name)

    @property
    def is_marked(self) -> bool:
        """Whether the TXT record names this workshop as the owner."""
        return self.owner.get("workshop") == self.workshop

    @property
    def ours(self) -> tuple[RecordSet, ...]:
        """The records that we made or adopted. One that others added to the group under a SetIdentifier of theirs is not."""
        if not self.is_marked:
            return ()
        if self.owner.get("adopted"):
            return self.records
        mine = f"{self.workshop}:"
        return tuple(each for each in self.records if not each.set_identifier or each.set_identifier.startswith(mine))

    @property
    def theirs(self) -> tuple[RecordSet, ...]:
        """The records of others."""
        return tuple(each for each in self.records if each not in self.ours)

    @property
    def removals(self) -> list[tuple[str, dict[str, Any]]]:
        """The changes that delete everything of ours, with the exact values that were read."""
        marks = [self.mark] if self.mark is not None and self.is_marked else []
        return [("DELETE", dict(each.raw)) for each in (*self.ours, *marks)]


async def zone_of(ctx: Context[RecordsParams]) -> str:
    """The id of the zone; where the settings have none (any more), the account's zone that the name is in, or an empty text.

    Of several zones of one name it is the one that holds our records.
    """
    if ctx.params.zone:
        return ctx.params.zone
    found = await covering_zones(ctx.aws, ctx.params.name)
    for zone in found if len(found) > 1 else []:
        if (await read_group(ctx, zone.id)).is_marked:
            return zone.id
    return found[0].id if found else ""


async def read_group(ctx: Context[RecordsParams], zone: str) -> RecordGroup:
    """The group as it is now; empty when the zone is gone."""
    name = plain_name(ctx.params.name)
    records = [each for each in await records_at(ctx.aws, zone, name) if each.type in ADDRESSED] if zone else []
    marks = await records_at(ctx.aws, zone, ownership_name(name), "TXT") if zone else []
    return RecordGroup(zone, name, ctx.workshop, tuple(records), next(iter(marks), None))


async def superseded_checks(ctx: Context[RecordsParams]) -> list[str]:
    """The health checks that were replaced by those of the targets, and that no record of these zones uses any more."""
    wanted = {target.health for target in ctx.params.targets} - {""}
    if not wanted:
        return []
    ours = [each for each in await tagged_checks(ctx) if ctx.owns(each.tags)]
    places = {each.place for each in ours if each.check.id in wanted and all(each.place)}
    old = [each.check.id for each in ours if each.place in places and each.check.id not in wanted]
    if not old:
        return []
    used = {record.health_check for zone in await _zones(ctx) for record in await record_sets(ctx.aws, zone)}
    return [check for check in old if check not in used]


async def _zones(ctx: Context[RecordsParams]) -> list[str]:
    """The zones of every step of the definition that writes records."""
    found = {await zone_of(ctx)}
    for settings in ctx.others("route53.records"):
        zone, name = str(settings.get("zone") or ""), str(settings.get("name") or "")
        covering = None if zone or not name else await covering_zone(ctx.aws, name)
        found.add(zone or (covering.id if covering else ""))
    return sorted(found - {""})


def leftover_group(group: RecordGroup, records: Sequence[RecordSet], *, ours: bool, step: str = "") -> Resource:
    """Records of one name as one resource."""
    marks = [group.mark] if ours and group.mark is not None else []
    changes = [{"Action": "DELETE", "ResourceRecordSet": dict(each.raw)} for each in (*records, *marks)]
    kinds = ", ".join(sorted({each.type for each in records}))
    adopted = group.owner.get("adopted", "") if ours else ""
    free = group.mark is None or group.is_marked  # marking them never writes over a text of another hand
    return Resource(
        RECORD.name,
        group.name,
        GLOBAL,
        why="" if ours else LEFT_ALONE,
        fix=aws_line(
            "route53 change-resource-record-sets",
            hosted_zone_id=group.zone,
            change_batch=json.dumps({"Changes": changes}),
        ),
        show=aws_line(
            "route53 list-resource-record-sets", hosted_zone_id=group.zone, start_record_name=group.name, max_items="10"
        ),
        ours=ours,
        step=step or group.owner.get("step", ""),
        size=f"{len(records)} records ({shown(kinds)})" if records else "the mark of ours alone",
        adoption=ADOPTION if not ours and free else "",
        adopted=adopted,
        id=group.zone,
    )
