"""Films of slow things: the deep sea, the dunes, the glacier."""

from __future__ import annotations

import itertools
import math
import random

from drawing import Point, circle, document, fade, group, land, line, path, polygon, rect, smooth, words
from scene import CLIP_HEIGHT, CLIP_WIDTH, TILE, Film, Layer, scrolling

__all__ = ["FILMS"]

W, H = CLIP_WIDTH, CLIP_HEIGHT


def bathyscaphe(x: float, y: float, scale: float) -> str:
    """A small round submarine with a lamp, looking to the right."""
    hull = (
        circle(0, 0, 34, "#f2b134", ry=26)
        + path("M-34 0q0 26 34 26q34 0 34 -26z", "#c98618", opacity=0.6)
        + rect(-14, -40, 26, 16, "#f2b134", rx=4)
        + rect(-18, -44, 34, 6, "#7a4f10", rx=3)
    )
    glass = circle(14, -2, 12, "#7a4f10") + circle(14, -2, 9, "#bff4ff") + circle(11, -5, 3, "#fff")
    gear = (
        rect(-50, -4, 18, 8, "#7a4f10")
        + circle(-52, -9, 4, "#7a4f10", ry=10)
        + circle(-52, 9, 4, "#7a4f10", ry=10)
        + rect(-20, 27, 40, 5, "#7a4f10", rx=2)
        + rect(30, 12, 12, 8, "#7a4f10", rx=2)
    )
    return group(hull, glass, gear, transform=f"translate({x} {y}) scale({scale})")


def angler(x: float, y: float, scale: float) -> str:
    """A fish with its own lantern, looking to the left."""
    body = path("M-40 6q4 -34 44 -34q34 0 52 26l20 -16l-4 38l-16 -12q-20 22 -52 22q-30 0 -44 -24z", "#16323f") + path(
        "M-40 6q10 10 28 6l-4 6l-6 -4l-4 6l-5 -5l-5 3z", "#dff7ff"
    )
    lamp = (
        path("M-8 -26q-8 -30 -36 -22", stroke="#16323f", stroke_width=3)
        + circle(-46, -48, 18, "#9bffe0", opacity=0.18)
        + circle(-46, -48, 6, "#c9fff0")
    )
    return group(
        body, lamp, circle(-16, -10, 5, "#dff7ff"), circle(-17, -10, 2, "#061018"), transform=f"translate({x} {y}) scale({scale})"
    )


def bubbles(seed: int, count: int, width: float, height: float, tile: float) -> str:
    """Rising air, repeating every `tile` pixels downwards."""
    rng = random.Random(seed)
    once = "".join(
        circle(
            rng.uniform(0, width),
            rng.uniform(0, tile),
            rng.uniform(1.5, 5),
            "none",
            stroke="#d5fbff",
            stroke_width=1.2,
            opacity=round(rng.uniform(0.3, 0.9), 2),
        )
        for _ in range(count)
    )
    return "".join(group(once, transform=f"translate(0 {k * tile})") for k in range(math.ceil(height / tile)))


