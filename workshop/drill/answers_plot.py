"""The plot of DNS answers as SVG: the share of each region beside what its policy promises, and what one resolver kept. Pure.

In: measured answers. Out: one SVG document.
"""

from __future__ import annotations

from workshop.drill.answers import RoutedAnswers
from workshop.drill.svg import BAD, CALM, INK, PALE, Drawing, colour_of
from workshop.steps.route53.sampling import band

__all__ = ["plot_answers"]

WIDTH, LEFT, RIGHT = 1280.0, 250.0, 1180.0
"""The axis of shares goes from LEFT to RIGHT, in pixels."""
TOP, LANE, BAR = 64.0, 64.0, 26.0


def plot_answers(title: str, found: RoutedAnswers) -> str:
    """One lane for each region, and one for the resolver."""
    regions = list(dict.fromkeys([*found.expected.regions, *found.sample.answers]))
    under = TOP + LANE * len(regions)
    drawing = Drawing(WIDTH, under + 190, title)
    drawing.text(16, 34, title, size=20, bold=True)
    for number, region in enumerate(regions):
        _lane(drawing, found, region, colour_of(number), TOP + LANE * number)
    for tenth in range(0, 11, 2):
        x = _at(tenth / 10)
        drawing.line(x, under, x, under + 6, CALM)
        drawing.text(x, under + 24, f"{tenth * 10} %", size=14, fill=CALM, anchor="middle")
    _resolver(drawing, found, regions, under + 60)
    drawing.text(
        LEFT, under + 170, "line: promised share; grey: 99.9 % of all samples of this size are within", size=14, fill=CALM
    )
    return drawing.render()


def _lane(drawing: Drawing, found: RoutedAnswers, region: str, colour: str, y: float) -> None:
    count, queries = found.sample.answers.get(region, 0), found.sample.queries
    share = found.expected.shares.get(region)
    if share is not None:
        low, high = band(share, queries)
        drawing.rect(_at(low), y, _at(high) - _at(low), BAR + 16, PALE)
    drawing.text(16, y + 26, region, size=18, fill=colour if region in found.expected.regions else BAD, bold=True)
    drawing.rect(LEFT, y + 8, _at(count / queries) - LEFT, BAR, colour, opacity=0.85)
    drawing.text(_at(count / queries) + 8, y + 27, f"{count} ({count / queries:.1%})", size=15)
    if share is not None:
        drawing.line(_at(share), y, _at(share), y + BAR + 16, INK, width=2.5)


def _resolver(drawing: Drawing, found: RoutedAnswers, regions: list[str], y: float) -> None:
    """The answers that one resolver kept, on an axis of its own."""
    end = max((each.at + each.ttl for each in found.cached), default=1.0) or 1.0
    drawing.text(16, y + 30, "one resolver", size=18, fill=INK, bold=True)
    for each in found.cached:
        index = regions.index(each.region) if each.region in regions else len(regions)
        x, width = _at(each.at / end), _at((each.at + each.ttl) / end) - _at(each.at / end)
        drawing.rect(x, y + 8, width - 2, 34, colour_of(index), opacity=0.85)
        drawing.text(x + 6, y + 62, each.region, size=14, fill=colour_of(index))
        drawing.text(x + 6, y + 80, f"{each.at:.0f} to {each.at + each.ttl:.0f} s", size=13, fill=CALM)


def _at(share: float) -> float:
    return LEFT + (RIGHT - LEFT) * share
