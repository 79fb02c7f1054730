"""Everything about names, put together: health checks, routing, the name server, the front door, what people see of them.

In: the timing, the faults, the addresses of regions. Out: the parts that the server runs and the front door that it asks.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from typing import Any

from workshop.cloud.distributions import distribution_of
from workshop.cloud.fault_registry import FaultRegistry
from workshop.cloud.names.authority import Authority
from workshop.cloud.names.controls import NamesControls
from workshop.cloud.names.endpoints import Endpoints
from workshop.cloud.names.feed import NamesFeed
from workshop.cloud.names.front_door import FrontDoor
from workshop.cloud.names.lookup import Lookup
from workshop.cloud.names.loopback import RegionAddresses
from workshop.cloud.names.messages import Responder
from workshop.cloud.names.records import Alias, invalidate, zones
from workshop.cloud.names.resolver import Resolver
from workshop.cloud.responses import Asgi
from workshop.cloud.scheduler import LoopDriver, Scheduler
from workshop.cloud.timing import Timing

__all__ = ["Names"]


class Names:
    """`scope_of` returns account and region of an API; `on_change` is told of what a restart must not lose."""

    def __init__(
        self,
        timing: Timing,
        faults: FaultRegistry,
        chance: random.Random,
        *,
        scope_of: Callable[[str], tuple[str, str] | None],
        regions: Collection[str],
        on_change: Callable[[], None],
    ) -> None:
        self._faults = faults
        scheduler = Scheduler(time.time)
        self._driver = LoopDriver(scheduler, lambda: None)
        addresses = RegionAddresses(regions)
        self._endpoints = Endpoints(addresses, region_of_domain_target, lambda label: distribution_of(label) is not None)
        self.lookup = Lookup(zones, self._endpoints, self.health.healthy, self._alias_up, chance)
        responder = Responder(self.lookup, timing)
        self.authority = Authority(responder.respond)
        self.resolver = Resolver(self.lookup, timing, time.monotonic, faults.stale_seconds)
        self.door = FrontDoor(self.lookup, self.resolver, addresses, _mapped, scope_of)
        self.feed = NamesFeed(self.lookup, self.resolver, self.health, timing, lambda: (self.authority.port, responder.queries))
        self.controls = NamesControls(self.feed, self.lookup, self.resolver, timing)

    def _alias_up(self, alias: Alias) -> bool:
        """The target of an alias fails only when API Gateway of its region is down (docs/aws-behaviours.md, section 6)."""
        return not self._faults.gateway_down(self._endpoints.region(alias.name))
