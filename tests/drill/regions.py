"""Two regions in memory, for drills in virtual time: functions, an API, a table with replication, and ways to break all of it.

They are the door to AWS and the caller of the APIs at once. A death (`dies_at`) makes one change, and everything after it, raise
`Died`: before the change takes effect, or right after it. What a killed process could not do is thus not done here either.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.errors import AwsError
from workshop.drill.caller import Answer
from workshop.drill.fault import Means
from workshop.drill.ledger import Ledger
from workshop.drill.registry import FAULTS
from workshop.drill.run import Drilled, Order, Patience, run_drill
from workshop.drill.scene import Place, Route, Scene
from workshop.drill.settings import FailoverSettings, read_settings
from workshop.drill.timeline import Mark, Moment
from workshop.engine.journal import Journal, Scope

__all__ = ["HERE", "SETTINGS", "Cuts", "Died", "Regions", "Stage"]

WEST, EAST = "us-west-2", "eu-west-1"
SETTINGS = read_settings(Path(__file__).parents[2] / "templates" / "global-serverless" / "web" / "failover-settings.js")
HERE = Scope("global-serverless", "local", "000000000000")
CHANGES = ("put_function", "delete_function", "update_", "create_", "delete_deployment", "batch_write")
HEALTH_URI = "arn:lambda:path/functions/arn:aws:lambda:r:0:function:fn-health/invocations"


class Died(BaseException):
    """The process was killed here."""


@dataclass
class Region:
    """What one region holds."""

    reserved: dict[str, int] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=lambda: {"STATUS": "200", "SECRET": "kept"})
    uri: str = HEALTH_URI
    deployment: str = "d0"
    deployments: dict[str, str] = field(default_factory=lambda: {"d0": ""})
    down: str = ""
    """Why every request fails, whatever its settings."""
    slow: float = 0.01
    """Seconds that an answer takes."""


class Regions:
    """Everything in two regions; `lag` seconds of replication."""

    account = "000000000000"

    def __init__(self, *, lag: float = 1.0, health: bool = False, names: tuple[str, ...] = (WEST, EAST)) -> None:
        self.lag, self.health, self.names = lag, health, names
        self.state = {name: Region() for name in names}
        self.functions = ("fn", "fn-health") if health else ("fn",)
        self.missing_function = self.refuse = ""
        self.heeds_throttle = True
        self.forgets: set[str] = set()
        """Sort keys that replication never delivers."""
        self.changes: list[str] = []
        self.dies_at: tuple[int, str] | None = None
        self.dead = False
        self.late, self.came_late = False, 0
        """While `late`, writes that a throttled function refuses take effect seconds later all the same."""
        self._writes: list[dict[str, Any]] = []
        self._held: set[str] = set()

    # The door

    async def call(self, service: str, region: str, operation: str, **given: Any) -> dict[str, Any]:
        """One AWS call."""
        self._breathe()
        if self.refuse and operation.startswith(self.refuse):
            raise AwsError("AccessDeniedException", "no", service=service, operation=operation, region=region, status=403)
        if operation.startswith(CHANGES):
            self.changes.append(f"{region} {operation}")
            await self._maybe_die("before")
        answer: dict[str, Any] = getattr(self, f"_{operation}")(self.state[region], region, **given)
        if operation.startswith(CHANGES):
            await self._maybe_die("after")
        return answer

    def _get_function_concurrency(self, here: Region, region: str, FunctionName: str) -> dict[str, Any]:
        self._function(region, FunctionName)
        return {"ReservedConcurrentExecutions": here.reserved[FunctionName]} if FunctionName in here.reserved else {}

    def _put_function_concurrency(self, here: Region, region: str, FunctionName: str, ReservedConcurrentExecutions: int) -> Any:
        self._function(region, FunctionName)
        here.reserved[FunctionName] = ReservedConcurrentExecutions
        return {}

    def _delete_function_concurrency(self, here: Region, region: str, FunctionName: str) -> dict[str, Any]:
        self._function(region, FunctionName)
        here.reserved.pop(FunctionName, None)
        return {}

    def _get_function_configuration(self, here: Region, region: str, FunctionName: str) -> dict[str, Any]:
        self._function(region, FunctionName)
        variables = dict(here.variables) if FunctionName == "fn-health" else {"TABLE": "t"}
        return {"LastUpdateStatus": "Successful", "Environment": {"Variables": variables}}

    def _update_function_configuration(self, here: Region, region: str, FunctionName: str, Environment: Any) -> dict[str, Any]:
        here.variables = dict(Environment["Variables"])
        return {}

    def _get_stage(self, here: Region, region: str, restApiId: str, stageName: str) -> dict[str, Any]:
        return {"deploymentId": here.deployment}

    def _get_integration(self, here: Region, region: str, **_: Any) -> dict[str, Any]:
        return {"uri": here.uri}

    def _update_integration(self, here: Region, region: str, patchOperations: Any, **_: Any) -> dict[str, Any]:
        here.uri = patchOperations[0]["value"]
        return {}

    def _create_deployment(self, here: Region, region: str, description: str, **_: Any) -> dict[str, Any]:
        here.deployment = f"d{len(here.deployments)}"
        here.deployments[here.deployment] = description
        return {"id": here.deployment}

    def _update_stage(self, here: Region, region: str, patchOperations: Any, **_: Any) -> dict[str, Any]:
        here.deployment = patchOperations[0]["value"]
        return {}

    def _get_deployments(self, here: Region, region: str, **_: Any) -> dict[str, Any]:
        return {"items": [{"id": each, "description": text} for each, text in here.deployments.items()]}

    def _delete_deployment(self, here: Region, region: str, deploymentId: str, **_: Any) -> dict[str, Any]:
        del here.deployments[deploymentId]
        return {}

    def _get_item(self, here: Region, region: str, Key: Any, **_: Any) -> dict[str, Any]:
        found = self.items(region, Key["PK"]["S"]).get(Key["SK"]["S"])
        return {} if found is None else {"Item": {"bookmark": {"S": found}}}

    def _query(self, here: Region, region: str, ExpressionAttributeValues: Any, **_: Any) -> dict[str, Any]:
        found = self.items(region, ExpressionAttributeValues[":pk"]["S"])
        return {"Items": [{"SK": {"S": sort}, "bookmark": {"S": value}} for sort, value in found.items()]}

    def _batch_write_item(self, here: Region, region: str, RequestItems: Any) -> dict[str, Any]:
        for request in RequestItems["t"]:
            key = request["DeleteRequest"]["Key"]
            self.write(region, key["PK"]["S"], key["SK"]["S"], None)
        return {}

    def _get_metric_statistics(self, here: Region, region: str, **_: Any) -> dict[str, Any]:
        return {"Datapoints": []}

    def _function(self, region: str, name: str) -> None:
        if name == self.missing_function:
            raise AwsError("ResourceNotFoundException", name, service="lambda", operation="Get", region=region, status=404)

    # The APIs

    async def __call__(self, url: str, deadline: float) -> Answer:
        """One request of a client."""
        self._breathe()
        region, _, path = url.removeprefix("http://").partition("/")
        here = self.state[region]
        if here.slow > deadline:
            await VirtualClock().sleep(deadline)
            return Answer(f"no answer within {deadline:g} s")
        await VirtualClock().sleep(here.slow)
        self._breathe()
        if here.down:
            return Answer(here.down, 500)
        if path == "health":
            return self._answer_health(here)
        if self.heeds_throttle and here.reserved.get("fn") == 0:
            if self.late and (found := re.fullmatch(r"update/([^/]+)/([^/]+)/([^/]+)/[^/]+", path)):
                self.came_late += 1
                asyncio.get_running_loop().call_later(12, self.write, region, found[1], found[2], found[3])
            return Answer("status 500: Internal server error", 500)
        return self._answer_item(region, path)

    def _answer_health(self, here: Region) -> Answer:
        if here.reserved.get("fn-health") == 0 or here.uri != HEALTH_URI:
            return Answer("status 500", 500)
        status = int(here.variables["STATUS"])
        return Answer("" if status == 200 else f"status {status}", status, {})

    def _answer_item(self, region: str, path: str) -> Answer:
        if found := re.fullmatch(r"update/([^/]+)/([^/]+)/([^/]+)/[^/]+", path):
            self.write(region, found[1], found[2], found[3])
            return Answer("", 200, {})
        if found := re.fullmatch(r"update/([^/]+)/([^/]+)/(-?\d+)", path):
            total = int(self.items(region, found[1]).get(found[2], "0")) + int(found[3])
            self.write(region, found[1], found[2], str(total))
            return Answer("", 200, {"Attributes": {"Bookmark": {"N": str(total)}}})
        if found := re.fullmatch(r"get/([^/]+)/([^/]+)", path):
            value = self.items(region, found[1]).get(found[2])
            return Answer("", 200, {"Item": None if value is None else {"Bookmark": {"N": value}}})
        return Answer("", 200, {"ping": "ok"})

    # The table

    def write(self, region: str, key: str, sort: str, value: str | None) -> None:
        """A region takes a write; the others have it after the lag, or when nothing is held back any more."""
        now = VirtualClock().monotonic()
        never = sort in self.forgets and value is not None
        cut = lambda other: bool(self._held & {region, other})  # noqa: E731
        arrives = {o: math.inf if never or cut(o) else now + self.lag for o in self.names if o != region}
        self._writes.append(
            {"at": now, "by": region, "key": key, "sort": sort, "value": value, "never": never, "arrives": arrives}
        )

    def items(self, region: str, key: str) -> dict[str, str]:
        """What a region holds under a key: the last writer wins."""
        now = VirtualClock().monotonic()
        found: dict[str, str | None] = {}
        for each in sorted(self._writes, key=lambda write: write["at"]):
            if each["key"] == key and (each["by"] == region or each["arrives"][region] <= now):
                found[each["sort"]] = each["value"]
        return {sort: value for sort, value in found.items() if value is not None}

    def hold(self, region: str) -> None:
        now = VirtualClock().monotonic()
        self._held.add(region)
        for each in self._writes:
            for other, due in each["arrives"].items():
                if due > now and region in (each["by"], other):
                    each["arrives"][other] = math.inf

    def release(self, region: str) -> None:
        self._held.discard(region)
        for each in self._writes:
            if not each["never"]:
                due = VirtualClock().monotonic() + self.lag
                each["arrives"] = {other: min(at, due) for other, at in each["arrives"].items()}

    def holds_back(self, region: str) -> bool:
        return region in self._held

    # Life and death

    def _breathe(self) -> None:
        if self.dead:
            raise Died

    async def _maybe_die(self, when: str) -> None:
        if self.dies_at == (len(self.changes), when):
            self.dead = True
            raise Died


class Cuts:
    """Interrupts the replication of `Regions`; a change like any other."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    async def held(self, region: str, table: str) -> bool:
        self._regions._breathe()
        return self._regions.holds_back(region)

    async def cut(self, region: str, table: str) -> None:
        await self._change(region, self._regions.hold)

    async def join(self, region: str, table: str) -> None:
        await self._change(region, self._regions.release)

    async def _change(self, region: str, act: Callable[[str], None]) -> None:
        self._regions._breathe()
        self._regions.changes.append(f"{region} cut")
        await self._regions._maybe_die("before")
        act(region)
        await self._regions._maybe_die("after")


