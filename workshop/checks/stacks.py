"""The states of the workshop's own stacks. In: a region. Out: a finding. See docs/aws-behaviours.md, section 3.1."""

from __future__ import annotations

from workshop.aws.resources.stacks import Stack, list_stacks
from workshop.checks.base import Family, Finding, RegionalCheck, failed, passed, skipped, warned
from workshop.shell import aws_line
from workshop.steps.base import Permission, Phase

__all__ = ["FAMILY", "StackStates"]

STUCK = frozenset({"UPDATE_ROLLBACK_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED", "IMPORT_ROLLBACK_FAILED"})
DEAD = frozenset({"ROLLBACK_COMPLETE", "CREATE_FAILED", "REVIEW_IN_PROGRESS"})


class StackStates(RegionalCheck):
    """No stack of ours is stuck, busy, or protected."""

    name = "state"
    title = "No stack of the workshop is in a bad state"

    async def run(self) -> Finding:
        names = {arn.partition(":stack/")[2].partition("/")[0] for arn in self._arns()}
        if not names:
            return skipped("The steps make no stack here.")
        found = await list_stacks(self.context.aws, self.region)
        ours = [s for s in found if s.name in names or s.tags.get("workshop") == self.context.workshop]
        live = [stack for stack in ours if stack.status != "DELETE_COMPLETE"]
        for finding in (self._stuck(live), self._dead(live), self._busy(live), self._protected(live)):
            if finding is not None:
                return finding
        return passed(", ".join(f"{stack.name} {stack.status}" for stack in live))

    def _arns(self) -> list[str]:
        return self.context.needed("cloudformation:CreateStack", self.region)

    def _stuck(self, stacks: list[Stack]) -> Finding | None:
        bad = [stack for stack in stacks if stack.status in STUCK]
        if not bad:
            return None
        shown = ", ".join(f"{s.name} is {s.status}" + (f" ({s.reason})" if s.reason else "") for s in bad)
        events = aws_line("cloudformation describe-stack-events", region=self.region, stack_name=bad[0].name)
        return failed(f"{shown}.", f"Look at the cause: {events}; then remove it: workshop teardown{self.context.flags()}")

    def _dead(self, stacks: list[Stack]) -> Finding | None:
        bad = [stack for stack in stacks if stack.status in DEAD]
        if not bad:
            return None
        shown = ", ".join(f"{stack.name} is {stack.status}" for stack in bad)
        return warned(
            f"{shown}: nothing can be done with it but delete it.",
            "; ".join(aws_line("cloudformation delete-stack", region=self.region, stack_name=stack.name) for stack in bad),
        )

    def _busy(self, stacks: list[Stack]) -> Finding | None:
        busy = [stack for stack in stacks if not stack.settled]
        if not busy:
            return None
        shown = ", ".join(f"{stack.name} is {stack.status}" for stack in busy)
        return warned(f"{shown}: it is being changed now.", f"Wait for it, then run: workshop check{self.context.flags()}")

    def _protected(self, stacks: list[Stack]) -> Finding | None:
        kept = [stack for stack in stacks if stack.protected]
        if not kept:
            return None
        return warned(
            f"{', '.join(s.name for s in kept)} has termination protection on: teardown will stop there.",
            "; ".join(
                aws_line(
                    "cloudformation update-termination-protection",
                    region=self.region,
                    stack_name=stack.name,
                    no_enable_termination_protection=True,
                )
                for stack in kept
            ),
        )

    def permissions(self) -> list[Permission]:
        return [Permission("cloudformation:DescribeStacks", "*", self.region, Phase.CHECK)]


FAMILY = Family("stacks", "Stacks", (StackStates,))
