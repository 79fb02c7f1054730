"""The plots as SVG: the timeline of a drill, and the calls of an experiment. Pure.

In: a drill's result or an experiment's rounds. Out: one SVG document each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workshop.drill.observe import CounterCall, Experiment
from workshop.drill.run import DrillResult
from workshop.drill.svg import BAD, CALM, INK, PALE, Drawing, colour_of, rows_for, ticks
from workshop.drill.timeline import Milestone, RequestKind
from workshop.durations import format_duration

__all__ = ["plot_drill", "plot_experiments"]

WIDTH = 1280.0
LEFT = 150.0
"""Where the axis of time begins, in pixels."""
RIGHT = 1250.0
"""Where it ends."""
LABEL_ROW = 24.0
LABEL_SIZE = 16.0
DRILL_LANE = 92.0
"""The height of a region's lane in the plot of a drill."""
LAG_HEIGHT = 110.0
EXPERIMENT_LANE = 120.0
"""The height of a region's lane in the plot of an experiment."""
EXPERIMENT_TOP = 64.0
LABELS = {
    Milestone.INJECTED: "fault set",
    Milestone.FIRST_FAILURE: "first failed write",
    Milestone.SEEN: "checkers see it",
    Milestone.DNS: "DNS leaves it",
    Milestone.PEOPLE: "last client led away",
    Milestone.SWITCHED: "failover",
    Milestone.REVERTED: "fault reverted",
    Milestone.OFFERED: "healthy again",
    Milestone.RETURNED: "failback",
}
REQUESTS = {RequestKind.WRITE: 0.3, RequestKind.READ: 0.62, RequestKind.HEALTH: 0.86}
"""The vertical position of a request in its region's lane, as a share."""

Scale = Callable[[float], float]
"""From seconds to pixels."""


def plot_drill(result: DrillResult) -> str:
    """The whole drill on one axis of time; the height follows the number of regions and labels."""
    regions = result.deployment.regions
    end = max((r.answered for r in result.requests), default=1.0)
    marks = ticks(end, 10)
    moments = [m for m in result.moments if m.milestone in LABELS]
    at = _scale(0.0, marks[-1])
    labels = [(at(m.at), f"{_label(result, m.milestone)} {m.at:.1f} s") for m in moments]
    rows = rows_for(labels, LABEL_SIZE, RIGHT)
    top = 24 + LABEL_ROW * (max((row for _, row, _ in rows), default=0) + 1)
    under = top + DRILL_LANE * len(regions)
    title = (
        f"Drill of {result.spec.region} ({result.spec.fault.name}): RTO {format_duration(result.figures.outage.rto)}, "
        f"{result.figures.failed} of {result.figures.requests} requests failed"
    )
    drawing = Drawing(WIDTH, under + 62 + LAG_HEIGHT + 56, title)
    _fault_band(drawing, result, at, top, under, end)
    for number, region in enumerate(regions):
        _drill_lane(drawing, result, region, number, at, top + DRILL_LANE * number)
    for moment, (x, words), (_, row, anchor) in zip(moments, labels, rows, strict=True):
        y = 20 + LABEL_ROW * row
        stroke = BAD if moment.milestone in (Milestone.INJECTED, Milestone.FIRST_FAILURE) else INK
        drawing.line(x, y + 5, x, under, stroke, width=1.5, dash="5 4")
        drawing.text(x + (-5 if anchor == "end" else 5), y, words, size=LABEL_SIZE, fill=stroke, anchor=anchor, bold=True)
    _time_axis(drawing, marks, at, under)
    _lag_chart(drawing, result, at, under + 62)
    _drill_legend(drawing, result, under + 62 + LAG_HEIGHT + 40)
    return drawing.render()


def plot_experiments(title: str, regions: Sequence[str], rounds: Sequence[Experiment]) -> str:
    """All rounds on one axis of time; a band is the time during which the regions disagreed."""
    calls = [call for each in rounds for call in each.calls]
    first = min((call.sent for call in calls), default=0.0)
    marks = ticks(max((call.answered - first for call in calls), default=1.0), 10)
    at = _scale(first, marks[-1])
    under = EXPERIMENT_TOP + EXPERIMENT_LANE * len(regions)
    drawing = Drawing(WIDTH, under + 78, title)
    drawing.text(16, 34, title, size=20, bold=True)
    for each in rounds:
        _disagreement_band(drawing, each, at, under)
    for number, region in enumerate(regions):
        y = EXPERIMENT_TOP + EXPERIMENT_LANE * number
        drawing.line(LEFT, y + EXPERIMENT_LANE, RIGHT, y + EXPERIMENT_LANE, PALE)
        drawing.text(16, y + EXPERIMENT_LANE / 2, region, size=18, fill=colour_of(number), bold=True)
        own = [call for call in calls if call.region == region]
        _experiment_lane(drawing, own, colour_of(number), at, y + EXPERIMENT_LANE / 2)
    _time_axis(drawing, marks, lambda seconds: at(seconds + first), under)
    _experiment_legend(drawing, under + 60)
    return drawing.render()


def _label(result: DrillResult, milestone: Milestone) -> str:
    if milestone is Milestone.FIRST_FAILURE and result.name is not None:
        return "first failed request"
    return LABELS[milestone]


def _scale(first: float, length: float) -> Scale:
    return lambda seconds: LEFT + (RIGHT - LEFT) * (seconds - first) / length


def _time_axis(drawing: Drawing, marks: Sequence[float], at: Scale, y: float) -> None:
    for mark in marks:
        drawing.line(at(mark), y, at(mark), y + 6, CALM)
        drawing.text(at(mark), y + 24, f"{mark:g} s", size=14, fill=CALM, anchor="middle")


