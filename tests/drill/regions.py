"""Two regions in memory, for drills in virtual time: functions, an API, a replicated table, and ways to break all of it.

`Regions` is the client of AWS and the client of the APIs at once. A death (`dies_at`) makes one change, and everything after it,
raise `Died`: before the change takes effect, or right after it. So what a killed process could not do is not done here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.fakes.virtual_time import VirtualClock
from tests.unit.fakes.workshop_api import ReplicatedTable, respond
from workshop.aws.errors import AwsError
from workshop.definition.loader import load
from workshop.drill.api_client import ApiResponse
from workshop.drill.base import FaultContext
from workshop.drill.deployment import ApiRoute, Deployment, RegionDeployment
from workshop.drill.load_requests import LoadRequests
from workshop.drill.registry import fault_named
from workshop.drill.run import DrillResult, DrillSpec, Timeouts, run_drill
from workshop.drill.settings import FailoverSettings, read_settings
from workshop.drill.timeline import Milestone, Moment
from workshop.drill.undo_log import UndoLog
from workshop.engine.journal import Journal, Scope

__all__ = [
    "EAST",
    "HERE",
    "SETTINGS",
    "WEST",
    "Died",
    "DrillSandbox",
    "GatewaySwitch",
    "Regions",
    "ReplicationSwitch",
    "load_of",
    "regional",
]

WEST, EAST = "us-west-2", "eu-west-1"
SETTINGS = read_settings(Path(__file__).parents[2] / "templates" / "global-serverless" / "web" / "failover-settings.js")
HERE = Scope("global-serverless", "local", "000000000000")
LOADS = {False: "global-serverless", True: str(Path(__file__).parent / "with_health")}
"""The definitions whose load is used, without and with a health route."""
CHANGES = ("put_function", "delete_function", "update_", "create_", "delete_deployment", "batch_write")
HEALTH_URI = "arn:lambda:path/functions/arn:aws:lambda:r:0:function:fn-health/invocations"


class Died(BaseException):
    """The process was killed here."""


@dataclass
class Region:
    """The settings of one region, and how its API behaves."""

    reserved: dict[str, int] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=lambda: {"STATUS": "200", "SECRET": "kept"})
    uri: str = HEALTH_URI
    deployment: str = "d0"
    deployments: dict[str, str] = field(default_factory=lambda: {"d0": ""})
    down: str = ""
    """Why every request fails, whatever its settings."""
    slow: float = 0.01
    """Seconds until a response."""


class Regions:
    """Everything in two regions; `lag` seconds of replication."""

    account = "000000000000"

    def __init__(self, *, lag: float = 1.0, health: bool = False, names: tuple[str, ...] = (WEST, EAST)) -> None:
        self.health, self.names = health, names
        self.state = {name: Region() for name in names}
        self.table = ReplicatedTable(names, VirtualClock().monotonic, lag=lag)
        self.functions = ("fn", "fn-health") if health else ("fn",)
        self.missing_function = ""
        self.refuse = ""
        """The beginning of the names of operations that are denied."""
        self.heeds_throttle = True
        self.gateways_down: set[str] = set()
        self.calls: set[tuple[str, str]] = set()
        """Every service and operation that was called."""
        self.changes: list[str] = []
        self.dies_at: tuple[int, str] | None = None
        self.dead = False
        self.late, self.came_late = False, 0
        """While `late`, writes that a throttled function rejects take effect seconds later all the same."""

    # The client of AWS

    async def call(self, service: str, region: str, operation: str, **given: Any) -> dict[str, Any]:
        """One AWS call."""
        self.require_alive()
        self.calls.add((service, operation))
        if self.refuse and operation.startswith(self.refuse):
            raise AwsError("AccessDeniedException", "no", service=service, operation=operation, region=region, status=403)
        if operation.startswith(CHANGES):
            self.changes.append(f"{region} {operation}")
            self.maybe_die("before")
        response: dict[str, Any] = getattr(self, f"_{operation}")(self.state[region], region, **given)
        if operation.startswith(CHANGES):
            self.maybe_die("after")
        return response

    def _get_function_concurrency(self, here: Region, region: str, FunctionName: str) -> dict[str, Any]:
        self._require_function(region, FunctionName)
        return {"ReservedConcurrentExecutions": here.reserved[FunctionName]} if FunctionName in here.reserved else {}

    def _put_function_concurrency(self, here: Region, region: str, FunctionName: str, ReservedConcurrentExecutions: int) -> Any:
        self._require_function(region, FunctionName)
        here.reserved[FunctionName] = ReservedConcurrentExecutions
        return {}

    def _delete_function_concurrency(self, here: Region, region: str, FunctionName: str) -> dict[str, Any]:
        self._require_function(region, FunctionName)
        here.reserved.pop(FunctionName, None)
        return {}

    def _get_function_configuration(self, here: Region, region: str, FunctionName: str) -> dict[str, Any]:
        self._require_function(region, FunctionName)
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
        found = self.table.item(region, Key["PK"]["S"], Key["SK"]["S"])
        return {} if found is None else {"Item": found}

    def _query(self, here: Region, region: str, ExpressionAttributeValues: Any, **_: Any) -> dict[str, Any]:
        return {"Items": self.table.items(region, ExpressionAttributeValues[":pk"]["S"])}

    def _batch_write_item(self, here: Region, region: str, RequestItems: Any) -> dict[str, Any]:
        for request in RequestItems["t"]:
            key = request["DeleteRequest"]["Key"]
            self.table.put(region, key["PK"]["S"], key["SK"]["S"], None)
        return {}

    def _get_metric_statistics(self, here: Region, region: str, **_: Any) -> dict[str, Any]:
        return {"Datapoints": []}

    def _require_function(self, region: str, name: str) -> None:
        if name == self.missing_function:
            raise AwsError("ResourceNotFoundException", name, service="lambda", operation="Get", region=region, status=404)

    # The APIs

    async def __call__(self, url: str, deadline: float, **_: Any) -> ApiResponse:
        """One request of a client."""
        self.require_alive()
        region, _, path = url.removeprefix("http://").partition("/")
        here, parts = self.state[region], path.split("/") if path else []
        if here.slow > deadline:
            await asyncio.sleep(deadline)
            return ApiResponse(f"no response within {deadline:g} s")
        await asyncio.sleep(here.slow)
        self.require_alive()
        if here.down:
            return ApiResponse(here.down, 500)
        if region in self.gateways_down:
            return ApiResponse("status 503", 503)
        if path == "health":
            return self._health(here)
        if self.heeds_throttle and here.reserved.get("fn") == 0:
            if self.late and parts[0] == "update":
                self.came_late += 1
                asyncio.get_running_loop().call_later(12, respond, self.table, region, parts)
            return ApiResponse("status 500: Internal server error", 500)
        return ApiResponse(status=200, body=respond(self.table, region, parts))

    def _health(self, here: Region) -> ApiResponse:
        if here.reserved.get("fn-health") == 0 or here.uri != HEALTH_URI:
            return ApiResponse("status 500", 500)
        status = int(here.variables["STATUS"])
        return ApiResponse("" if status == 200 else f"status {status}", status, {})

    # Life and death

    def require_alive(self) -> None:
        """Raises `Died` after the death."""
        if self.dead:
            raise Died

    def maybe_die(self, when: str) -> None:
        """Raises `Died` when the latest change is the one to die at."""
        if self.dies_at == (len(self.changes), when):
            self.dead = True
            raise Died


class GatewaySwitch:
    """Takes the APIs of `Regions` down; a change like any other."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    async def is_down(self, region: str) -> bool:
        self._regions.require_alive()
        return region in self._regions.gateways_down

    async def take_down(self, region: str) -> None:
        self._change(region, self._regions.gateways_down.add)

    async def bring_up(self, region: str) -> None:
        self._change(region, self._regions.gateways_down.discard)

    def _change(self, region: str, act: Callable[[str], None]) -> None:
        self._regions.require_alive()
        self._regions.changes.append(f"{region} gateway")
        self._regions.maybe_die("before")
        act(region)
        self._regions.maybe_die("after")


