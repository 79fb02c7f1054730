"""The report of a drill: one self-contained page, its plot as SVG, everything as JSON. In: drill and verdict. Out: files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from workshop.drill.document import evidence, figures
from workshop.drill.durations import spoken
from workshop.drill.plot import plot
from workshop.drill.run import Drilled
from workshop.drill.verdict import Targets, Verdict
from workshop.home import prepare, write_private
from workshop.quoting import json_text, visible

__all__ = ["About", "Card", "Written", "cards", "write_report"]


@dataclass(frozen=True, slots=True)
class About:
    """Whose drill it was; `when` for people."""

    workshop: str
    target: str
    account: str
    when: str


@dataclass(frozen=True, slots=True)
class Card:
    """One figure beside its target."""

    name: str
    value: str
    beside: str
    good: bool


@dataclass(frozen=True, slots=True)
class Written:
    """Where the report lies."""

    html: Path
    svg: Path
    json: Path

    def document(self) -> dict[str, str]:
        return {"html": str(self.html), "svg": str(self.svg), "json": str(self.json)}


def cards(drilled: Drilled, targets: Targets, verdict: Verdict) -> list[Card]:
    """The figures that people ask for first."""
    found = drilled.figures
    outage, recovery = found.outage, found.recovery
    limit = f"target {spoken(targets.rto)}"
    rto = f"{limit}; the settings allow {spoken(outage.bound)}" if outage.rto is not None else limit
    quiet = "not interrupted" if not drilled.order.fault.stops_writes else "no failover"
    when = "at the switch" if drilled.order.fault.stops_writes else "at the end of the fault"
    behind = f"; {len(recovery.behind)} were in one region only {when}" if recovery.behind else ""
    return [
        Card("RTO: time without writes", spoken(outage.rto) if outage.rto is not None else quiet, rto, verdict.rto_met),
        Card(
            "RPO: writes lost", f"{len(recovery.lost)} of {recovery.acknowledged}",
            f"{spoken(recovery.lost_seconds) if recovery.lost else 'nothing'} lost; target {spoken(targets.rpo)}{behind}",
            verdict.rpo_met,
        ),
        Card("Availability", f"{found.availability:.1%}", f"{found.failed} of {found.requests} requests failed", True),
        Card(
            "Replication lag", spoken(found.lag["before"].median),
            f"during {spoken(found.lag['during'].median)}, after {spoken(found.lag['after'].median)}", True,
        ),
        Card("Put back", "yes" if drilled.undone else "no", "read back from the region", drilled.undone),
    ]  # fmt: skip


def write_report(folder: Path, drilled: Drilled, targets: Targets, verdict: Verdict, about: About) -> Written:
    """Write the three files, named after the drill; raises `UsageError` when the folder cannot be written."""
    prepare(folder)
    written = Written(*(folder / f"drill-{drilled.order.run}.{kind}" for kind in ("html", "svg", "json")))
    drawn = plot(drilled)
    content: dict[str, Any] = {
        "version": 1, "workshop": about.workshop, "target": about.target, "account": about.account,
        **figures(drilled, targets, verdict), "evidence": evidence(drilled),
    }  # fmt: skip
    page = _template().render(
        drilled=drilled, targets=targets, verdict=verdict, about=about, cards=cards(drilled, targets, verdict),
        plot=Markup(drawn),  # noqa: S704 - our own drawing, in which every text is escaped
    )  # fmt: skip
    write_private(written.svg, visible(drawn))
    write_private(written.json, json_text(content, indent=1) + "\n")
    write_private(written.html, visible(page))
    return written


def _template() -> Any:
    source = resources.files("workshop.drill").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["spoken"] = spoken
    return environment.from_string(source)
