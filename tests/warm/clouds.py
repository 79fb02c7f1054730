"""Starts a local cloud as `workshop.cloud.daemon.start` does, its process forked from one that has MiniStack imported already.

In: a state folder. Out: the running cloud's `CloudState`. It is an ordinary cloud of that folder: commands find, change and stop
it. Whether a cloud comes up by itself is tested in tests/cloud_room/test_cloud_daemon.py, which starts it for real.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import uuid
from dataclasses import asdict
from pathlib import Path

from tests.warm import processes
from tests.warm.entries import CLOUD
from workshop.cloud import daemon
from workshop.cloud.layout import Layout, Record, read_record, validated_timing
from workshop.cloud.ports import listening_socket
from workshop.state_dir import open_state_folder, prepare

__all__ = ["prepared", "start"]

READY_SECONDS = 60.0
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


def start(home: Path, *, port: int | None = None, timing: str | None = None, scale: float | None = None) -> daemon.CloudState:
    """As `daemon.start`; one that runs already is found, and takes a new timing."""
    if processes.WARM and not daemon.status(home).running:
        _fork(home, port, timing, scale)
        port = port or None  # 0 is any free port, and the cloud has one now
    return daemon.start(home, port=port, timing=timing, scale=scale)


def prepared(home: Path) -> Layout:
    """The folders of a cloud."""
    open_state_folder(home.absolute())
    prepare(Layout.of(home).root)
    return Layout.of(home)


def _fork(home: Path, port: int | None, timing: str | None, scale: float | None) -> None:
    layout = prepared(home)
    last = read_record(layout)
    remembered = ("fast", 1.0) if last is None else (last.timing, last.scale)
    profile, factor = validated_timing(timing or remembered[0], remembered[1] if scale is None else scale)
    with contextlib.ExitStack() as ours:
        listener = ours.enter_context(listening_socket(port, last.port if last else None))
        log = os.open(layout.log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND, 0o600)
        ours.callback(os.close, log)
        ready, done = os.pipe()
        ours.callback(os.close, ready)
        record = Record(0, listener.getsockname()[1], uuid.uuid4().hex, profile, factor, dns_port=last.dns_port if last else 0)
        order = json.dumps({"home": str(layout.root.parent), **asdict(record)})
        environment = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("LC_")}
        try:
            processes.start(
                CLOUD, order, cwd=layout.root, environment=environment, stdout=log, stderr=log, new_session=True,
                handles=(listener.fileno(), done),
            )  # fmt: skip
        finally:
            os.close(done)
        select.select([ready], [], [], READY_SECONDS)
        assert os.read(ready, 1), layout.log.read_text()
