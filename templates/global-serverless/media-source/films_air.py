"""Films of the air: clouds, bees, pigeons."""

from __future__ import annotations

import math
import random

from drawing import circle, document, fade, group, land, path, polygon, rect, rolling, words
from scene import CLIP_HEIGHT, CLIP_WIDTH, TILE, Film, Layer, scrolling

__all__ = ["FILMS"]

W, H = CLIP_WIDTH, CLIP_HEIGHT


def cumulus(x: float, y: float, scale: float, fill: str = "#fff", shade: str = "#cfe0ea") -> str:
    """A fair-weather cloud with a flat foot, 200 pixels wide at scale 1."""
    puffs = [(34, -16, 24), (70, -34, 34), (112, -42, 40), (150, -26, 28), (176, -12, 18), (16, -8, 12)]
    top = "".join(circle(px, py, r, fill) for px, py, r in puffs) + rect(4, -16, 188, 16, fill, rx=8)
    under = "".join(circle(px + 6, py + 12, r * 0.72, shade, opacity=0.5) for px, py, r in puffs[:4]) + rect(
        14, -9, 170, 9, shade, rx=4, opacity=0.8
    )
    return group(top, under, transform=f"translate({x} {y}) scale({scale})")


def cirrus(x: float, y: float, scale: float) -> str:
    """High, combed ice."""
    hairs = "".join(
        path(
            f"M{i * 9} {i % 3 * 7}q{60 + i * 4} {-22 - i} {130 + i * 6} {-4 + i}",
            stroke="#fff",
            stroke_width=2.4,
            stroke_linecap="round",
            opacity=0.85,
        )
        for i in range(6)
    )
    return group(hairs, transform=f"translate({x} {y}) scale({scale})")


def stratus(x: float, y: float, width: float, colour: str = "#fff") -> str:
    """Low layers."""
    return "".join(
        rect(x + dx, y + i * 13, width - 2 * abs(dx), 8, colour, rx=4, opacity=0.85) for i, dx in enumerate([24, 0, 34, 12])
    )


def anvil(x: float, y: float, scale: float) -> str:
    """A thunderstorm that has reached the ceiling."""
    puffs = [(-6, -26, 36), (40, -30, 44), (84, -20, 32), (8, -70, 38), (58, -76, 40), (24, -116, 34), (58, -122, 32)]
    tower = "".join(circle(px, py, r, "#9db0c4") for px, py, r in puffs) + "".join(
        circle(px + 10, py + 8, r * 0.7, "#8397ae", opacity=0.7) for px, py, r in puffs
    )
    top = path("M-54 -150q40 -22 94 -18q60 -4 104 14q-30 18 -66 22h-70q-40 0 -62 -18z", "#c2d0dd")
    bolt = polygon([(30, 12), (48, 12), (36, 46), (52, 46), (20, 96), (30, 58), (16, 58)], "#ffd84d")
    return group(tower, rect(-40, -18, 154, 26, "#71869c", rx=13), top, bolt, transform=f"translate({x} {y}) scale({scale})")


def _clouds() -> Film:
    labels = [("cirrus", 42, 222), ("cumulus", 250, 322), ("cumulonimbus", 60, 512), ("stratus", 262, 474)]
    poster = document(
        400,
        600,
        fade("sky", (0, "#3f8fc4"), (0.55, "#9ccbe2"), (1, "#f7ead2")),
        rect(0, 0, 400, 600, "url(#sky)"),
        rect(16, 16, 368, 568, "none", stroke="#fffaf0", stroke_width=1.5),
        cirrus(44, 184, 1.35),
        cumulus(176, 300, 0.95),
        anvil(112, 420, 0.92),
        stratus(214, 410, 146),
        cumulus(226, 560, 0.7, "#fffaf0", "#e8d8bd"),
        *(words(text, x, y, 15, "#1f4560", family="serif", weight=400, font_style="italic") for text, x, y in labels),
        words("A SHORT HISTORY", 38, 72, 30, "#fffaf0", width=324, family="serif", weight=600),
        words("of", 200, 98, 20, "#fffaf0", family="serif", weight=400, anchor="middle", font_style="italic"),
        words("CLOUDS", 38, 142, 54, "#fffaf0", width=324, family="serif", weight=600),
    )
    back = document(
        W,
        H,
        fade("s", (0, "#3f8fc4"), (0.7, "#9ccbe2"), (1, "#f7ead2")),
        rect(0, 0, W, H, "url(#s)"),
        circle(400, 58, 24, "#fff3c9"),
    )
    width = TILE + W
    high = document(width, H, *(cirrus(x + dx, 44 + y, 0.9) for x in (0, TILE) for dx, y in [(60, 0), (360, 18), (700, -8)]))
    mid = document(
        width,
        H,
        *(
            cumulus(x + dx, y, s)
            for x in (0, TILE)
            for dx, y, s in [(20, 130, 0.7), (330, 160, 0.5), (560, 118, 0.62), (790, 150, 0.45)]
        ),
    )
    near = document(
        width,
        H,
        *(cumulus(x + dx, y, s, "#fffaf0", "#d9cdb8") for x in (0, TILE) for dx, y, s in [(140, 236, 1.0), (620, 252, 1.2)]),
    )
    ground = document(width, H, land(rolling(6, TILE, width, 256, 6), H, "#5d8f63"))
    return Film(
        "03",
        "A Short History of Clouds",
        70,
        "0x173a52",
        poster,
        (Layer(back), scrolling(high, 5), scrolling(mid, 13), scrolling(near, 26), scrolling(ground, 34)),
    )


