"""Everything about names, put together: health checks, Route 53, the name server, the front door, what people see of them.

In: the timing, the faults, the addresses of regions. Out: the parts that the server runs, and one document to save.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from workshop.cloud.distributions import distribution_of, patch_distributions
from workshop.cloud.domain_targets import ApiTarget, domain_target, region_of_domain_target
from workshop.cloud.events import OWN
from workshop.cloud.fault_registry import FaultRegistry
from workshop.cloud.name_services import NameServices
from workshop.cloud.names.authority import Authority
from workshop.cloud.names.check_metrics import Sink
from workshop.cloud.names.checks import stored_checks
from workshop.cloud.names.controls import NamesControls
from workshop.cloud.names.endpoints import Endpoints
from workshop.cloud.names.feed import NamesFeed
from workshop.cloud.names.front_door import FrontDoor
from workshop.cloud.names.health import HealthChecks
from workshop.cloud.names.lookup import Lookup
from workshop.cloud.names.loopback import RegionAddresses
from workshop.cloud.names.messages import Responder
from workshop.cloud.names.probing import CheckTarget, Prober, ProbeResult
from workshop.cloud.names.reach import Reach
from workshop.cloud.names.records import Alias, invalidate, zones
from workshop.cloud.names.resolver import Resolver
from workshop.cloud.responses import Asgi
from workshop.cloud.scheduler import LoopDriver, Scheduler
from workshop.cloud.sign_in import patch_sign_in
from workshop.cloud.timing import Timing

__all__ = ["Names"]

QUIET_SECONDS = 3.0
"""The longest that a reset waits for a request of a health checker: functions may take longer, checkers do not."""


class Names:
    """`scope_of` returns account and region of an API, `metrics` takes those of health checks; `changed` is told which saved
    states change without a request."""

    def __init__(
        self,
        timing: Timing,
        faults: FaultRegistry,
        chance: random.Random,
        *,
        scope_of: Callable[[str], tuple[str, str] | None],
        regions: Collection[str],
        metrics: Sink,
        changed: Callable[[Iterable[str]], None],
    ) -> None:
        self._faults = faults
        self._prober: Prober | None = None
        scheduler = Scheduler(time.time)
        self._driver = LoopDriver(scheduler, lambda: None)
        self.health = HealthChecks(
            scheduler, timing, self._probe, stored_checks, metrics, faults, chance=chance, on_change=lambda: changed((OWN,))
        )
        self._services = NameServices(
            self.health, scheduler, timing, faults, changed=lambda state: changed((state,)), chance=chance
        )
        addresses = RegionAddresses(regions)
        self._endpoints = Endpoints(addresses, region_of_domain_target, lambda label: distribution_of(label) is not None)
        lookup = Lookup(zones, self._endpoints, self.health.healthy, self._alias_up, chance)
        responder = Responder(lookup, timing)
        self.authority = Authority(responder.respond)
        self._resolver = Resolver(lookup, timing, time.monotonic, faults.stale_seconds)
        self.door = FrontDoor(lookup, self._resolver, addresses, _mapped, scope_of)
        self.feed = NamesFeed(
            lookup, self._resolver, self.health, stored_checks, timing, lambda: (self.authority.port, responder.queries)
        )
        self.controls = NamesControls(self.feed, lookup, self._resolver, timing)
        self._reach = Reach(lookup.find, _mapped, domain_target)

    def apply(self) -> None:
        """Patch MiniStack's Route 53, ACM, API Gateway, Cognito and CloudFront."""
        self._services.apply()
        patch_sign_in()
        patch_distributions()

    def probe_through(self, app: Asgi) -> None:
        """From now on health checkers send their requests to the cloud's outermost layer."""
        self._prober = Prober(app, self._reach.locate)

    def begin(self, saved: dict[str, Any]) -> None:
        """Go on with what `document` returned, on the server's loop, after the state of the services is back."""
        self._driver.attach()
        self._services.restore(saved.get("route53", {}))
        self.health.restore(saved.get("health", {}))
        self._driver.run()

    def document(self) -> dict[str, Any]:
        """The saved form of what MiniStack does not save itself."""
        return {"route53": self._services.document(), "health": self.health.document()}

    async def quiet(self) -> None:
        """Before a reset: no health checker sends anything any more, and what was sent has been responded to."""
        self.health.clear()
        if self._prober is not None:
            await self._prober.finish(QUIET_SECONDS)

    def clear(self) -> None:
        """Forget everything, at a reset of the cloud."""
        self.health.clear()
        self._services.clear()
        self._resolver.flush()
        invalidate()

    def end(self) -> None:
        """Close the name server and end what waits."""
        self.authority.close()
        self._services.end()

    async def _probe(self, target: CheckTarget) -> ProbeResult:
        if self._prober is None:
            raise RuntimeError("Health checks begin once the cloud is put together.")
        return await self._prober(target)

    def _alias_up(self, alias: Alias) -> bool:
        """An alias that evaluates its target gives way only when API Gateway of the region is down (docs/aws-behaviours.md,
        section 6)."""
        return not self._faults.gateway_down(self._endpoints.region(alias.name))


def _mapped(name: str, region: str, path: str) -> ApiTarget | None:
    return domain_target(name, path, region)
