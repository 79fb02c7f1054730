"""Keep the cloud's state on disk: one file, written whole, at most a second behind.

In: the functions that return and restore the state of MiniStack's services, and which of them may have changed. Out:
`state/cloud.json` and the generation before it. A file that cannot be read is set aside with a notice, and the cloud starts from
the older one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from workshop.cloud.state_gate import StateGate
from workshop.cloud.write_log import LoggedWrite, WriteLog
from workshop.state_dir import write_private

__all__ = ["Codec", "Snapshots"]

logger = logging.getLogger("workshop.cloud")

FORMAT = 1
TABLES, LOGS = "dynamodb", "cloudwatch_logs"
OBSERVATIONS = frozenset({"cloudwatch", LOGS})
OBSERVATION_SECONDS = 10.0
Getters = Callable[[], Mapping[str, Callable[[], Any]]]


class Contents(Protocol):
    """What of the cloud's contents decides how its state is saved."""

    write_log: WriteLog
    gate: StateGate

    def table_ids(self) -> frozenset[str]: ...
    def log_groups(self) -> frozenset[tuple[str, str, str]]: ...


class Codec:
    """How one service's state becomes text and back; MiniStack provides both directions."""

    def __init__(self, default: Callable[[Any], Any], hook: Callable[[dict[str, Any]], Any]) -> None:
        self._default, self._hook = default, hook

    def encode(self, state: Any) -> str:
        return json.dumps(state, default=self._default, separators=(",", ":"))

    def decode(self, text: str) -> Any:
        return json.loads(text, object_hook=self._hook)