def bee(scale: float, wing: float) -> str:
    """A bee in profile; `wing` is the wing's angle in degrees."""
    wings = "".join(
        group(circle(0, -13, 6, "#fff", ry=13, opacity=0.85), transform=f"translate({x} -6) rotate({wing + a})")
        for x, a in [(-2, 12), (5, -16)]
    )
    stripes = "".join(rect(x, -8 + abs(x) * 0.25, 4, 16 - abs(x) * 0.5, "#2b1a0c") for x in (-8, 0, 8))
    return group(
        wings,
        circle(0, 0, 15, "#ffc02e", ry=10),
        stripes,
        circle(15, -1, 6, "#2b1a0c"),
        path("M-15 0l-6 1l6 2z", "#2b1a0c"),
        transform=f"scale({scale})",
    )


def hexagon(x: float, y: float, r: float, fill: str, **extra: object) -> str:
    """One cell of a comb."""
    return polygon(
        [(x + r * math.cos(math.pi / 6 + k * math.pi / 3), y + r * math.sin(math.pi / 6 + k * math.pi / 3)) for k in range(6)],
        fill,
        **extra,
    )


def comb(seed: int, columns: int, rows: int, r: float, colours: list[str]) -> str:
    """A honeycomb, some cells filled."""
    rng = random.Random(seed)
    dx, dy = r * math.sqrt(3), r * 1.5
    return "".join(
        hexagon((c + 0.5 * (q % 2)) * dx, q * dy, r - 1.6, rng.choice(colours), opacity=round(rng.uniform(0.25, 0.9), 2))
        for q in range(rows)
        for c in range(columns)
    )


def skyline(seed: int, width: float, tile: float, base: float, tall: float, fill: str, light: str | None) -> str:
    """Houses side by side with water tanks and windows, repeating every `tile` pixels."""
    rng = random.Random(seed)
    row, x = [], 0.0
    while x < tile - 20:
        w, h = min(rng.uniform(34, 70), tile - x), rng.uniform(0.45, 1) * tall
        shape = rect(x, base - h, w + 0.5, h + 400, fill)
        if rng.random() < 0.4:
            shape += (
                rect(x + w * 0.3, base - h - 20, 16, 14, fill)
                + polygon(
                    [(x + w * 0.3 - 2, base - h - 20), (x + w * 0.3 + 18, base - h - 20), (x + w * 0.3 + 8, base - h - 29)], fill
                )
                + rect(x + w * 0.3 + 2, base - h - 7, 2, 8, fill)
                + rect(x + w * 0.3 + 12, base - h - 7, 2, 8, fill)
            )
        if light:
            shape += "".join(
                rect(x + 8 + cx * 13, base - h + 12 + cy * 17, 6, 9, light, opacity=0.8)
                for cx in range(int((w - 10) / 13))
                for cy in range(int(h / 17))
                if rng.random() < 0.35
            )
        row.append(shape)
        x += w
    once = "".join(row)
    return "".join(group(once, transform=f"translate({k * tile} 0)") for k in range(math.ceil(width / tile)))


