"""How long things take: the three profiles, and the one factor that stretches them.

What comes in: a profile and a scale. What goes out: seconds for each named wait. It never waits itself.
"""

from __future__ import annotations

__all__ = ["Pacing"]


class Pacing:
    """The profile in force; it can change while the cloud runs, and counts for what begins afterwards."""

    def __init__(self, profile: str, scale: float) -> None:
        self.profile, self.scale = profile, scale

    def change(self, profile: str, scale: float) -> None:
        self.profile, self.scale = profile, scale
