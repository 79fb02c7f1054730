"""The timeline of a drill as SVG: requests by region and outcome, the fault, the failover, the lag. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workshop.drill.durations import spoken
from workshop.drill.run import Drilled
from workshop.drill.svg import BAD, CALM, INK, PALE, Drawing, colour_of, rows_for, ticks
from workshop.drill.timeline import Mark, Use

__all__ = ["plot"]

WIDTH, LEFT, RIGHT = 1280.0, 150.0, 1250.0
ROW, LANE, LAGS, SIZE = 24.0, 92.0, 110.0, 16.0
NAMES = {
    Mark.STRUCK: "fault set",
    Mark.FIRST_FAILURE: "first failed write",
    Mark.SWITCHED: "failover",
    Mark.MENDED: "fault taken back",
    Mark.OFFERED: "answers again",
    Mark.RETURNED: "failback",
}
USES = {Use.WRITE: 0.3, Use.READ: 0.62, Use.HEALTH: 0.86}
"""How far down in its region's lane a request lies, as a share."""


def plot(drilled: Drilled) -> str:
    """The whole plot; its height follows the number of regions and labels."""
    regions = drilled.scene.regions
    span = max((r.answered for r in drilled.requests), default=1.0)
    marks = _scale(span)
    at = _across(marks[-1])
    moments = [m for m in drilled.moments if m.mark in NAMES]
    labels = [(at(m.at), f"{NAMES[m.mark]} {m.at:.1f} s") for m in moments]
    rows = rows_for(labels, SIZE, RIGHT)
    top = 24 + ROW * (max((row for _, row, _ in rows), default=0) + 1)
    under = top + LANE * len(regions)
    title = (
        f"Drill of {drilled.order.region} ({drilled.order.fault.name}): RTO {spoken(drilled.figures.outage.rto)}, "
        f"{drilled.figures.failed} of {drilled.figures.requests} requests failed"
    )
    drawing = Drawing(WIDTH, under + 62 + LAGS + 56, title)
    _fault(drawing, drilled, at, top, under, span)
    for number, region in enumerate(regions):
        _lane(drawing, drilled, region, number, at, top + LANE * number)
    for moment, (x, words), (_, row, anchor) in zip(moments, labels, rows, strict=True):
        y = 20 + ROW * row
        stroke = BAD if moment.mark in (Mark.STRUCK, Mark.FIRST_FAILURE) else INK
        drawing.line(x, y + 5, x, under, stroke, width=1.5, dash="5 4")
        drawing.text(x + (-5 if anchor == "end" else 5), y, words, size=SIZE, fill=stroke, anchor=anchor, bold=True)
    _time(drawing, marks, at, under)
    _lag(drawing, drilled, at, under + 62)
    _legend(drawing, drilled, under + 62 + LAGS + 40)
    return drawing.render()


def _scale(span: float) -> list[float]:
    return ticks(span, 10)


def _across(most: float) -> Callable[[float], float]:
    return lambda seconds: LEFT + (RIGHT - LEFT) * seconds / most


def _fault(drawing: Drawing, drilled: Drilled, at: Callable[[float], float], top: float, under: float, span: float) -> None:
    struck = next((m.at for m in drilled.moments if m.mark is Mark.STRUCK), None)
    mended = next((m.at for m in drilled.moments if m.mark is Mark.MENDED), span)
    if struck is not None:
        drawing.rect(at(struck), top, at(mended) - at(struck), under - top, BAD, opacity=0.10)


def _lane(drawing: Drawing, drilled: Drilled, region: str, number: int, at: Callable[[float], float], y: float) -> None:
    colour = colour_of(number)
    drawing.line(LEFT, y + LANE, RIGHT, y + LANE, PALE)
    drawing.text(16, y + 26, region, size=18, fill=colour, bold=True)
    total, failed = drilled.figures.by_region.get(region, (0, 0))
    drawing.text(16, y + 48, f"{total} requests", size=14, fill=CALM)
    drawing.text(16, y + 67, f"{failed} failed", size=14, fill=BAD if failed else CALM, bold=failed > 0)
    for request in drilled.requests:
        if request.region != region:
            continue
        x, height = at(request.answered), y + LANE * USES[request.use]
        if not request.ok:
            drawing.cross(x, height, 5, BAD)
        else:
            drawing.dot(x, height, 5 if request.use is Use.WRITE else 4, colour, hollow=request.use is not Use.WRITE)


def _time(drawing: Drawing, marks: Sequence[float], at: Callable[[float], float], y: float) -> None:
    for mark in marks:
        drawing.line(at(mark), y, at(mark), y + 6, CALM)
        drawing.text(at(mark), y + 24, f"{mark:g} s", size=14, fill=CALM, anchor="middle")


def _lag(drawing: Drawing, drilled: Drilled, at: Callable[[float], float], y: float) -> None:
    """Replication: how long each measured write took to the other region, in that region's colour."""
    known = [lag for lag in drilled.lags if lag.seconds is not None]
    scale = ticks(max((lag.seconds or 0.0 for lag in known), default=1.0), 3)
    drawing.text(16, y + 16, "Lag", size=18, bold=True)
    drawing.text(16, y + 38, "to the", size=14, fill=CALM)
    drawing.text(16, y + 56, "other region", size=14, fill=CALM)
    for mark in scale:
        height = y + LAGS * (1 - mark / scale[-1])
        drawing.line(LEFT, height, RIGHT, height, PALE)
        drawing.text(LEFT - 8, height + 5, f"{mark:g} s", size=13, fill=CALM, anchor="end")
    for lag in known:
        colour = colour_of(drilled.scene.regions.index(lag.region))
        height = y + LAGS * (1 - (lag.seconds or 0.0) / scale[-1])
        drawing.line(at(lag.at), y + LAGS, at(lag.at), height, colour, width=2.5)
        drawing.dot(at(lag.at), height, 4.5, colour)


def _legend(drawing: Drawing, drilled: Drilled, y: float) -> None:
    x = LEFT
    drawing.dot(x, y - 5, 5, CALM)
    drawing.text(x + 12, y, "write taken", size=14, fill=CALM)
    drawing.dot(x + 120, y - 5, 4, CALM, hollow=True)
    health = any(request.use is Use.HEALTH for request in drilled.requests)
    drawing.text(x + 132, y, "read (and below it, health) answered" if health else "read answered", size=14, fill=CALM)
    x += 420 if health else 262
    drawing.cross(x, y - 5, 5, BAD)
    drawing.text(x + 12, y, "request failed", size=14, fill=CALM)
    drawing.rect(x + 134, y - 14, 22, 16, BAD, opacity=0.14)
    drawing.text(x + 162, y, f"{drilled.order.region} is failed ({drilled.order.fault.name})", size=14, fill=CALM)
