"""Start, find, stop and empty the local cloud's process.

What comes in: the state folder. What goes out: a `CloudState`. Everything blocks, and nothing here loads the emulator: that
happens in the process that `start` detaches. Whether the cloud lives is asked of a lock that its process holds, so neither a
reused process id nor a stranger on the port is ever mistaken for it.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workshop.cloud.control_client import ask_port
from workshop.cloud.layout import Layout, Record, read_record, validated_timing
from workshop.cloud.ports import listening_socket
from workshop.errors import ExitCode, UsageError, WorkshopError
from workshop.state_dir import UnwritableError, open_state_folder, prepare, refuse_link

__all__ = ["ACCOUNT", "HOME_REGION", "CloudState", "ask", "environment", "log_path", "reset", "run", "start", "status", "stop"]

ACCOUNT = "000000000000"
"""The account of the local cloud; as an access key id it selects that account."""
HOME_REGION = "us-west-2"
START_SECONDS, STOP_SECONDS = 60.0, 15.0
LOG_BYTES = 5_000_000
OPEN_TO_ALL = (
    "EVERY USER of this machine may use this local cloud, and so run code as you (--allow-other-users). "
    "To close it: workshop cloud start --no-allow-other-users"
)


@dataclass(frozen=True, slots=True)
class CloudState:
    """The state of the local cloud. Not running: `endpoint` is "", `pid` None, and `port` the one that the next start prefers."""

    running: bool
    pid: int | None
    port: int | None
    endpoint: str
    timing: str
    scale: float
    log: Path
    notices: tuple[str, ...] = ()
    other_users: bool = False
    unsaved: str = ""
    """Why it cannot save its state, and so refuses changes; also one of the notices."""
    dns_port: int | None = None
    """The port of its name server on 127.0.0.1; not running: the one that the next start prefers."""


def start(
    home: Path,
    *,
    port: int | None = None,
    timing: str | None = None,
    scale: float | None = None,
    other_users: bool | None = None,
) -> CloudState:
    """Start the cloud of this state folder and wait until it answers; a running one is found (and takes a new timing).

    `other_users` opens it to processes of every user of this machine, or closes it again; None: as a running one is, else closed.
    Raises `UsageError` for a port that is taken or a timing that does not exist, `WorkshopError` when the process dies.
    """
    layout = _prepared(home)
    with _starting(layout):
        found = status(home)
        if found.running:
            return _adjusted(home, found, port, timing, scale, other_users)
        _clear_away(layout)
        with _launched(layout, port, timing, scale, bool(other_users), detached=True) as (process, ready, record):
            _await_ready(layout, process, ready)
        state = status(home)
        if not state.running or state.pid != process.pid:
            raise _not_started(layout, f"Process {record.pid} came up and went away.")
        return state


def run(
    home: Path,
    *,
    port: int | None = None,
    timing: str | None = None,
    scale: float | None = None,
    other_users: bool = False,
) -> int:
    """Serve in the foreground, the log on stderr, until Ctrl-C or a stop from elsewhere. Returns the exit code."""
    layout = _prepared(home)
    process: subprocess.Popen[bytes] | None = None
    try:
        with _starting(layout):
            found = status(home)
            if found.running:
                raise UsageError(
                    what=f"The local cloud is already running, on port {found.port}.",
                    why=f"Process {found.pid} serves {home}.",
                    fix="Stop it first: workshop cloud stop",
                    code="CloudRuns",
                )
            _clear_away(layout)
            with _launched(layout, port, timing, scale, other_users, detached=False) as (process, ready, _):
                _await_ready(layout, process, ready)
        code = process.wait()
    except KeyboardInterrupt:
        if process is None:
            return ExitCode.INTERRUPTED
        code = process.wait(STOP_SECONDS)  # the terminal sent Ctrl-C to the server too: it ends cleanly
    return 0 if code in (0, -signal.SIGINT, -signal.SIGTERM) else code


def stop(home: Path) -> bool:
    """End the cloud's process after it has written its state; False when none was running."""
    layout = Layout.of(home)
    if not layout.root.is_dir():
        return False
    with _starting(layout):
        return _clear_away(layout)


