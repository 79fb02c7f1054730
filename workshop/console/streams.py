"""The three standard streams of the command, so that no run ends halfway because of what reads its output.

In: stdin, stdout and stderr as the process was given them: open, closed, a pipe without a reader, a full disk, a closed terminal.
Out: streams on which every write succeeds. What cannot be written is dropped; that a result was lost for another reason
than a reader that went is known at the end (`lost_result`), when the work is done.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

__all__ = ["guard_streams", "lost_result"]

READER_GONE = (errno.EPIPE, errno.EIO)
"""A pipe (`workshop status | head -1`) or a terminal whose other end was closed: the rest has no reader."""


class _Guarded(io.FileIO):
    """A descriptor that takes everything; `error` is the first that kept something from being written."""

    error: OSError | None = None

    def write(self, data: Buffer, /) -> int:
        view = memoryview(data).cast("B")
        try:
            while (written := super().write(view)) is None:  # the descriptor is shared with a process that made it non-blocking
                select.select([], [self], [])
        except OSError as error:
            self.error = self.error or error
            return len(view)
        return written


def guard_streams() -> None:
    """Replace the streams of `sys`. A descriptor that is closed is opened on nothing, or the next file would take its number."""
    for number in range(3):
        _occupy(number)
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - it lives as long as the process
    sys.stdout, sys.stderr = _guarded(1, sys.stdout), _guarded(2, sys.stderr)


def lost_result() -> OSError | None:
    """What kept the result from being written on stdout; None when it was, or its reader had gone."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    sys.stdout.flush()
    error = raw.error if isinstance(raw, _Guarded) else None
    return None if error is None or error.errno in READER_GONE else error


def _occupy(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        handle = os.open(os.devnull, os.O_RDWR)
        if handle != number:
            os.dup2(handle, number)
            os.close(handle)


def _guarded(number: int, stream: TextIO | None) -> TextIO:
    encoding, buffered = (stream.encoding, stream.line_buffering) if isinstance(stream, io.TextIOWrapper) else ("utf-8", True)
    raw = _Guarded(number, "w", closefd=False)
    # Characters that the encoding lacks are escaped rather than an error.
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors="backslashreplace", line_buffering=buffered)