def keeper(x: float, y: float, scale: float) -> str:
    """A beekeeper with hat and veil beside two hives."""
    hives = "".join(
        group(
            *(rect(0, -18 * (k + 1), 40, 16, c, rx=2) + rect(14, -18 * k - 8, 12, 3, "#5a3a1c") for k, c in enumerate(colours)),
            rect(-4, -62, 48, 7, "#8a5a2b", rx=2),
            transform=f"translate({dx} 0)",
        )
        for dx, colours in [(46, ["#f7f1e1", "#8fc1b5", "#f7f1e1"]), (98, ["#d9765a", "#f7f1e1", "#8fc1b5"])]
    )
    person = (
        path("M-18 0V-44q0 -16 18 -16q18 0 18 16V0Z", "#f7f1e1")
        + path("M-15 -52q0 -26 15 -26q15 0 15 26q-15 8 -30 0z", "#5a3a1c", opacity=0.55)
        + circle(0, -78, 27, "#e3b448", ry=6)
        + path("M-13 -80q0 -13 13 -13q13 0 13 13z", "#e3b448")
        + path("M14 -44q14 6 22 2l3 7q-14 6 -28 -1z", "#f7f1e1")
    )
    return group(hives, person, transform=f"translate({x} {y}) scale({scale})")


def trail(points: str) -> str:
    """The dotted way of a bee."""
    return path(points, stroke="#5a3a1c", stroke_width=2, stroke_dasharray="1 7", stroke_linecap="round")


def _bees() -> Film:
    poster = document(
        400,
        600,
        fade("sky", (0, "#ffcf45"), (1, "#ff9d3c")),
        rect(0, 0, 400, 600, "url(#sky)"),
        group(comb(4, 11, 7, 24, ["#ffe08a", "#ffb52e", "#f59a1c"])),
        circle(200, 318, 96, "#fff1bf"),
        skyline(3, 400, 400, 452, 130, "#b8632f", None),
        skyline(11, 400, 400, 520, 80, "#7c3d1e", "#ffd98a"),
        rect(0, 500, 400, 100, "#3b1d10"),
        rect(0, 494, 400, 10, "#54301c"),
        keeper(120, 496, 1.35),
        trail("M60 250q40 -60 90 -20t60 60t70 -40"),
        group(bee(1.5, 0), transform="translate(288 236) rotate(-12)"),
        group(bee(1, 10), transform="translate(78 224) rotate(14)"),
        group(bee(0.8, 0), transform="translate(330 330)"),
        words("ROOFTOP", 28, 74, 58, "#3b1d10", width=344),
        words("BEEKEEPERS", 28, 126, 48, "#3b1d10", width=344),
        words(
            "Every morning, one floor above the traffic",
            200,
            572,
            15,
            "#ffd98a",
            anchor="middle",
            family="serif",
            weight=400,
            font_style="italic",
        ),
    )
    back = document(
        W,
        H,
        fade("s", (0, "#ffcf45"), (1, "#ff9d3c")),
        rect(0, 0, W, H, "url(#s)"),
        group(comb(4, 13, 4, 24, ["#ffe08a", "#ffb52e"])),
        circle(330, 120, 58, "#fff1bf"),
        skyline(3, W, W, 190, 80, "#b8632f", None),
        skyline(11, W, W, 226, 50, "#7c3d1e", "#ffd98a"),
        rect(0, 226, W, 50, "#3b1d10"),
        keeper(90, 227, 0.95),
    )
    flights = []
    for i in range(5):
        ax, ay, p = 70 + 22 * i, 22 + 9 * (i % 3), 0.31 + 0.07 * i
        for k, wing in enumerate([0, 38]):
            flights.append(
                Layer(
                    document(60, 60, group(bee(0.62 + 0.09 * (i % 3), wing), transform="translate(30 34)")),
                    x=f"{180 + 22 * i}+{ax}*sin(t*{p}+{i})-30",
                    y=f"{100 + 12 * i}+{ay}*sin(t*{p * 2.3:.2f}+{i * 2})-30",
                    seen=f"eq(mod(floor(t*8)+{k}\\,2)\\,0)",
                )
            )
    return Film("04", "Rooftop Beekeepers", 64, "0xffd98a", poster, (Layer(back), *flights))