def _fault_band(drawing: Drawing, result: DrillResult, at: Scale, top: float, under: float, end: float) -> None:
    injected = next((m.at for m in result.moments if m.milestone is Milestone.INJECTED), None)
    reverted = next((m.at for m in result.moments if m.milestone is Milestone.REVERTED), end)
    if injected is not None:
        drawing.rect(at(injected), top, at(reverted) - at(injected), under - top, BAD, opacity=0.10)


def _drill_lane(drawing: Drawing, result: DrillResult, region: str, number: int, at: Scale, y: float) -> None:
    colour = colour_of(number)
    drawing.line(LEFT, y + DRILL_LANE, RIGHT, y + DRILL_LANE, PALE)
    drawing.text(16, y + 26, region, size=18, fill=colour, bold=True)
    total, failed = result.figures.by_region.get(region, (0, 0))
    drawing.text(16, y + 48, f"{total} requests", size=14, fill=CALM)
    drawing.text(16, y + 67, f"{failed} failed", size=14, fill=BAD if failed else CALM, bold=failed > 0)
    for request in result.requests:
        if request.region != region:
            continue
        x, height = at(request.answered), y + DRILL_LANE * REQUESTS[request.kind]
        write = request.kind is RequestKind.WRITE
        if not request.ok:
            drawing.cross(x, height, 5, BAD)
        else:
            drawing.dot(x, height, 5 if write else 4, colour, hollow=not write)


def _lag_chart(drawing: Drawing, result: DrillResult, at: Scale, y: float) -> None:
    """Replication: how long each measured write took to the other region, in that region's colour."""
    known = [(lag, lag.seconds) for lag in result.lags if lag.seconds is not None]
    marks = ticks(max((seconds for _, seconds in known), default=1.0), 3)
    drawing.text(16, y + 16, "Lag", size=18, bold=True)
    drawing.text(16, y + 38, "to the", size=14, fill=CALM)
    drawing.text(16, y + 56, "other region", size=14, fill=CALM)
    for mark in marks:
        height = y + LAG_HEIGHT * (1 - mark / marks[-1])
        drawing.line(LEFT, height, RIGHT, height, PALE)
        drawing.text(LEFT - 8, height + 5, f"{mark:g} s", size=13, fill=CALM, anchor="end")
    for lag, seconds in known:
        colour = colour_of(result.deployment.regions.index(lag.region))
        height = y + LAG_HEIGHT * (1 - seconds / marks[-1])
        drawing.line(at(lag.at), y + LAG_HEIGHT, at(lag.at), height, colour, width=2.5)
        drawing.dot(at(lag.at), height, 4.5, colour)


def _drill_legend(drawing: Drawing, result: DrillResult, y: float) -> None:
    x = LEFT
    drawing.dot(x, y - 5, 5, CALM)
    drawing.text(x + 12, y, "write taken", size=14, fill=CALM)
    drawing.dot(x + 120, y - 5, 4, CALM, hollow=True)
    health = any(request.kind is RequestKind.HEALTH for request in result.requests)
    words = "successful read (and below it, health)" if health else "successful read"
    drawing.text(x + 132, y, words, size=14, fill=CALM)
    x += 420 if health else 262
    drawing.cross(x, y - 5, 5, BAD)
    drawing.text(x + 12, y, "request failed", size=14, fill=CALM)
    drawing.rect(x + 134, y - 14, 22, 16, BAD, opacity=0.14)
    drawing.text(x + 162, y, f"{result.spec.region} is failed ({result.spec.fault.name})", size=14, fill=CALM)


def _disagreement_band(drawing: Drawing, each: Experiment, at: Scale, under: float) -> None:
    writes = [call for call in each.calls if call.by is not None]
    if not writes or each.lag is None:
        return
    begin, end = writes[0].answered, writes[-1].answered + each.lag[1]
    drawing.rect(at(begin), EXPERIMENT_TOP, at(end) - at(begin), under - EXPERIMENT_TOP, BAD, opacity=0.10)
    words = format_duration(each.lag[1])
    drawing.text(at(end) - 4, EXPERIMENT_TOP + 18, words, size=14, fill=BAD, anchor="end", bold=True)


def _experiment_lane(drawing: Drawing, calls: Sequence[CounterCall], colour: str, at: Scale, y: float) -> None:
    """A read is labelled with its number only when that differs from the call before."""
    last: int | None = None
    for call in calls:
        x = at(call.answered)
        if call.by is not None:
            drawing.dot(x, y, 8, colour)
            drawing.text(x, y - 16, f"{call.by:+d} → {call.value}", size=16, fill=INK, anchor="middle", bold=True)
        else:
            drawing.dot(x, y, 4, colour, hollow=True)
            if call.value != last and call.value is not None:
                drawing.text(x, y + 26, str(call.value), size=15, fill=colour, anchor="middle")
        last = call.value


def _experiment_legend(drawing: Drawing, y: float) -> None:
    drawing.dot(LEFT, y - 5, 7, CALM)
    drawing.text(LEFT + 14, y, "write", size=14, fill=CALM)
    drawing.dot(LEFT + 90, y - 5, 4, CALM, hollow=True)
    drawing.text(LEFT + 102, y, "read (the number is written where it changes)", size=14, fill=CALM)
    drawing.rect(LEFT + 440, y - 14, 22, 16, BAD, opacity=0.14)
    drawing.text(LEFT + 470, y, "the regions disagree", size=14, fill=CALM)
