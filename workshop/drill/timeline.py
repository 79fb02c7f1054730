"""What happened in a drill, as values: requests, acknowledged writes, lags, moments. All times are seconds since its start."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Acknowledged", "Emit", "Lag", "Mark", "Moment", "Request", "Use"]


class Use(enum.StrEnum):
    """What a request was for."""

    WRITE = "write"
    READ = "read"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the load. `why` says why it failed and is empty when it did not."""

    use: Use
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
    """One numbered write that a region said it took."""

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
    """How long one write took from its acknowledgement in `source` until `region` had it; measured by asking again and again,
    so it is at most one interval too long. `seconds` is None when it was given up."""

    number: int
    source: str
    region: str
    at: float
    seconds: float | None


class Mark(enum.StrEnum):
    """The moments that figures are computed from."""

    LOAD = "load"
    STRUCK = "struck"
    FIRST_FAILURE = "first-failure"
    SWITCHED = "switched"
    MENDED = "mended"
    OFFERED = "offered"
    RETURNED = "returned"
    STOPPED = "stopped"
    CONVERGED = "converged"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something worth a line while it happens."""

    at: float
    mark: Mark
    region: str
    text: str


Emit = Callable[[Moment], None]
