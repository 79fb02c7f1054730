"""Films of the night: the lighthouse, the train, the aurora."""

from __future__ import annotations

import random

from drawing import circle, document, fade, group, land, line, path, polygon, rect, rolling, smooth, stars, words
from scene import CLIP_HEIGHT, CLIP_WIDTH, TILE, Film, Layer, scrolling

__all__ = ["FILMS"]

W, H = CLIP_WIDTH, CLIP_HEIGHT


def lighthouse(x: float, y: float, scale: float) -> str:
    """A striped tower with its foot at (x, y); 200 pixels high at scale 1."""
    tower = polygon([(-24, 0), (24, 0), (15, -150), (-15, -150)], "#f4efe2")
    bands = "".join(
        polygon([(-24 + 9 * a / 150, -a), (24 - 9 * a / 150, -a), (24 - 9 * b / 150, -b), (-24 + 9 * b / 150, -b)], "#d23f31")
        for a, b in [(18, 46), (76, 104), (130, 150)]
    )
    shade = polygon([(4, 0), (24, 0), (15, -150), (4, -150)], "#0b1a3a", opacity=0.25)
    lantern = rect(-20, -156, 40, 6, "#17223f") + rect(-12, -178, 24, 22, "#ffe9a8") + line(0, -178, 0, -156, "#17223f", 2)
    roof = polygon([(-17, -178), (17, -178), (0, -196)], "#17223f") + circle(0, -198, 3, "#17223f")
    aws = path("M-6 0V-14a6 6 0 0 1 12 0V0Z", "#17223f")
    return group(tower, bands, shade, lantern, roof, aws, transform=f"translate({x} {y}) scale({scale})")


def swell(width: float, tile: float, top: float, bottom: float) -> str:
    """Four rows of waves, darker towards the viewer."""
    colours = ["#2c5a86", "#1f4670", "#163458", "#0d2340"]
    return "".join(
        land(rolling(40 + i, tile, width, top + i * (bottom - top) / 4.2, 3 + 2 * i, 6, 12), bottom, colour)
        for i, colour in enumerate(colours)
    )


def _lighthouse() -> Film:
    sky = fade("sky", (0, "#0a1633"), (0.6, "#27497d"), (1, "#e58b57"))
    rock = (
        smooth([(96, 600), (120, 548), (168, 512), (188, 462), (236, 430), (290, 420), (340, 432), (372, 470), (400, 482)])
        + "L400 600Z"
    )
    poster = document(
        400,
        600,
        sky,
        fade("beam", (0, "#ffe9a800"), (1, "#ffe9a8d0"), across="right"),
        rect(0, 0, 400, 600, "url(#sky)"),
        stars(7, 90, 400, 330),
        polygon([(278, 246), (0, 150), (0, 222)], "url(#beam)"),
        polygon([(278, 246), (0, 286), (0, 372)], "url(#beam)", opacity=0.6),
        circle(84, 420, 40, "#ffcf8a", opacity=0.85),
        swell(400, 400, 428, 600),
        path(rock, "#101d36"),
        lighthouse(278, 424, 1),
        words("THE LIGHTHOUSE", 30, 62, 38, "#fff4dc", width=340),
        words("THAT BLINKED", 30, 99, 33, "#fff4dc", width=250),
        words("TWICE", 30, 136, 38, "#ffcf8a", width=118),
    )
    beam = document(
        720,
        720,
        fade("b", (0, "#ffe9a8d0"), (1, "#ffe9a800"), across="right"),
        polygon([(360, 360), (720, 318), (720, 402)], "url(#b)"),
    )
    back = document(
        W,
        H,
        fade("s", (0, "#0a1633"), (0.7, "#27497d"), (1, "#c77b55")),
        rect(0, 0, W, H, "url(#s)"),
        stars(7, 70, W, 170),
        circle(90, 196, 26, "#ffcf8a", opacity=0.8),
    )
    shore = document(
        W,
        H,
        path(smooth([(230, 270), (270, 222), (340, 206), (400, 212), (440, 234), (480, 246)]) + "L480 270Z", "#101d36"),
        lighthouse(345, 210, 0.8),
    )
    return Film(
        "01",
        "The Lighthouse That Blinked Twice",
        72,
        "white",
        poster,
        (
            Layer(back),
            Layer(
                beam,
                x="345-360",
                y="76-360",
                turn="3.14+0.5*sin(t*0.55)",
                seen="lt(mod(t\\,6)\\,0.9)+between(mod(t\\,6)\\,1.5\\,2.4)+gt(mod(t\\,6)\\,3.4)",
            ),
            scrolling(document(TILE + W, H, swell(TILE + W, TILE, 206, 270)), 14),
            Layer(shore),
        ),
    )


