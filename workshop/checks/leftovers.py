"""What is in the way of a setup: foreign things under our names, remains of an earlier run, a function that is still throttled.

In: what the steps observe, and what could be left of them. Out: findings.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field

from workshop.aws.errors import AwsError
from workshop.checks.base import Check, Family, Finding, Key, RegionalCheck, failed, passed, refused, skipped, warned
from workshop.checks.claim import ClaimCheck
from workshop.checks.context import CheckContext, PlannedStep
from workshop.shell import aws_line
from workshop.steps.base import Observed, Permission, Phase, Resource, State
from workshop.steps.registry import resource_type

__all__ = ["FAMILY", "InTheWay", "ReservedConcurrency", "Strays"]


@dataclass(frozen=True)
class InTheWay(Check):
    """What exists already of one step in one place."""

    planned: PlannedStep = field(kw_only=True)

    name = "step"
    title = "Nothing is in the way"

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        """One for each step in each place, except those that only verify."""
        return [cls(context, each.region, planned=each) for each in context.planned_steps if not each.step.is_verification]

    @property
    def id(self) -> str:
        return f"{self.family}.{self.planned.ctx.step}"

    @property
    def heading(self) -> str:
        return f"Nothing is in the way of step {self.planned.ctx.step}"

    @property
    def depends_on(self) -> tuple[Key, ...]:
        # Steps that belong to no region may call any of them.
        return (("identity.caller", ""), ("regions.enabled", self.region or self.context.home))

    async def run(self) -> Finding:
        step, ctx = self.planned.step, self.planned.ctx
        if not self.planned.complete:
            return skipped("It is made from the outputs of earlier steps, so there is nothing to look for yet.")
        observed = await step.observe(ctx)
        if observed.state is State.FOREIGN:
            return failed(observed.detail, observed.fix or "Remove it, or choose other names: --param NAME=VALUE")
        teardown = f"workshop teardown{self.context.flags()}"
        setup = f"workshop setup{self.context.flags()}"
        go_on = f"{setup} goes on with it, {teardown} removes it"
        if observed.state is State.BROKEN:
            return warned(f"Left from an earlier run: {observed.detail}.", f"{observed.fix or setup}; {teardown} removes it")
        if observed.state is State.ABSENT and not observed.ours:
            return warned(
                f"Something foreign of that name {observed.detail}: setup waits until it is gone.",
                "Wait until it is gone, or choose another name: --param NAME=VALUE",
            )
        if observed.state is State.ABSENT:
            return self._remains(await step.leftovers(ctx), observed)
        if observed.state is State.PARTIAL:
            return warned(f"Left half made by an earlier run: {observed.detail}.", go_on)
        if observed.kept:
            return passed(observed.detail)
        if not self.context.since:
            return warned("It exists already, from a run that this machine does not know.", go_on)
        return passed(f"it exists already, since {self.context.since}")

    def _remains(self, found: list[Resource], observed: Observed) -> Finding:
        if not found:
            return passed(observed.detail)
        named = ", ".join(f"{r.kind} {r.name} in {r.region}" + (f" ({r.why})" if r.why else "") for r in found)
        fix = "; ".join(r.fix for r in found)
        if any(declared.unique for r in found if (declared := resource_type(r.kind)) is not None):
            return failed(f"Left by an earlier run, or made by hand: {named}. Setup cannot make it again.", fix)
        return warned(f"Left by an earlier run, or made by hand: {named}.", fix)


class ReservedConcurrency(RegionalCheck):
    """No function that the steps will use is still throttled by a drill (docs/aws-behaviours.md, section 4)."""

    name = "throttled-function"
    title = "No function was left throttled"

    async def run(self) -> Finding:
        names = sorted({arn.rpartition(":")[2] for arn in self.context.needed("lambda:CreateFunction", self.region)})
        names = [name for name in names if "*" not in name]
        if not names:
            return skipped("The steps name no function here.")
        throttled = []
        for name in names:
            try:
                response = await self.context.aws.call("lambda", self.region, "get_function_concurrency", FunctionName=name)
            except AwsError as error:
                if error.code == "ResourceNotFoundException":
                    continue
                return refused(error, "The reserved concurrency")
            if response.get("ReservedConcurrentExecutions") == 0:
                throttled.append(name)
        if throttled:
            return failed(
                f"{', '.join(throttled)} in {self.region} may run 0 times at once: a drill was not undone. Its API returns 500.",
                "; ".join(
                    aws_line("lambda delete-function-concurrency", region=self.region, function_name=name) for name in throttled
                ),
            )
        return passed()

    def permissions(self) -> list[Permission]:
        arns = self.context.needed("lambda:CreateFunction", self.region)
        return [Permission("lambda:GetFunctionConcurrency", arn, self.region, Phase.CHECK) for arn in arns]


class Strays(RegionalCheck):
    """Nothing with the workshop's tag has a name that these parameters do not produce: remains of a run with others."""

    name = "tagged"
    title = "No remains of a run under other names"

    async def run(self) -> Finding:
        covered = {p.resource for p in self.context.permissions() if p.resource != "*"}
        found: list[str] = []
        token = ""
        while True:
            page = {"PaginationToken": token} if token else {}
            try:
                response = await self.context.aws.call(
                    "resourcegroupstaggingapi",
                    self.region,
                    "get_resources",
                    TagFilters=[{"Key": "workshop", "Values": [self.context.workshop]}],
                    **page,
                )
            except AwsError as error:
                return refused(error, "The list of tagged resources")
            found += [entry["ResourceARN"] for entry in response.get("ResourceTagMappingList", [])]
            token = response.get("PaginationToken", "")
            if not token:
                break
        strays = sorted(arn for arn in found if not any(_covers(pattern, arn) for pattern in covered))
        if not strays:
            return passed()
        shown = ", ".join(strays[:5]) + (f", and {len(strays) - 5} more" if len(strays) > 5 else "")
        return warned(
            f"With the workshop's tag, under other names ({len(strays)}): {shown}",
            f"Remove them with the parameters of that run: workshop teardown{self.context.flags()} --param NAME=VALUE",
        )

    def permissions(self) -> list[Permission]:
        return [Permission("tag:GetResources", "*", self.region, Phase.CHECK)]


def _covers(pattern: str, arn: str) -> bool:
    """Whether a resource of the permissions covers this one; a function's or log group's ARN may go on after the name."""
    return fnmatch.fnmatchcase(arn, pattern) or arn.startswith(pattern.rstrip("*") + ":")


FAMILY = Family("leftovers", "Names and leftovers", (InTheWay, ClaimCheck, ReservedConcurrency, Strays))
