"""`route53.zone`: a public hosted zone, found in the account or made.

In: a domain name. Out: its zone, tagged when it is ours. A zone that another hand made is used and never deleted: a teardown
removes from it what the workshop put there. One that we made goes with its validation records, unless its parent points at it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from workshop.aws.dns import DnsError
from workshop.aws.errors import AwsError
from workshop.aws.resources.route53 import (
    CONTROL_REGION,
    HostedZone,
    change_and_wait,
    create_zone,
    delete_zone,
    find_zone,
    list_zones,
    record_sets,
    tag_zone,
    untag_zone,
    wait_insync,
    zone_tags,
    zones_named,
)
from workshop.errors import PartlyDoneError, WorkshopError
from workshop.shell import aws_line, command_line
from workshop.steps.base import Context, Estimate, Observed, Outputs, Params, Permission, Phase, Placement, Resource, State, Step
from workshop.steps.ownership import foreign_error, observed_foreign
from workshop.steps.route53.delegation import seen_delegation
from workshop.steps.route53.service import ACM, GLOBAL, RECORD, ROUTE53, ZONE, ZoneQuota, route53_permissions
from workshop.steps.route53.zone_owner import OwnedZone, owned_zone, reference
from workshop.steps.route53.zone_records import deletion_line, described, foreign_records, names_of_records, removable

__all__ = ["STEP", "ZONE_NOTE", "Route53Zone", "ZoneName", "ZoneParams", "zone_outputs"]

ZoneName = Annotated[
    str, Field(pattern=r"^([a-z0-9_*]([a-z0-9_*-]{0,61}[a-z0-9*])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$", max_length=200)
]
"""Of a zone. A star is the number of the account in a policy for any account."""
ZONE_NOTE = ZONE.name
COMMENT = "made by workshop"
MOST_AT_ONCE = 100
"""Records that one batch deletes: Route 53 takes 1,000 of them, and 32,000 characters (section 6.4)."""
MOST_REFUSALS = 3
MORE_ZONES = {"service_code": "route53", "quota_code": "L-4EA4796A", "desired_value": "600"}
ADOPTION = "it is used, and stays when the workshop goes: teardown removes from it what the workshop put there"


class ZoneParams(Params):
    """`adopt`: a zone of that name that exists already is used; without it such a zone stops the setup until `--adopt`."""

    name: ZoneName
    adopt: bool = True


class Route53Zone(Step[ZoneParams]):
    """The zone in which the workshop's names are."""

    kind = "route53.zone"
    summary = "a public hosted zone, made or found"
    Params = ZoneParams
    estimate = Estimate(minutes=1, usd=0.50)
    placements = frozenset({Placement.GLOBAL})
    is_global = True
    services = (ROUTE53, ACM)
    resource_types = (ZONE, RECORD)
    noted_resources = frozenset({ZONE_NOTE})
    quotas = (ZoneQuota(),)

    async def observe(self, ctx: Context[ZoneParams]) -> Observed:
        found = await self._zones(ctx)
        if not found:
            return Observed(State.ABSENT)
        if len(found) > 1:
            return _several(ctx, found)
        (mine,) = found
        described_zone = await find_zone(ctx.aws, mine.zone.id)
        if described_zone is None:
            return Observed(State.ABSENT)
        outputs = zone_outputs(described_zone)
        if not mine.ours:
            if ctx.params.adopt:
                return Observed(State.READY, "exists in this account: it is used, and kept", outputs, kept=True)
            return observed_foreign(ctx, [_resource(mine.zone, ours=False, adoption=ADOPTION)])
        if not ctx.owns(mine.tags):
            return Observed(State.PARTIAL, "has no tags yet", outputs)
        return Observed(State.READY, mine.owner.detail, outputs, adopted=mine.owner.adopted, kept=bool(mine.owner.adopted))

    async def create(self, ctx: Context[ZoneParams]) -> Outputs:
        found = await self._zones(ctx)
        if len(found) > 1:
            raise _ambiguous(ctx, found)
        if not found:
            return zone_outputs(await self._request(ctx))
        (mine,) = found
        if not mine.ours and not ctx.params.adopt:
            raise foreign_error(await self.observe(ctx))
        if mine.ours:
            ctx.notes.record(ZONE_NOTE, ctx.params.name, mine.zone.id)
            if not ctx.owns(mine.tags):
                await tag_zone(ctx.aws, mine.zone.id, ctx.tags)
        described_zone = await find_zone(ctx.aws, mine.zone.id)
        return zone_outputs(described_zone or mine.zone)

    async def adopt(self, ctx: Context[ZoneParams], resource: Resource) -> None:
        await tag_zone(ctx.aws, resource.id, ctx.adoption_tags)
        ctx.notes.record(ZONE_NOTE, resource.name, resource.id)

    async def destroy(self, ctx: Context[ZoneParams]) -> None:
        for mine in await self._zones(ctx):
            if mine.ours and not mine.owner.adopted:
                await self._delete(ctx, mine.zone)
            elif ctx.params.adopt or mine.ours:
                await self._clear(ctx, mine)
        ctx.notes.forget(ZONE_NOTE, ctx.params.name)  # what is made later under this name is not ours

    async def leftovers(self, ctx: Context[ZoneParams]) -> list[Resource]:
        left: list[Resource] = []
        for mine in await self._zones(ctx):
            if mine.ours and not mine.owner.adopted:
                left.append(await self._left(ctx, mine))
            elif ctx.params.adopt or mine.ours:
                rest = await removable(ctx, mine.zone, names=names_of_records(ctx))
                left += [
                    Resource(RECORD.name, f"{r.type} {r.name}", GLOBAL, fix=deletion_line(mine.zone, [r]).partition(" && ")[0])
                    for r in rest
                ]
        return left

    async def tagged(self, ctx: Context[ZoneParams]) -> list[Resource]:
        try:
            zones = await list_zones(ctx.aws)
        except AwsError as error:
            if error.denied and not ctx.others(self.kind):
                return []  # a definition without zones asks for no permission to look for them
            raise
        tags = await zone_tags(ctx.aws, [zone.id for zone in zones])
        mine = [owned_zone(ctx, zone, tags[zone.id], ZONE_NOTE) for zone in zones]
        return [await self._left(ctx, each) for each in mine if each.ours and not each.owner.adopted]

    def zone_name(self, ctx: Context[ZoneParams]) -> str:
        return ctx.params.name

    def commands(self, ctx: Context[ZoneParams]) -> list[str]:
        # A zone with our reference is ours, tags or not.
        return [aws_line("route53 create-hosted-zone", name=ctx.params.name, caller_reference=reference(ctx))]

    def permissions(self, ctx: Context[ZoneParams]) -> list[Permission]:
        look = ("ListHostedZonesByName", "GetHostedZone", "ListTagsForResources", "ListResourceRecordSets")
        remove = ("ChangeResourceRecordSets", "ChangeTagsForResource", "DeleteHostedZone", "GetChange", "ListHostedZones")
        certificates = {"acm:ListCertificates": "*", "acm:DescribeCertificate": f"arn:aws:acm:*:{ctx.account}:certificate/*"}
        return [
            *route53_permissions(
                {
                    Phase.SETUP: (*look, "CreateHostedZone", "ChangeTagsForResource", "GetChange"),
                    Phase.TEARDOWN: (*look, *remove),
                    Phase.CHECK: look,
                }
            ),
            # Certificates of any region may be renewed by a record of the zone.
            *(
                Permission(action, resource, "", phase)
                for action, resource in certificates.items()
                for phase in (Phase.TEARDOWN, Phase.CHECK)
            ),
        ]

    async def _zones(self, ctx: Context[ZoneParams]) -> list[OwnedZone]:
        """The public zones of the name, each with its owner."""
        zones = await zones_named(ctx.aws, ctx.params.name)
        tags = await zone_tags(ctx.aws, [zone.id for zone in zones])
        return [owned_zone(ctx, zone, tags[zone.id], ZONE_NOTE) for zone in zones]

    async def _request(self, ctx: Context[ZoneParams]) -> HostedZone:
        """Ask for the zone, tag it at once, wait until every name server has it."""
        name, mine = ctx.params.name, reference(ctx)
        ctx.notes.record(ZONE_NOTE, name)
        try:
            zone, change = await create_zone(ctx.aws, name, mine, COMMENT)
        except AwsError as error:
            if error.code == "HostedZoneAlreadyExists":
                # The response to an earlier attempt was lost: no other request has this reference (section 6.5).
                for zone in await zones_named(ctx.aws, name):
                    if zone.reference == mine:
                        ctx.notes.record(ZONE_NOTE, name, zone.id)
                        await tag_zone(ctx.aws, zone.id, ctx.tags)
                        return await find_zone(ctx.aws, zone.id) or zone
            if error.final:
                ctx.notes.forget(ZONE_NOTE, name)
            raise _explained(ctx, error) from error
        ctx.notes.record(ZONE_NOTE, name, zone.id)
        await tag_zone(ctx.aws, zone.id, ctx.tags)
        await wait_insync(ctx.aws, change, reason=f"the zone {name} to be on every name server", waiting=ctx.report.waiting)
        return zone

    async def _delete(self, ctx: Context[ZoneParams], zone: HostedZone) -> None:
        """Delete a zone of ours with what goes with it; what others put into it keeps it."""
        await self._require_undelegated(ctx, zone)
        await self._remove_records(ctx, zone, names=None)
        try:
            await delete_zone(ctx.aws, zone.id)
        except AwsError as error:
            if error.code != "HostedZoneNotEmpty":
                raise
            rest = foreign_records(zone, await record_sets(ctx.aws, zone.id))
            raise PartlyDoneError(
                what=f"The zone {zone.name} cannot be deleted yet.",
                why=f"It holds {len(rest)} records that this workshop did not make or that are still in use: {described(rest)}.",
                fix=f"If they are not needed: {deletion_line(zone, rest)}",
                code=error.code,
            ) from error

    async def _clear(self, ctx: Context[ZoneParams], mine: OwnedZone) -> None:
        """Remove from a zone of others what the workshop put there, its tags too."""
        await self._remove_records(ctx, mine.zone, names=names_of_records(ctx))
        if ctx.owns(mine.tags):
            await untag_zone(ctx.aws, mine.zone.id, [key for key in mine.tags if key.partition(":")[0] == "workshop"])
        ctx.report.progress(f"the zone {mine.zone.name} stays: this workshop did not make it")

    @staticmethod
    async def _remove_records(ctx: Context[ZoneParams], zone: HostedZone, *, names: set[str] | None) -> None:
        records, refusals = await removable(ctx, zone, names=names), 0
        while records:
            batch = [("DELETE", record.raw) for record in records[:MOST_AT_ONCE]]
            reason = f"the records of {zone.name} to be gone"
            try:
                await change_and_wait(ctx.aws, zone.id, batch, reason=reason, waiting=ctx.report.waiting)
            except AwsError as error:
                refusals += 1
                if error.code != "InvalidChangeBatch" or refusals == MOST_REFUSALS:
                    raise
                # Changed since they were read, maybe by an attempt of ours whose response was lost.
                records = await removable(ctx, zone, names=names)
            else:
                records = records[MOST_AT_ONCE:]

    @staticmethod
    async def _require_undelegated(ctx: Context[ZoneParams], zone: HostedZone) -> None:
        """Raises `PartlyDoneError` while the parent sends resolvers to the zone's servers; on the local target none does."""
        if ctx.target.name == "local" or ctx.allow_dangling:
            return
        whole = await find_zone(ctx.aws, zone.id)
        if whole is None:
            return
        try:
            seen = await seen_delegation(ctx.target, zone.name, whole.servers)
        except DnsError as error:
            ctx.report.progress(f"! whether {zone.name} is still delegated is not known: {error.why}")
            return
        if seen.dangling:
            raise PartlyDoneError(
                what=f"The zone {zone.name} is still delegated to, so it is kept.",
                why=f"{seen.parent or 'Its parent'} sends resolvers to its name servers, where others could answer in its place.",
                fix=f"Remove the NS record of {zone.name} in {seen.parent or 'its parent'}, then:"
                f" {command_line(ctx.again('teardown'))}. Or delete it all the same:"
                f" {command_line(ctx.again('teardown', '--yes-dangling'))}",
                code="Dangling",
            )

    @staticmethod
    async def _left(ctx: Context[ZoneParams], mine: OwnedZone) -> Resource:
        rest = foreign_records(mine.zone, await record_sets(ctx.aws, mine.zone.id))
        why = f"it holds {len(rest)} records: {described(rest)}" if rest else ""
        return replace(_resource(mine.zone, ours=True), why=why, fix=deletion_line(mine.zone, rest), step=mine.step)


