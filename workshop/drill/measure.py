"""From what happened in a drill to figures: RTO, RPO, availability, lag. Pure.

RTO of a client that fails over by itself: from the sending of the first request that failed until the response to the first write
that another region took. RPO: the acknowledged writes that some region lacks after everything has converged, and the seconds from
the first of them to the last.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workshop.drill.failover_load import TICK_MS
from workshop.drill.own_rows import Item, absent
from workshop.drill.settings import FailoverSettings
from workshop.drill.timeline import Acknowledged, Lag, Milestone, Moment, RequestKind, TimedRequest

__all__ = [
    "Figures",
    "LagFigures",
    "Outage",
    "Recovery",
    "failover_outage",
    "first_moment",
    "measure",
    "missing",
    "rto_bound",
    "to_millis",
]

ATTEMPT = (RequestKind.HEALTH, RequestKind.WRITE)
"""The requests of one attempt to write; the first only where the API has a health route."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class LagFigures:
    """Seconds; None when nothing was measured. `given_up` writes had not arrived when their measurement ended."""

    count: int
    median: float | None
    most: float | None
    given_up: int

    def document(self) -> dict[str, float | int | None]:
        """The figures as JSON has them, seconds rounded to milliseconds."""
        return {
            "count": self.count,
            "median": to_millis(self.median),
            "max": to_millis(self.most),
            "given_up": self.given_up,
        }


@dataclass(frozen=True, slots=True)
class Outage:
    """What a client noticed: RTO and its parts in seconds, None where there was none."""

    rto: float | None
    detected: float | None
    """From the first failed request to the switch."""
    bound: float
    """What the settings allow at most, with requests as slow as they were in the outage; see `rto_bound`."""
    returned: float | None
    """From the end of the fault to the first write that the region took again."""
    direct: float | None = None
    """What a client noticed that asks DNS before each request; None for a client that fails over by itself."""
    share: float = 1.0
    """The share of the requests of that time that failed."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Writes counted after convergence, and those that the surviving region lacked at the moment of the switch."""

    acknowledged: int
    lost: tuple[Acknowledged, ...]
    lost_seconds: float
    behind: tuple[Acknowledged, ...]
    behind_seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a verdict needs."""

    outage: Outage
    recovery: Recovery
    requests: int
    failed: int
    by_region: Mapping[str, tuple[int, int]]
    """Region: requests, failed."""
    lag: Mapping[str, LagFigures]
    """`before`, `during`, `after` the fault."""

    @property
    def availability(self) -> float:
        """The share of requests that succeeded, 0 to 1."""
        return 1.0 if not self.requests else 1 - self.failed / self.requests


def measure(
    outage: Outage,
    requests: Sequence[TimedRequest],
    acknowledged: Sequence[Acknowledged],
    moments: Sequence[Moment],
    lags: Sequence[Lag],
    *,
    lost: Sequence[Acknowledged],
    behind: Sequence[Acknowledged],
) -> Figures:
    """The figures of a drill, whose `outage` was measured by its own rules."""
    injected, reverted = first_moment(moments, Milestone.INJECTED), first_moment(moments, Milestone.REVERTED)
    return Figures(
        outage=outage,
        recovery=Recovery(len(acknowledged), tuple(lost), _span(lost), tuple(behind), _span(behind)),
        requests=len(requests),
        failed=sum(not request.ok for request in requests),
        by_region=_by_region(requests),
        lag=_lags(lags, injected.at if injected else NEVER, reverted.at if reverted else NEVER),
    )


def rto_bound(settings: FailoverSettings, request_seconds: float) -> float:
    """The longest RTO in seconds that the settings allow when a request takes `request_seconds` to succeed or fail.

    One interval until a write meets the failure that a read met first, the failures or the countdown, whichever takes longer, a
    tick, and the write that succeeds: interval + request + max(countdown, (threshold - 1) x interval) + tick + request.
    """
    interval = max(settings.write_every_ms / 1000, request_seconds)
    waiting = max(settings.countdown_ms / 1000, (settings.min_failures - 1) * interval)
    return interval + request_seconds + waiting + TICK_MS / 1000 + request_seconds


def first_moment(moments: Sequence[Moment], milestone: Milestone) -> Moment | None:
    """The first moment of a kind."""
    return next((each for each in moments if each.milestone is milestone), None)


def missing(acknowledged: Sequence[Acknowledged], tables: Mapping[str, Sequence[Item]]) -> list[Acknowledged]:
    """The acknowledged writes that at least one table lacks or has with another value. `tables`: the items of each region."""
    rows = [each.row for each in acknowledged]
    lacking = {id(row) for items in tables.values() for row in absent(items, rows)}
    return [each for each in acknowledged if id(each.row) in lacking]


def to_millis(value: float | None) -> float | None:
    """Seconds rounded to milliseconds, for JSON."""
    return None if value is None else round(value, 3)


def _by_region(requests: Sequence[TimedRequest]) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for region in sorted({request.region for request in requests}):
        own = [request for request in requests if request.region == region]
        counts[region] = len(own), sum(not request.ok for request in own)
    return counts


def failover_outage(
    settings: FailoverSettings, region: str, requests: Sequence[TimedRequest], moments: Sequence[Moment]
) -> Outage:
    """The outage of `region` for a client that fails over by itself."""
    injected, reverted = first_moment(moments, Milestone.INJECTED), first_moment(moments, Milestone.REVERTED)
    failed = [r for r in requests if r.region == region and not r.ok and injected is not None and r.answered >= injected.at]
    writes = [r for r in requests if r.kind is RequestKind.WRITE and r.ok]
    rto = detected = None
    begin = end = NEVER
    if failed:
        begin = min(request.sent for request in failed)
        elsewhere = [r.answered for r in writes if r.region != region and r.answered >= begin]
        end = min(elsewhere, default=NEVER)
        rto = end - begin if elsewhere else None
        switched = next((m for m in moments if m.milestone is Milestone.SWITCHED and m.at >= begin), None)
        detected = None if switched is None else switched.at - begin
    again = [r.answered for r in writes if reverted and r.region == region and r.sent >= reverted.at]
    slowest = _longest_attempt([r for r in requests if r.answered >= begin and r.sent <= end])
    returned = min(again) - reverted.at if reverted and again else None
    return Outage(rto, detected, rto_bound(settings, slowest), returned)


def _longest_attempt(requests: Sequence[TimedRequest]) -> float:
    """The seconds that the slowest attempt to write can have taken, of the requests of an outage."""
    return sum(max((r.answered - r.sent for r in requests if r.kind is kind), default=0.0) for kind in ATTEMPT)


def _span(writes: Sequence[Acknowledged]) -> float:
    return max(w.at for w in writes) - min(w.sent for w in writes) if writes else 0.0


def _lags(lags: Sequence[Lag], begin: float, end: float) -> dict[str, LagFigures]:
    """By the times of the fault; a write that was in flight when it began counts as during it."""
    return {
        "before": _summary([lag for lag in lags if _arrival(lag) < begin]),
        "during": _summary([lag for lag in lags if lag.at < end and _arrival(lag) >= begin]),
        "after": _summary([lag for lag in lags if lag.at >= end]),
    }


def _arrival(lag: Lag) -> float:
    return lag.at + (NEVER if lag.seconds is None else lag.seconds)


def _summary(lags: Sequence[Lag]) -> LagFigures:
    known = [lag.seconds for lag in lags if lag.seconds is not None]
    median = statistics.median(known) if known else None
    return LagFigures(len(lags), median, max(known, default=None), len(lags) - len(known))
