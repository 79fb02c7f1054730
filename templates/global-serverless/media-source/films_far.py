"""Films of long ways: thirteen bridges, a tomato in orbit, a parade in the rain."""

from __future__ import annotations

import math
import random

from drawing import circle, document, fade, glow, group, land, line, path, polygon, rect, rolling, stars, words
from scene import CLIP_HEIGHT, CLIP_WIDTH, TILE, Film, Layer, scrolling

__all__ = ["FILMS"]

W, H = CLIP_WIDTH, CLIP_HEIGHT


def bridge(x: float, y: float, w: float, h: float, colour: str, arches: int) -> str:
    """A stone bridge of `arches` openings: the deck's top at y, the water at y + h."""
    pier = w / arches
    holes = "".join(
        f"M{x + (k + 0.12) * pier:.1f} {y + h}V{y + h * 0.62:.1f}A{pier * 0.38:.1f} {h * 0.42:.1f} 0 0 1 "
        f"{x + (k + 0.88) * pier:.1f} {y + h * 0.62:.1f}V{y + h}Z"
        for k in range(arches)
    )
    return path(
        f"M{x} {y + h}V{y:.1f}Q{x + w / 2} {y - h * 0.22:.1f} {x + w} {y:.1f}V{y + h}Z{holes}", colour, fill_rule="evenodd"
    )


def _bridges() -> Film:
    rows = []
    for k in range(13):  # the farthest first
        share = (k / 12) ** 1.7
        y, h, w = 240 + share * 292, 5 + share * 24, 120 + share * 400
        tone = [int(a + (b - a) * (k / 12)) for a, b in [(236, 62), (170, 34), (170, 72)]]
        rows.append(
            bridge(200 - w / 2, y, w, h, "#{:02x}{:02x}{:02x}".format(*tone), 3 if k % 2 else 4)
            + rect(0, y + h, 400, 2.2 + share * 4, "#ffe3c4", opacity=round(0.5 - 0.02 * k, 2))
        )
    poster = document(
        400,
        600,
        fade("sky", (0, "#5b4a86"), (0.4, "#e8849a"), (0.68, "#ffc79a"), (1, "#ffe9c9")),
        fade("river", (0, "#ffd7a8"), (0.4, "#d98198"), (1, "#3b2452")),
        rect(0, 0, 400, 240, "url(#sky)"),
        circle(200, 216, 46, "#fff4d6"),
        rect(0, 236, 400, 364, "url(#river)"),
        polygon([(0, 200), (70, 214), (120, 238), (0, 260)], "#8d5a86"),
        polygon([(400, 196), (330, 214), (280, 238), (400, 262)], "#8d5a86"),
        *rows,
        words("THIRTEEN", 28, 86, 60, "#fff4e2", width=344),
        words("BRIDGES", 28, 140, 52, "#fff4e2", width=258),
        words("at dawn", 372, 140, 24, "#fff4e2", family="serif", weight=400, anchor="end", font_style="italic"),
    )
    width = TILE + W
    back = document(W, H, fade("s", (0, "#5b4a86"), (0.55, "#e8849a"), (1, "#ffc79a")), rect(0, 0, W, H, "url(#s)"))
    sun = document(
        120,
        120,
        glow("g", (0, "#fff4d6ff"), (0.55, "#fff4d6ff"), (0.6, "#fff4d655"), (1, "#fff4d600")),
        circle(60, 60, 60, "url(#g)"),
    )
    hills = document(width, H, land(rolling(11, TILE, width, 166, 20), H, "#9a638d"))
    water = document(
        W,
        90,
        fade("w", (0, "#e89a9a"), (1, "#3b2452")),
        rect(0, 0, W, 90, "url(#w)"),
        *(line(30 + k * 61 % 400, 12 + k * 8, 80 + k * 61 % 400, 12 + k * 8, "#ffe3c4", 1.6, opacity=0.5) for k in range(9)),
    )
    spans = []
    for k in range(13):  # one bridge every five and a half seconds
        tone = ["#5c2f5e", "#6d3a52", "#472a5c", "#7a4660"][k % 4]
        drawing = document(
            340,
            120,
            bridge(4, 34 + (k % 3) * 8, 332, 80 - (k % 3) * 8, tone, 2 + k % 4),
            *(
                line(60 + j * 70, 34 + (k % 3) * 8, 60 + j * 70, 18 + (k % 3) * 8, tone, 3)
                + circle(60 + j * 70, 16 + (k % 3) * 8, 4, "#fff4d6")
                for j in range(4)
            ),
        )
        start = 0.4 + k * 5.9
        spans.append(Layer(drawing, x=f"{W}-(t-{start:.1f})*72", y="126", seen=f"between(t\\,{start:.1f}\\,{start + 11.5:.1f})"))
    return Film(
        "10",
        "Thirteen Bridges at Dawn",
        84,
        "white",
        poster,
        (Layer(back), Layer(sun, x="300-60", y="150-t*1.25"), scrolling(hills, 9), Layer(water, y="200"), *spans),
        reading="%{eif\\:min(13\\,1+floor(t/5.9))\\:d} / 13",
    )


