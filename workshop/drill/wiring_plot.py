"""The wiring of a name as SVG: its records on the left, their health checks on the right, what is wrong in red. Pure.

In: a proof. Out: one SVG document. A check is drawn on the row of the region that it watches, so that crossed checks cross.
"""

from __future__ import annotations

from collections.abc import Sequence

from workshop.drill.svg import BAD, CALM, INK, LINES, PALE, Drawing
from workshop.steps.route53.proof import Proof, Wire

__all__ = ["draw_wiring"]

WIDTH = 1280.0
BOX = 500.0
"""The width of a box, in pixels."""
HEIGHT = 78.0
GAP = 26.0
TOP = 76.0
MOST_LETTERS = 58
GOOD = LINES[2]


def draw_wiring(proof: Proof) -> str:
    """One row for each record. A wrong wire is red, dashed and marked with a cross; the mismatches are listed below."""
    texts = [each.text for each in proof.mismatches]
    rows = max(len(proof.wires), 1)
    under = TOP + rows * (HEIGHT + GAP)
    drawing = Drawing(WIDTH, under + 24.0 * len(texts) + 24, f"Records and health checks of {proof.name}")
    drawing.text(16, 34, proof.name, size=22, bold=True)
    drawing.text(16, 62, "record, and where it points", size=15, fill=CALM)
    drawing.text(WIDTH - BOX - 16, 62, "health check, and what it watches", size=15, fill=CALM)
    places = _places(proof.wires)
    for number, wire in enumerate(proof.wires):
        _record(drawing, wire, _y(number))
        if wire.check:
            _check(drawing, wire, _y(places[number]))
            _arrow(drawing, wire, _y(number), _y(places[number]))
        else:
            colour = CALM if wire.right else BAD
            drawing.text(16 + BOX + 14, _y(number) + HEIGHT / 2 + 5, "no health check", size=15, fill=colour)
    for number, text in enumerate(texts):
        drawing.cross(24, under + 24 * number + 2, 5, BAD)
        drawing.text(40, under + 24 * number + 8, _cut(text, 150), size=15, fill=INK)
    return drawing.render()


def _places(wires: Sequence[Wire]) -> list[int]:
    """The row of each record's check: that of the endpoint it watches, each row once; what is left over fills the free rows."""
    free, found = list(range(len(wires))), [-1] * len(wires)
    for number, wire in enumerate(wires):
        watched = (n for n, other in enumerate(wires) if n in free and wire.watches and other.points and _same(wire, other))
        row = next(watched, -1)
        if row >= 0:
            found[number] = row
            free.remove(row)
    for number in (n for n, row in enumerate(found) if row < 0):
        found[number] = number if number in free else free[0]
        free.remove(found[number])
    return found


def _same(wire: Wire, other: Wire) -> bool:
    return wire.watches is not None and other.points is not None and wire.watches.is_same(other.points)


def _record(drawing: Drawing, wire: Wire, y: float) -> None:
    drawing.rect(16, y, BOX, HEIGHT, PALE, round_by=6)
    drawing.text(30, y + 26, wire.region, size=18, bold=True)
    drawing.text(30, y + 48, _cut(str(wire.points or "no endpoint of one region")), size=15, fill=INK if wire.points else BAD)
    drawing.text(30, y + 68, _cut(wire.host), size=13, fill=CALM)


def _check(drawing: Drawing, wire: Wire, y: float) -> None:
    x = WIDTH - BOX - 16
    drawing.rect(x, y, BOX, HEIGHT, PALE, round_by=6)
    drawing.text(x + 14, y + 26, wire.watches.region if wire.watches else "nothing that is known", size=18, bold=True)
    drawing.text(x + 14, y + 48, _cut(wire.asks or "does not exist"), size=14, fill=INK if wire.watches else BAD)
    drawing.text(x + 14, y + 68, _cut(wire.check), size=13, fill=CALM)


def _arrow(drawing: Drawing, wire: Wire, start: float, end: float) -> None:
    x1, x2, y1, y2 = 16 + BOX + 6, WIDTH - BOX - 22, start + HEIGHT / 2, end + HEIGHT / 2
    colour = GOOD if wire.right else BAD
    drawing.line(x1, y1, x2, y2, colour, width=3, dash="" if wire.right else "9 6")
    drawing.dot(x2, y2, 6, colour)
    if not wire.right:
        drawing.cross(x1 + (x2 - x1) / 4, y1 + (y2 - y1) / 4, 8, BAD)


def _y(row: int) -> float:
    return TOP + row * (HEIGHT + GAP)


def _cut(text: str, most: int = MOST_LETTERS) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