STEP = Route53Zone()


def zone_outputs(zone: HostedZone) -> Outputs:
    """The outputs of a zone."""
    return {"ZoneId": zone.id, "Name": zone.name, "NameServers": ",".join(sorted(zone.servers))}


def _resource(zone: HostedZone, *, ours: bool, adoption: str = "") -> Resource:
    return Resource(
        ZONE.name,
        zone.name,
        GLOBAL,
        fix=deletion_line(zone, []),
        show=aws_line("route53 list-resource-record-sets", hosted_zone_id=zone.id),
        ours=ours,
        size=f"{zone.records} records",
        adoption=adoption,
        id=zone.id,
    )


def _several(ctx: Context[ZoneParams], found: list[OwnedZone]) -> Observed:
    error = _ambiguous(ctx, found)
    ours = any(each.ours for each in found)
    # Without one of ours nothing may be changed here; with one, a teardown removes it.
    return Observed(State.BROKEN if ours else State.FOREIGN, f"{error.what} {error.why}", fix=error.fix, ours=ours)


def _ambiguous(ctx: Context[ZoneParams], found: list[OwnedZone]) -> WorkshopError:
    each = [f"{mine.zone.id} ({'ours' if mine.ours else 'not ours'}, {mine.zone.records} records)" for mine in found]
    removals = "; or: ".join(deletion_line(mine.zone, []) for mine in found)
    return WorkshopError(
        what=f"There are {len(found)} public zones {ctx.params.name} in this account.",
        why=f"They are {', '.join(each)}. Its parent can delegate to one of them only, and records in the others are never seen.",
        fix=f"Delete the one that is not used: {removals}",
        code="SeveralZones",
    )


def _explained(ctx: Context[ZoneParams], error: AwsError) -> WorkshopError:
    name, text = ctx.params.name, error.message
    if error.code == "DelegationSetNotAvailable":
        return WorkshopError(
            what=f"Route 53 has no name servers left for a zone {name}.",
            why=f"Too many accounts have a zone of that name or of one above it. {text}",
            fix="Take a name whose DNS you control: --param domain=a07.event.example.com; if this one is yours, ask AWS Support",
            code=error.code,
        )
    if error.code == "TooManyHostedZones":
        return WorkshopError(
            what="This account has no room for another hosted zone.",
            why=text,
            fix="Delete one that is not needed (aws route53 list-hosted-zones), or ask for more:"
            f" {aws_line('service-quotas request-service-quota-increase', region=CONTROL_REGION, **MORE_ZONES)}",
            code=error.code,
        )
    return error
