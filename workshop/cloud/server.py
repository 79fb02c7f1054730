"""The process that serves the cloud: `python -m workshop.cloud.server ORDER`, started by `workshop.cloud.daemon` alone.

What comes in: one JSON order (folder, inherited socket and pipe, ports, timing). What goes out: a server on that socket and on
the addresses of the regions, a name server, a byte on the pipe once they respond, the record on disk. It sets everything that
MiniStack reads at import before importing it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import json
import logging
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop.cloud.connections import Connections, raise_descriptor_limit
from workshop.cloud.control import Control
from workshop.cloud.daemon import ACCOUNT
from workshop.cloud.environment import leave_user_environment
from workshop.cloud.hosts import ADDRESSES
from workshop.cloud.layout import Layout, Record, write_record
from workshop.cloud.patches import check_version
from workshop.cloud.persistence import Snapshots
from workshop.cloud.ports import name_server_sockets, region_sockets
from workshop.cloud.timing import Timing
from workshop.errors import WorkshopError
from workshop.quoting import visible

if TYPE_CHECKING:
    from hypercorn.config import Config

    from workshop.cloud.app import CloudApp
    from workshop.cloud.emulator import Emulator

__all__ = ["main"]

logger = logging.getLogger("workshop.cloud")

SAVE_SECONDS, LOOK_SECONDS, GRACE_SECONDS = 0.8, 5.0, 2.0

# What a workshop can need. Left out are the services that start containers or open ports of their own.
SERVICES = (
    "account,acm,apigateway,appconfig,appconfigdata,athena,autoscaling,backup,budgets,cloudcontrol,cloudformation,"
    "cloudfront,cloudfront-keyvaluestore,cloudtrail,cognito-identity,cognito-idp,config,cur,dynamodb,"
    "dynamodbstreams,ec2,events,firehose,iam,kinesis,kms,lambda,lambda-core,logs,monitoring,organizations,pipes,"
    "resource-groups,route53,s3,scheduler,secretsmanager,ses,signer,sns,sqs,ssm,states,sts,tagging,waf,"
    "waf-regional,wafv2"
)


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean end, 1 when the cloud cannot be built."""
    gc.set_threshold(20_000, 20, 50)  # loading the emulator makes nothing but what stays
    order: dict[str, Any] = json.loads(arguments[0])
    layout = Layout.of(Path(order["home"]))
    os.umask(0o077)
    alive = os.open(layout.alive_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(alive, fcntl.LOCK_EX)
    sockets = _Sockets.bound(order["listen"], order["port"], order["dns_port"])
    record = Record(
        os.getpid(), order["port"], order["instance"], order["timing"], order["scale"], order["other_users"], sockets.dns_port
    )
    write_record(layout, record)
    _prepare(layout, record)
    try:
        asyncio.run(_serve(layout, record, sockets, order["ready"]))
    except WorkshopError as error:
        logger.critical("%s", error)
        return 1
    return 0


@dataclass(frozen=True)
class _Sockets:
    """What this process listens on: the inherited socket, one per region that has an address of its own, the two of the name
    server."""

    listen: int
    regions: Mapping[str, socket.socket]
    dns: tuple[socket.socket, socket.socket] | None

    @classmethod
    def bound(cls, listen: int, port: int, dns_port: int) -> _Sockets:
        return cls(listen, region_sockets(ADDRESSES, port), name_server_sockets(dns_port, port))

    @property
    def dns_port(self) -> int:
        """0 when no port is free for a name server."""
        return int(self.dns[0].getsockname()[1]) if self.dns is not None else 0


def _prepare(layout: Layout, record: Record) -> None:
    """Folders and the process's environment, all of it before MiniStack is imported."""
    shutil.rmtree(layout.scratch, ignore_errors=True)
    for folder in (layout.scratch, layout.state, layout.objects):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tempfile.tempdir = str(layout.scratch)
    leave_user_environment(layout.scratch / "home")
    os.environ.update(
        TMPDIR=str(layout.scratch),
        GATEWAY_PORT=str(record.port),
        BIND_HOST="127.0.0.1",
        MINISTACK_HOST="localhost",
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        SERVICES=SERVICES,
        PERSIST_STATE="0",
        STATE_DIR=str(layout.state),
        S3_PERSIST="1",
        S3_DATA_DIR=str(layout.objects),
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
        DOCKER_HOST=f"unix://{layout.scratch}/no-docker",
        LAMBDA_EXECUTOR="local",
        LOG_LEVEL="WARNING",
        AWS_ACCESS_KEY_ID=ACCOUNT,
        AWS_SECRET_ACCESS_KEY="local",  # noqa: S106 - any value is accepted
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{record.port}",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    )
    sys.modules["docker"] = None  # type: ignore[assignment]  # no containers here; its import is a tenth of the start
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(asctime)s %(levelname)s [%(name)s] %(message)s", datefmt="%Y-%m-%d %H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logger.setLevel(logging.INFO)


class _Printable(logging.Formatter):
    """Requests and functions put their texts into the log, which `cloud run` shows on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


async def _serve(layout: Layout, record: Record, sockets: _Sockets, ready: int) -> None:
    """Everything from the saved state to the end of the process."""
    check_version()
    from hypercorn.asyncio import serve

    cloud = _assembled(layout, record, sockets.regions)
    cloud.control.notices.extend(cloud.snapshots.load(cloud.emulator.restore))
    cloud.emulator.begin(cloud.snapshots.logged())
    if sockets.dns is not None:
        await cloud.emulator.names.authority.start(*sockets.dns)
    else:
        cloud.control.notices.append("There is no name server: no port is free for one.")
    ending = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ending.set)

    async def serving() -> None:
        with contextlib.suppress(BrokenPipeError):  # Ctrl-C ended the process that waits for this, and is about to end this one
            os.write(ready, b"1")
        os.close(ready)
        logger.info("The local cloud listens on http://127.0.0.1:%s.", record.port)
        await ending.wait()

    keeping = asyncio.create_task(cloud.snapshots.keep(SAVE_SECONDS, LOOK_SECONDS))
    server = asyncio.create_task(serve(cloud.app, _hypercorn(sockets), shutdown_trigger=serving))
    gc.freeze()  # the modules and the state of the services stay: collections need not look through them for ever
    await asyncio.wait({server, asyncio.create_task(ending.wait())}, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait({server}, timeout=GRACE_SECONDS)
    await cloud.snapshots.finish(keeping)
    cloud.emulator.end()
    if server.done():
        server.result()
    logging.shutdown()
    os._exit(0)  # a function or a stack may still hold a thread; what is worth keeping is on disk


@dataclass(frozen=True)
class _Cloud:
    """The parts of one cloud that the process holds on to."""

    app: CloudApp
    control: Control
    snapshots: Snapshots
    emulator: Emulator


def _assembled(layout: Layout, record: Record, regions: Collection[str]) -> _Cloud:
    """The parts, each with what it needs of the others; nothing is loaded yet."""
    from hypercorn.asyncio import tcp_server

    from workshop.cloud.addresses import EmulatorAddresses
    from workshop.cloud.app import CloudApp
    from workshop.cloud.emulator import Emulator

    def changed(names: Iterable[str] | None) -> None:
        snapshots.changed(names)

    async def empty() -> None:
        await emulator.empty()
        await snapshots.forget()

    def keep_record() -> None:
        write_record(layout, replace(record, timing=pacing.profile, scale=pacing.scale, other_users=connections.others))

    pacing = Timing(record.timing, record.scale)
    connections = Connections(tcp_server.TCPServer, most=raise_descriptor_limit(), others=record.other_users)
    emulator = Emulator(pacing, changed, random.Random(), connections.drop, layout.state, regions)
    snapshots = Snapshots(layout.state, emulator.codec, emulator.getters, emulator)
    emulator.calls.save_tables = snapshots.save_tables
    control = Control(
        record,
        pacing,
        emulator.faults,
        connections,
        on_reset=empty,
        on_change=keep_record,
        on_healed=emulator.tables.replication.healed,
        backlog=emulator.tables.replication.backlog,
        saving=snapshots.costs,
        unsaved=emulator.disk.notice,
        more=emulator.names.feed.actions(),
    )
    app = CloudApp(
        emulator.app,
        control,
        layout.sites,
        emulator.calls,
        EmulatorAddresses(emulator.api_scope),
        snapshots.changed,
        emulator.names.door,
        emulator.names.feed.document,
    )
    emulator.names.probe_through(app)
    return _Cloud(app, control, snapshots, emulator)


def _hypercorn(sockets: _Sockets) -> Config:
    from hypercorn.config import Config

    config = Config()
    # The one port comes last: whoever gets a response there may use every other address.
    config.bind = [f"fd://{handle}" for handle in (*(each.detach() for each in sockets.regions.values()), sockets.listen)]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    return config


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