def status(home: Path) -> CloudState:
    """The present state. A process that took over the port or the process id is not ours and does not count."""
    layout = Layout.of(home)
    record = read_record(layout)
    if record is None:
        return CloudState(False, None, None, "", "fast", 1.0, layout.log)
    health = _health(record) if _alive(layout) else None
    if health is None:
        return CloudState(False, None, record.port, "", record.timing, record.scale, layout.log, dns_port=record.dns_port or None)
    unsaved = str(health.get("unsaved", ""))
    return CloudState(
        True,
        record.pid,
        record.port,
        f"http://127.0.0.1:{record.port}",
        str(health["timing"]),
        float(health["scale"]),
        layout.log,
        (*((OPEN_TO_ALL,) if health.get("other_users") else ()), *health.get("notices", ()), *((unsaved,) if unsaved else ())),
        bool(health.get("other_users")),
        unsaved,
        int(health.get("dns_port", 0)) or None,
    )


def reset(home: Path) -> CloudState:
    """Empty the cloud: every resource of every account and region, and what was saved of them. Faults and cuts end too."""
    try:
        layout = _prepared(home)
    except UnwritableError:  # emptying it is what makes room
        layout = Layout.of(home)
        if not layout.root.is_dir():
            raise
    with _starting(layout):
        state = status(home)
        if state.running and state.port is not None:
            ask_port(state.port, "POST", "/_workshop/reset")
            return status(home)
        _clear_away(layout)
        for folder in (layout.state, layout.objects):
            _empty(folder)
        return status(home)


