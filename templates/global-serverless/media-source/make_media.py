"""Makes the posters (SVG) and the clips (VP9) of the library, from nothing but the drawings beside this file.

Run: python make_media.py [posters | clips] [NUMBER ...]
In: the films of `films_*.py`. Out: ../web/media/posters/NN.svg and ../web/media/clips/NN.webm. Needs ffmpeg with librsvg,
drawtext and libvpx-vp9; loads nothing from anywhere.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import films_air
import films_cold
import films_far
import films_night
from scene import CLIP_HEIGHT, CLIP_WIDTH, Film

__all__ = ["FILMS", "main", "make_clip", "make_poster"]

FILMS: tuple[Film, ...] = tuple(
    sorted((*films_night.FILMS, *films_air.FILMS, *films_cold.FILMS, *films_far.FILMS), key=lambda f: f.number)
)
MEDIA = Path(__file__).resolve().parent.parent / "web" / "media"
FRAMES_PER_SECOND = 15


def make_poster(film: Film, folder: Path) -> Path:
    """Write the poster and return where it is."""
    file = folder / f"{film.number}.svg"
    file.write_text(film.poster, encoding="utf-8")
    return file


def make_clip(film: Film, folder: Path, work: Path) -> Path:
    """Draw the layers, let ffmpeg move them, and return where the clip is."""
    inputs: list[str] = []
    for index, layer in enumerate(film.layers):
        drawing, picture = work / f"{film.number}-{index}.svg", work / f"{film.number}-{index}.png"
        drawing.write_text(layer.svg, encoding="utf-8")
        # librsvg hands over colours already multiplied by their opacity; overlay expects them plain.
        _ffmpeg("-i", str(drawing), "-vf", "format=gbrap,unpremultiply=inplace=1,format=rgba", "-frames:v", "1", str(picture))
        inputs += ["-loop", "1", "-framerate", str(FRAMES_PER_SECOND), "-t", str(film.seconds), "-i", str(picture)]
    file = folder / f"{film.number}.webm"
    _ffmpeg(
        *inputs,
        "-filter_complex",
        _graph(film),
        "-map",
        "[out]",
        "-an",
        "-t",
        str(film.seconds),
        "-c:v",
        "libvpx-vp9",
        "-crf",
        str(film.quality),
        "-b:v",
        "0",
        "-deadline",
        "good",
        "-cpu-used",
        "3",
        "-row-mt",
        "1",
        "-g",
        str(FRAMES_PER_SECOND * 5),
        "-pix_fmt",
        "yuv420p",
        "-map_metadata",
        "-1",
        "-metadata",
        f"title={film.title}",
        str(file),
    )
    return file


def _graph(film: Film) -> str:
    """The filter graph: layers one over the other, then the timecode."""
    steps = []
    below = "[0:v]"
    for index, layer in enumerate(film.layers[1:], start=1):
        source = f"[{index}:v]"
        if layer.turn:
            steps.append(f"{source}format=rgba,rotate=a='{layer.turn}':c=none[turned{index}]")
            source = f"[turned{index}]"
        steps.append(f"{below}{source}overlay=x='{layer.x}':y='{layer.y}':enable='{layer.seen}':eval=frame[mixed{index}]")
        below = f"[mixed{index}]"
    text = f"fontcolor={film.ink}:font='Liberation Sans':"
    steps.append(
        f"{below}drawtext={text}fontsize=17:x={CLIP_WIDTH - 16}-tw:y={CLIP_HEIGHT - 30}"
        ":text='%{pts\\:gmtime\\:0\\:%M\\\\\\:%S}'"
        f",drawtext={text}fontsize=12:x=16:y={CLIP_HEIGHT - 27}:text='{film.number}  {film.title}'"
        + (f",drawtext={text}fontsize=17:x=16:y=16:text='{film.reading}'" if film.reading else "")
        + "[out]"
    )
    return ";".join(steps)


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)


def main(arguments: list[str]) -> int:
    """Make what is asked for; everything without arguments."""
    if shutil.which("ffmpeg") is None:
        sys.stderr.write("ffmpeg is not on the PATH; it draws the clips. Install it and run this again.\n")
        return 1
    numbers = [a for a in arguments if a.isdigit()] or [film.number for film in FILMS]
    kinds = [a for a in arguments if a in ("posters", "clips")] or ["posters", "clips"]
    posters, clips = MEDIA / "posters", MEDIA / "clips"
    posters.mkdir(parents=True, exist_ok=True)
    clips.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for film in FILMS:
            if film.number not in numbers:
                continue
            made = [make_poster(film, posters)] if "posters" in kinds else []
            made += [make_clip(film, clips, Path(work))] if "clips" in kinds else []
            for file in made:
                sys.stderr.write(f"{file.name}  {file.stat().st_size // 1024} KB  {film.title}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
