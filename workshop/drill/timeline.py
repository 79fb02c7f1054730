"""What happened in a drill, as values: requests, acknowledged writes, lags, moments. All times are seconds since its start."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Acknowledged", "Emit", "Lag", "Milestone", "Moment", "RequestKind", "TimedRequest"]


class RequestKind(enum.StrEnum):
    """What a request was for."""

    WRITE = "write"
    READ = "read"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class TimedRequest:
    """One request of the load. `why` is the reason why it failed, empty when it succeeded; `status` None without a response."""

    kind: RequestKind
    region: str
    sent: float
    answered: float
    status: int | None
    why: str

    @property
    def ok(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One numbered write that a region acknowledged."""

    number: int
    region: str
    value: str
    sent: float
    at: float

    @property
    def sort(self) -> str:
        """The sort key of its item."""
        return f"{self.number:06d}"


@dataclass(frozen=True, slots=True)
class Lag:
    """How long one write took from its acknowledgement in `source` until it was in `region`'s table.

    Measured by polling, so it is at most one interval too long. `seconds` is None when the measurement was given up.
    """

    number: int
    source: str
    region: str
    at: float
    seconds: float | None


class Milestone(enum.StrEnum):
    """The moments that figures are computed from. The values are in the JSON report."""

    LOAD = "load"
    INJECTED = "struck"
    FIRST_FAILURE = "first-failure"
    SWITCHED = "switched"
    REVERTED = "mended"
    OFFERED = "offered"
    RETURNED = "returned"
    STOPPED = "stopped"
    CONVERGED = "converged"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline, emitted while the drill runs."""

    at: float
    milestone: Milestone
    region: str
    text: str


Emit = Callable[[Moment], None]
