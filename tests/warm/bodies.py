"""What the processes of tests/warm/test_warm_processes.py do; they import this file by its name."""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any


def describe(argument: str, _: Any) -> int:
    """Print what a process finds around it, on both streams; end with a code."""
    streams = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
    found = {
        "pid": os.getpid(), "session": os.getsid(0), "group": os.getpgid(0), "argument": argument, "cwd": str(Path.cwd()),
        "word": os.environ.get("WORD"), "typed": sys.stdin.read(), "streams": {name: _form(s) for name, s in streams.items()},
        "signals": [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)],
        "mask": str(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "files": _open_files(),
    }  # fmt: skip
    sys.stdout.write(json.dumps(found))
    sys.stderr.write("on stderr\n")
    return 7


def _form(stream: Any) -> list[Any]:
    return [
        stream.encoding, stream.errors, stream.line_buffering, stream.write_through, stream.mode, stream.fileno(), stream.isatty()
    ]  # fmt: skip


def _open_files() -> list[int]:
    """The numbers of the descriptors that are open; the one of the folder in which they are listed is closed by then."""
    return sorted(int(name) for name in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{name}").exists())  # noqa: PTH208


def fail(argument: str, _: Any) -> int:
    raise ValueError(argument)


def leave(argument: str, _: Any) -> int:
    raise SystemExit(argument)


def wait(_: str, __: Any) -> int:
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    signal.pause()
    return 0


def emulator(argument: str, handles: Any) -> int:
    """Print each plain value of every module of MiniStack, as the process of a cloud has them when it begins to serve."""
    from workshop.cloud import server
    from workshop.cloud.layout import Layout, Record

    home, port = Path(argument), 61_111
    if handles:
        from tests.warm.preloaded import for_cloud

        for_cloud(home, port)
    server._prepare(Layout.of(home), Record(0, port, "", "instant", 1.0))
    from workshop.cloud import app, emulator  # noqa: F401

    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "ministack"}
    values = {
        f"{module}.{name}": repr(value) if isinstance(value, str | bytes | int | float | Path | None) else str(type(value))
        for module, found in modules.items()
        for name, value in vars(found).items()
        if not name.startswith("__")
    }
    values["log"] = repr([logging.root.level, server.logger.level, [(type(h), h.formatter._fmt) for h in logging.root.handlers]])
    values["temporary files"] = tempfile.gettempdir()
    values["environment"] = repr(sorted(os.environ.items()))
    values["docker"] = repr(sys.modules["docker"])
    sys.stdout.write(json.dumps({"values": values, "mentions": _mentions() if handles else []}))
    return 0


def _mentions() -> list[str]:
    """What still holds the folder that MiniStack was imported with."""
    from tests.warm import preloaded

    gc.unfreeze()
    own = {id(vars(preloaded)), id(preloaded._kept), *map(id, preloaded._kept)}
    found = []
    for each in gc.get_objects():
        inside = each.values() if type(each) is dict else each if type(each) in (list, tuple, set, frozenset) else ()
        if id(each) not in own and any(isinstance(v, str | bytes | Path) and preloaded._HOME in str(v) for v in inside):
            found.append(str(each)[:200])
    return found
