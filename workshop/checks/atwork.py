"""Whether somebody else is setting this workshop up or taking it down right now, and what commands need besides their steps."""

from __future__ import annotations

import json

from workshop.aws.claim import ACTIONS, Holder, parameter_name
from workshop.aws.errors import AwsError
from workshop.checks.interface import Check, Finding, failed, passed, refused, warned
from workshop.checks.subject import Subject
from workshop.steps.base import Permission, Phase

__all__ = ["Claim", "command_permissions"]


class Claim(Check):
    """Nobody holds the workshop's claim."""

    family = "leftovers"
    name = "claim"
    title = "Nobody else is at work on it"

    async def run(self) -> Finding:
        name = parameter_name(self.subject.workshop)
        remove = f"aws ssm delete-parameter --region {self.region} --name {name}"
        try:
            answer = await self.subject.door.call("ssm", self.region, "get_parameter", Name=name)
        except AwsError as error:
            return passed() if error.code == "ParameterNotFound" else refused(error, "The claim")
        try:
            holder = Holder(**json.loads(answer["Parameter"]["Value"]))
            lapsed = holder.lapsed(self.subject.clock.now())
        except (ValueError, TypeError):
            return failed(
                f"The parameter {name} is not a claim of ours: somebody else wrote it.", f"If nobody needs it: {remove}"
            )
        who = f"{holder.user}@{holder.host}"
        if lapsed:
            return passed(f"a {holder.command} of {who} ended without a word; the next run takes over")
        return warned(
            f"{who} is at work on it: {holder.command}, since {holder.since}.",
            f"Wait for it. If that machine is gone: {remove}",
        )  # fmt: skip

    def permissions(self) -> list[Permission]:
        return [Permission("ssm:GetParameter", _arn(self.subject), self.region, Phase.CHECK)]


def command_permissions(subject: Subject) -> list[Permission]:
    """What the commands themselves need: the claim, and the list of regions that a teardown searches."""
    changing = (Phase.SETUP, Phase.TEARDOWN)
    claim = [Permission(f"ssm:{action}", _arn(subject), subject.home, phase) for action in ACTIONS for phase in changing]
    return [*claim, Permission("account:ListRegions", "*", "", Phase.TEARDOWN)]


def _arn(subject: Subject) -> str:
    return f"arn:aws:ssm:{subject.home}:{subject.account}:parameter{parameter_name(subject.workshop)}"
