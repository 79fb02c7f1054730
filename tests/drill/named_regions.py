"""Regions behind one name, in virtual time: health checks that need their interval and threshold, DNS that heeds them.

`NamedRegions` is the client of AWS, the APIs and the name servers at once, and `NamedSandbox` a drill through the name. The API
is that of the second workshop: `POST /`, `GET /{item_id}`, `GET /health`, a function for each.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.drill.regions import HEALTH_URI, SETTINGS, WEST, DrillSandbox, Region, Regions
from workshop.aws.dns import Answer
from workshop.aws.errors import AwsError
from workshop.aws.resources.health_checks import HealthCheck
from workshop.definition.loader import load
from workshop.drill.api_client import ApiResponse
from workshop.drill.deployment import ApiRoute, Deployment, RegionDeployment
from workshop.drill.load_requests import LoadRequests
from workshop.drill.machine_client import MachineAccess
from workshop.drill.registry import fault_named
from workshop.drill.routed_name import Door, RoutedName
from workshop.drill.run import DrillResult, DrillSpec, Timeouts, run_drill
from workshop.drill.timeline import Moment
from workshop.steps.route53.proof import Proof, Wire
from workshop.steps.route53.world import Endpoint

__all__ = ["NAME", "NamedRegions", "NamedSandbox", "load_through_name"]

NAME = "api.backend.localhost"
FUNCTIONS = ("fn-get", "fn-health", "fn-post")


class NamedRegions(Regions):
    """`interval`, `threshold` and `ttl` in seconds; `policy` weighted or failover (home is primary).

    `crossed`: each record carries the other region's check.
    """

    def __init__(
        self, *, interval: float = 10.0, threshold: int = 3, ttl: int = 60, policy: str = "weighted", **more: Any
    ) -> None:
        super().__init__(health=True, **more)
        self.functions = FUNCTIONS
        self.interval, self.threshold, self.ttl, self.policy = interval, threshold, ttl, policy
        self.crossed = False
        self.tag = "global-serverless"
        self.keeps_inverted = False
        self.gone: set[str] = set()
        """The checks that do not exist any more."""
        self.silent_dns = False
        self.inverted: dict[str, bool] = dict.fromkeys(self.names, False)
        self.well: dict[str, bool] = dict.fromkeys(self.names, True)
        """What the checkers think of each region's endpoint."""
        self._since: dict[str, float | None] = dict.fromkeys(self.names)
        """Since when each endpoint has been otherwise."""
        self._chance = random.Random(7)

    # Route 53

    async def call(self, service: str, region: str, operation: str, **given: Any) -> dict[str, Any]:
        if service != "route53":
            return await super().call(service, region, operation, **given)
        self._look()
        return await super().call(service, self.names[0], operation, **given)

    def _get_health_check(self, here: Region, region: str, HealthCheckId: str) -> dict[str, Any]:
        if HealthCheckId in self.gone:
            raise AwsError("NoSuchHealthCheck", "", service="route53", operation="Get", region=region, status=404)
        config = {
            "RequestInterval": self.interval,
            "FailureThreshold": self.threshold,
            "Inverted": self.inverted[HealthCheckId.removeprefix("check-")],
        }
        return {"HealthCheck": {"Id": HealthCheckId, "HealthCheckVersion": 1, "HealthCheckConfig": config}}

    def _get_health_check_status(self, here: Region, region: str, HealthCheckId: str) -> dict[str, Any]:
        """What the checkers saw last, which their opinion follows after the threshold."""
        last = self._endpoint_ok(HealthCheckId.removeprefix("check-"))
        status = "Success: HTTP Status Code 200, OK" if last else "Failure: 500"
        return {"HealthCheckObservations": [{"Region": "us-east-1", "IPAddress": "x", "StatusReport": {"Status": status}}] * 3}

    def _update_health_check(self, here: Region, region: str, HealthCheckId: str, Inverted: bool, **_: Any) -> dict[str, Any]:
        if not self.keeps_inverted:
            self.inverted[HealthCheckId.removeprefix("check-")] = Inverted
        return self._get_health_check(here, region, HealthCheckId)

    def _list_tags_for_resources(self, here: Region, region: str, ResourceIds: list[str], **_: Any) -> dict[str, Any]:
        tags = [{"Key": "workshop", "Value": self.tag}]
        return {"ResourceTagSets": [{"ResourceType": "healthcheck", "ResourceId": each, "Tags": tags} for each in ResourceIds]}

    def _look(self) -> None:
        """The checkers: an endpoint that has been otherwise for long enough turns its check."""
        now = asyncio.get_running_loop().time()
        for name in self.names:
            if self._endpoint_ok(name) == self.well[name]:
                self._since[name] = None
                continue
            since = self._since[name]
            if since is None:
                self._since[name] = now
            elif now - since >= self.interval * self.threshold:
                self.well[name], self._since[name] = not self.well[name], None

    def _endpoint_ok(self, region: str) -> bool:
        here = self.state[region]
        return not here.down and region not in self.gateways_down and self._health(here).ok

    def is_healthy(self, region: str) -> bool:
        """Whether the check that the region's record carries is healthy."""
        watched = region if not self.crossed else next(other for other in self.names if other != region)
        return self.well[watched] != self.inverted[watched]

    async def query(self, name: str, kind: str = "A", source: str | None = None, *, timeout: float = 3.0) -> Answer:
        """One question to the name servers."""
        self.require_alive()
        self._look()
        if self.silent_dns:
            return Answer((), 0, "SERVFAIL")
        healthy = [each for each in self.names if self.is_healthy(each)] or list(self.names)
        chosen = healthy[0] if self.policy == "failover" else self._chance.choice(healthy)
        return Answer((f"{chosen}.target",), self.ttl, "NOERROR")

    # The table, whose key is one attribute

    def _get_item(self, here: Region, region: str, Key: Any, **_: Any) -> dict[str, Any]:
        found = self._stored(region, Key)
        return {} if found is None else {"Item": found}

    def _batch_get_item(self, here: Region, region: str, RequestItems: Any) -> dict[str, Any]:
        keys = RequestItems["t"]["Keys"]
        assert len(keys) <= 100
        return {"Responses": {"t": [found for key in keys if (found := self._stored(region, key)) is not None]}}

    def _batch_write_item(self, here: Region, region: str, RequestItems: Any) -> dict[str, Any]:
        for request in RequestItems["t"]:
            self.table.put(region, request["DeleteRequest"]["Key"]["item_id"]["S"], "", None)
        return {}

    def _stored(self, region: str, key: Any) -> dict[str, Any] | None:
        return self.table.item(region, key["item_id"]["S"], "")

    # The APIs

    async def __call__(
        self, url: str, deadline: float, *, method: str = "GET", body: Mapping[str, Any] | None = None, **_: Any
    ) -> ApiResponse:
        self.require_alive()
        region, _, path = url.removeprefix("http://").partition("/")
        here = self.state[region]
        await asyncio.sleep(min(here.slow, deadline))
        self.require_alive()
        if here.slow > deadline:
            return ApiResponse(f"no response within {deadline:g} s")
        if here.down or region in self.gateways_down:
            return ApiResponse(here.down or "status 503", 503)
        if path == "health":
            found = self._health(here)
            return replace(found, body={"region": region, "status": "ok" if found.ok else "failing"})
        if here.reserved.get("fn-post" if method == "POST" else "fn-get") == 0:
            return ApiResponse("status 500: Internal server error", 500)
        if method == "POST":
            assert body is not None
            item = {name: {"S": text} for name, text in {**body, "region": region}.items()}
            self.table.put(region, body["item_id"], "", item)
            return ApiResponse(status=200, body=dict(body))
        stored = self.table.item(region, path, "")
        if stored is None:
            return ApiResponse("status 404", 404)
        return ApiResponse(status=200, body={name: value["S"] for name, value in stored.items()})

    def items(self, region: str) -> list[str]:
        """The ids of all items of a region."""
        return [item["item_id"]["S"] for item in self.table.items(region)]