def _deep() -> Film:
    water = fade("sea", (0, "#7fe3e0"), (0.18, "#1f9fc0"), (0.45, "#0d4f82"), (0.75, "#071c40"), (1, "#02060f"))
    ruler = "".join(
        line(28, 96 + k * 40, 28 + (26 if k % 5 == 0 or k == 11 else 14), 96 + k * 40, "#fff", 1.6, opacity=0.75)
        + words(f"{k}", 62, 101 + k * 40, 12, "#ffffff", weight=600, opacity=0.75)
        for k in range(12)
    )
    floor = land([(0, 566), (60, 552), (140, 568), (220, 550), (300, 572), (400, 548)], 600, "#010308")
    poster = document(
        400,
        600,
        water,
        fade("lamp", (0, "#fff6c9e0"), (1, "#fff6c900"), across="right"),
        rect(0, 0, 400, 600, "url(#sea)"),
        line(28, 96, 28, 536, "#fff", 1.6, opacity=0.75),
        ruler,
        path("M0 52q25 -12 50 0t50 0t50 0t50 0t50 0t50 0t50 0t50 0V0H0Z", "#e9fbf6"),
        group(bubbles(2, 12, 60, 200, 200), transform="translate(176 210)"),
        polygon([(252, 452), (400, 404), (400, 520)], "url(#lamp)"),
        bathyscaphe(206, 446, 1.15),
        angler(338, 540, 0.62),
        floor,
        words("ELEVEN", 100, 128, 58, "#ffffff", width=272),
        words("KILOMETRES", 100, 172, 42, "#ffffff", width=272),
        words("DOWN", 100, 236, 66, "#bff4ff", width=272),
    )
    back = document(
        W,
        H * 6,
        fade("s", (0, "#7fe3e0"), (0.12, "#1f9fc0"), (0.4, "#0d4f82"), (0.72, "#071c40"), (1, "#02060f")),
        rect(0, 0, W, H * 6, "url(#s)"),
    )
    lamp = document(
        260,
        150,
        fade("l", (0, "#fff6c9d8"), (1, "#fff6c900"), across="right"),
        polygon([(84, 82), (260, 30), (260, 140)], "url(#l)"),
        bathyscaphe(56, 70, 0.9),
    )
    fish = document(140, 110, angler(66, 66, 0.9))
    floor_layer = document(W, 80, land([(0, 40), (70, 22), (160, 44), (260, 18), (360, 46), (W, 24)], 80, "#010308"))
    return Film(
        "05",
        "Eleven Kilometres Down",
        88,
        "white",
        poster,
        (
            Layer(document(W, H, rect(0, 0, W, H, "#02060f"))),
            Layer(back, y=f"-{H * 5}*min(t/80\\,1)"),
            Layer(document(W, H * 2, bubbles(9, 26, W, H * 2, H)), y=f"-mod(t*46\\,{H})"),
            Layer(lamp, x="120+30*sin(t*0.3)", y="70+8*sin(t*0.8)"),
            Layer(fish, x=f"{W}-(t-52)*24", y="150+12*sin(t*0.7)", seen="between(t\\,50\\,80)"),
            Layer(floor_layer, y=f"max({H - 60}\\,{H - 60}+(80-t)*30)"),
        ),
        reading="%{eif\\:min(11000*t/80\\,11000)\\:d} m",
    )


def dune(crest: list[Point], bottom: float, lit: str, shaded: str) -> str:
    """One dune: the side in the light, and the side in shadow that hangs from the highest point of its crest."""
    peak = min(range(len(crest)), key=lambda i: crest[i][1])
    px, py = crest[peak]
    shadow = smooth(crest[peak:]) + f"L{crest[-1][0]} {bottom}L{px - 70} {bottom}Q{px + 50} {(py + bottom) / 2 - 8} {px} {py}Z"
    return land(crest, bottom, lit) + path(shadow, shaded)