def carriages(count: int) -> str:
    """A locomotive and carriages with lit windows; 70 pixels each, running to the right, standing on y = 0."""
    body = ""
    for i in range(count):
        x = i * 70
        body += rect(x, -24, 64, 20, "#121022", rx=3) + "".join(rect(x + 6 + k * 11.5, -20, 7, 7, "#ffd27a") for k in range(5))
        body += "".join(circle(x + dx, -3, 3.4, "#121022") for dx in (12, 22, 44, 54)) + rect(x + 62, -8, 10, 3, "#121022")
    x = count * 70
    engine = (
        path(f"M{x} -26h44q16 2 22 22h-66z", "#b5343c")
        + path(f"M{x + 34} -22h10q8 2 12 10h-22z", "#ffd27a")
        + rect(x, -8, 62, 4, "#121022")
    )
    return (
        body
        + engine
        + "".join(circle(x + dx, -3, 3.4, "#121022") for dx in (12, 24, 46))
        + polygon([(x + 66, -8), (x + 190, -26), (x + 190, 4)], "#ffe9b0", opacity=0.3)
    )


def _train() -> Film:
    sky = fade("sky", (0, "#0d0b26"), (0.55, "#3a2466"), (1, "#d8688a"))
    salt = fade("salt", (0, "#e79aa4"), (0.3, "#7d4c86"), (1, "#120e2c"))
    rng = random.Random(5)
    cracks = "".join(
        line(rng.uniform(-60, 460), 382 + d, rng.uniform(-60, 460), 382 + d + rng.uniform(2, 9), "#fff", 0.8, opacity=0.22)
        for d in [4, 9, 16, 26, 40, 58, 82, 110, 146, 180]
    )
    train = group(carriages(5), transform="translate(-56 380) scale(0.94)")
    mirrored = group(carriages(5), transform="translate(-56 382) scale(0.94 -0.7)", opacity=0.35)
    poster = document(
        400,
        600,
        sky,
        salt,
        rect(0, 0, 400, 382, "url(#sky)"),
        stars(21, 150, 400, 330),
        circle(292, 168, 64, "#fde7c6"),
        circle(272, 156, 9, "#e9c9a4", opacity=0.5),
        circle(312, 190, 14, "#e9c9a4", opacity=0.5),
        rect(0, 382, 400, 218, "url(#salt)"),
        circle(292, 520, 60, "#fde7c6", ry=34, opacity=0.25),
        cracks,
        train,
        mirrored,
        words("NIGHT TRAIN", 28, 500, 46, "#fff3e2", width=344),
        words("OVER SALT FLATS", 28, 540, 33, "#fff3e2", width=344),
    )
    back = document(
        W,
        H,
        fade("s", (0, "#0d0b26"), (0.7, "#3a2466"), (1, "#c9617f")),
        fade("g", (0, "#d98e9c"), (0.4, "#6d4480"), (1, "#120e2c")),
        rect(0, 0, W, 178, "url(#s)"),
        stars(21, 90, W, 150),
        circle(372, 62, 30, "#fde7c6"),
        rect(0, 178, W, 92, "url(#g)"),
        circle(372, 240, 28, "#fde7c6", ry=16, opacity=0.22),
    )
    poles = "".join(
        line(x, 178, x, 118, "#1a1434", 2.5) + line(x - 9, 126, x + 9, 126, "#1a1434", 2) for x in range(40, TILE + W, 120)
    )
    wires = "".join(path(f"M{x} 126q60 12 120 0", stroke="#1a1434", stroke_width=1) for x in range(-80, TILE + W, 120))
    train_layer = document(
        560,
        60,
        group(carriages(5), transform="translate(0 34)"),
        group(carriages(5), transform="translate(0 35) scale(1 -0.6)", opacity=0.3),
    )
    return Film(
        "02",
        "Night Train over Salt Flats",
        76,
        "white",
        poster,
        (
            Layer(back),
            scrolling(document(TILE + W, H, poles, wires), 60),
            Layer(train_layer, x="-500+mod(t*48\\,1060)", y="145+0.8*sin(t*9)"),
        ),
    )


