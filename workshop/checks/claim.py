"""Whether another process is setting this workshop up or taking it down now. In: the claim in AWS. Out: a finding."""

from __future__ import annotations

from collections.abc import Sequence

from workshop.aws.errors import AwsError
from workshop.aws.lock.claims import ACTIONS, parameter_name, read_claim, removal
from workshop.checks.base import Check, Finding, failed, passed, refused, warned
from workshop.checks.context import CheckContext
from workshop.errors import WorkshopError
from workshop.steps.base import Permission, Phase

__all__ = ["REMOVAL", "ClaimCheck", "command_permissions"]

REMOVAL = ("ListUserPoolClients", "DescribeUserPoolClient", "DeleteUserPoolClient")
"""What removing the app client of a drill takes, in IAM's names (docs/aws-behaviours.md, section 7.1)."""
MACHINE_CLIENT_ACTIONS = {Phase.DRILL: ("CreateUserPoolClient", *REMOVAL), Phase.TEARDOWN: REMOVAL}
"""What a drill and a teardown do to it."""


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
    return [
        *needed,
        *_machine_client(context),
        Permission("account:ListRegions", f"arn:aws:account::{context.account}:account", "", Phase.TEARDOWN),
    ]


def _machine_client(context: CheckContext) -> list[Permission]:
    """What making and removing the app client of a drill takes, where a load needs one: in the pool that exists already, else in
    any pool of the regions where a step makes one, because its id is not known before."""
    if context.machine_pool is None:
        return []
    regions = {each.region for each in context.permissions() if each.action == "cognito-idp:CreateUserPool"}
    own = [(f"arn:aws:cognito-idp:{region}:{context.account}:userpool/*", region) for region in sorted(regions)]
    pools = [(context.machine_pool, context.machine_pool.split(":")[3])] if context.machine_pool else own
    return [
        Permission(f"cognito-idp:{action}", arn, region, phase)
        for arn, region in pools
        for phase, actions in MACHINE_CLIENT_ACTIONS.items()
        for action in actions
    ]


def _arn(context: CheckContext, region: str) -> str:
    return f"arn:aws:ssm:{region}:{context.account}:parameter{parameter_name(context.workshop)}"
