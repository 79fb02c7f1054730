"""Keep the cloud's state on disk: one file, written whole, at most a second behind.

In: the functions that return and restore the state of MiniStack's services, and which of them may have changed. Out:
`state/cloud.json` and the generation before it. A file that cannot be read is set aside with a notice, and the cloud starts from
the older one.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from workshop.cloud.disk import Disk
from workshop.cloud.events import OWN
from workshop.cloud.state_gate import StateGate
from workshop.cloud.write_log import LoggedWrite, WriteLog
from workshop.state_dir import write_private

__all__ = ["Codec", "Snapshots"]

logger = logging.getLogger("workshop.cloud")

FORMAT = 1
TABLES, LOGS = "dynamodb", "cloudwatch_logs"
OBSERVATIONS = frozenset({"cloudwatch", LOGS})
OBSERVATION_SECONDS = 10.0
TRIES = 5
"""How often a state is read that a worker thread changes meanwhile."""
Getters = Callable[[], Mapping[str, Callable[[], Any]]]


class Contents(Protocol):
    """What of the cloud's contents decides how its state is saved."""

    write_log: WriteLog
    gate: StateGate
    disk: Disk

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
        self._log, self._gate, self._disk = contents.write_log, contents.gate, contents.disk
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
        """What was emptied stays so: the empty state replaces the one that was saved, and the generation before it goes.

        A disk that is full has no room for another state beside the old ones, so these go first there.
        """
        self.changed()
        try:
            await self.save()
        except OSError:
            async with self._writing:
                for file in (self.current, self.previous):
                    file.unlink(missing_ok=True)
                self._log.forget(before=self._log.rotate())
                self._texts, self._first_log = {}, None
            await self.save()
        self.previous.unlink(missing_ok=True)

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
        try:
            await self.save()
        except OSError as error:
            logger.critical(
                "The state could not be written at the end; what changed since it was written last is lost: %s", error
            )

    async def save_tables(self) -> None:
        """Return once every table that was written to is in the saved state, so that its log can be replayed over it.

        Raises `OSError` when it cannot be saved.
        """
        for _ in range(TRIES):
            if not self._log.needs_save:
                return
            await self.save()
        if self._log.needs_save:
            raise OSError(errno.EBUSY, "the tables are being changed")

    async def save(self, observations_every: float = 0.0) -> bool:
        """Write now if anything differs from what was written last; the services are read at once, the file in a thread.

        Logs and metrics are read again once per `observations_every` seconds, unless a log group came or went: they grow with
        every call and nothing depends on the last few. A caller that is cancelled breaks nothing off. Raises `OSError` when
        the state cannot be written.
        """
        return await asyncio.shield(asyncio.ensure_future(self._save(observations_every)))

    async def _save(self, observations_every: float) -> bool:
        async with self._writing:
            try:
                return await self._save_next(observations_every)
            except BaseException as error:
                self.changed()  # what was read is on no disk
                if isinstance(error, OSError):
                    self._disk.failed(error)
                raise

    async def _save_next(self, observations_every: float) -> bool:
        async with self._gate.quiet() as touched:
            began = time.perf_counter()
            self._dirty.clear()
            self._all_stale = self._all_stale or touched
            if self._log.has_entries:
                self._stale.update((TABLES, OWN))
            first = self._log.rotate()
            texts = self._read(self._spared(began, observations_every))
            self._seconds = time.perf_counter() - began
        if texts == self._texts and not self._log.needs_save and not self._disk.is_failing:
            return False
        readable = TABLES not in self._unread
        if not readable:  # its writes are not in this state: the log goes on from where it is
            first = self._first_log or 0
        await asyncio.to_thread(self._write, texts, first)
        self._log.forget(before=min(first, self._first_log or first))
        self._texts, self._first_log = texts, first
        if readable:
            self._log.saved(self._tables)
        self._disk.works()
        return True

    def _spared(self, now: float, observations_every: float) -> frozenset[str]:
        """The services that are not read this time."""
        groups, self._log_groups = self._log_groups, self._contents.log_groups()
        if now - self._observed >= observations_every:
            self._observed = now
            return frozenset()
        if groups == self._log_groups:
            return OBSERVATIONS
        self._stale.add(LOGS)
        return OBSERVATIONS - {LOGS}

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
                text = self._encoded(get_state)
                if text is not None:
                    texts[name] = text
                if name == TABLES:
                    self._tables = self._contents.table_ids()
            except RuntimeError:  # worker threads change it all the time: the last text is kept until the next read
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

    def _encoded(self, get_state: Callable[[], Any]) -> str | None:
        """A service's state as text. Raises `RuntimeError` when a worker thread changes it each time that it is read."""
        for _ in range(TRIES):
            try:
                state = get_state()
                return None if state is None else self._codec.encode(state)
            except RuntimeError:
                continue
        raise RuntimeError("changed while it was read")

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
