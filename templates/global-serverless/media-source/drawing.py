"""Drawing in SVG: shapes as text.

In: coordinates in pixels and colours. Out: SVG fragments and whole documents. Never random: every seed is written down,
so that the same source gives the same picture.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from html import escape

__all__ = [
    "Point",
    "circle",
    "document",
    "fade",
    "glow",
    "group",
    "land",
    "line",
    "path",
    "polygon",
    "rect",
    "rolling",
    "smooth",
    "stars",
    "words",
]

Point = tuple[float, float]

SANS = "'Helvetica Neue', Helvetica, 'Liberation Sans', Arial, sans-serif"
SERIF = "'Iowan Old Style', 'Palatino Linotype', Palatino, P052, Georgia, serif"


def n(value: float) -> str:
    """A coordinate without needless digits."""
    return f"{value:.1f}".removesuffix(".0")


def _attributes(extra: dict[str, object]) -> str:
    return "".join(f' {name.replace("_", "-")}="{escape(str(value))}"' for name, value in extra.items())


def document(width: int, height: int, *body: str) -> str:
    """A whole SVG file."""
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(body)}</svg>\n'


def group(*body: str, **extra: object) -> str:
    """Shapes that share a transform or an opacity."""
    return f"<g{_attributes(extra)}>{''.join(body)}</g>"


def rect(x: float, y: float, w: float, h: float, fill: str, **extra: object) -> str:
    """A rectangle."""
    return f'<rect x="{n(x)}" y="{n(y)}" width="{n(w)}" height="{n(h)}" fill="{fill}"{_attributes(extra)}/>'


def circle(x: float, y: float, r: float, fill: str, **extra: object) -> str:
    """A disc; pass ry for an ellipse."""
    if "ry" in extra:
        ry = extra.pop("ry")
        return f'<ellipse cx="{n(x)}" cy="{n(y)}" rx="{n(r)}" ry="{ry}" fill="{fill}"{_attributes(extra)}/>'
    return f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(r)}" fill="{fill}"{_attributes(extra)}/>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1.0, **extra: object) -> str:
    """A straight stroke."""
    return path(f"M{n(x1)} {n(y1)}L{n(x2)} {n(y2)}", stroke=stroke, stroke_width=n(width), **extra)


def path(d: str, fill: str = "none", **extra: object) -> str:
    """A path in SVG's own language."""
    return f'<path d="{d}" fill="{fill}"{_attributes(extra)}/>'


def polygon(points: Iterable[Point], fill: str, **extra: object) -> str:
    """A closed shape with straight edges."""
    return path("M" + "L".join(f"{n(x)} {n(y)}" for x, y in points) + "Z", fill, **extra)


def smooth(points: Sequence[Point]) -> str:
    """The path of a curve through all points (Catmull-Rom as Bezier curves)."""
    d = f"M{n(points[0][0])} {n(points[0][1])}"
    for i in range(len(points) - 1):
        (ax, ay), (bx, by) = points[max(i - 1, 0)], points[i]
        (cx, cy), (dx, dy) = points[i + 1], points[min(i + 2, len(points) - 1)]
        d += f"C{n(bx + (cx - ax) / 6)} {n(by + (cy - ay) / 6)} {n(cx - (dx - bx) / 6)} {n(cy - (dy - by) / 6)} {n(cx)} {n(cy)}"
    return d


def land(points: Sequence[Point], bottom: float, fill: str, **extra: object) -> str:
    """Everything below a curve."""
    return path(f"{smooth(points)}L{n(points[-1][0])} {n(bottom)}L{n(points[0][0])} {n(bottom)}Z", fill, **extra)


def rolling(seed: int, tile: float, width: float, base: float, swing: float, waves: int = 4, step: float = 16) -> list[Point]:
    """A hill line that repeats itself every `tile` pixels, so that a scene can scroll for ever."""
    rng = random.Random(seed)
    terms = [(k, rng.uniform(0.4, 1) / k, rng.uniform(0, math.tau)) for k in range(1, waves + 1)]
    total = sum(a for _, a, _ in terms)
    count = int(width / step) + 1
    return [
        (i * step, base + swing * sum(a * math.sin(math.tau * k * i * step / tile + p) for k, a, p in terms) / total)
        for i in range(count + 1)
    ]


def stars(seed: int, count: int, width: float, height: float, fill: str = "#fff") -> str:
    """A night sky: most stars small and faint, a few large."""
    rng = random.Random(seed)
    return "".join(
        circle(
            rng.uniform(0, width),
            height * rng.random() ** 1.3,
            rng.choice([0.6, 0.6, 0.8, 1, 1.5]),
            fill,
            opacity=round(rng.uniform(0.35, 1), 2),
        )
        for _ in range(count)
    )


def fade(name: str, *stops: tuple[float, str], across: str = "down") -> str:
    """A gradient called `name`, from top to bottom or from left to right."""
    end = 'x2="0" y2="1"' if across == "down" else 'x2="1" y2="0"'
    marks = "".join(f'<stop offset="{at}" stop-color="{colour[:7]}"{_opacity(colour)}/>' for at, colour in stops)
    return f'<defs><linearGradient id="{name}" x1="0" y1="0" {end}>{marks}</linearGradient></defs>'


def glow(name: str, *stops: tuple[float, str]) -> str:
    """A gradient from the middle outwards."""
    marks = "".join(f'<stop offset="{at}" stop-color="{colour[:7]}"{_opacity(colour)}/>' for at, colour in stops)
    return f'<defs><radialGradient id="{name}">{marks}</radialGradient></defs>'


def _opacity(colour: str) -> str:
    return f' stop-opacity="{int(colour[7:9], 16) / 255:.2f}"' if len(colour) == 9 else ""


def words(
    text: str,
    x: float,
    y: float,
    size: float,
    fill: str,
    *,
    width: float | None = None,
    family: str = "sans",
    weight: int = 800,
    anchor: str = "start",
    **extra: object,
) -> str:
    """One line of lettering; with `width`, exactly that wide whatever font the viewer has."""
    fit = f' textLength="{n(width)}" lengthAdjust="spacingAndGlyphs"' if width else ""
    font = SANS if family == "sans" else SERIF
    return (
        f'<text x="{n(x)}" y="{n(y)}" font-family="{font}" font-size="{n(size)}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="{anchor}"{fit}{_attributes(extra)}>{escape(text)}</text>'
    )
