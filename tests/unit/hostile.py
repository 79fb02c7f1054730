"""Words that somebody might put where a line for pasting is built, and a bash that only reads such lines.

In: lines. Out: whether bash takes them, and the words that it makes of them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from hypothesis import strategies as st

__all__ = ["HOSTILE", "hidden", "parsed", "refused", "words"]

SEEDS = (
    "", " ", "-", "--", "-rf", "--output=x", "~", "=ls", "#", "!", "!!", "a b", "it's", '"', "'\"'", "\\", "\\'", "$HOME",
    "$(touch x)", "`touch x`", "a;b", "a|b", "a&b", ">x", "<x", "*", "?", "[a]", "{a,b}", "(a)", "x\ntouch y #", "a\tb", "\r",
    "\x1b[2J", "\x1b[201~", "\x7f", "\x85", "\u2028", "\u202e", "é", "日本", "\uff11\uff12", "\u0663", "\u00a0", "\u200b",
    "\udcff", "\ud800", "%s", "${IFS}", "$'\\n'", "\\x41", "a\\", "done", "then",
)  # fmt: skip
HOSTILE = st.one_of(
    st.sampled_from(SEEDS), st.lists(st.sampled_from(SEEDS), min_size=1, max_size=4).map("".join), st.text(max_size=12)
).map(lambda text: text.replace("\0", ""))
"""Text without NUL, which no argument of a program can hold."""
words = st.lists(HOSTILE, min_size=1, max_size=5)


def hidden(text: str) -> bool:
    """Whether a terminal would obey a part of it, or cannot show it."""
    return any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u200e\u200f\u2028\u2029" or 0x202A <= ord(c) <= 0x202E
               or 0x2066 <= ord(c) <= 0x2069 or 0xD800 <= ord(c) <= 0xDFFF for c in text)  # fmt: skip


def refused(lines: Sequence[str]) -> str:
    """What `bash -n` has against these lines; empty when nothing."""
    done = subprocess.run(["bash", "-n"], input="\n".join(lines).encode(), capture_output=True, check=False, env={})
    return done.stderr.decode(errors="replace")


def parsed(lines: Sequence[str]) -> list[list[bytes]]:
    """The words that bash makes of each line, which it does not run: an array takes them."""
    script = "\n".join(f'words=({line}\n); printf \'%s\\0\' "${{#words[@]}}" "${{words[@]}}"' for line in lines)
    done = subprocess.run(["bash"], input=script.encode(), capture_output=True, check=True, env={})
    parts = iter(done.stdout.split(b"\0")[:-1])
    return [[next(parts) for _ in range(int(next(parts)))] for _ in lines]
