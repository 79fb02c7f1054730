"""`route53.records`: the records of one name, one per region, each with the health check of its own region.

In: a zone, a name, a routing policy, a target for each region. Out: the records, known to every name server of Route 53. Host and
check of a region come from one entry, and its SetIdentifier names the region: that is how the wiring cannot be crossed.

Every change is one batch: DELETE all of ours with the values that were read, CREATE the wanted ones. So a policy, which does not
mix within a group, changes in place, and at no moment does the name lack its records. A health check that was replaced
(see `health.py`) is deleted here, after the records use its successor everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.resources.custom_domains import custom_domains
from workshop.aws.resources.health_checks import delete_health_check
from workshop.aws.resources.route53 import change_and_wait, list_zones, plain_name, record_sets
from workshop.errors import DefinitionError, WorkshopError
from workshop.shell import aws, aws_line, captured, command_line, filled, with_captured
from workshop.steps.base import Context, Estimate, Observed, Outputs, Permission, Phase, Placement, Resource, State, Step
from workshop.steps.ownership import foreign_error, observed_foreign
from workshop.steps.route53.health_service import health_permissions
from workshop.steps.route53.prove_wiring import wiring_permissions
from workshop.steps.route53.record_group import (
    RecordGroup,
    leftover_group,
    read_group,
    superseded_checks,
    zone_of,
)
from workshop.steps.route53.record_sets import (
    ADDRESSED,
    RecordsParams,
    is_same_record,
    marked_name,
    ownership_record,
    require_policy,
    wanted_records,
)
from workshop.steps.route53.service import RECORD, ROUTE53, route53_permissions

__all__ = ["STEP", "RouteRecords"]

MOST_ATTEMPTS = 3
"""How often a batch is written anew because others changed the records since they were read."""


class RouteRecords(Step[RecordsParams]):
    """The records of one name."""

    kind = "route53.records"
    summary = "the DNS records of one name, one per region, each with its own health check"
    Params = RecordsParams
    estimate = Estimate(minutes=1.0)
    is_global = True
    placements = frozenset({Placement.GLOBAL, Placement.HOME, Placement.EACH})
    services = (ROUTE53,)
    resource_types = (RECORD,)

    async def observe(self, ctx: Context[RecordsParams]) -> Observed:
        group = await read_group(ctx, await zone_of(ctx))
        if not group.records and not group.is_marked:
            return Observed(State.ABSENT)
        if not group.is_marked:
            return observed_foreign(ctx, [leftover_group(group, group.records, ours=False)])
        outputs, adopted = _outputs(ctx, group), group.owner.get("adopted", "")
        if group.theirs:
            names = ", ".join(each.set_identifier for each in group.theirs)
            fix = leftover_group(group, group.theirs, ours=False).fix
            detail = f"records of others are in its group: {names}"
            return Observed(State.BROKEN, detail, outputs, fix=f"If they are not needed: {fix}")
        try:
            wanted = await _wanted(ctx)
        except DefinitionError as error:  # what its settings are made from may be gone already
            return Observed(State.PARTIAL, f"cannot be compared: {error.problem} {error.why}", outputs)
        different = _different(group, wanted)
        if different:
            return Observed(State.PARTIAL, different, outputs)
        old = await superseded_checks(ctx)
        if old:
            return Observed(State.PARTIAL, f"health checks that it used before are there still: {', '.join(old)}", outputs)
        return Observed(State.READY, "", outputs, adopted=adopted)

    def check_files(self, ctx: Context[RecordsParams]) -> None:
        """Nothing is read; a policy that its regions do not allow is refused before anything is made."""
        require_policy(ctx.params, ctx.regions, ctx.region)

    async def create(self, ctx: Context[RecordsParams]) -> Outputs:
        wanted, zone = await _wanted(ctx), await zone_of(ctx)
        group, waited = await self._written(ctx, zone, wanted)
        old = await superseded_checks(ctx)
        if old:
            if not waited and group.mark is not None:
                # The batch is of an earlier run, and its change not known: a change after it is INSYNC after it.
                await _change(ctx, group, [("UPSERT", dict(group.mark.raw))])
            for check in old:
                await delete_health_check(ctx.aws, check)
        return _outputs(ctx, group)

    async def adopt(self, ctx: Context[RecordsParams], resource: Resource) -> None:
        group = await read_group(ctx, resource.id)
        moment = ctx.clock.now().isoformat(timespec="seconds")
        await _change(ctx, group, [("UPSERT", ownership_record(group.name, ctx.workshop, ctx.step, ctx.run, moment))])

    async def destroy(self, ctx: Context[RecordsParams]) -> None:
        zone = await zone_of(ctx)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            group = await read_group(ctx, zone)
            if not group.removals:
                return
            try:
                await _change(ctx, group, group.removals)
            except AwsError as error:
                if error.code != "InvalidChangeBatch" or attempt == MOST_ATTEMPTS:
                    raise _refused(ctx, group, error) from error
                continue  # changed since it was read, maybe by an attempt of ours whose response was lost
            longest = max((each.ttl for each in group.ours), default=0)
            ctx.report.progress(f"{group.name} is gone; resolvers that asked before may keep it for up to {longest} s")

    async def leftovers(self, ctx: Context[RecordsParams]) -> list[Resource]:
        group = await read_group(ctx, await zone_of(ctx))
        found = [leftover_group(group, group.ours, ours=True)] if group.is_marked else []
        return [*found, *([leftover_group(group, group.theirs, ours=False)] if group.theirs else [])]

    async def tagged(self, ctx: Context[RecordsParams]) -> list[Resource]:
        found = []
        try:
            for zone in await list_zones(ctx.aws):
                records = [] if zone.private else await record_sets(ctx.aws, zone.id)
                for mark in records:
                    name = marked_name(mark)
                    if not name:
                        continue
                    there = tuple(each for each in records if each.name == name and each.type in ADDRESSED)
                    group = RecordGroup(zone.id, name, ctx.workshop, there, mark)
                    if group.is_marked:
                        found.append(leftover_group(group, group.ours, ours=True))
        except AwsError as error:
            if error.denied and not ctx.others(self.kind):
                return []  # a definition without records asks for no permission to look for them
            raise
        return found

    def routed_name(self, ctx: Context[RecordsParams]) -> str:
        return plain_name(ctx.params.name)

    def wired_name(self, ctx: Context[RecordsParams]) -> str:
        return "" if ctx.params.policy in WITHOUT_REGIONS else plain_name(ctx.params.name)

    def commands(self, ctx: Context[RecordsParams]) -> list[str]:
        lines: list[str] = []
        zones: list[str] = []

        def alias_zone(region: str, host: str) -> str:
            zones.append(f"ZONE{len(zones) + 1}")
            query = f"items[?regionalDomainName=='{host}'].regionalHostedZoneId | [0]"
            lines.append(captured(zones[-1], aws("apigateway get-domain-names", region=region, query=query, output="text")))
            return "%s"

        records = wanted_records(ctx.params, ctx.workshop, ctx.regions, ctx.region, alias_zone)
        mark = ownership_record(ctx.params.name, ctx.workshop, ctx.step, "by-hand")
        batch = json.dumps({"Changes": [{"Action": "CREATE", "ResourceRecordSet": each} for each in (*records, mark)]})
        change = aws("route53 change-resource-record-sets", hosted_zone_id=ctx.params.zone, query="ChangeInfo.Id", output="text")
        if zones:
            return [*lines, filled(change, "--change-batch", batch, zones)]
        wait = with_captured(aws("route53 wait resource-record-sets-changed"), "--id", "CHANGE")
        return [captured("CHANGE", [*change, "--change-batch", batch]), wait]

    def permissions(self, ctx: Context[RecordsParams]) -> list[Permission]:
        reads = ("ListResourceRecordSets", "ListHostedZonesByName", "GetHostedZone")
        changes = ("ChangeResourceRecordSets", "GetChange")
        found = route53_permissions(
            {Phase.SETUP: (*reads, *changes), Phase.TEARDOWN: (*reads, *changes, "ListHostedZones"), Phase.CHECK: reads}
        )
        looks = ("ListHealthChecks", "ListTagsForResources")
        found += health_permissions({Phase.SETUP: (*looks, "DeleteHealthCheck"), Phase.TEARDOWN: looks, Phase.CHECK: looks})
        # `drill wiring` exchanges two health checks; every drill through the name proves the wiring, and watches the checks.
        found += route53_permissions({Phase.DRILL: (*reads, *changes)})
        found += health_permissions({Phase.DRILL: ("ListHealthChecks", "GetHealthCheck", "GetHealthCheckStatus")})
        found += [each for each in wiring_permissions(ctx.regions, Phase.DRILL) if each not in found]
        if ctx.params.aliases:
            found += [
                Permission("apigateway:GET", f"arn:aws:apigateway:{region}::/domainnames*", region, phase)
                for region in ctx.regions
                for phase in (Phase.SETUP, Phase.TEARDOWN, Phase.CHECK)
            ]
        return found

    async def _written(
        self, ctx: Context[RecordsParams], zone: str, wanted: Sequence[dict[str, Any]]
    ) -> tuple[RecordGroup, bool]:
        """The group with the wanted records, and whether a change of this run made it so; it is INSYNC then."""
        if not zone:
            raise _no_zone(ctx)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            group = await read_group(ctx, zone)
            if group.theirs:
                raise foreign_error(await self.observe(ctx))
            if not _different(group, wanted):
                return group, False
            mark = [] if group.is_marked else [("CREATE", ownership_record(group.name, ctx.workshop, ctx.step, ctx.run))]
            removed = [change for change in group.removals if group.mark is None or change[1] != dict(group.mark.raw)]
            try:
                await _change(ctx, group, [*removed, *(("CREATE", record) for record in wanted), *mark])
            except AwsError as error:
                if error.code != "InvalidChangeBatch" or attempt == MOST_ATTEMPTS:
                    raise _refused(ctx, group, error) from error
                if _same_group(group, await read_group(ctx, zone)):
                    raise _refused(ctx, group, error) from error
                continue  # changed since it was read, maybe by an attempt of ours whose response was lost
            return await read_group(ctx, zone), True
        raise AssertionError("the last attempt returns or raises")


WITHOUT_REGIONS = ("simple", "multivalue")
"""Policies without a record for each region."""
STEP = RouteRecords()


async def _wanted(ctx: Context[RecordsParams]) -> list[dict[str, Any]]:
    """The wanted record sets; raises `DefinitionError` for settings that Route 53 would refuse."""
    zones: dict[tuple[str, str], str] = {}
    if ctx.params.aliases:
        for region in ctx.regions:
            zones |= {(region, each.target): each.target_zone for each in await custom_domains(ctx.aws, region)}
    return wanted_records(ctx.params, ctx.workshop, ctx.regions, ctx.region, lambda region, host: zones.get((region, host), ""))


def _different(group: RecordGroup, wanted: Sequence[dict[str, Any]]) -> str:
    """How the records differ from the wanted ones, in a few words; empty when they are equal."""
    left, missing, changed = list(group.ours), [], []
    for record in wanted:
        name = record.get("SetIdentifier", "") or group.name
        same = next((each for each in left if each.set_identifier == record.get("SetIdentifier", "")), None)
        if same is None:
            missing.append(name)
            continue
        left.remove(same)
        if not is_same_record(same.raw, record):
            members = sorted(key for key in {*same.raw, *record} if same.raw.get(key) != record.get(key))
            changed.append(f"{name} ({', '.join(member for member in members if member != 'Name')})")
    parts = [f"missing: {', '.join(missing)}"] if missing else []
    parts += [f"other values: {', '.join(changed)}"] if changed else []
    parts += [f"too many: {', '.join(each.set_identifier or each.type for each in left)}"] if left else []
    parts += [] if group.is_marked else ["not marked as ours"]
    return "; ".join(parts)


def _same_group(one: RecordGroup, other: RecordGroup) -> bool:
    """Whether two readings of a group are equal."""
    return [each.raw for each in one.records] == [each.raw for each in other.records] and (
        (one.mark.raw if one.mark else None) == (other.mark.raw if other.mark else None)
    )


async def _change(ctx: Context[RecordsParams], group: RecordGroup, changes: Sequence[tuple[str, dict[str, Any]]]) -> None:
    await change_and_wait(
        ctx.aws,
        group.zone,
        changes,
        reason=f"the records of {group.name} to be on every name server",
        waiting=ctx.report.waiting,
        comment=f"{ctx.workshop} {ctx.step} {ctx.run}",
    )


def _outputs(ctx: Context[RecordsParams], group: RecordGroup) -> dict[str, str]:
    return {"Name": group.name, "Zone": group.zone, "Policy": ctx.params.policy}


def _no_zone(ctx: Context[RecordsParams]) -> WorkshopError:
    return WorkshopError(
        what=f"No public zone of this account covers {plain_name(ctx.params.name)}.",
        why="Records are written into a zone.",
        fix=f"Bring the steps before it to ready: {command_line(ctx.again('setup'))}",
        code="NoZone",
    )


def _refused(ctx: Context[RecordsParams], group: RecordGroup, error: AwsError) -> WorkshopError:
    """A refusal of Route 53 with what helps (docs/aws-behaviours.md, section 6.4)."""
    setup = command_line(ctx.again("setup"))
    show = aws_line("route53 list-resource-record-sets", hosted_zone_id=group.zone, start_record_name=group.name, max_items="10")
    fix = f"Look at what is there: {show}"
    if error.mentions("health check") and error.mentions("does not exist"):
        fix = f"A health check was deleted meanwhile. Make it again: {setup}"
    elif error.mentions("is not permitted in zone"):
        fix = f"The name {group.name} does not belong to that zone: correct `name` or `zone`"
    elif error.mentions("is not permitted at apex"):
        fix = "The zone's own name takes no CNAME: use a name below it, or `aliases: true` with a custom domain"
    elif error.mentions("same name and type") or error.mentions("conflict"):
        fix = f"Something else has that name. {fix}"
    elif error.code == "NoSuchHostedZone":
        fix = f"The zone is gone. Make it again: {setup}"
    elif error.code not in ("InvalidChangeBatch", "InvalidInput"):
        return error
    return WorkshopError(what=f"Route 53 refused the records of {group.name}.", why=error.message, fix=fix, code=error.code)
