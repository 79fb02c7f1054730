"""The clock of names: how long a TTL or a checker's interval lasts in the profile that is in force.

In: the timing, and seconds as Route 53's API shows them. Out: seconds as they pass. The API keeps showing the real figures; only
what waits for them is faster.
"""

from __future__ import annotations

from workshop.cloud.timing import Timing

__all__ = ["interval"]

FACTORS = {"instant": 0.01, "fast": 0.1, "realistic": 1.0}


def interval(timing: Timing, seconds: float) -> float:
    """The length of `seconds` in the profile in force, times its scale."""
    return FACTORS[timing.profile] * timing.scale * seconds
