"""The fault `withdraw`: the health check of the region is inverted, so that DNS leads everyone away while the region is well.

A planned evacuation: nothing in the region is touched, and no request fails (docs/aws-behaviours.md, section 6.3). The undo sets
back what was inverted; a check that others set meanwhile, or that is gone, is left as it is.
"""

from __future__ import annotations

from pydantic import BaseModel

from workshop.aws.resources.health_checks import HealthCheck, find_health_check, update_health_check
from workshop.aws.resources.route53 import zone_tags
from workshop.drill.base import FaultContext, RegionFault, already_failing, not_possible
from workshop.drill.deployment import Deployment, RegionDeployment
from workshop.errors import WorkshopError
from workshop.shell import aws_line

__all__ = ["FAULT", "Withdraw"]

TAG = "workshop"


class WithdrawSnapshot(BaseModel):
    """The check, and whether it was inverted."""

    check: str
    inverted: bool


class Withdraw(RegionFault):
    """The check that the region's record carries."""

    name = "withdraw"
    summary = "its health check is inverted: a planned evacuation, in which no request fails"
    stops_writes = False
    withdraws = True
    permissions = ("route53:GetHealthCheck", "route53:ListTagsForResources", "route53:UpdateHealthCheck")

    async def snapshot(self, context: FaultContext, deployment: Deployment, regional: RegionDeployment) -> str:
        check = await find_health_check(context.aws, regional.check) if regional.check else None
        if check is None:
            raise not_possible(
                self.name,
                regional.region,
                why="No name leads to it by a record with a health check.",
                fix=f"Use the fault throttle: {context.commands.throttle(regional.region)}",
            )
        if (await zone_tags(context.aws, [check.id], "healthcheck"))[check.id].get(TAG) != deployment.workshop:
            raise not_possible(
                self.name,
                regional.region,
                why=f"The health check {check.id} does not carry the tag {TAG}={deployment.workshop}.",
                fix=f"See what is deployed: {context.commands.status}",
            )
        if check.config.get("Disabled"):
            why = f"The health check {check.id} is disabled: it counts as healthy whatever it sees."
            raise not_possible(self.name, regional.region, why=why, fix=f"Bring it to ready: {context.commands.setup}")
        if _is_inverted(check):
            raise already_failing(
                regional.region,
                why=f"Its health check {check.id} is inverted, and the journal has no drill that did it.",
                fix="If it is not meant to be: "
                + aws_line("route53 update-health-check", health_check_id=check.id, no_inverted=True),
            )
        return WithdrawSnapshot(check=check.id, inverted=False).model_dump_json()

    def plan(self, regional: RegionDeployment, snapshot: str) -> str:
        known = WithdrawSnapshot.model_validate_json(snapshot)
        return f"The health check {known.check} of {regional.region} is inverted and set back."

    async def inject(self, context: FaultContext, regional: RegionDeployment, snapshot: str) -> None:  # noqa: ARG002
        known = WithdrawSnapshot.model_validate_json(snapshot)
        check = await find_health_check(context.aws, known.check)
        if check is not None:
            await update_health_check(context.aws, check, {"Inverted": not known.inverted})

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        known = WithdrawSnapshot.model_validate_json(snapshot)
        check = await find_health_check(context.aws, known.check)
        if check is not None and _is_inverted(check) != known.inverted:
            await update_health_check(context.aws, check, {"Inverted": known.inverted})
            check = await find_health_check(context.aws, known.check)
        if check is None:
            return f"{region}: the health check {known.check} no longer exists."
        if _is_inverted(check) != known.inverted:
            raise WorkshopError(
                what=f"The health check {known.check} of {region} is still inverted.",
                why="Route 53 took the change and shows the earlier value.",
                fix=f"Try again: {context.commands.recover}",
                code="NotRestored",
            )
        return f"{region}: the health check {known.check} is not inverted any more, read back."


def _is_inverted(check: HealthCheck) -> bool:
    return bool(check.config.get("Inverted"))


FAULT = Withdraw()
