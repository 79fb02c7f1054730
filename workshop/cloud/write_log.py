"""A log of the item writes since the state was saved last, so that what was acknowledged survives `kill -9`.

In: every write to a table, before its call is answered. Out: files `writes.N.log` beside the saved state, of which the saved
state names the first that it does not contain; read back at the next start. One line is one call: a call that was cut off by
the end of the process left no whole line, and was not acknowledged. Lines reach the kernel before the answer, not the disk:
the log is for processes that die, not for machines.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["LoggedWrite", "WriteLog"]

NAME = re.compile(r"writes\.(\d+)\.log")


class LineCodec(Protocol):
    """How values of MiniStack become a line and back."""

    def encode(self, state: Any) -> str: ...
    def decode(self, text: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class LoggedWrite:
    """One item as it was after a write (None: removed), in one regional table, known by its id as well as by its name."""

    account: str
    region: str
    table: str
    table_id: str
    key: tuple[str, str]
    item: Any


class WriteLog:
    """Writes are added from any thread; `number` is the file that they go to."""

    def __init__(self, folder: Path, codec: LineCodec) -> None:
        self._folder, self._codec = folder, codec
        self._lock = threading.Lock()
        self._batch: list[list[Any]] = []
        self._calls = 0
        self._file: int | None = None
        self._saved_tables: frozenset[str] = frozenset()
        self._unsaved_table = False
        self._replaying = False
        self.number = max(self._numbers(), default=0) + 1
        self.has_entries = False

    def add(self, record: dict[str, Any], key: tuple[str, str], item: dict[str, Any] | None) -> None:
        """Note a write to a regional table, given MiniStack's record of it."""
        if self._replaying:
            return
        _, _, _, region, account, _ = record["TableArn"].split(":", 5)
        with self._lock:
            self._batch.append([account, region, record["TableName"], record["TableId"], *key, item])
            self.has_entries = True
            self._unsaved_table = self._unsaved_table or record["TableId"] not in self._saved_tables
        if not self._calls:
            self.commit()

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """All writes of the block are one line, written at its end: of a transaction, all or none come back."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
            self.commit()

    def commit(self) -> None:
        """Hand what was added to the kernel. Raises `OSError` when it cannot be written."""
        with self._lock:
            batch, self._batch = self._batch, []
            if batch:
                _append(self._handle(), (self._codec.encode(batch) + "\n").encode())

    @property
    def needs_save(self) -> bool:
        """Whether a table was written to that the saved state does not have yet: the log alone would not bring it back."""
        return self._unsaved_table

    def rotate(self, tables: frozenset[str]) -> int:
        """The state is being saved as it is now, with these tables (ids). Returns the number of the first file that follows
        it."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None
                self.number += 1
            self.has_entries, self._unsaved_table, self._saved_tables = False, False, tables
            return self.number

    def forget(self, before: int | None = None) -> None:
        """Remove the files below a number, or all."""
        for number in self._numbers():
            if before is None or number < before:
                self._path(number).unlink(missing_ok=True)
        if before is None:
            self.rotate(frozenset())

    def read(self, since: int) -> Iterator[LoggedWrite]:
        """The writes from a file on, in their order. A line that was cut off ends its file."""
        for number in self._numbers():
            if number < since:
                continue
            for line in self._path(number).read_text(errors="replace").split("\n")[:-1]:
                try:
                    batch = self._codec.decode(line)
                    writes = [LoggedWrite(a, r, t, i, (str(part), str(sort)), item) for a, r, t, i, part, sort, item in batch]
                except (ValueError, TypeError, RecursionError):
                    break
                yield from writes

    @contextlib.contextmanager
    def replaying(self) -> Iterator[None]:
        """Writes in the block are those of the log itself, and are not added again."""
        self._replaying = True
        try:
            yield
        finally:
            self._replaying = False

    def _handle(self) -> int:
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(self._path(self.number), flags, 0o600)
        return self._file

    def _numbers(self) -> list[int]:
        found = (NAME.fullmatch(path.name) for path in self._folder.glob("writes.*.log"))
        return sorted(int(match[1]) for match in found if match)

    def _path(self, number: int) -> Path:
        return self._folder / f"writes.{number}.log"


def _append(file: int, line: bytes) -> None:
    """The whole line or, on a full disk, nothing: half a line would swallow the next one."""
    end = os.fstat(file).st_size
    try:
        written = os.write(file, line)
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file, end)
        raise
