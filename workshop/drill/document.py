"""A drill as JSON: the figures of the contract, and the evidence that they were computed from."""

from __future__ import annotations

from typing import Any

from workshop.drill.run import Drilled
from workshop.drill.timeline import Acknowledged
from workshop.drill.verdict import Targets, Verdict

__all__ = ["evidence", "figures"]


def figures(drilled: Drilled, targets: Targets, verdict: Verdict) -> dict[str, Any]:
    """The figures, seconds rounded to milliseconds; `null` where it never came to that."""
    found = drilled.figures
    outage, recovery = found.outage, found.recovery
    return {
        "drill": drilled.order.run,
        "region": drilled.order.region,
        "fault": drilled.order.fault.name,
        "seconds": round(drilled.seconds, 3),
        "rto": {"seconds": _short(outage.rto), "target": targets.rto, "met": verdict.rto_met, "bound": _short(outage.bound)},
        "rpo": {
            "seconds": _short(recovery.lost_seconds),
            "lost_writes": len(recovery.lost),
            "acknowledged_writes": recovery.acknowledged,
            "target": targets.rpo,
            "met": verdict.rpo_met,
            "behind_at_failover": {"writes": len(recovery.behind), "seconds": _short(recovery.behind_seconds)},
        },
        "availability": round(found.availability, 5),
        "requests": found.requests,
        "failed_requests": found.failed,
        "detection_seconds": _short(outage.detected),
        "failback_seconds": _short(outage.returned),
        "lag": {phase: lag.document() for phase, lag in found.lag.items()},
        "by_region": {region: {"requests": all_, "failed_requests": bad} for region, (all_, bad) in found.by_region.items()},
        "undone": drilled.undone,
        "restored": [settled.document() for settled in drilled.settled],
        "reasons": list(verdict.reasons),
        "failover": drilled.order.settings.document(),
    }


def evidence(drilled: Drilled) -> dict[str, Any]:
    """Everything that was seen, times in seconds since the beginning of the load."""
    return {
        "moments": [{"at": _short(m.at), "mark": m.mark.value, "region": m.region, "text": m.text} for m in drilled.moments],
        "requests": [
            {
                "use": r.use.value,
                "region": r.region,
                "sent": _short(r.sent),
                "answered": _short(r.answered),
                "status": r.status,
                "why": r.why,
            }
            for r in drilled.requests
        ],
        "acknowledged": [_write(each) for each in drilled.acknowledged],
        "lost": [_write(each) for each in drilled.figures.recovery.lost],
        "behind_at_failover": [_write(each) for each in drilled.figures.recovery.behind],
        "lags": [
            {"write": lag.number, "from": lag.source, "to": lag.region, "at": _short(lag.at), "seconds": _short(lag.seconds)}
            for lag in drilled.lags
        ],
    }


def _write(each: Acknowledged) -> dict[str, Any]:
    return {"write": each.number, "region": each.region, "value": each.value, "at": _short(each.at)}


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
