"""The verdict on a drill, and its report: one self-contained page, its plot as SVG, everything as JSON.

In: a result, targets. Out: a `Verdict`, the figures and the evidence as JSON documents, three files.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from workshop.drill.measure import to_millis
from workshop.drill.name_report import Card, monthly_sentence, name_document, name_sentences, rto_card
from workshop.drill.plot import plot_drill
from workshop.drill.run import DrillResult
from workshop.drill.timeline import Acknowledged, TimedRequest
from workshop.drill.wiring_plot import draw_wiring
from workshop.durations import format_duration
from workshop.quoting import json_text, visible
from workshop.state_dir import prepare, write_private

__all__ = [
    "Card",
    "ReportFiles",
    "ReportHeader",
    "Targets",
    "Verdict",
    "cards",
    "evidence",
    "figures",
    "judge",
    "write_report",
]


@dataclass(frozen=True, slots=True)
class Targets:
    """Seconds. The workshops promise 15 minutes each."""

    rto: float = 900.0
    rpo: float = 900.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether each target was met, and one sentence for each that was not."""

    rto_met: bool
    rpo_met: bool
    undone: bool
    reasons: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.rto_met and self.rpo_met and self.undone


@dataclass(frozen=True, slots=True)
class ReportHeader:
    """Whose drill it was; `when` for people."""

    workshop: str
    target: str
    account: str
    when: str


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The paths of the report."""

    html: Path
    svg: Path
    json: Path

    def document(self) -> dict[str, str]:
        """The paths as JSON has them."""
        return {"html": str(self.html), "svg": str(self.svg), "json": str(self.json)}


def judge(result: DrillResult, targets: Targets) -> Verdict:
    """Compare the drill with the targets. No failover is a missed RTO when the fault should have stopped the writes."""
    outage, recovery, fault = result.figures.outage, result.figures.recovery, result.spec.fault
    reasons: list[str] = []
    if outage.rto is not None:
        rto_met = outage.rto <= targets.rto
        if not rto_met:
            reasons.append(f"RTO was {outage.rto:.1f} s, the target is {targets.rto:g} s.")
    else:
        rto_met = not fault.stops_writes and not (fault.withdraws and result.name is not None)
        if not rto_met:
            who = "The writes did not fail over" if result.name is None else "Clients did not leave the region"
            reasons.append(f"{who}, so there is no RTO.")
    rpo_met = not recovery.lost or recovery.lost_seconds <= targets.rpo
    if recovery.lost:
        count = len(recovery.lost)
        reasons.append(f"{count} acknowledged writes are missing, over {recovery.lost_seconds:.1f} s; target {targets.rpo:g} s.")
    if not result.undone:
        reasons.append("The fault was not reverted by this drill.")
    return Verdict(rto_met, rpo_met, result.undone, tuple(reasons))


def cards(result: DrillResult, targets: Targets, verdict: Verdict) -> list[Card]:
    """The figures that people ask for first."""
    found = result.figures
    before, during, after = (format_duration(found.lag[phase].median) for phase in ("before", "during", "after"))
    failures = f"{found.failed} of {found.requests} requests failed"
    if result.name is not None and found.outage.rto is not None:
        failures += f"; {monthly_sentence(found.outage)}"
    return [
        _rto_card(result, targets, verdict),
        _rpo_card(result, targets, verdict),
        Card("Availability", f"{found.availability:.1%}", failures, True),
        Card("Replication lag", before, f"during {during}, after {after}", True),
        Card("Put back", "yes" if result.undone else "no", "read back from the region", result.undone),
    ]


def _rto_card(result: DrillResult, targets: Targets, verdict: Verdict) -> Card:
    if result.name is not None:
        return rto_card(result, result.name, targets.rto, good=verdict.rto_met)
    outage, beside = result.figures.outage, f"target {format_duration(targets.rto)}"
    if outage.rto is not None:
        value = format_duration(outage.rto)
        beside = f"{beside}; the settings allow {format_duration(outage.bound)}"
    else:
        value = "no failover" if result.spec.fault.stops_writes else "not interrupted"
    return Card("RTO: time without writes", value, beside, verdict.rto_met)


def _rpo_card(result: DrillResult, targets: Targets, verdict: Verdict) -> Card:
    recovery = result.figures.recovery
    lost = format_duration(recovery.lost_seconds) if recovery.lost else "nothing"
    beside = f"{lost} lost; target {format_duration(targets.rpo)}"
    if recovery.behind:
        when = "at the switch" if result.spec.fault.stops_writes else "at the end of the fault"
        beside += f"; {len(recovery.behind)} were in one region only {when}"
    return Card("RPO: writes lost", f"{len(recovery.lost)} of {recovery.acknowledged}", beside, verdict.rpo_met)


def figures(result: DrillResult, targets: Targets, verdict: Verdict) -> dict[str, Any]:
    """The figures as JSON, seconds rounded to milliseconds; `null` where there is none."""
    found = result.figures
    outage, recovery = found.outage, found.recovery
    return {
        "drill": result.spec.run,
        "region": result.spec.region,
        "fault": result.spec.fault.name,
        "seconds": round(result.seconds, 3),
        "rto": {
            "seconds": to_millis(outage.rto),
            "target": targets.rto,
            "met": verdict.rto_met,
            "bound": to_millis(outage.bound),
            "bound_seconds": to_millis(outage.bound),
            "direct_seconds": to_millis(outage.direct),
        },
        "rpo": {
            "seconds": to_millis(recovery.lost_seconds),
            "lost_writes": len(recovery.lost),
            "acknowledged_writes": recovery.acknowledged,
            "target": targets.rpo,
            "met": verdict.rpo_met,
            "behind_at_failover": {"writes": len(recovery.behind), "seconds": to_millis(recovery.behind_seconds)},
        },
        "availability": round(found.availability, 5),
        "requests": found.requests,
        "failed_requests": found.failed,
        "detection_seconds": to_millis(outage.detected),
        "failback_seconds": to_millis(outage.returned),
        "lag": {phase: lag.document() for phase, lag in found.lag.items()},
        "by_region": {region: {"requests": all_, "failed_requests": bad} for region, (all_, bad) in found.by_region.items()},
        "undone": result.undone,
        "restored": [undone.document() for undone in result.restored],
        "reasons": list(verdict.reasons),
        "failover": result.spec.settings.document(),
        "path": "direct" if result.name is None else "dns",
        "dns": None if result.name is None else name_document(result.name, outage),
    }


def evidence(result: DrillResult) -> dict[str, Any]:
    """Everything that was recorded, as JSON; times in seconds since the beginning of the load."""
    answers = [] if result.name is None else result.name.answers
    named = [{"at": to_millis(each.at), "client": each.client, "region": each.region} for each in answers]
    return {
        "moments": [
            {"at": to_millis(m.at), "mark": m.milestone.value, "region": m.region, "text": m.text} for m in result.moments
        ],
        "requests": [_request(request) for request in result.requests],
        "acknowledged": [_write(each) for each in result.acknowledged],
        "lost": [_write(each) for each in result.figures.recovery.lost],
        "behind_at_failover": [_write(each) for each in result.figures.recovery.behind],
        "lags": [
            {
                "write": lag.number,
                "from": lag.source,
                "to": lag.region,
                "at": to_millis(lag.at),
                "seconds": to_millis(lag.seconds),
            }
            for lag in result.lags
        ],
        **({"answers": named} if named else {}),
    }


def write_report(folder: Path, result: DrillResult, targets: Targets, verdict: Verdict, header: ReportHeader) -> ReportFiles:
    """Write the three files, named after the drill; raises `UsageError` when the folder cannot be written."""
    prepare(folder)
    files = ReportFiles(*(folder / f"drill-{result.spec.run}.{kind}" for kind in ("html", "svg", "json")))
    drawn, wiring = plot_drill(result), "" if result.name is None else draw_wiring(result.name.routed.proof)
    content: dict[str, Any] = {
        "version": 1,
        "workshop": header.workshop,
        "target": header.target,
        "account": header.account,
        **figures(result, targets, verdict),
        "evidence": evidence(result),
    }
    page = _template().render(
        result=result,
        targets=targets,
        verdict=verdict,
        header=header,
        cards=cards(result, targets, verdict),
        plot=Markup(drawn),  # noqa: S704 - our own drawing, in which every text is escaped
        wiring=Markup(wiring),  # noqa: S704 - the same
        sentences=[] if result.name is None else name_sentences(result, result.name),
    )
    write_private(files.svg, visible(drawn))
    write_private(files.json, json_text(content, indent=1) + "\n")
    write_private(files.html, visible(page))
    return files


def _request(request: TimedRequest) -> dict[str, Any]:
    return {
        "use": request.kind.value,
        "region": request.region,
        "sent": to_millis(request.sent),
        "answered": to_millis(request.answered),
        "status": request.status,
        "why": request.why,
        **({"client": request.client} if request.client else {}),
    }


def _write(each: Acknowledged) -> dict[str, Any]:
    return {"write": each.number, "region": each.region, "value": each.value, "at": to_millis(each.at)}


def _template() -> Any:
    source = resources.files("workshop.drill").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["format_duration"] = format_duration
    return environment.from_string(source)