def tomato(x: float, y: float, r: float) -> str:
    """A ripe tomato."""
    leaf = "".join(
        path("M0 0q10 -4 26 4q-14 8 -26 -4z", "#3f8f3a", transform=f"rotate({a})")
        for a in (-160, -110, -60, -20, 20, 70, 120, 170)
    )
    fruit = (
        circle(0, 0, 50, "#e23b2e", ry=44)
        + path("M-50 0q2 44 50 44q48 0 50 -44q-14 30 -50 30q-36 0 -50 -30z", "#a81f1f", opacity=0.55)
        + circle(-20, -16, 13, "#ff8a78", ry=8, transform="rotate(-28 -20 -16)")
    )
    return group(
        fruit,
        group(leaf, transform="translate(0 -38) scale(1 0.6)"),
        path("M0 -40q2 -12 10 -15", stroke="#3f8f3a", stroke_width=5, stroke_linecap="round"),
        transform=f"translate({x} {y}) scale({r / 50})",
    )


def continents(seed: int, x: float, y: float, spread: float) -> str:
    """Green and tan patches on a globe."""
    rng = random.Random(seed)
    return "".join(
        circle(
            x + rng.uniform(-spread, spread),
            y + rng.uniform(-spread, spread) * 0.7,
            rng.uniform(0.07, 0.24) * spread,
            rng.choice(["#5fae6e", "#4c9a66", "#c9b777"]),
            ry=round(rng.uniform(0.05, 0.13) * spread, 1),
        )
        for _ in range(16)
    )


