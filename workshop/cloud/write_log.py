"""A log of the item writes since the state was saved last, so that what was acknowledged survives `kill -9`.

In: every write to a table, before its call is answered. Out: files `writes.N.log` beside the saved state, of which the saved
state names the first that it does not contain; read back at the next start. One line is one call: a call that was cut off by
the end of the process left no whole line, and was not acknowledged. Lines reach the kernel before the response, not the disk:
what the kernel has outlives the process however it ends, so no line waits for fsync. A loss of power may lose them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from workshop.cloud.disk import Disk

__all__ = ["ItemLog", "LoggedWrite", "Unlogged", "WriteLog"]

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


class ItemLog(Protocol):
    """Where the writes to items are noted; see `WriteLog`."""

    def in_order(self) -> AbstractContextManager[None]: ...
    def add(self, record: dict[str, Any], key: tuple[str, str], item: dict[str, Any] | None) -> None: ...
    def call(self) -> AbstractContextManager[None]: ...
    def pending(self) -> int: ...
    def take_back(self, count: int) -> None: ...


class Unlogged:
    """For tables that live as long as their process."""

    def in_order(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def add(self, record: dict[str, Any], key: tuple[str, str], item: dict[str, Any] | None) -> None:
        pass

    def call(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def pending(self) -> int:
        return 0

    def take_back(self, count: int) -> None:
        pass


class WriteLog:
    """Writes are added from any thread; `number` is the file that they go to. `disk` is told of what cannot be written."""

    def __init__(self, folder: Path, codec: LineCodec, disk: Disk | None = None) -> None:
        self._folder, self._codec, self._disk = folder, codec, disk or Disk(folder)
        self._lock = threading.RLock()
        self._call: ContextVar[list[list[Any]] | None] = ContextVar("writes of the present call", default=None)
        """A line holds the writes of one call, never a part of another's."""
        self._file: int | None = None
        self._saved: frozenset[str] = frozenset()
        self._written: set[str] = set()
        """Tables with entries in the files that the next saved state does not contain."""
        self._leaving: set[str] = set()
        """Tables with entries in the files before, until that state is saved."""
        self._replaying = False
        self.number = max(self._numbers(), default=0) + 1
        self.has_entries = False

    @contextlib.contextmanager
    def in_order(self) -> Iterator[None]:
        """Around the change of an item in memory and its `add`: two threads log their writes in the order that memory has."""
        with self._lock:
            yield

    def add(self, record: dict[str, Any], key: tuple[str, str], item: dict[str, Any] | None) -> None:
        """Note a write to a regional table, given MiniStack's record of it. Outside a call it is written at once."""
        if self._replaying:
            return
        _, _, _, region, account, _ = record["TableArn"].split(":", 5)
        row = [account, region, record["TableName"], record["TableId"], *key, item]
        with self._lock:
            self._written.add(record["TableId"])
            self.has_entries = True
            batch = self._call.get()
            if batch is None:
                self._write([row])
            else:
                batch.append(row)

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """All writes of the block are one line, written at its end: of a transaction, all or none come back.

        Raises `OSError` when the line cannot be written.
        """
        if self._call.get() is not None:
            yield
            return
        batch: list[list[Any]] = []
        token = self._call.set(batch)
        try:
            yield
        finally:
            self._call.reset(token)
            if batch:
                with self._lock:
                    self._write(batch)

    def pending(self) -> int:
        """How many writes the present call has made."""
        return len(self._call.get() or ())

    def take_back(self, count: int) -> None:
        """The present call has undone its writes but for the first `count`."""
        batch = self._call.get()
        if batch is not None:
            del batch[count:]

    @property
    def needs_save(self) -> bool:
        """Whether a table was written to that the saved state does not have yet: the log alone would not bring it back."""
        return not (self._written | self._leaving) <= self._saved

    def rotate(self) -> int:
        """The state is about to be read. Returns the number of the first file that has to be replayed over it; what is written
        from now on goes there, and is perhaps in that state too, which does no harm: the last write of an item wins."""
        with self._lock:
            if self._file is not None:
                self._close()
            self._leaving |= self._written
            self.has_entries, self._written = False, set()
            return self.number

    def saved(self, tables: frozenset[str]) -> None:
        """The state that was read after `rotate` is on disk, with these tables (ids)."""
        with self._lock:
            self._saved, self._leaving = tables, set()

    def forget(self, before: int) -> None:
        """Remove the files below a number."""
        for number in self._numbers():
            if number < before:
                self._path(number).unlink(missing_ok=True)

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

    def _write(self, batch: list[list[Any]]) -> None:
        line = (self._codec.encode(batch) + "\n").encode()
        try:
            if self._file is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._file = os.open(self._path(self.number), flags, 0o600)
            if not _append(self._file, line):
                self._close()  # half a line is left, and ends its file: the next line needs another
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._disk.failed(error)
            raise

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = None
        self.number += 1

    def _numbers(self) -> list[int]:
        found = (NAME.fullmatch(path.name) for path in self._folder.glob("writes.*.log"))
        return sorted(int(match[1]) for match in found if match)

    def _path(self, number: int) -> Path:
        return self._folder / f"writes.{number}.log"


def _append(file: int, line: bytes) -> bool:
    """The whole line or nothing: half a line would swallow the next one. False where half a line was left after all.

    Raises `OSError` when nothing was written.
    """
    end = os.fstat(file).st_size
    try:
        written = os.write(file, line)
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        try:
            os.ftruncate(file, end)
        except OSError:
            return False
        raise
    return True
