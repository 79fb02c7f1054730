"""From what happened in a drill to figures: RTO, RPO, availability, lag. Pure.

RTO: from the sending of the first request that failed until the answer of the first write that another region took. RPO: the
acknowledged writes that some region lacks after everything has converged, and the seconds from the first of them to the last.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workshop.drill.load import TICK_MS
from workshop.drill.settings import FailoverSettings
from workshop.drill.timeline import Acknowledged, Lag, Mark, Moment, Request, Use

__all__ = ["Figures", "LagFigures", "Outage", "Recovery", "bound", "measure", "missing", "moment"]

ATTEMPT = (Use.HEALTH, Use.WRITE)
"""The requests of one attempt to write; the first only where the API has a health route."""


@dataclass(frozen=True, slots=True)
class LagFigures:
    """Seconds; None when nothing was measured. `given_up` writes had not arrived when their measurement ended."""

    count: int
    median: float | None
    most: float | None
    given_up: int

    def document(self) -> dict[str, float | int | None]:
        return {"count": self.count, "median": _short(self.median), "max": _short(self.most), "given_up": self.given_up}


@dataclass(frozen=True, slots=True)
class Outage:
    """What a client saw: RTO and its parts in seconds, None where it never came to that."""

    rto: float | None
    detected: float | None
    """From the first failed request to the switch."""
    bound: float
    """What the settings allow at most, with requests as slow as they were in the outage; see `bound`."""
    returned: float | None
    """From the mending to the first write that the region took again."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Writes counted after convergence, and what the surviving region lacked at the moment of the switch."""

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
    settings: FailoverSettings,
    region: str,
    requests: Sequence[Request],
    acknowledged: Sequence[Acknowledged],
    moments: Sequence[Moment],
    lags: Sequence[Lag],
    *,
    lost: Sequence[Acknowledged],
    behind: Sequence[Acknowledged],
) -> Figures:
    """The figures of a drill that failed `region`."""
    places = sorted({request.region for request in requests})
    counts = {p: (sum(r.region == p for r in requests), sum(r.region == p and not r.ok for r in requests)) for p in places}
    return Figures(
        outage=_outage(settings, region, requests, moments),
        recovery=Recovery(len(acknowledged), tuple(lost), _span(lost), tuple(behind), _span(behind)),
        requests=len(requests),
        failed=sum(not request.ok for request in requests),
        by_region=counts,
        lag=_lags(lags, moment(moments, Mark.STRUCK), moment(moments, Mark.MENDED)),
    )


def bound(settings: FailoverSettings, request_seconds: float) -> float:
    """The longest RTO that the settings allow when a request takes `request_seconds` to succeed or fail.

    One interval until a write meets the failure that a read met first, the failures or the countdown, whichever takes longer, a
    tick, and the write that succeeds: interval + request + max(countdown, (threshold - 1) x interval) + tick + request.
    """
    interval = max(settings.write_every_ms / 1000, request_seconds)
    waiting = max(settings.countdown_ms / 1000, (settings.min_failures - 1) * interval)
    return interval + request_seconds + waiting + TICK_MS / 1000 + request_seconds


def moment(moments: Sequence[Moment], mark: Mark) -> Moment | None:
    """The first moment of a kind."""
    return next((each for each in moments if each.mark is mark), None)


def missing(acknowledged: Sequence[Acknowledged], held: Mapping[str, Mapping[str, str]]) -> list[Acknowledged]:
    """The acknowledged writes that at least one region does not hold with the value that was acknowledged."""
    return [each for each in acknowledged if any(region.get(each.sort) != each.value for region in held.values())]


def _outage(settings: FailoverSettings, region: str, requests: Sequence[Request], moments: Sequence[Moment]) -> Outage:
    struck, mended = moment(moments, Mark.STRUCK), moment(moments, Mark.MENDED)
    failed = [r for r in requests if r.region == region and not r.ok and struck is not None and r.answered >= struck.at]
    rto = detected = None
    begin = end = float("inf")
    if failed:
        first = min(failed, key=lambda r: r.sent)
        elsewhere = [r for r in requests if r.use is Use.WRITE and r.ok and r.region != region and r.answered >= first.sent]
        begin, end = first.sent, min((r.answered for r in elsewhere), default=float("inf"))
        rto = end - begin if elsewhere else None
        switched = next((m for m in moments if m.mark is Mark.SWITCHED and m.at >= first.sent), None)
        detected = None if switched is None else switched.at - first.sent
    again = [
        r.answered for r in requests if mended and r.use is Use.WRITE and r.ok and r.region == region and r.sent >= mended.at
    ]
    limit = bound(settings, _longest_attempt([r for r in requests if r.answered >= begin and r.sent <= end]))
    return Outage(rto, detected, limit, min(again) - mended.at if mended and again else None)


def _longest_attempt(requests: Sequence[Request]) -> float:
    """The seconds that the slowest attempt to write can have taken, of the requests of an outage."""
    return sum(max((r.answered - r.sent for r in requests if r.use is use), default=0.0) for use in ATTEMPT)


def _span(writes: Sequence[Acknowledged]) -> float:
    return max(w.at for w in writes) - min(w.sent for w in writes) if writes else 0.0


def _lags(lags: Sequence[Lag], struck: Moment | None, mended: Moment | None) -> dict[str, LagFigures]:
    begin = struck.at if struck else float("inf")
    end = mended.at if mended else float("inf")
    return {
        "before": _summary([lag for lag in lags if _until(lag) < begin]),
        "during": _summary([lag for lag in lags if lag.at < end and _until(lag) >= begin]),
        "after": _summary([lag for lag in lags if lag.at >= end]),
    }


def _until(lag: Lag) -> float:
    """When the write had arrived; a write that was under way when the fault struck counts as during it."""
    return lag.at + (float("inf") if lag.seconds is None else lag.seconds)


def _summary(lags: Sequence[Lag]) -> LagFigures:
    known = [lag.seconds for lag in lags if lag.seconds is not None]
    return LagFigures(
        len(lags), statistics.median(known) if known else None, max(known, default=None), sum(lag.seconds is None for lag in lags)
    )


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
