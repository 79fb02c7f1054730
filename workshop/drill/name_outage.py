"""The outage of a region for those who reach it through a name: from requests and answers of DNS to marks. Pure.

RTO: from the sending of the first request that failed (of a planned evacuation: from the change) until the response to the last
one that failed or reached the failed region, of any client; zero when no client was led to a region that is evacuated. A client
that asks DNS before each request is through with it as soon as DNS is; the others also keep an answer for its TTL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workshop.drill.measure import Outage
from workshop.drill.name_load import DIRECT, Answered
from workshop.drill.timeline import RequestKind, TimedRequest

__all__ = ["Marks", "Span", "first_effect", "name_outage"]


@dataclass(frozen=True, slots=True)
class Span:
    """When the region was failed, and until when it was; `noticed`: its requests fail."""

    region: str
    injected: float
    reverted: float
    noticed: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """Seconds since the beginning of the load; None for what did not happen."""

    struck: float
    effect: float | None
    seen: float | None
    dns: float | None
    people: float | None
    recovered: float | None
    back: float | None


def first_effect(span: Span, requests: Sequence[TimedRequest]) -> float | None:
    """When the failure began for clients: the sending of the first request to the region that failed."""
    if not span.noticed:
        return span.injected
    of_region = (r for r in requests if r.region == span.region and not r.ok and r.answered >= span.injected)
    return min((request.sent for request in of_region), default=None)


def name_outage(
    span: Span,
    requests: Sequence[TimedRequest],
    answers: Sequence[Answered],
    bound: float,
    *,
    seen: float | None,
    healthy: float | None,
    left: bool,
) -> tuple[Outage, Marks]:
    """The outage and its marks: `seen` and `healthy` are when checkers saw its begin and its end, `left` whether clients left."""
    effect = first_effect(span, requests)
    begin = span.reverted if effect is None else effect
    during = [r for r in requests if r.answered >= begin and r.sent < span.reverted]
    bad = [r for r in during if not r.ok or r.region == span.region]
    people = max((r.answered for r in bad), default=begin) if left and effect is not None else None
    dns = _dns_left(span, begin, answers) if people is not None else None
    direct = max((r.answered for r in bad if r.client == DIRECT), default=begin) if people is not None else None
    inside = [r for r in during if people is not None and r.sent <= people]
    written = [r for r in requests if r.kind is RequestKind.WRITE and r.ok and r.region == span.region]
    again = min((r.answered for r in written if r.sent >= _way_back(span, answers)), default=None)
    outage = Outage(
        rto=_since(people, begin),
        detected=_since(seen, begin) if effect is not None else None,
        bound=bound,
        returned=_since(again, span.reverted),
        direct=_since(direct if dns is None or direct is None else max(direct, dns), begin),
        share=sum(not r.ok for r in inside) / len(inside) if inside else 0.0,
    )
    return outage, Marks(span.injected, effect, seen, dns, people, healthy, again)


def _dns_left(span: Span, begin: float, answers: Sequence[Answered]) -> float | None:
    """The first answer to the client that asks each time after which no client is led to the region until it is put back."""
    during = [each for each in answers if each.at < span.reverted]
    last = max((each.at for each in during if each.region == span.region), default=begin)
    return min((each.at for each in during if each.client == DIRECT and each.at > max(last, begin)), default=None)


def _way_back(span: Span, answers: Sequence[Answered]) -> float:
    """When DNS named the region again for the first time after it was put back."""
    return min((a.at for a in answers if a.region == span.region and a.at >= span.reverted), default=float("inf"))


def _since(at: float | None, begin: float) -> float | None:
    return None if at is None else max(0.0, at - begin)
