"""What a report has of a drill through a name beside the figures of every drill: marks, bound, measurement, what they mean.

In: a drill's result. Out: a card, sentences, a JSON document. Pure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from workshop.drill.measure import Outage, to_millis
from workshop.drill.run import DrillResult, NameResult
from workshop.durations import format_duration

__all__ = ["Card", "monthly", "monthly_sentence", "name_document", "name_sentences", "rto_card"]

MONTH = 30 * 24 * 3600.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Card:
    """One figure beside its target."""

    name: str
    value: str
    beside: str
    good: bool


def rto_card(result: DrillResult, found: NameResult, target: float, *, good: bool) -> Card:
    """The RTO of the last client beside its bound."""
    outage, wanted = result.figures.outage, f"target {format_duration(target)}"
    if outage.rto is None:
        stays = result.spec.fault.stops_writes or result.spec.fault.withdraws
        return Card("RTO: until the last client is led away", "never" if stays else "not interrupted", wanted, good)
    beside = f"{wanted}; bound {format_duration(found.bound.seconds)}; asking DNS each time {format_duration(outage.direct)}"
    return Card("RTO: until the last client is led away", format_duration(outage.rto), beside, good)


def monthly(outage: Outage) -> float:
    """The availability of a month with this outage in it: its seconds, times the share of requests that failed in it."""
    return 1.0 - (outage.rto or 0.0) * outage.share / MONTH


def monthly_sentence(outage: Outage) -> str:
    """The same in words, with as many digits as tell it from 100 percent."""
    lost = 1.0 - monthly(outage)
    digits = next((digits for digits in range(2, 8) if lost * 100 >= 0.5 * 10.0**-digits), 2)
    return f"this outage, once a month: {100 * (1 - lost):.{digits}f} %"


def name_sentences(result: DrillResult, found: NameResult) -> list[str]:
    """What happened to the clients of the name, and what people with browsers meet."""
    outage, routed, region = result.figures.outage, found.routed, result.spec.region
    sentences = [f"At most {found.bound.words}."] if region in routed.checks else []
    if outage.rto is not None:
        sentences.append(
            f"Measured: {format_duration(outage.rto)} until the last client was led away from {region},"
            f" {format_duration(outage.direct)} for a client that asks DNS each time;"
            f" its checkers saw the failure after {format_duration(outage.detected)}."
        )
    kept = f"{routed.ttl} s" if routed.clock == 1 else f"{routed.ttl} s, which the local cloud shortens to {routed.ttl_here:g} s"
    sentences.append(
        f"The clients of this drill keep an answer for its TTL ({kept}) and no longer. It is the least that people meet: browsers"
        " and resolvers may keep answers longer, and connections that are open are not led away at all."
    )
    if outage.rto is not None:
        sentences.append(f"Availability: {monthly_sentence(outage)} of the requests.")
    return sentences


def name_document(found: NameResult, outage: Outage) -> dict[str, Any]:
    """The name, the marks in seconds since the beginning of the load, and what the failure showed of the wiring, as JSON."""
    routed = found.routed
    return {
        "name": routed.name,
        "policy": routed.policy,
        "ttl": routed.ttl,
        "ttl_here": to_millis(routed.ttl_here),
        "bound": {name: to_millis(value) for name, value in asdict(found.bound).items()},
        "marks": {name: to_millis(at) for name, at in asdict(found.marks).items()},
        "answers": dict(sorted(Counter(each.region or "none" for each in found.answers).items())),
        "availability_of_a_month": round(monthly(outage), 8),
        "wiring": {
            "proven": not routed.proof.problems,
            "problems": [each.text for each in routed.proof.problems],
            "by_deed": [each.text for each in found.mismatches],
        },
    }