def _dunes() -> Film:
    caravan = "".join(
        group(
            path("M-14 0v-12q4 -12 9 -4q4 -9 9 0q3 -1 5 -8q2 -5 8 -4l1 4q-5 0 -5 6q-1 8 -7 9v9h-2v-8h-14v8z", "#4a1d16"),
            transform=f"translate({x} {y}) scale(0.8)",
        )
        for x, y in [(96, 383), (128, 378), (160, 375)]
    )
    poster = document(
        400,
        600,
        fade("sky", (0, "#f9d7a0"), (0.6, "#f6a36a"), (1, "#e8744f")),
        rect(0, 0, 400, 600, "url(#sky)"),
        circle(270, 238, 82, "#fff1cf"),
        dune([(0, 352), (80, 330), (180, 292), (250, 320), (330, 338), (400, 330)], 600, "#eb9a5d", "#c96d45"),
        dune([(0, 376), (90, 386), (190, 372), (300, 330), (350, 364), (400, 372)], 600, "#e07f45", "#a94f34"),
        caravan,
        dune([(0, 400), (60, 404), (140, 430), (240, 470), (320, 452), (400, 440)], 600, "#d0673a", "#d0673a"),
        dune([(-30, 560), (60, 500), (130, 452), (210, 510), (300, 540), (400, 530)], 600, "#b9502e", "#6e2a22"),
        *(
            path(f"M{200 + i * 14} {556 + i * 11}q40 -14 90 -4t110 -8", stroke="#8a3a26", stroke_width=2, opacity=0.7)
            for i in range(4)
        ),
        words("DUNES", 28, 92, 84, "#6e2a22", width=344),
        words("on the move", 30, 128, 31, "#6e2a22", family="serif", weight=400, font_style="italic"),
    )
    width = TILE + W
    back = document(W, H, fade("s", (0, "#f9d7a0"), (1, "#ee8d5e")), rect(0, 0, W, H, "url(#s)"), circle(340, 84, 40, "#fff1cf"))

    def ridge(seed: int, base: float, swing: float, lit: str, shaded: str) -> str:
        rng = random.Random(seed)
        crests, x = "", -120.0
        while x < TILE - 60:
            w, top = rng.uniform(190, 300), base - swing * rng.uniform(0.6, 1)
            shape = dune(
                [
                    (x, base + 14),
                    (x + w * 0.3, base - (base - top) * 0.45),
                    (x + w * 0.56, top),
                    (x + w * 0.78, base - 4),
                    (x + w * 1.1, base + 16),
                ],
                H,
                lit,
                shaded,
            )
            crests += shape + group(shape, transform=f"translate({TILE} 0)")
            x += w * 0.72
        return document(width, H, crests, rect(0, base + 12, width, H, lit))

    return Film(
        "06",
        "Dunes on the Move",
        74,
        "0xfff1cf",
        poster,
        (
            Layer(back),
            scrolling(ridge(3, 170, 44, "#eb9a5d", "#c96d45"), 8),
            scrolling(ridge(5, 206, 50, "#d8753f", "#a94f34"), 19),
            scrolling(ridge(8, 246, 52, "#b9502e", "#6e2a22"), 40),
        ),
    )


def peak(x: float, y: float, w: float, h: float, colour: str, snow: str) -> str:
    """A mountain with a lit and a shaded flank and a snow cap."""
    top = (x, y - h)
    flank = polygon([(x - w, y), top, (x + w, y)], colour) + polygon(
        [top, (x + w, y), (x + w * 0.12, y), (x - w * 0.1, y - h * 0.45)], "#0d3350", opacity=0.35
    )
    cap = polygon(
        [
            top,
            (x + w * 0.32, y - h * 0.68),
            (x + w * 0.14, y - h * 0.74),
            (x + w * 0.02, y - h * 0.62),
            (x - w * 0.13, y - h * 0.73),
            (x - w * 0.32, y - h * 0.68),
        ],
        snow,
    )
    return flank + cap


def _creases() -> list[tuple[int, int, int]]:
    """Lines across the ice, (y, left, right), a little inside its edges wherever they move."""
    edges = [
        (100, 236, 260),
        (130, 236, 262),
        (160, 232, 276),
        (190, 224, 288),
        (210, 222, 294),
        (226, 206, 304),
        (244, 180, 322),
        (262, 140, 360),
        (290, 90, 410),
    ]

    def inside(y: int) -> tuple[int, int]:
        (y1, l1, r1), (y2, l2, r2) = next((a, b) for a, b in itertools.pairwise(edges) if a[0] <= y <= b[0])
        share = (y - y1) / (y2 - y1)
        return round(l1 + share * (l2 - l1)), round(r1 + share * (r2 - r1))

    return [(y, *inside(y)) for y in range(116, 286, 16)]