def curtain(seed: int, width: int, height: int, colour: str, name: str) -> str:
    """One veil of northern light: upright rays that stand on a wavy edge and fade towards the top."""
    rng = random.Random(seed)
    edge = rolling(seed, width, width, height * 0.74, height * 0.16, 3, 7)
    rays = "".join(
        rect(x, y - tall, 7.6, tall, f"url(#{name})", opacity=round(rng.uniform(0.45, 1), 2))
        for x, y in edge
        for tall in [height * rng.uniform(0.34, 0.62)]
    )
    return fade(name, (0, f"{colour}00"), (0.55, f"{colour}4a"), (0.92, f"{colour}e0"), (1, f"{colour}50")) + rays


def pines(seed: int, count: int, width: float, base: float, tall: float, fill: str) -> str:
    """A row of pine trees."""
    rng = random.Random(seed)
    row = ""
    for i in range(count):
        x, h = (i + rng.uniform(0.1, 0.9)) * width / count, tall * rng.uniform(0.55, 1)
        row += "".join(
            polygon([(x - h * w, base - h * a), (x + h * w, base - h * a), (x, base - h * b)], fill)
            for w, a, b in [(0.26, 0, 0.55), (0.2, 0.28, 0.8), (0.13, 0.55, 1)]
        )
    return row


def _aurora() -> Film:
    sky = fade("sky", (0, "#031022"), (1, "#0e3a4d"))
    cabin = group(
        polygon([(0, 0), (64, 0), (64, -26), (0, -26)], "#1b1410"),
        polygon([(-8, -26), (32, -52), (72, -26)], "#e8f1f4"),
        rect(12, -20, 14, 12, "#ffc861"),
        rect(40, -22, 13, 22, "#3a2418"),
        rect(46, -62, 8, 20, "#1b1410"),
        transform="translate(232 520)",
    )
    watcher = group(circle(0, -26, 5, "#0b0f14"), path("M-6 0V-16a6 6 0 0 1 12 0V0Z", "#c8433a"), transform="translate(180 522)")
    poster = document(
        400,
        600,
        sky,
        rect(0, 0, 400, 600, "url(#sky)"),
        stars(33, 140, 400, 420),
        group(curtain(3, 400, 470, "#3dffa8", "c1")),
        group(curtain(8, 400, 380, "#7affd2", "c2"), opacity=0.7),
        group(curtain(12, 400, 300, "#d45cff", "c3"), opacity=0.65),
        land(rolling(3, 400, 400, 490, 14), 600, "#b7d8e0"),
        pines(2, 15, 400, 508, 74, "#0a2430"),
        land(rolling(9, 400, 400, 520, 8), 600, "#e8f4f6"),
        cabin,
        watcher,
        words("AURORA", 28, 78, 66, "#eafff6", width=344),
        words("for beginners", 372, 110, 26, "#eafff6", family="serif", weight=400, anchor="end", font_style="italic"),
    )
    back = document(W, H, fade("s", (0, "#031022"), (1, "#0e3a4d")), rect(0, 0, W, H, "url(#s)"), stars(33, 90, W, 190))
    ground = document(
        W,
        H,
        land(rolling(3, W, W, 226, 8), H, "#b7d8e0"),
        pines(2, 20, W, 236, 46, "#0a2430"),
        land(rolling(9, W, W, 244, 4), H, "#dcecef"),
        group(cabin, transform="translate(108 -100) scale(0.66)"),
    )
    veils = [
        Layer(
            document(TILE, 210, curtain(seed, TILE, 210, colour, "v")),
            x=f"-240+{swing}*sin(t*{pace}+{shift})",
            y=f"{y}+9*sin(t*{pace * 1.7:.2f})",
        )
        for seed, colour, swing, pace, shift, y in [
            (3, "#3dffa8", 190, 0.16, 0, 0),
            (8, "#7affd2", 150, 0.23, 2, -24),
            (12, "#d45cff", 210, 0.12, 4, -52),
        ]
    ]
    return Film("09", "Aurora for Beginners", 80, "0x0a2430", poster, (Layer(back), *veils, Layer(ground)), quality=50)


FILMS = (_lighthouse(), _train(), _aurora())
