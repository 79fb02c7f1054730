"""The tool's own commands in a process of its own, with a client that can end that process at an exact place.

In: an `Order`, picklable. Out: the JSON document of the command in a file, and the exit code. The process is forked from a
server that has everything loaded, so that hundreds of them can be killed in a minute. Nothing of the product is patched: the
session is built here, and `setup` and `teardown` are the functions that the command line calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.hurried import Hurried
from tests.torture.faulty_clients import FaultyClient
from tests.warm import processes
from workshop.app.invocation import Invocation
from workshop.app.session import Session
from workshop.app.setup import setup
from workshop.app.teardown import teardown
from workshop.aws.boto_client import THREADS
from workshop.aws.client import AwsResponse
from workshop.aws.sessions import local_account
from workshop.aws.target import Target
from workshop.cli.terminal import interruptible
from workshop.cloud.daemon import ACCOUNT
from workshop.console.progress import PlainProgress
from workshop.console.results import show_setup, show_teardown
from workshop.definition.loader import load
from workshop.definition.parameters import resolve
from workshop.engine.discover import RegionSearch, with_discovered_regions
from workshop.engine.events import Event, NodeFinished, NodeStarted
from workshop.engine.journal import Journal
from workshop.engine.workspace import Workspace
from workshop.errors import WorkshopError
from workshop.waiting import SystemClock

__all__ = ["CHANGES", "Order", "Place", "start", "work"]

CHANGES = ("create_", "update_", "delete_", "put_", "tag_", "batch_write", "execute_", "add_tags", "change_")
"""Operations that change something begin like this."""
SPEED = 25.0


@dataclass(frozen=True)
class Place:
    """Where to end: before or after the `number`th (from 1) of what `kind` counts: a change, any call, or a step's boundary."""

    kind: str = ""
    number: int = 0
    after: bool = False

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.kind} {self.number}"


@dataclass(frozen=True)
class Order:
    """One command: `verb` is setup, teardown or sweep, `folder` its machine's state folder, `port` the cloud's."""

    verb: str
    folder: Path
    port: int
    out: Path
    place: Place = field(default_factory=Place)
    speed: float = SPEED
    workshop: str = "global-serverless"
    regions: Sequence[str] = ()
    account: str = ACCOUNT
    faulty_client: type[FaultyClient] | None = None
    searched: Sequence[str] = ()
    """The regions that a sweep searches."""


class Deadly:
    """A aws, and a console, that end the process at one place; they count every place that they pass."""

    def __init__(self, inner: Any, place: Place) -> None:
        self._inner, self._place = inner, place
        self.passed = {"change": 0, "call": 0, "boundary": 0}

    @property
    def account(self) -> str:
        return str(self._inner.account)

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> AwsResponse:
        kinds = ("call", "change") if operation.startswith(CHANGES) else ("call",)
        mine = [self._count(kind) for kind in kinds]
        if any(mine) and not self._place.after:
            end()
        answer: AwsResponse = await self._inner.call(service, region, operation, **parameters)
        if any(mine) and self._place.after:
            end()
        return answer

    def boundary(self, event: Event) -> None:
        """A step began or ended."""
        if isinstance(event, NodeStarted | NodeFinished) and self._count("boundary"):
            end()

    def _count(self, kind: str) -> bool:
        self.passed[kind] += 1
        return self._place.kind == kind and self._place.number == self.passed[kind]


class Shown(PlainProgress):
    """The plain console, which also hands boundaries to the deadly client."""

    def __init__(self, deadly: Deadly) -> None:
        super().__init__()
        self._deadly = deadly

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        self._deadly.boundary(event)


def end() -> None:
    """What `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def work(argument: str, _: Sequence[int]) -> int:
    """The body of the process; `argument` is a pickled order."""
    order: Order = pickle.loads(bytes.fromhex(argument))  # noqa: S301 - `start` made it
    try:
        with asyncio.Runner(loop_factory=partial(Hurried, order.speed)) as runner:
            return runner.run(_work(order))
    except WorkshopError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return int(error.exit_code)


def start(order: Order) -> processes.Process | subprocess.Popen[str]:
    """Begin the order in a process."""
    order.out.parent.mkdir(parents=True, exist_ok=True)
    with order.out.open("w") as out, order.out.with_suffix(".err").open("w") as err:
        return processes.start(
            f"{__name__}:work", pickle.dumps(order).hex(), cwd=Path.cwd(), environment=os.environ, stdout=out, stderr=err
        )


async def _work(order: Order) -> int:
    begun = time.monotonic()
    gateway = f"127.0.0.1:{order.port}"
    order.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    workshop = load(order.workshop)
    with contextlib.closing(Journal(order.folder / "runs.db")) as journal, ThreadPoolExecutor(THREADS) as executor:
        aws = local_account(f"http://{gateway}", order.account, executor=executor)
        deadly = Deadly(order.faulty_client(aws) if order.faulty_client else aws, order.place)
        target = Target(
            "local", order.folder / "sites" / "local", endpoint=f"http://{gateway}", gateway=gateway, serves_sites=True
        )
        standing = next((s for s in journal.installations(workshop.name) if s.scope.account == order.account), None)
        workspace = Workspace(
            workshop=workshop, settings=resolve(workshop, {}, tuple(order.regions)), target=target,
            clients={order.account: deadly}, journal=journal, clock=SystemClock(), run=f"run-{os.getpid()}-{time.time_ns():x}",
            granted=True,
        )  # fmt: skip
        session = Session(
            Invocation(workshop.name, "local", yes=True, json=True),
            workspace,
            order.folder,
            order.account,
            f"arn:aws:iam::{order.account}:root",
            standing,
            begun,
        )
        shown, search = Shown(deadly), None
        if order.verb == "sweep":
            search = RegionSearch(order.searched)
            session = replace(session, workspace=await with_discovered_regions(workspace, search, shown))
        async with interruptible(shown) as watch:
            if order.verb == "setup":
                made = await setup(session, workspace.plan(), watch)
            else:
                removed = await teardown(session, watch, search=search)
        if order.verb == "setup":
            show_setup(made, json=True)
            code = int(made.code)
        else:
            show_teardown(removed, json=True)
            code = int(removed.exit_code)
    print(" ".join(f"{kind}={count}" for kind, count in deadly.passed.items()), file=sys.stderr)  # noqa: T201
    return code