class Snapshots:
    """The saved state of one cloud. Every part that may have changed something calls `changed`; the rest happens in `keep`."""

    def __init__(self, folder: Path, codec: Codec, getters: Getters, contents: Contents) -> None:
        self.current, self.previous = folder / "cloud.json", folder / "cloud.previous.json"
        self._codec, self._getters, self._contents = codec, getters, contents
        self._log, self._gate = contents.write_log, contents.gate
        self._tables: frozenset[str] = frozenset()
        self._log_groups: frozenset[tuple[str, str, str]] = frozenset()
        self._unread: set[str] = set()
        self._first_log: int | None = None
        """The first file of the log that the newest saved state does not contain."""
        self._texts: dict[str, str] = {}
        self._stale: set[str] = set()
        self._all_stale = True
        self._observed = 0.0
        self._writing = asyncio.Lock()
        self._dirty, self._ending = asyncio.Event(), asyncio.Event()
        self._seconds = 0.0

    def changed(self, names: Iterable[str] | None = None) -> None:
        """These services may have changed; None: any may have."""
        if names is None:
            self._all_stale = True
        else:
            self._stale.update(names)
        self._dirty.set()

    def costs(self) -> dict[str, float]:
        """Seconds for which the last read of the state kept the server busy, and the size of the state in characters."""
        return {"seconds": round(self._seconds, 6), "characters": sum(len(text) for text in self._texts.values())}

    async def forget(self) -> None:
        """Drop everything that was saved, after whatever is being written now."""
        async with self._writing:
            self._texts, self._first_log = {}, None
            for file in (self.current, self.previous):
                file.unlink(missing_ok=True)
            self._log.forget()
        self.changed()

    def load(self, take: Callable[[str, Any], None]) -> list[str]:
        """Hand each service's state to `take`; returns notices for the user about what had to be set aside."""
        notices = []
        for file in (self.current, self.previous):
            if not file.exists():
                continue
            try:
                saved = self._codec.decode(file.read_text())
                if saved["format"] != FORMAT:
                    raise ValueError(f"format {saved['format']!r} instead of {FORMAT}")
                items = list(saved["services"].items())
                first = saved.get("log")
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                notices.append(_set_aside(file, error))
                continue
            for name, state in items:
                take(name, state)
            self._first_log = first if isinstance(first, int) else None
            break
        return notices

    def logged(self) -> Iterator[LoggedWrite]:
        """The writes since the state that was loaded; none where that is of a version without a log."""
        return iter(()) if self._first_log is None else self._log.read(self._first_log)

    async def keep(self, interval: float, idle: float) -> None:
        """Write whenever something changed, at most every `interval` seconds; runs until `finish`.

        What changes without a request (a stack that finishes) is found because a read that found a change is followed by
        another one, and by a read every `idle` seconds.
        """
        while not self._ending.is_set():
            try:
                await asyncio.wait_for(self._dirty.wait(), idle)
            except TimeoutError:
                self.changed()
            names = None if self._all_stale else set(self._stale)
            try:
                if await self.save(observations_every=OBSERVATION_SECONDS):
                    self.changed(names)
            except OSError as error:
                logger.error("The state could not be written: %s", error)
                self.changed()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), interval)

    async def finish(self, keeping: asyncio.Task[None]) -> None:
        """End `keep` without breaking off what it writes, then write everything once more."""
        self._ending.set()
        self._dirty.set()
        await keeping
        self.changed()
        await self.save()

    async def save(self, observations_every: float = 0.0) -> bool:
        """Write now if anything differs from what was written last; the services are read at once, the file in a thread.

        Logs and metrics are read again once per `observations_every` seconds, unless a log group came or went: they grow with
        every call and nothing depends on the last few.
        """
        async with self._writing:
            await self._gate.quiet()
            began = time.perf_counter()
            self._dirty.clear()
            late = began - self._observed < observations_every
            if not late:
                self._observed = began
            if self._log.has_entries:
                self._stale.add(TABLES)
            with self._gate.reading():
                groups, self._log_groups = self._log_groups, self._contents.log_groups()
                spared = OBSERVATIONS
                if groups != self._log_groups:
                    spared = OBSERVATIONS - {LOGS}
                    self._stale.add(LOGS)
                texts = self._read(spared if late else frozenset())
            self._seconds = time.perf_counter() - began
            if texts == self._texts and not self._log.needs_save:
                return False
            # Where the tables could not be read, the log goes on from where it is: its writes are not in this state.
            first = self._first_log if self._first_log is not None and TABLES in self._unread else self._log.rotate(self._tables)
            await asyncio.to_thread(self._write, texts, first)
            self._log.forget(before=min(first, first if self._first_log is None else self._first_log))
            self._texts, self._first_log = texts, first
            return True

    def _read(self, spared: frozenset[str]) -> dict[str, str]:
        stale, everything = self._stale, self._all_stale
        self._stale, self._all_stale = stale & spared, False
        texts = {}
        self._unread.clear()
        for name, get_state in self._getters().items():
            if name in self._texts and (name in spared or not (everything or name in stale)):
                texts[name] = self._texts[name]
                continue
            try:
                state = get_state()
                if state is not None:
                    texts[name] = self._codec.encode(state)
                if name == TABLES:
                    self._tables = self._contents.table_ids()
            except RuntimeError:  # a worker thread changed it meanwhile: the last text is kept until the next read
                self.changed([name])
                self._unread.add(name)
                if name in self._texts:
                    texts[name] = self._texts[name]
            except (TypeError, ValueError):
                logger.exception("The state of %s cannot be written; its last saved state is kept.", name)
                self._unread.add(name)
                if name in self._texts:
                    texts[name] = self._texts[name]
        return texts

    def _write(self, texts: Mapping[str, str], first: int) -> None:
        body = ",".join(f"{json.dumps(name)}:{text}" for name, text in texts.items())
        if self.current.exists():
            self.previous.unlink(missing_ok=True)
            try:
                os.link(self.current, self.previous)
            except OSError:  # a file system without links
                shutil.copyfile(self.current, self.previous)
        write_private(self.current, f'{{"format":{FORMAT},"log":{first},"services":{{{body}}}}}')


def _set_aside(file: Path, error: Exception) -> str:
    aside = file.with_name(f"{file.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    file.replace(aside)
    reason = f"{type(error).__name__}: {error}"[:200]
    notice = f"The saved state {file.name} could not be read ({reason}) and was set aside as {aside}."
    logger.warning("%s", notice)
    return notice