def _glacier() -> Film:
    ice = path(
        "M176 268C210 320 120 350 150 410C176 460 60 490 40 600H330C340 520 250 480 262 420C276 352 246 320 236 268Z", "#dff3fb"
    )
    bands = "".join(
        path(f"M{a} {y}q{(b - a) / 2} {26} {b - a} 0", stroke="#8cc6e0", stroke_width=2.4, opacity=0.8)
        for y, a, b in [
            (330, 164, 246),
            (366, 152, 258),
            (404, 150, 262),
            (440, 140, 262),
            (476, 104, 274),
            (514, 76, 300),
            (556, 56, 318),
        ]
    )
    chair = group(
        path("M0 0l10 -22h16l-6 12h14l6 10", stroke="#d24a3a", stroke_width=4, stroke_linejoin="round"),
        circle(15, -34, 6, "#26333f"),
        path("M9 -28h12l4 16h-14z", "#f2b134"),
        path("M20 -14h16l2 12", stroke="#26333f", stroke_width=4),
        transform="translate(324 540)",
    )
    poster = document(
        400,
        600,
        fade("sky", (0, "#1d5f8c"), (0.5, "#7fb9d6"), (1, "#e6f2f4")),
        rect(0, 0, 400, 600, "url(#sky)"),
        circle(64, 196, 26, "#fff7dd"),
        peak(60, 420, 130, 190, "#4f86a6", "#f4fbfd"),
        peak(350, 430, 150, 230, "#47799a", "#f4fbfd"),
        peak(206, 420, 140, 250, "#5f97b5", "#f4fbfd"),
        ice,
        bands,
        polygon([(0, 420), (60, 440), (96, 500), (50, 600), (0, 600)], "#1b3f58"),
        polygon([(400, 430), (330, 470), (290, 520), (330, 600), (400, 600)], "#1b3f58"),
        chair,
        words("The Patient", 30, 74, 34, "#ffffff", family="serif", weight=400, font_style="italic"),
        words("GLACIER", 28, 132, 66, "#ffffff", width=344),
    )
    back = document(
        W,
        H,
        fade("s", (0, "#1d5f8c"), (1, "#dcecf2")),
        rect(0, 0, W, H, "url(#s)"),
        circle(410, 48, 18, "#fff7dd"),
        peak(80, 210, 150, 150, "#4f86a6", "#f4fbfd"),
        peak(420, 214, 160, 166, "#47799a", "#f4fbfd"),
        peak(248, 206, 140, 178, "#5f97b5", "#f4fbfd"),
    )
    tongue = document(
        W,
        H,
        path(
            "M226 116C250 150 196 170 214 204C226 236 130 250 100 270H400C372 246 300 238 304 204C308 170 276 150 268 116Z",
            "#dff3fb",
        ),
    )
    lines = document(
        W,
        H + 30,
        *(
            path(f"M{left} {y}q{(right - left) / 2} 14 {right - left} 0", stroke="#8cc6e0", stroke_width=2.2)
            for y, left, right in _creases()
        ),
    )
    frame = document(
        W,
        H,
        polygon([(0, 190), (90, 214), (150, 250), (120, 270), (0, 270)], "#1b3f58"),
        polygon([(W, 196), (380, 222), (322, 256), (350, 270), (W, 270)], "#1b3f58"),
        group(chair, transform="translate(150 -112) scale(0.66)"),
    )
    cloud = document(
        TILE + W,
        90,
        *(
            circle(x + dx, 40 + dy, r, "#ffffff", ry=r * 0.35, opacity=0.75)
            for x in (0, TILE)
            for dx, dy, r in [(80, 0, 60), (130, 10, 70), (480, 14, 60), (530, 4, 48), (820, 20, 70)]
        ),
    )
    return Film(
        "07",
        "The Patient Glacier",
        90,
        "white",
        poster,
        (Layer(back), scrolling(cloud, 9, "18"), Layer(tongue), Layer(lines, y="-8+mod(t*1.6\\,16)"), Layer(frame)),
        reading="year %{eif\\:1+t*4\\:d}",
    )


FILMS = (_deep(), _dunes(), _glacier())
