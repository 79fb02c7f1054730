"""An experiment as SVG: what each region wrote and answered, and when. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workshop.drill.durations import spoken
from workshop.drill.observe import Call, Experiment
from workshop.drill.svg import BAD, CALM, INK, PALE, Drawing, colour_of, ticks

__all__ = ["plot_experiments"]

WIDTH, LEFT, RIGHT, TOP, LANE = 1280.0, 150.0, 1250.0, 64.0, 120.0


def plot_experiments(title: str, regions: Sequence[str], rounds: Sequence[Experiment]) -> str:
    """All rounds on one line of time; the band is the time in which the regions disagreed."""
    calls = [call for each in rounds for call in each.calls]
    first = min((call.sent for call in calls), default=0.0)
    marks = ticks(max((call.answered - first for call in calls), default=1.0), 10)
    under = TOP + LANE * len(regions)
    drawing = Drawing(WIDTH, under + 78, title)
    drawing.text(16, 34, title, size=20, bold=True)

    def at(seconds: float) -> float:
        return LEFT + (RIGHT - LEFT) * (seconds - first) / marks[-1]

    for each in rounds:
        _band(drawing, each, at, under)
    for number, region in enumerate(regions):
        y = TOP + LANE * number
        drawing.line(LEFT, y + LANE, RIGHT, y + LANE, PALE)
        drawing.text(16, y + LANE / 2, region, size=18, fill=colour_of(number), bold=True)
        _lane(drawing, [call for call in calls if call.region == region], colour_of(number), at, y + LANE / 2)
    for mark in marks:
        drawing.line(at(mark + first), under, at(mark + first), under + 6, CALM)
        drawing.text(at(mark + first), under + 24, f"{mark:g} s", size=14, fill=CALM, anchor="middle")
    _legend(drawing, under + 60)
    return drawing.render()


def _band(drawing: Drawing, each: Experiment, at: Callable[[float], float], under: float) -> None:
    writes = [call for call in each.calls if call.by is not None]
    if not writes or each.lag is None:
        return
    begin, end = writes[0].answered, writes[-1].answered + each.lag[1]
    drawing.rect(at(begin), TOP, at(end) - at(begin), under - TOP, BAD, opacity=0.10)
    drawing.text(at(end) - 4, TOP + 18, spoken(each.lag[1]), size=14, fill=BAD, anchor="end", bold=True)


def _lane(drawing: Drawing, calls: Sequence[Call], colour: str, at: Callable[[float], float], y: float) -> None:
    """A number is written beside a call when it is news."""
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


def _legend(drawing: Drawing, y: float) -> None:
    drawing.dot(LEFT, y - 5, 7, CALM)
    drawing.text(LEFT + 14, y, "write", size=14, fill=CALM)
    drawing.dot(LEFT + 90, y - 5, 4, CALM, hollow=True)
    drawing.text(LEFT + 102, y, "read (the number is written where it changes)", size=14, fill=CALM)
    drawing.rect(LEFT + 440, y - 14, 22, 16, BAD, opacity=0.14)
    drawing.text(LEFT + 470, y, "the regions disagree", size=14, fill=CALM)
