"""Runs `workshop` in the process of the test, for commands whose process matters to nothing that is asserted.

In: the words, the folder, the environment and the text on stdin of one command. Out: its exit code, stdout and stderr.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from workshop.cli.main import run as run_command

__all__ = ["run"]


def run(words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], text: str) -> tuple[int, str, str]:
    """Run `workshop WORDS` to its end through the function that the installed command calls."""
    out, err = io.StringIO(), io.StringIO()
    with (
        _environment(environment),
        contextlib.chdir(cwd),
        _stdin(text),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run_command(list(words))
    return code, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def _environment(environment: Mapping[str, str]) -> Iterator[None]:
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


@contextlib.contextmanager
def _stdin(text: str) -> Iterator[None]:
    kept, sys.stdin = sys.stdin, io.StringIO(text)
    try:
        yield
    finally:
        sys.stdin = kept
