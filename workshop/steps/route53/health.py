"""`route53.health`: one health check of Route 53, which watches one endpoint of one region.

In: what the checkers ask for, and how often. Out: the check's id. Health checks have no names, so ours is the one with the tags
of workshop, step and region; before the tags exist, the one whose CallerReference was noted, or is of our form.

Some settings of a check never change (type, interval, latency, whether it searches). Where they differ, `create` makes another
check and leaves the old one, because records use it: the `route53.records` step deletes it, once its records use the new one
everywhere. At no moment does a record point at a check that does not exist, whatever is killed when. A definition without such
a step has no records of ours, so there the old check goes at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.aws.errors import AwsError
from workshop.aws.resources.health_checks import (
    HealthCheck,
    create_health_check,
    delete_health_check,
    find_health_check,
    list_health_checks,
    update_health_check,
)
from workshop.aws.resources.route53 import tag_zone, zone_tags
from workshop.errors import WorkshopError
from workshop.shell import aws, aws_line, captured, with_captured
from workshop.steps.base import Context, Estimate, Observed, Outputs, Permission, Phase, Placement, Resource, State, Step
from workshop.steps.ownership import Note, owner_of
from workshop.steps.route53.health_service import HEALTH_CHECK, HealthCheckQuota, health_permissions
from workshop.steps.route53.health_settings import HealthParams, differences, fixed_settings, wanted_config
from workshop.steps.route53.references import is_our_reference, reference
from workshop.steps.route53.service import GLOBAL, ROUTE53
from workshop.steps.route53.watching import check_path

__all__ = ["REGION_TAG", "STEP", "STEP_TAG", "RouteHealth", "TaggedCheck", "tagged_checks"]

STEP_TAG, REGION_TAG = "workshop:step", "workshop:region"
CHECK_NOTE = HEALTH_CHECK.name
REQUEST_NOTE = "health check request"
"""The kind of the notes with the CallerReference of a request, as their identity: it finds a check that has no tags yet."""
MOST_REFERENCES = 20
MOST_UPDATES = 3
KIND = "healthcheck"
RECORDS = "route53.records"


@dataclass(frozen=True)
class TaggedCheck:
    """A health check and its tags."""

    check: HealthCheck
    tags: Mapping[str, str]

    @property
    def place(self) -> tuple[str, str]:
        """The step and the region that it was made for."""
        return self.tags.get(STEP_TAG, ""), self.tags.get(REGION_TAG, "")


class RouteHealth(Step[HealthParams]):
    """One check per region of the step."""

    kind = "route53.health"
    summary = "a Route 53 health check of one region's endpoint"
    Params = HealthParams
    estimate = Estimate(minutes=0.2, usd=0.10)
    is_global = True
    placements = frozenset({Placement.HOME, Placement.REPLICAS, Placement.EACH, Placement.NAMED})
    services = (ROUTE53,)
    resource_types = (HEALTH_CHECK,)
    noted_resources = frozenset({CHECK_NOTE})
    quotas = (HealthCheckQuota(),)

    async def observe(self, ctx: Context[HealthParams]) -> Observed:
        own = await _own(ctx)
        if not own:
            return Observed(State.ABSENT)
        wanted = wanted_config(ctx.params)
        current = _current(ctx, own, wanted)
        if current is None:
            found = differences(wanted, own[0].check)
            members = ", ".join(found.fixed)
            return Observed(State.PARTIAL, f"must be replaced: {members} cannot be changed", _outputs(own[0].check))
        outputs, found = _outputs(current.check), differences(wanted, current.check)
        if not found.none:
            members = ", ".join((*found.changes, *found.reset))
            return Observed(State.PARTIAL, f"has other settings: {members}", outputs)
        if not _carries_tags(ctx, current):
            return Observed(State.PARTIAL, "has no tags yet", outputs)
        others = [each.check.id for each in own if each is not current]
        if others and not _has_records(ctx):
            return Observed(State.PARTIAL, f"an earlier check exists too: {', '.join(others)}", outputs)
        detail = f"the earlier check {', '.join(others)} goes when no record uses it" if others else ""
        return Observed(State.READY, detail, outputs)

    async def create(self, ctx: Context[HealthParams]) -> Outputs:
        own, wanted = await _own(ctx), wanted_config(ctx.params)
        current = _current(ctx, own, wanted)
        if current is None:
            current = TaggedCheck(await _request(ctx, wanted), {})
        ctx.notes.record(CHECK_NOTE, _name(ctx), current.check.id)
        if not _carries_tags(ctx, current):
            await tag_zone(ctx.aws, current.check.id, {**ctx.tags, **_place_tags(ctx)}, KIND)
        check = await _updated(ctx, current.check, wanted)
        if not _has_records(ctx):
            for each in own:
                if each.check.id != check.id:
                    await delete_health_check(ctx.aws, each.check.id)
        return _outputs(check)

    async def destroy(self, ctx: Context[HealthParams]) -> None:
        for each in await _own(ctx):
            await delete_health_check(ctx.aws, each.check.id)
        for note in (CHECK_NOTE, REQUEST_NOTE):
            ctx.notes.forget(note, _name(ctx))

    async def leftovers(self, ctx: Context[HealthParams]) -> list[Resource]:
        return [_resource(each, ctx.region) for each in await _own(ctx)]

    async def tagged(self, ctx: Context[HealthParams]) -> list[Resource]:
        """All of the account, whatever their region: health checks are in none, and each costs money."""
        try:
            checks = await tagged_checks(ctx)
        except AwsError as error:
            if error.denied and not ctx.others(self.kind):
                return []  # a definition without health checks asks for no permission to look for them
            raise
        found = []
        for each in checks:
            is_untagged = not each.tags and is_our_reference(each.check.reference, ctx.workshop)
            if ctx.owns(each.tags) or is_untagged:
                found.append(_resource(each, each.tags.get(REGION_TAG, GLOBAL)))
        return found

    def commands(self, ctx: Context[HealthParams]) -> list[str]:
        create = aws(
            "route53 create-health-check",
            caller_reference=reference(ctx.workshop, ctx.region, ctx.run, ctx.step, 1),
            health_check_config=json.dumps(wanted_config(ctx.params)),
            query="HealthCheck.Id",
            output="text",
        )
        tags = [f"Key={key},Value={value}" for key, value in {**ctx.tags_by_hand, **_place_tags(ctx)}.items()]
        tag = aws("route53 change-tags-for-resource", resource_type=KIND, add_tags=tags)
        return [captured("CHECK", create), with_captured(tag, "--resource-id", "CHECK")]

    def permissions(self, ctx: Context[HealthParams]) -> list[Permission]:  # noqa: ARG002
        reads = ("ListHealthChecks", "ListTagsForResources")
        # DeleteHealthCheck in a setup: of a check that was replaced.
        setup = ("CreateHealthCheck", "UpdateHealthCheck", "GetHealthCheck", "ChangeTagsForResource", "DeleteHealthCheck")
        # A drill may invert a check, and sets it back.
        drill = ("GetHealthCheck", "ListTagsForResources", "UpdateHealthCheck")
        return health_permissions(
            {
                Phase.SETUP: (*reads, *setup),
                Phase.TEARDOWN: (*reads, "DeleteHealthCheck"),
                Phase.CHECK: reads,
                Phase.DRILL: drill,
            }
        )


STEP = RouteHealth()


async def tagged_checks(ctx: Context[Any]) -> list[TaggedCheck]:
    """The health checks of the account with their tags, without those that AWS manages."""
    checks = [each for each in await list_health_checks(ctx.aws) if not each.managed]
    tags = await zone_tags(ctx.aws, [each.id for each in checks], KIND)
    return [TaggedCheck(each, tags[each.id]) for each in checks]


async def _own(ctx: Context[HealthParams]) -> list[TaggedCheck]:
    """The checks of this step and region, in the order of their ids."""
    noted = ctx.notes.identity(REQUEST_NOTE, _name(ctx), ctx.region)
    found = [each for each in await tagged_checks(ctx) if _is_own(ctx, each, noted)]
    return sorted(found, key=lambda each: each.check.id)


def _is_own(ctx: Context[HealthParams], each: TaggedCheck, noted: str) -> bool:
    if ctx.owns(each.tags):
        return each.place == (ctx.step, ctx.region)
    if owner_of(ctx, each.tags, Note(CHECK_NOTE, _name(ctx), ctx.region, each.check.id)).ours:
        return True
    # Killed between the request and its tags: by this machine, or by one whose journal is not here.
    mine = is_our_reference(each.check.reference, ctx.workshop, ctx.region, ctx.step)
    return not each.tags and (mine or bool(noted and each.check.reference == noted))


def _current(ctx: Context[HealthParams], own: Sequence[TaggedCheck], wanted: Mapping[str, Any]) -> TaggedCheck | None:
    """The check that is, or can be changed to be, as wanted; of several the one that was noted, then one that needs no change."""
    noted = ctx.notes.identity(CHECK_NOTE, _name(ctx), ctx.region)
    fitting = [each for each in own if fixed_settings(each.check.config) == fixed_settings(wanted)]
    return min(
        fitting,
        key=lambda each: (each.check.id != noted, not differences(wanted, each.check).none, each.check.id),
        default=None,
    )


async def _request(ctx: Context[HealthParams], wanted: Mapping[str, Any]) -> HealthCheck:
    """Another check. Its reference is noted before the request, so that a run which continues this one finds it without tags."""
    noted = ctx.notes.identity(REQUEST_NOTE, _name(ctx), ctx.region)
    fresh = (reference(ctx.workshop, ctx.region, ctx.run, ctx.step, number) for number in range(1, MOST_REFERENCES + 1))
    for each in dict.fromkeys((*([noted] if noted else []), *fresh)):
        ctx.notes.record(REQUEST_NOTE, _name(ctx), each)
        try:
            return await create_health_check(ctx.aws, each, wanted)
        except AwsError as error:
            if error.code == "TooManyHealthChecks":
                raise _too_many(error) from error
            if error.code != "HealthCheckAlreadyExists":  # used before: by a check that is deleted, or that had other settings
                raise
    raise WorkshopError(
        what=f"No health check could be created for {ctx.region}.",
        why=f"Route 53 has seen {MOST_REFERENCES} references of this run before.",
        fix="Run the same command again: another run has other references.",
        code="HealthCheckAlreadyExists",
    )


async def _updated(ctx: Context[HealthParams], check: HealthCheck, wanted: Mapping[str, Any]) -> HealthCheck:
    """The check with the wanted settings; one that others change at the same time is read again."""
    for attempt in range(1, MOST_UPDATES + 1):
        found = differences(wanted, check)
        if not (found.changes or found.reset):
            return check
        try:
            return await update_health_check(ctx.aws, check, found.changes, found.reset)
        except AwsError as error:
            if error.code != "HealthCheckVersionMismatch" or attempt == MOST_UPDATES:
                raise
        check = await find_health_check(ctx.aws, check.id) or check
    return check


def _resource(each: TaggedCheck, region: str) -> Resource:
    name = each.tags.get("Name") or each.check.reference
    asks = f"{each.check.host}{each.check.config.get('ResourcePath', '')}"
    return Resource(
        HEALTH_CHECK.name,
        name,
        region,
        fix=aws_line("route53 delete-health-check", health_check_id=each.check.id),
        show=aws_line("route53 get-health-check", health_check_id=each.check.id),
        step=each.tags.get(STEP_TAG, ""),
        size=f"asks {asks}",
        id=each.check.id,
    )


def _name(ctx: Context[HealthParams]) -> str:
    """What people read in the console, and the key of the notes."""
    return f"{ctx.workshop} {ctx.step} {ctx.region}"


def _place_tags(ctx: Context[HealthParams]) -> dict[str, str]:
    return {REGION_TAG: ctx.region, "Name": _name(ctx)}


def _carries_tags(ctx: Context[HealthParams], each: TaggedCheck) -> bool:
    return ctx.owns(each.tags) and each.place == (ctx.step, ctx.region)


def _has_records(ctx: Context[HealthParams]) -> bool:
    """Whether a step of this definition writes records, and so deletes the checks that they do not use any more."""
    return bool(ctx.others(RECORDS))


def _outputs(check: HealthCheck) -> dict[str, str]:
    return {"HealthCheckId": check.id, "Host": check.host, "Path": check_path(check)}


def _too_many(error: AwsError) -> WorkshopError:
    return WorkshopError(
        what="The account has as many health checks as it may have.",
        why=error.message,
        fix="Delete some that are not needed (aws route53 list-health-checks), or ask for more: aws service-quotas "
        "request-service-quota-increase --region us-east-1 --service-code route53 --quota-code L-ACB674F3 --desired-value 400",
        code=error.code,
    )