def ask(home: Path, method: str, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """One call to the running cloud's own endpoints below `/_workshop/`. Raises `WorkshopError` when none runs or it refuses."""
    state = status(home)
    if state.port is None or not state.running:
        raise WorkshopError(what="The local cloud is not running.", fix="Start it: workshop cloud start", code="CloudStopped")
    return ask_port(state.port, method, path, document)


def log_path(home: Path) -> Path:
    """The file to which the cloud writes its log; it may not exist yet."""
    return Layout.of(home).log


def environment(state: CloudState) -> dict[str, str]:
    """The variables that point any AWS client at a running cloud."""
    return {
        "AWS_ENDPOINT_URL": state.endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": HOME_REGION,
        "AWS_REGION": HOME_REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _prepared(home: Path) -> Layout:
    if any(importlib.util.find_spec(name) is None for name in ("ministack", "hypercorn", "cryptography")):
        raise WorkshopError(
            "The local cloud is not installed.",
            "It comes with the extra `local`, so that an installation for AWS alone stays small.",
            "Run: pip install 'aws-workshop[local]'",
            code="MissingExtra",
        )
    layout = Layout.of(home)
    open_state_folder(home.absolute())
    prepare(layout.root)
    return layout


@contextmanager
def _starting(layout: Layout) -> Iterator[None]:
    """One process at a time starts or stops; the others wait here and then find what it left."""
    with _private(layout.start_lock) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _private(path: Path, flags: int = 0) -> Iterator[int]:
    """The file opened for writing, created if need be, and readable by its owner only."""
    refuse_link(path)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def _alive(layout: Layout) -> bool:
    """Whether the serving process lives: it alone holds the lock exclusively."""
    if not layout.alive_lock.exists():
        return False
    with _private(layout.alive_lock) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _health(record: Record) -> dict[str, Any] | None:
    try:
        answer = ask_port(record.port, "GET", "/_workshop/health")
    except WorkshopError:
        return None
    return answer if answer.get("instance") == record.instance else None


def _adjusted(
    home: Path, found: CloudState, port: int | None, timing: str | None, scale: float | None, other_users: bool | None
) -> CloudState:
    if port is not None and port != found.port:
        raise UsageError(
            what=f"The local cloud is already running, on port {found.port}, not {port}.",
            why="One state folder has one cloud, and its addresses are in use.",
            fix=f"To move it: workshop cloud stop && WORKSHOP_PORT={port} workshop cloud start",
            code="CloudRuns",
        )
    wanted = validated_timing(timing or found.timing, found.scale if scale is None else scale)
    if found.port is None:
        return found
    if wanted != (found.timing, found.scale):
        ask_port(found.port, "PUT", "/_workshop/timing", {"timing": wanted[0], "scale": wanted[1]})
    if other_users is not None and other_users != found.other_users:
        ask_port(found.port, "PUT", "/_workshop/access", {"other_users": other_users})
    return status(home)


@contextmanager
def _launched(
    layout: Layout, port: int | None, timing: str | None, scale: float | None, other_users: bool, *, detached: bool
) -> Iterator[tuple[subprocess.Popen[bytes], int, Record]]:
    """The server process on a socket that is bound here, so that no other process can take the port in between."""
    last = read_record(layout)
    remembered = ("fast", 1.0) if last is None else (last.timing, last.scale)
    profile, factor = validated_timing(timing or remembered[0], remembered[1] if scale is None else scale)
    ready, done = os.pipe()
    try:
        with listening_socket(port, last.port if last else None) as listener:
            names = last.dns_port if last else 0
            record = Record(0, listener.getsockname()[1], uuid.uuid4().hex, profile, factor, other_users, names)
            try:
                process = _popen(layout, record, listener, done, detached=detached)
            finally:
                os.close(done)
        yield process, ready, replace(record, pid=process.pid)
    finally:
        os.close(ready)


def _popen(layout: Layout, record: Record, listener: socket.socket, done: int, *, detached: bool) -> subprocess.Popen[bytes]:
    order = {"home": str(layout.root.parent), "listen": listener.fileno(), "ready": done, **asdict(record)}
    if layout.log.exists() and layout.log.stat().st_size > LOG_BYTES:
        layout.log.replace(layout.log.with_suffix(".log.1"))
    with _private(layout.log, os.O_APPEND) as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "workshop.cloud.server", json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=log if detached else 2,
            stderr=log if detached else 2,
            cwd=layout.root,
            env=_clean_environment(),
            pass_fds=(listener.fileno(), done),
            start_new_session=detached,
        )


def _clean_environment() -> dict[str, str]:
    """What the server sees of the user's shell: nothing that could point it elsewhere. Its functions see less of it."""
    kept = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    return {name: value for name, value in os.environ.items() if name in kept or name.startswith("LC_")}


def _await_ready(layout: Layout, process: subprocess.Popen[bytes], ready: int) -> None:
    """Wait for the server's word; the pipe closes without one when it dies."""
    readable, _, _ = select.select([ready], [], [], START_SECONDS)
    if readable and os.read(ready, 1):
        return
    if readable:
        raise _not_started(layout, f"Its process ended with code {process.wait(STOP_SECONDS)}.")
    process.kill()
    process.wait(STOP_SECONDS)
    raise _not_started(layout, f"It did not come up within {START_SECONDS:.0f} s.")


def _not_started(layout: Layout, why: str) -> WorkshopError:
    try:
        lines = layout.log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    last = f" The last line of its log: {lines[-1]}" if lines else ""
    return WorkshopError(
        what="The local cloud did not start.",
        why=why + last,
        fix="Read its log: workshop cloud logs",
        code="NotStarted",
    )


def _clear_away(layout: Layout) -> bool:
    """End whatever process serves this folder, healthy or not; False when there is none."""
    if not _alive(layout):
        return False
    record = read_record(layout)
    if record is None:
        raise WorkshopError(
            "The local cloud runs, but its record cannot be read.",
            f"{layout.record} is damaged, so the process to end is not known.",
            f"End the process that holds {layout.alive_lock} (for example: fuser -k {layout.alive_lock}), then start again.",
            code="RecordDamaged",
        )
    for ending in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(record.pid, ending)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not _alive(layout):
                return True
            time.sleep(0.02)
    raise WorkshopError(
        f"Process {record.pid} of the local cloud does not end.", "It ignores even SIGKILL.", "Restart the machine.", code="Stuck"
    )


def _empty(folder: Path) -> None:
    if not folder.is_dir():
        return
    for entry in sorted(folder.rglob("*"), reverse=True):
        if entry.is_dir() and not entry.is_symlink():
            entry.rmdir()
        else:
            entry.unlink()
