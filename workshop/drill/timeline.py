"""What happened in a drill, as values: requests, acknowledged writes, lags, moments. All times are seconds since its start."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from workshop.drill.load_requests import Row

__all__ = ["Acknowledged", "Emit", "Lag", "Milestone", "Moment", "RequestKind", "TimedRequest"]


class RequestKind(enum.StrEnum):
    """What a request was for."""

    WRITE = "write"
    READ = "read"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class TimedRequest:
    """One request of the load. `why` is the reason why it failed, empty when it succeeded; `status` None without a response.

    `region` is empty when DNS named none; `client` is the client of a name, empty for the client that fails over by itself.
    """

    kind: RequestKind
    region: str
    sent: float
    answered: float
    status: int | None
    why: str
    client: str = ""

    @property
    def ok(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One numbered write that a region acknowledged. `item` is its id, `row` what every region's table has to have of it."""

    number: int
    region: str
    value: str
    sent: float
    at: float
    item: str
    row: Row


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
    SEEN = "seen"
    """The checkers of the region report failures."""
    DNS = "dns"
    """DNS names the failed region no more."""
    PEOPLE = "people"
    """The last client was led away."""
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