def _tomato() -> Film:
    earth = group(
        circle(200, 690, 300, "#bfe8ff", opacity=0.18),
        circle(200, 690, 284, "#2f7fc4"),
        '<clipPath id="e"><circle cx="200" cy="690" r="284"/></clipPath>',
        group(
            continents(6, 200, 540, 210),
            *(
                path(f"M{x} {y}q40 -12 90 0t80 4", stroke="#fff", stroke_width=7, stroke_linecap="round", opacity=0.75)
                for x, y in [(60, 500), (180, 462), (230, 540), (20, 566)]
            ),
            clip_path="url(#e)",
        ),
    )
    poster = document(
        400,
        600,
        fade("sky", (0, "#0b0d24"), (1, "#1d2350")),
        rect(0, 0, 400, 600, "url(#sky)"),
        stars(77, 130, 400, 480),
        circle(326, 232, 17, "#e9e4d4"),
        circle(321, 228, 4, "#c9c2ad"),
        path(
            "M-30 330C120 210 330 240 450 420", stroke="#ffd27a", stroke_width=2.4, stroke_dasharray="2 9", stroke_linecap="round"
        ),
        earth,
        group(tomato(0, 0, 84), transform="translate(190 292) rotate(-14)"),
        words("THE TOMATO", 28, 82, 58, "#ffede0", width=344),
        words("THAT ORBITED EARTH", 28, 122, 30, "#ffd27a", width=344),
    )
    back = document(W, H, fade("s", (0, "#0b0d24"), (1, "#1d2350")), rect(0, 0, W, H, "url(#s)"), stars(77, 110, W, H))
    globe = document(
        160,
        160,
        circle(80, 80, 78, "#bfe8ff", opacity=0.16),
        circle(80, 80, 70, "#2f7fc4"),
        '<clipPath id="e"><circle cx="80" cy="80" r="70"/></clipPath>',
        group(
            continents(6, 80, 80, 66),
            path("M20 60q30 -10 60 0t50 2M34 108q30 -8 60 2", stroke="#fff", stroke_width=5, stroke_linecap="round", opacity=0.7),
            clip_path="url(#e)",
        ),
    )
    small = document(90, 90, tomato(45, 48, 24))
    orbit = document(
        W, H, circle(240, 128, 176, "none", ry=52, stroke="#ffd27a", stroke_width=1.4, stroke_dasharray="2 7", opacity=0.7)
    )
    where = {"x": "240+176*sin(t*0.62)-45", "y": "128+52*cos(t*0.62)-48"}
    return Film(
        "11",
        "The Tomato That Orbited Earth",
        78,
        "white",
        poster,
        (
            Layer(back),
            Layer(orbit),
            Layer(small, **where, seen="lt(cos(t*0.62)\\,0)", turn="t*0.9"),
            Layer(globe, x="160", y="48", turn="t*0.1"),
            Layer(small, **where, seen="gte(cos(t*0.62)\\,0)", turn="t*0.9"),
        ),
        reading="orbit %{eif\\:1+floor(t*0.62/6.2832)\\:d}",
    )


def umbrella(x: float, y: float, r: float, one: str, two: str) -> str:
    """An open umbrella seen from the side."""
    panels = "".join(
        path(f"M{-r + k * r / 2} 0Q{-r + k * r / 2 + r / 4} {-r * 0.2} {-r + (k + 1) * r / 2} 0L0 {-r}Z", (one, two)[k % 2])
        for k in range(4)
    )
    dome = (
        path(f"M{-r} 0A{r} {r} 0 0 1 {r} 0", one)
        + f'<clipPath id="u{int(x)}-{int(y)}"><path d="M{-r} 2A{r} {r} 0 0 1 {r} 2Z"/></clipPath>'
        + group(
            *(
                path(
                    f"M0 {-r}C{dx * 0.9} {-r * 0.9} {dx} {-r * 0.3} {dx} 2H{dx2}C{dx2} {-r * 0.3} {dx2 * 0.9} {-r * 0.9} 0 {-r}Z",
                    two,
                )
                for dx, dx2 in [(-r * 0.55, -r * 0.05), (r * 0.5, r)]
            ),
            clip_path=f"url(#u{int(x)}-{int(y)})",
        )
    )
    stick = line(0, -r - 5, 0, r * 0.95, "#2a2036", 2.4) + path(
        f"M0 {r * 0.95}q0 7 7 7q6 0 6 -6", stroke="#2a2036", stroke_width=2.4
    )
    return (
        group(
            stick,
            dome,
            path(f"M{-r} 1q{r / 4} -7 {r / 2} 0t{r / 2} 0t{r / 2} 0t{r / 2} 0", "#26203a", opacity=0.25),
            transform=f"translate({x} {y})",
        )
        if panels
        else ""
    )


COLOURS = [
    ("#ff4f6d", "#ffd23f"),
    ("#1fb5a8", "#fff4d6"),
    ("#ffd23f", "#f2743b"),
    ("#7a4fd0", "#ff9ecb"),
    ("#f2743b", "#fff4d6"),
    ("#2f86d6", "#ffd23f"),
]


