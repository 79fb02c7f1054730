"""The verdict on a drill: its figures beside the targets. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from workshop.drill.run import Drilled

__all__ = ["Targets", "Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class Targets:
    """Seconds. The workshops promise 15 minutes each."""

    rto: float = 900.0
    rpo: float = 900.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether each target was met, and why not in one sentence each."""

    rto_met: bool
    rpo_met: bool
    undone: bool
    reasons: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.rto_met and self.rpo_met and self.undone


def judge(drilled: Drilled, targets: Targets) -> Verdict:
    """Measure the drill by the targets. No failover is a missed RTO when the fault should have stopped the writes."""
    outage, recovery = drilled.figures.outage, drilled.figures.recovery
    reasons: list[str] = []
    if outage.rto is not None:
        rto_met = outage.rto <= targets.rto
        if not rto_met:
            reasons.append(f"RTO was {outage.rto:.1f} s, the target is {targets.rto:g} s.")
    else:
        rto_met = not drilled.order.fault.stops_writes
        if not rto_met:
            reasons.append("The writes did not fail over, so there is no RTO.")
    rpo_met = not recovery.lost or recovery.lost_seconds <= targets.rpo
    if recovery.lost:
        count = len(recovery.lost)
        reasons.append(f"{count} acknowledged writes are missing, over {recovery.lost_seconds:.1f} s; target {targets.rpo:g} s.")
    if not drilled.undone:
        reasons.append("The fault was not taken back by this drill.")
    return Verdict(rto_met, rpo_met, drilled.undone, tuple(reasons))
