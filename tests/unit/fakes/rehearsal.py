"""A whole workshop over the fake account: the real definition, engine and steps, in virtual time.

The APIs of the stacks are answered by a tiny server on loopback, which reads the table of the account.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.unit.fakes.aws import ACCOUNT, FakeClient
from tests.unit.fakes.http_server import Answer, Server
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.target import Target
from workshop.definition.loader import Workshop, load
from workshop.definition.parameters import resolve
from workshop.engine.adoption import Adoption
from workshop.engine.events import Event, NodeFinished
from workshop.engine.execute import StopSignal
from workshop.engine.journal import Journal, Scope
from workshop.engine.observe import NodeState, observe_all
from workshop.engine.results import NodeResult
from workshop.engine.setup import check_files, set_up
from workshop.engine.teardown import sweep, tear_down
from workshop.engine.workspace import Contexts, Workspace
from workshop.steps.base import Resource

__all__ = ["Rehearsal", "rehearsal"]


class Rehearsal:
    """One workshop, one account, one journal; each command is a run of its own."""

    def __init__(self, folder: Path, source: str, gateway: str) -> None:
        self.clock = VirtualClock()
        self.aws = FakeClient(self.clock)
        self.folder, self.source, self.gateway = folder, source, gateway
        self.journal = Journal(folder / "runs.db")
        self.events: list[Event] = []
        self.stop = StopSignal()
        self.runs = 0
        self.parameters: dict[str, str] = {}
        self.heard: Callable[[Event], None] = self.events.append

    def workspace(self, *regions: str) -> Workspace:
        """The workspace of the next run."""
        self.runs += 1
        self.stop = StopSignal()
        workshop = _loaded(self.source)
        return Workspace(
            workshop=workshop, settings=resolve(workshop, self.parameters, regions),
            target=Target("aws", self.folder / "sites", gateway=self.gateway), clients={ACCOUNT: self.aws},
            journal=self.journal, clock=self.clock, run=f"run-{self.runs}", granted=True,
        )  # fmt: skip

    @property
    def scope(self) -> Scope:
        """Where the journal keeps it."""
        return Scope(_loaded(self.source).name, "aws", ACCOUNT)

    async def setup(self, *regions: str, through: str | None = None, agreed: Sequence[Adoption] = ()) -> dict[str, NodeResult]:
        """The results of a setup by `step region`; `agreed` is adopted."""
        workspace = self.workspace(*regions)
        self.journal.begin_run(workspace.run, "setup", self.scope)
        plan = workspace.plan(through)
        return _by_name(await set_up(workspace, plan, Contexts(workspace, self.heard), self.heard, self.stop, agreed))

    async def check(self) -> None:
        """What the command line asks for before a setup."""
        workspace = self.workspace()
        await check_files(workspace, workspace.plan())

    async def teardown(self, *regions: str, of: Workspace | None = None) -> tuple[dict[str, NodeResult], list[Resource]]:
        """The results of a teardown, of a workspace that was discovered if one is given, and what is left."""
        workspace = of or self.workspace(*regions)
        self.journal.begin_run(workspace.run, "teardown", self.scope)
        plan, contexts = workspace.plan(former=True), Contexts(workspace, self.heard)
        results = await tear_down(workspace, plan, contexts, self.heard, self.stop)
        left = [] if self.stop.asked else (await sweep(plan, contexts, self.heard, results))[ACCOUNT]
        return _by_name(results), left

    async def status(self, *regions: str) -> dict[str, NodeState]:
        """What stands, by `step region`."""
        workspace = self.workspace(*regions)
        points = await observe_all(workspace, workspace.plan(former=True), Contexts(workspace, self.heard))
        return {f"{p.node.key.step} {p.node.key.region}": p for p in points}

    def lose_the_journal(self) -> None:
        """Go on with an empty one, as on another machine."""
        self.journal.close()
        (self.folder / "runs.db").unlink()
        self.journal = Journal(self.folder / "runs.db")

    def finished(self) -> list[str]:
        """The nodes in the order in which they ended."""
        return [f"{e.result.node.key.step} {e.result.node.key.region}" for e in self.events if isinstance(e, NodeFinished)]


@contextmanager
def rehearsal(folder: Path, source: str = "global-serverless") -> Iterator[Rehearsal]:
    """A rehearsal whose APIs answer while the block runs."""
    scenes: list[Rehearsal] = []

    def answer(path: str) -> Answer:
        return _answer(scenes[0], path)

    with Server(answer) as server:
        scenes.append(Rehearsal(folder, source, server.url.removeprefix("http://")))
        try:
            yield scenes[0]
        finally:
            scenes[0].journal.close()


def _answer(deployment: Rehearsal, path: str) -> Answer:
    """The API of the region that the path's API id names; it reads the table of that region."""
    region = next((r for r in ("us-west-2", "eu-west-1", "ap-south-1") if f"api{r.replace('-', '')}/" in path), "")
    rest: Any = path.rpartition("/api/")[2]
    if rest == "":
        return 200, b'{"ping": "ok"}'
    items = [i for i in deployment.aws.dynamodb.items(region, "global-serverless") if i["PK"] == {"S": "library"}]
    if rest == "query/library":
        return 200, json.dumps({"Items": items}).encode()
    found = [i for i in items if i["SK"]["S"] == rest.rpartition("/")[2]]
    return (200, json.dumps({"Item": found[0]}).encode()) if found else (404, b"{}")


@functools.lru_cache(maxsize=1)
def _loaded(source: str) -> Workshop:
    return load(source)


def _by_name(results: list[NodeResult]) -> dict[str, NodeResult]:
    return {f"{r.node.key.step} {r.node.key.region}": r for r in results}
