"""How long setup takes and what the event costs, by the steps' own estimates (docs/aws-behaviours.md, section 1.12)."""

from __future__ import annotations

from typing import ClassVar

from workshop.checks.base import Check, Finding, failed, passed, warned
from workshop.checks.context import CheckContext

__all__ = ["TITLE", "Cost", "Minutes", "checks"]

TITLE = "Time and cost"


class Minutes(Check):
    """Setup fits into the event."""

    family = "cost"
    name = "minutes"
    title = "Setup fits into the event"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        event = self.context.event
        shown = f"about {max(event.setup_minutes, 0.1):.0f} of {event.minutes:.0f} minutes on AWS"
        if event.setup_minutes >= event.minutes:
            return failed(f"Setup takes {shown}.", "Set up before the event: workshop setup; or plan for more: --minutes N")
        if event.setup_minutes > event.minutes / 3:
            return warned(f"Setup takes {shown}.", "Set up before the event: workshop setup")
        return passed(shown)


class Cost(Check):
    """What all participants together will cost."""

    family = "cost"
    name = "usd"
    title = "What the event costs"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        event = self.context.event
        total = event.usd * event.participants
        people = "1 participant" if event.participants == 1 else f"{event.participants} participants"
        where = "" if self.context.on_aws else "nothing on the local cloud; on AWS "
        return passed(f"{where}about ${total:.2f} for {people}, torn down the same day")


def checks(context: CheckContext) -> list[Check]:
    """The checks of this family."""
    return [Minutes(context), Cost(context)]
