"""Where the cloud keeps its files, and the record of the process that serves it.

In: the state folder. Out: paths below `<state folder>/cloud`, and the record as a value. It never starts, stops or queries
anything.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workshop.errors import UsageError
from workshop.state_dir import write_private

__all__ = ["PROFILES", "Layout", "Record", "read_record", "validated_timing", "write_record"]

PROFILES = ("instant", "fast", "realistic")
"""The timing profiles: no waiting, every state visible for about a second, the figures measured on AWS."""
SCALES = (0.001, 1000.0)


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one cloud. `sites` is the one folder outside `root`: the rendered web pages that the cloud serves."""

    root: Path
    sites: Path

    @classmethod
    def of(cls, home: Path) -> Layout:
        home = home.absolute()
        return cls(home / "cloud", home / "sites" / "local")

    @property
    def record(self) -> Path:
        return self.root / "cloud.json"

    @property
    def log(self) -> Path:
        return self.root / "cloud.log"

    @property
    def start_lock(self) -> Path:
        """Held while a process starts, stops or empties the cloud."""
        return self.root / "start.lock"

    @property
    def alive_lock(self) -> Path:
        """Held by the serving process as long as it lives; the kernel releases it, whatever kills the process."""
        return self.root / "alive.lock"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def objects(self) -> Path:
        return self.root / "s3"

    @property
    def scratch(self) -> Path:
        return self.root / "tmp"


@dataclass(frozen=True, slots=True)
class Record:
    """The last process that served this cloud. The record outlives a stop, so that port and timing are remembered."""

    pid: int
    port: int
    instance: str
    timing: str
    scale: float
    other_users: bool = False
    """Whether processes of other users of this machine may connect; never taken over by the next start."""
    dns_port: int = 0
    """The port of the name server; 0 when it has none."""


def read_record(layout: Layout) -> Record | None:
    """The record, or None when there is none or it cannot be read (then the cloud starts as if it were new)."""
    try:
        document: Any = json.loads(layout.record.read_text())
        record = Record(
            pid=int(document["pid"]),
            port=int(document["port"]),
            instance=str(document["instance"]),
            timing=str(document["timing"]),
            scale=float(document["scale"]),
            other_users=document.get("other_users") is True,
            dns_port=_port(document.get("dns_port", 0)),
        )
        validated_timing(record.timing, record.scale)
    except (OSError, ValueError, KeyError, TypeError, UsageError):
        return None
    return record if 0 < record.port < 65536 else None


def _port(value: Any) -> int:
    """A port that may be absent: 0 then, and for whatever is no port."""
    return value if isinstance(value, int) and 0 < value < 65536 else 0


def write_record(layout: Layout, record: Record) -> None:
    write_private(layout.record, json.dumps(asdict(record)) + "\n")


def validated_timing(timing: str, scale: float) -> tuple[str, float]:
    """The pair itself; `UsageError` for an unknown profile or a scale outside 0.001 to 1000."""
    if timing not in PROFILES:
        raise UsageError(
            what=f"Unknown timing profile: {timing}.",
            why=f"The local cloud has {', '.join(PROFILES)}.",
            fix="For example: workshop cloud start --timing fast",
            code="UnknownTiming",
        )
    if not SCALES[0] <= scale <= SCALES[1]:
        raise UsageError(
            what=f"The time scale {scale:g} is out of range.",
            why=f"Waiting times can be multiplied by {SCALES[0]:g} to {SCALES[1]:g}.",
            fix="For no waiting at all: workshop cloud start --timing instant",
            code="TimeScale",
        )
    return timing, scale
