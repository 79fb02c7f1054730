"""How long setup takes and what the event costs. In: the steps' own estimates. Out: findings.

The durations are those of docs/aws-behaviours.md, section 1.12.
"""

from __future__ import annotations

from typing import ClassVar

from workshop.checks.base import Check, Family, Finding, failed, passed, warned

__all__ = ["FAMILY", "EventCost", "SetupMinutes"]


class SetupMinutes(Check):
    """Setup fits into the event."""

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


class EventCost(Check):
    """What all participants together will cost."""

    name = "usd"
    title = "What the event costs"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        event = self.context.event
        total = event.usd * event.participants
        people = "1 participant" if event.participants == 1 else f"{event.participants} participants"
        where = "" if self.context.on_aws else "nothing on the local cloud; on AWS "
        return passed(f"{where}about ${total:.2f} for {people}, torn down the same day")


FAMILY = Family("cost", "Time and cost", (SetupMinutes, EventCost))