def pigeon(scale: float, wing: str) -> str:
    """A pigeon flying to the right with a letter; wing is up or down."""
    body = (
        path(
            "M-70 6q24 -22 60 -22q34 0 50 12q6 -18 24 -16q13 2 15 12l12 4l-12 4q-2 18 -24 24q-24 12 -58 8q-30 -2 -42 -14z",
            "#5f6f8f",
        )
        + path("M-70 6l-34 -8l8 12l-12 8l40 2z", "#46546f")
        + path("M40 -4q10 12 2 26q16 -6 22 -18z", "#4aa38a", opacity=0.8)
    )
    eye = circle(66, -10, 3.2, "#ff8a3d") + path("M78 -8l14 4l-14 3z", "#f0c9a0")
    letter = group(
        rect(-15, -10, 30, 20, "#fffaf0", stroke="#c23b3b", stroke_width=1.5),
        path("M-15 -10l15 12l15 -12", stroke="#c23b3b", stroke_width=1.5),
        transform="translate(94 8) rotate(10)",
    )
    if wing == "up":
        feathers = path("M-30 -8q-34 -60 -12 -96q40 26 52 92z", "#7c8cab") + path(
            "M-24 -20q-20 -40 -8 -66", stroke="#46546f", stroke_width=3
        )
    else:
        feathers = path("M-34 2q-30 40 -16 84q40 -20 62 -76z", "#7c8cab") + path(
            "M-28 16q-16 30 -8 54", stroke="#46546f", stroke_width=3
        )
    return group(body, feathers, eye, letter, transform=f"scale({scale})")


def _pigeon() -> Film:
    edge = "".join(
        polygon([(x, 0), (x + 22, 0), (x + 10, 16), (x - 12, 16)], c)
        for x, c in [(k * 44, ("#c23b3b", "#2f5d9b")[k % 2]) for k in range(-1, 16)]
    )
    frame = "".join(
        group(edge, transform=t)
        for t in ("translate(0 0)", "translate(0 584)", "rotate(90) translate(0 -16)", "rotate(90) translate(0 -400)")
    )
    rays = "".join(
        polygon(
            [
                (200, 330),
                (200 + 520 * math.cos(a), 330 + 520 * math.sin(a)),
                (200 + 520 * math.cos(a + 0.13), 330 + 520 * math.sin(a + 0.13)),
            ],
            "#f3dca9",
        )
        for a in [k * math.tau / 24 for k in range(24)]
    )
    stamp = group(
        circle(0, 0, 40, "none", stroke="#2f5d9b", stroke_width=3),
        circle(0, 0, 30, "none", stroke="#2f5d9b", stroke_width=1.5),
        words("AIR MAIL", 0, 5, 12, "#2f5d9b", anchor="middle"),
        *(path(f"M44 {y}q10 -8 20 0t20 0t20 0", stroke="#2f5d9b", stroke_width=2.5) for y in (-18, -6, 6, 18)),
        transform="translate(92 500) rotate(-12)",
        opacity=0.75,
    )
    poster = document(
        400,
        600,
        rect(0, 0, 400, 600, "#fbf0d6"),
        rays,
        circle(200, 330, 118, "#f2b84b"),
        group(pigeon(1.42, "up"), transform="translate(190 344) rotate(-10)"),
        stamp,
        frame,
        words("PIGEON", 46, 110, 72, "#c23b3b", width=308),
        words("POST EXPRESS", 46, 154, 38, "#2f5d9b", width=308),
        words(
            "Never late. Sometimes hungry.",
            354,
            556,
            17,
            "#5c4a2e",
            anchor="end",
            family="serif",
            weight=400,
            font_style="italic",
        ),
    )
    width = TILE + W
    back = document(W, H, fade("s", (0, "#8fc7dd"), (1, "#fbf0d6")), rect(0, 0, W, H, "url(#s)"), circle(96, 66, 30, "#f2b84b"))
    far = document(width, H, land(rolling(14, TILE, width, 196, 18), H, "#a9bf8d"))
    town = document(width, H, skyline(8, width, TILE, 244, 62, "#c9764f", "#fbf0d6"))
    near = document(
        width,
        H,
        land(rolling(4, TILE, width, 250, 7), H, "#44683f"),
        *(
            circle(x + dx, 246, r, "#35552f")
            for x in (0, TILE)
            for dx, r in [(60, 14), (240, 20), (270, 14), (610, 18), (850, 22)]
        ),
    )
    birds = [
        Layer(
            document(260, 200, group(pigeon(0.82, wing), transform="translate(126 104) rotate(-5)")),
            x="120+46*sin(t*0.4)",
            y="10+16*sin(t*0.9)",
            seen=f"eq(mod(floor(t*4)\\,2)\\,{k})",
        )
        for k, wing in enumerate(["up", "down"])
    ]
    return Film(
        "08",
        "Pigeon Post Express",
        66,
        "white",
        poster,
        (Layer(back), scrolling(far, 16), scrolling(town, 38), *birds, scrolling(near, 72)),
    )


FILMS = (_clouds(), _bees(), _pigeon())
