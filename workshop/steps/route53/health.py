"""`route53.health`: one health check of Route 53, which watches one endpoint of one region.

In: what the checkers ask for, and how often. Out: the check's id. Health checks have no names, so ours is the one with the tags of
workshop, step and region; before the tags exist, the one whose CallerReference was noted, or is of our form.

Some settings of a check never change (type, interval, latency, whether it searches). Where they differ, `create` makes another
check and leaves the old one, because records use it: it is deleted by the `route53.records` step, once its records use the new one
everywhere. At no moment does a record point at a check that does not exist, whatever is killed when. A definition without such
a step has no records of ours, so there the old check goes at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from workshop.shell import aws_line
from workshop.steps.base import Context, Estimate, Observed, Outputs, Permission, Phase, Placement, Resource, State, Step
from workshop.steps.ownership import Note, owner_of
from workshop.steps.route53.health_service import HEALTH_CHECK, ROUTE53, HealthCheckQuota
from workshop.steps.route53.health_settings import HealthParams, differences, fixed_settings, wanted_config
from workshop.steps.route53.references import is_our_reference, reference

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
    placements = frozenset({Placement.HOME, Placement.REPLICAS, Placement.EACH})
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
            await tag_zone(ctx.aws, current.check.id, _tags(ctx), KIND)
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
        found = []
        for each in await tagged_checks(ctx):
            is_untagged = not each.tags and is_our_reference(each.check.reference, ctx.workshop)
            if ctx.owns(each.tags) or is_untagged:
                found.append(_resource(each, each.tags.get(REGION_TAG, "global")))
        return found

    def commands(self, ctx: Context[HealthParams]) -> list[str]:
        config = wanted_config(ctx.params)
        regions = config.pop("Regions", [])
        fields = ",".join(f"{name}={_cli(value)}" for name, value in config.items() if value != "")
        if regions:
            fields = f"{fields},Regions={','.join(regions)}"
        create = aws_line(
            "route53 create-health-check",
            caller_reference=reference(ctx.workshop, ctx.region, "by-hand", ctx.step, 1),
            health_check_config=fields,
            query="HealthCheck.Id",
            output="text",
        )
        tags = [f"Key={key},Value={value}" for key, value in {**ctx.tags_by_hand, **_own_tags(ctx)}.items()]
        tag = aws_line("route53 change-tags-for-resource", resource_type=KIND, add_tags=tags)
        return [f"CHECK=$({create})", f'{tag} --resource-id "$CHECK"']

    def permissions(self, ctx: Context[HealthParams]) -> list[Permission]:  # noqa: ARG002
        reads = (("ListHealthChecks", "*"), ("GetHealthCheck", CHECKS), ("ListTagsForResources", CHECKS))
        changes = {
            Phase.SETUP: (
                ("CreateHealthCheck", "*"),
                ("UpdateHealthCheck", CHECKS),
                ("ChangeTagsForResource", CHECKS),
                *([] if False else [("DeleteHealthCheck", CHECKS)]),
            ),
            Phase.TEARDOWN: (("DeleteHealthCheck", CHECKS),),
            Phase.CHECK: (),
        }
        return [
            Permission(f"route53:{action}", resource, "", phase)
            for phase, more in changes.items()
            for action, resource in (*reads, *more)
        ]
