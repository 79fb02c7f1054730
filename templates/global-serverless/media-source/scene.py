"""What a film is made of: a poster, and layers that move.

In: SVG text. Out: frozen values that `make_media.py` hands to ffmpeg.
Movement is written in ffmpeg's own expressions, with t in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CLIP_HEIGHT", "CLIP_WIDTH", "POSTER_HEIGHT", "POSTER_WIDTH", "TILE", "Film", "Layer", "scrolling"]

POSTER_WIDTH, POSTER_HEIGHT = 400, 600
CLIP_WIDTH, CLIP_HEIGHT = 480, 270
TILE = 960  # scrolling layers repeat after this many pixels


@dataclass(frozen=True)
class Layer:
    """One picture of a clip, where it is over time, and when it is seen."""

    svg: str
    x: str = "0"
    y: str = "0"
    seen: str = "1"
    turn: str | None = None  # angle in radians over time, around the layer's middle


@dataclass(frozen=True)
class Film:
    """One title of the library."""

    number: str
    title: str
    seconds: int
    ink: str  # colour of the timecode
    poster: str
    layers: tuple[Layer, ...]
    quality: int = 42  # libvpx's crf: flat drawings stay sharp at 42; veils of light and rain need no more than 50
    reading: str | None = None  # a line of text that counts with the film, in ffmpeg's drawtext language


def scrolling(svg: str, speed: float, y: str = "0") -> Layer:
    """A layer of TILE + CLIP_WIDTH pixels that moves to the left for ever, `speed` pixels a second."""
    return Layer(svg, x=f"-mod(t*{speed}\\,{TILE})", y=y)