def load_through_name(run: str = "r1") -> LoadRequests:
    """The load of the second workshop."""
    spec = load("multi-region-backend").definition.drill
    assert spec is not None
    return LoadRequests(spec, {"table": "t", "home": WEST}, run)


class NamedSandbox(DrillSandbox):
    """A drill through the name."""

    regions: NamedRegions
    machine: MachineAccess | None = None

    def load(self) -> LoadRequests:
        """What the drill sends."""
        return load_through_name(self.run)

    @property
    def deployment(self) -> Deployment:
        found = [
            RegionDeployment(
                name, "s", FUNCTIONS, "api", "stage", f"http://{name}/", ApiRoute("res", HEALTH_URI), f"check-{name}"
            )
            for name in self.regions.names
        ]
        return Deployment("global-serverless", "t", "local", tuple(found))

    @property
    def routed(self) -> RoutedName:
        regions = self.regions
        config = {"RequestInterval": regions.interval, "FailureThreshold": regions.threshold}
        ends = {name: Endpoint(name, "api", "prod", "/health") for name in regions.names}
        wires = [
            Wire(name, f"w:{name}", f"{name}.target", ends[name], f"check-{name}", name, ends[name], right=True)
            for name in regions.names
        ]
        return RoutedName(
            name=NAME,
            policy=regions.policy,
            kind="CNAME",
            servers=regions,
            by_answer={f"{name}.target": name for name in regions.names},
            doors={name: Door(f"http://{name}/", NAME) for name in regions.names},
            checks={name: HealthCheck(f"check-{name}", "r", 1, config) for name in regions.names},
            ttl=regions.ttl,
            ttl_here=float(regions.ttl),
            proof=Proof(NAME, tuple(wires), ()),
        )

    async def through_name(
        self, fault: str = "health", *, region: str = WEST, timeouts: Timeouts | None = None, directly: bool = False
    ) -> DrillResult:
        """A drill of a region with the load, through its name or `directly` at each region."""
        spec = DrillSpec(
            self.run, region, fault_named(fault), SETTINGS, self.load(), timeouts or Timeouts(), machine=self.machine
        )

        def emit(moment: Moment) -> None:
            self.regions.require_alive()
            self.moments.append(moment)
            self.on_moment(moment)

        return await run_drill(
            self.deployment, spec, self.context, self.regions, self.undo_log, emit, None if directly else self.routed
        )

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "inverted": dict(self.regions.inverted)}

    def assert_restored(self, before: dict[str, Any]) -> None:
        assert self.settings() == before
        assert [self.regions.items(name) for name in self.regions.names] == [[] for _ in self.regions.names]
        assert self.undo_log.pending() == []

    def next_process(self) -> NamedSandbox:
        self.journal.close()
        self.regions.dead, self.regions.dies_at = False, None
        return NamedSandbox(Path(self.folder), self.regions, run="r2")