class Stage:
    """A drill on `Regions`, with a journal of its own; `again` is the next process after the end of this one."""

    def __init__(self, folder: Path, regions: Regions, *, run: str = "r1") -> None:
        self.folder, self.regions, self.run = folder, regions, run
        self.journal = Journal(folder / "runs.db")
        self.ledger = Ledger(self.journal.undos, HERE, "global-serverless", "", run)
        self.moments: list[Moment] = []
        self.heard: Callable[[Moment], None] = lambda _: None
        self.can_cut = True

    @property
    def means(self) -> Means:
        return Means(self.regions, VirtualClock(), Cuts(self.regions) if self.can_cut else None, lambda _: None)

    @property
    def scene(self) -> Scene:
        health = Route("res", HEALTH_URI) if self.regions.health else None
        places = [Place(n, "s", self.regions.functions, "api", "stage", f"http://{n}/", health) for n in self.regions.names]
        return Scene("global-serverless", "t", "local", tuple(places))

    async def drill(
        self,
        fault: str = "throttle",
        *,
        region: str = WEST,
        settings: FailoverSettings = SETTINGS,
        patience: Patience | None = None,
    ) -> Drilled:
        order = Order(self.run, region, FAULTS[fault], settings, patience or Patience())

        def hear(moment: Moment) -> None:
            self.regions._breathe()
            self.moments.append(moment)
            self.heard(moment)

        return await run_drill(self.scene, order, self.means, self.regions, self.ledger, hear)

    def again(self) -> Stage:
        """Another process, later: the same regions, the same journal file."""
        self.journal.close()
        self.regions.dead, self.regions.dies_at = False, None
        return Stage(self.folder, self.regions, run="r2")

    def kill_at(self, mark: Mark) -> None:
        """Die at the first moment of a kind."""

        def hear(moment: Moment) -> None:
            if moment.mark is mark:
                self.regions.dead = True
                raise Died

        self.heard = hear

    def as_before(self, before: dict[str, Any]) -> bool:
        """Whether every setting is as it was and nothing of the drill is left in any table."""
        left = [self.regions.items(name, "drill-r1") for name in self.regions.names]
        return self.settings() == before and not any(left)

    def settings(self) -> dict[str, Any]:
        """Every setting that a fault could change."""
        return {
            name: (dict(r.reserved), dict(r.variables), r.uri, r.deployment, self.regions.holds_back(name))
            for name, r in self.regions.state.items()
        }
