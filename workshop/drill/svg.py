"""A small pen for SVG: shapes and texts with everything escaped. In: figures in pixels. Out: one self-contained document.

It knows nothing of drills. The colours are distinguishable with colour blindness, and never carry a meaning alone.
"""

from __future__ import annotations

import math
from xml.sax.saxutils import escape, quoteattr

__all__ = ["BAD", "CALM", "INK", "LINES", "PALE", "Drawing", "colour_of", "rows_for", "ticks"]

LINES = ("#0b5cad", "#b45309", "#1b7a43", "#7a3fa0", "#8a6d00", "#0f7c85")
"""One colour for each region, by its index in the list."""
INK = "#16202b"
CALM = "#55606c"
PALE = "#dfe4ea"
BAD = "#c1121f"
"""The colours of text, secondary text, rules and failures, as in the report's page."""
FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
GLYPH = 0.56
"""The width of an average letter, as a share of the font's size."""


class Drawing:
    """Collects shapes; `render` returns the document. Later shapes lie on top of earlier ones."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._width, self._height, self._title = width, height, title
        self._parts: list[str] = []

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, *, opacity: float = 1.0, round_by: float = 0
    ) -> None:
        self._add("rect", x=x, y=y, width=max(0.0, width), height=height, fill=fill, fill_opacity=opacity, rx=round_by)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, *, width: float = 1.5, dash: str = "") -> None:
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width, stroke_dasharray=dash or "none")

    def dot(self, x: float, y: float, radius: float, fill: str, *, hollow: bool = False) -> None:
        if hollow:
            self._add("circle", cx=x, cy=y, r=radius, fill="#ffffff", stroke=fill, stroke_width=2)
        else:
            self._add("circle", cx=x, cy=y, r=radius, fill=fill)

    def cross(self, x: float, y: float, size: float, stroke: str) -> None:
        path = f"M{x - size:.1f} {y - size:.1f}l{2 * size:.1f} {2 * size:.1f}m0 {-2 * size:.1f}l{-2 * size:.1f} {2 * size:.1f}"
        self._add("path", d=path, stroke=stroke, stroke_width=2.5, fill="none")

    def text(
        self, x: float, y: float, words: str, *, size: float = 16, fill: str = INK, anchor: str = "start", bold: bool = False
    ) -> None:
        weight = ' font-weight="600"' if bold else ""
        look = f'font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"{weight}'
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(words)}</text>')

    def render(self) -> str:
        """The document, with its title for screen readers."""
        box = f"0 0 {self._width:g} {self._height:g}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{self._width:g}" height="{self._height:g}"'
            f' role="img" aria-label={quoteattr(self._title)} font-family={quoteattr(FONT)}>'
            f"<title>{escape(self._title)}</title>"
            f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(self._parts)}</svg>\n'
        )

    def _add(self, name: str, **attributes: float | str) -> None:
        written = " ".join(f"{key.replace('_', '-')}={quoteattr(_number(value))}" for key, value in attributes.items())
        self._parts.append(f"<{name} {written}/>")


def colour_of(index: int) -> str:
    """The colour of a region by its index in the list."""
    return LINES[index % len(LINES)]


def ticks(most: float, wanted: int = 6) -> list[float]:
    """Round figures from 0 up to at least `most`, about `wanted` of them."""
    rough = max(most, 1e-6) / wanted
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def rows_for(labels: list[tuple[float, str]], size: float, right: float) -> list[tuple[float, int, str]]:
    """Rows in which no label covers another: for each (x, words), in order of x, the x, the row and the anchor."""
    ends: list[float] = []
    placed: list[tuple[float, int, str]] = []
    for x, words in labels:
        width = len(words) * size * GLYPH + 14
        anchor = "end" if x + width > right else "start"
        begin = x - width if anchor == "end" else x
        row = next((number for number, end in enumerate(ends) if end <= begin), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = begin + width
        placed.append((x, row, anchor))
    return placed


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
