"""Whether another process is setting this workshop up or taking it down now. In: the claim in AWS. Out: a finding."""

from __future__ import annotations

from collections.abc import Sequence

from workshop.aws.errors import AwsError
from workshop.aws.lock.claims import ACTIONS, parameter_name, read_claim, removal
from workshop.checks.base import Check, Finding, failed, passed, refused, warned
from workshop.checks.context import CheckContext
from workshop.errors import WorkshopError
from workshop.steps.base import Permission, Phase

__all__ = ["ClaimCheck", "command_permissions"]


class ClaimCheck(Check):
    """No other process holds the workshop's claim."""

    name = "claim"
    title = "No one else is at work on it"

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        return [cls(context, context.home)]

    async def run(self) -> Finding:
        remove = removal(self.region, self.context.workshop)
        clock = self.context.clock
        try:
            holder = await read_claim(self.context.aws, self.region, self.context.workshop, clock=clock)
        except AwsError as error:
            return refused(error, "The claim")
        except WorkshopError as error:
            return warned(error.what, error.fix) if error.code == "Busy" else failed(f"{error.what} {error.why}", error.fix)
        if holder is None:
            return passed()
        who = f"{holder.user}@{holder.host}"
        if holder.lapsed(clock.now()):
            return passed(f"a {holder.command} of {who} ended without releasing it; the next run takes over")
        return warned(
            f"{who} is at work on it: {holder.command}, since {holder.since}.",
            f"Wait for it. If that machine is gone: {remove}",
        )

    def permissions(self) -> list[Permission]:
        return [Permission("ssm:GetParameter", _arn(self.context, self.region), self.region, Phase.CHECK)]


def command_permissions(context: CheckContext) -> list[Permission]:
    """What commands need besides their steps: the claim, a look for claims elsewhere, the regions that a teardown searches."""
    changing, home = (Phase.SETUP, Phase.TEARDOWN, Phase.DRILL), context.home
    needed = [Permission(f"ssm:{action}", _arn(context, home), home, phase) for action in ACTIONS for phase in changing]
    elsewhere = [region for region in context.regions if region != home]
    needed += [Permission("ssm:GetParameter", _arn(context, region), region, phase) for region in elsewhere for phase in changing]
    return [*needed, Permission("account:ListRegions", f"arn:aws:account::{context.account}:account", "", Phase.TEARDOWN)]


def _arn(context: CheckContext, region: str) -> str:
    return f"arn:aws:ssm:{region}:{context.account}:parameter{parameter_name(context.workshop)}"