class ReplicationSwitch:
    """Pauses the replication of `Regions`; a change like any other."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    async def is_paused(self, region: str, table: str) -> bool:
        self._regions.require_alive()
        return self._regions.table.is_paused(region)

    async def pause(self, region: str, table: str) -> None:
        self._change(region, self._regions.table.pause)

    async def resume(self, region: str, table: str) -> None:
        self._change(region, self._regions.table.resume)

    def _change(self, region: str, act: Callable[[str], None]) -> None:
        self._regions.require_alive()
        self._regions.changes.append(f"{region} replication")
        self._regions.maybe_die("before")
        act(region)
        self._regions.maybe_die("after")


def load_of(regions: Regions, run: str = "r1") -> LoadRequests:
    """The load of a run, as the definitions describe it."""
    spec = load(LOADS[regions.health]).definition.drill
    assert spec is not None
    return LoadRequests(spec, {"table": "t", "home": WEST}, run)


def regional(regions: Regions, name: str) -> RegionDeployment:
    """The workshop as it is deployed in one of the regions."""
    health = ApiRoute("res", HEALTH_URI) if regions.health else None
    return RegionDeployment(name, "s", regions.functions, "api", "stage", f"http://{name}/", health)


class DrillSandbox:
    """A drill on `Regions`, with a journal of its own; `next_process` is the one after the end of this one."""

    def __init__(self, folder: Path, regions: Regions, *, run: str = "r1") -> None:
        self.folder, self.regions, self.run = folder, regions, run
        self.journal = Journal(folder / "runs.db")
        self.undo_log = UndoLog(self.journal.undos, HERE, "global-serverless", "", run)
        self.moments: list[Moment] = []
        self.on_moment: Callable[[Moment], None] = lambda _: None
        self.is_local = True

    @property
    def context(self) -> FaultContext:
        replication = ReplicationSwitch(self.regions) if self.is_local else None
        gateway = GatewaySwitch(self.regions) if self.is_local else None
        return FaultContext(self.regions, replication, gateway=gateway)

    @property
    def deployment(self) -> Deployment:
        return Deployment("global-serverless", "t", "local", tuple(regional(self.regions, n) for n in self.regions.names))

    async def drill(
        self,
        fault: str = "throttle",
        *,
        region: str = WEST,
        settings: FailoverSettings = SETTINGS,
        timeouts: Timeouts | None = None,
    ) -> DrillResult:
        requests = load_of(self.regions, self.run)
        spec = DrillSpec(self.run, region, fault_named(fault), settings, requests, timeouts or Timeouts())

        def emit(moment: Moment) -> None:
            self.regions.require_alive()
            self.moments.append(moment)
            self.on_moment(moment)

        return await run_drill(self.deployment, spec, self.context, self.regions, self.undo_log, emit)

    def next_process(self) -> DrillSandbox:
        """Another process, later: the same regions, the same journal file."""
        self.journal.close()
        self.regions.dead, self.regions.dies_at = False, None
        return DrillSandbox(self.folder, self.regions, run="r2")

    def kill_at(self, milestone: Milestone) -> None:
        """Die at the first moment of a kind."""

        def die(moment: Moment) -> None:
            if moment.milestone is milestone:
                self.regions.dead = True
                raise Died

        self.on_moment = die

    def assert_restored(self, before: dict[str, Any]) -> None:
        """Every setting is as it was, no table has an item of the drill, and no undo is pending."""
        assert self.settings() == before
        assert [self.regions.table.items(name, "drill-r1") for name in self.regions.names] == [[] for _ in self.regions.names]
        assert self.undo_log.pending() == []

    def settings(self) -> dict[str, Any]:
        """Every setting that a fault could change."""
        return {
            name: (
                dict(r.reserved),
                dict(r.variables),
                r.uri,
                r.deployment,
                self.regions.table.is_paused(name),
                name in self.regions.gateways_down,
            )
            for name, r in self.regions.state.items()
        }
