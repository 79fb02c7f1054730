"""Route 53 as on AWS: the operations that MiniStack does not have, and those whose results differ.

In: MiniStack's Route 53 and the health of checks. Out: the same service with AWS's refusals, formats and times, and one document
to save (docs/aws-behaviours.md, sections 6.4 to 6.6).
"""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ministack.services import route53

from workshop.cloud.names.changes import Changes
from workshop.cloud.names.checks_api import HealthChecksApi, HealthReports
from workshop.cloud.names.delegation_sets import DelegationSets
from workshop.cloud.names.limits import Limits
from workshop.cloud.names.records import Alias
from workshop.cloud.names.recordsets import Refused
from workshop.cloud.names.simulated_queries import SimulatedQueries
from workshop.cloud.names.wire import Route53Request, check_attributes, error, patch_formats
from workshop.cloud.names.zones import Zones
from workshop.cloud.patches import patch_around
from workshop.cloud.responses import Response
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.timing import Timing

__all__ = ["GatewayFaults", "Route53Service"]

Operation = Callable[[Route53Request], Response]
PREFIX = "/2013-04-01"
ENDPOINT = re.compile(r"[a-z0-9-]+\.execute-api\.(?P<region>[a-z0-9-]+)\.")


class GatewayFaults(Protocol):
    """Whether API Gateway of a region is down: what Route 53 evaluates of an alias to one of its endpoints."""

    def gateway_down(self, region: str) -> bool: ...


class Route53Service:
    """`changes`, `zones` and `checks` are also what stacks and ACM work through."""

    def __init__(
        self,
        health: HealthReports,
        scheduler: Scheduler,
        timing: Timing,
        faults: GatewayFaults,
        *,
        chance: random.Random | None = None,
    ) -> None:
        chance, self._faults = chance or random.Random(), faults
        self._sets = DelegationSets(chance)
        self.changes = Changes(scheduler.now, timing)
        self.zones = Zones(self.changes, self._sets)
        self.checks = HealthChecksApi(health)
        queries = SimulatedQueries(self.zones, health.healthy, self._is_up, chance)
        self._routes = self._operations(Limits(self._sets), queries)

    def apply(self) -> None:
        """Patch MiniStack's Route 53."""
        check_attributes()
        patch_formats()
        self.changes.apply()
        patch_around(route53, "handle_request", self._handle_request)

    def document(self) -> dict[str, Any]:
        """The saved form of what MiniStack does not save itself."""
        return {"delegation_sets": self._sets.document()}

    def restore(self, document: dict[str, Any]) -> None:
        self._sets.restore(document.get("delegation_sets", ()))

    def clear(self) -> None:
        self._sets.clear()
        self.changes.published()

    def _operations(self, limits: Limits, queries: SimulatedQueries) -> list[tuple[str, re.Pattern[str], Operation]]:
        """Our operations by method and path."""
        table: list[tuple[str, str, Operation]] = [
            ("POST", "/hostedzone", self.zones.create),
            ("GET", "/hostedzone/{}", self.zones.show),
            ("DELETE", "/hostedzone/{}", self.zones.delete),
            ("POST", "/hostedzone/{}/rrset", self.changes.change_records),
            ("GET", "/change/{}", self.changes.get_change),
            ("POST", "/healthcheck", self.checks.create),
            ("POST", "/healthcheck/{}", self.checks.update),
            ("DELETE", "/healthcheck/{}", self.checks.delete),
            ("GET", "/healthcheck/{}/status", self.checks.status),
            ("GET", "/healthcheck/{}/lastfailurereason", self.checks.last_failures),
            ("GET", "/checkeripranges", limits.checker_ranges),
            ("GET", "/healthcheckcount", limits.check_count),
            ("GET", "/hostedzonecount", limits.zone_count),
            ("GET", "/accountlimit/{}", limits.account),
            ("GET", "/hostedzonelimit/{}/{}", limits.zone),
            ("GET", "/reusabledelegationsetlimit/{}/{}", limits.delegation_set),
            ("GET", "/testdnsanswer", queries.query),
            ("POST", "/tags/{}", limits.tags),
            ("POST", "/delegationset", self._sets.create),
            ("GET", "/delegationset", self._sets.show_all),
            ("GET", "/delegationset/{}", self._sets.show),
            ("DELETE", "/delegationset/{}", self._sets.delete),
        ]
        return [(verb, re.compile(path.replace("{}", "([^/]+)") + "/?"), operation) for verb, path, operation in table]

    def _is_up(self, alias: Alias) -> bool:
        found = ENDPOINT.match(alias.name)
        return found is None or not self._faults.gateway_down(found["region"])

    async def _handle_request(
        self, original: Callable[..., Awaitable[Any]], method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Any:
        below = path.removeprefix(PREFIX)
        for verb, pattern, operation in self._routes:
            found = pattern.fullmatch(below) if verb == method else None
            if found is not None:
                try:
                    return operation(Route53Request(found.groups(), query, body))
                except Refused as refused:
                    return error(refused)
        return await original(method, path, headers, body, query)