def walker(x: float, y: float, scale: float, index: int) -> str:
    """Somebody in boots under an umbrella."""
    one, two = COLOURS[index % len(COLOURS)]
    coat = COLOURS[(index + 2) % len(COLOURS)][0]
    person = (
        path("M-11 0L-8 -34q8 -10 16 0L11 0Z", coat)
        + circle(0, -44, 7, ["#8a5a3c", "#e0ac7e", "#5c3a26"][index % 3])
        + rect(-8, -2, 6, 12, "#26203a", rx=2)
        + rect(2, -2, 6, 12, "#26203a", rx=2)
    )
    return group(person, umbrella(6 + index, -66, 30, one, two), transform=f"translate({x} {y}) scale({scale})")


def rain(seed: int, count: int, width: float, height: float, tile: float, colour: str) -> str:
    """Slanting rain, repeating every `tile` pixels downwards."""
    rng = random.Random(seed)
    drops = [(rng.uniform(-40, width + 40), rng.uniform(0, tile), rng.uniform(10, 24)) for _ in range(count)]
    return "".join(
        line(x, y + k * tile, x - length * 0.28, y + length + k * tile, colour, 1.3, opacity=0.6)
        for k in range(math.ceil(height / tile))
        for x, y, length in drops
    )


def _parade() -> Film:
    crowd = "".join(
        walker(x, y, s, i)
        for i, (x, y, s) in enumerate(
            [
                (60, 372, 0.9),
                (146, 360, 0.86),
                (232, 368, 0.9),
                (318, 358, 0.86),
                (30, 452, 1.25),
                (140, 462, 1.3),
                (262, 456, 1.28),
                (368, 464, 1.25),
                (84, 566, 1.75),
                (222, 574, 1.85),
                (352, 564, 1.75),
            ]
        )
    )
    flags = "".join(
        polygon(
            [
                (k * 34 - 6, 196 + 18 * math.sin(k * 0.52)),
                (k * 34 + 20, 196 + 18 * math.sin((k + 0.8) * 0.52)),
                (k * 34 + 7, 226 + 18 * math.sin(k * 0.52)),
            ],
            COLOURS[k % 6][0],
        )
        for k in range(13)
    )
    poster = document(
        400,
        600,
        fade("sky", (0, "#1c4a5e"), (0.6, "#3f8f93"), (1, "#88c0a8")),
        rect(0, 0, 400, 600, "url(#sky)"),
        rain(4, 150, 400, 600, 600, "#d7f4f0"),
        path("M-10 196q120 60 240 10t190 0", stroke="#0f2f3d", stroke_width=2),
        flags,
        rect(0, 366, 400, 240, "#17404f", opacity=0.5),
        crowd,
        rain(9, 60, 400, 600, 600, "#ffffff"),
        words("MONSOON", 28, 92, 70, "#fff4d6", width=344),
        words("PARADE", 28, 160, 70, "#ffd23f", width=344),
    )
    width = TILE + W
    back = document(
        W,
        H,
        fade("s", (0, "#1c4a5e"), (0.7, "#3f8f93"), (1, "#2a6470")),
        rect(0, 0, W, H, "url(#s)"),
        rect(0, 226, W, 44, "#17404f"),
    )
    behind = document(width, H, *(walker(x + 40 + k * 96, 222, 0.78, k + 1) for x in (0, TILE) for k in range(10)))
    front = document(width, H, *(walker(x + 70 + k * 160, 252, 1.2, k) for x in (0, TILE) for k in range(6)))
    return Film(
        "12",
        "Monsoon Parade",
        68,
        "0xfff4d6",
        poster,
        (
            Layer(back),
            Layer(document(W, H * 2, rain(4, 60, W, H * 2, H, "#d7f4f0")), y=f"-{H}+mod(t*210\\,{H})"),
            scrolling(behind, 20, "3*sin(t*5)"),
            scrolling(front, 42, "4*sin(t*4)"),
        ),
        quality=51,
    )


FILMS = (_bridges(), _tomato(), _parade())
