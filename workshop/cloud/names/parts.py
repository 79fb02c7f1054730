"""Everything about names, put together: health checks, the services and their types in stacks, name server, front door, feed.

In: the timing, the faults, the regions with an address of their own. Out: the parts that the server runs, one document to save.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from workshop.cloud.certificate_stacks import CertificateStacks
from workshop.cloud.certificates import Certificates
from workshop.cloud.distributions import Distributions, distribution_of
from workshop.cloud.domain_targets import domain_target, region_of_domain_target
from workshop.cloud.domains import CustomDomains
from workshop.cloud.events import OWN
from workshop.cloud.fault_registry import FaultRegistry
from workshop.cloud.global_table_stacks import GlobalTableStacks
from workshop.cloud.hosts import Endpoints
from workshop.cloud.identity_provider_stacks import patch_identity_providers
from workshop.cloud.names.authority import AuthoritativeServer, Responder
from workshop.cloud.names.checks import stored_checks
from workshop.cloud.names.feed import NamesFeed
from workshop.cloud.names.front_door import FrontDoor, Resolver
from workshop.cloud.names.health import HealthChecks, Sink
from workshop.cloud.names.lookup import Lookup
from workshop.cloud.names.probing import CheckTarget, Prober, ProbeResult, Reach
from workshop.cloud.names.records import Alias, zones
from workshop.cloud.names.service import Route53Service
from workshop.cloud.names.zones import Zones
from workshop.cloud.responses import Asgi
from workshop.cloud.route53_stacks import Route53Stacks
from workshop.cloud.scheduler import LoopDriver, Scheduler
from workshop.cloud.sign_in import patch_sign_in
from workshop.cloud.sign_in_rules import patch_sign_in_rules
from workshop.cloud.stack_types import StackWaits
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
        self._endpoints = Endpoints(regions, region_of_domain_target, lambda label: distribution_of(label) is not None)
        lookup = Lookup(zones, self._endpoints, self.health.healthy, self._alias_up, chance)
        self._reach = Reach(lookup.find, domain_target)
        self._responder = Responder(lookup, timing)
        self.authority = AuthoritativeServer(self._responder.respond)
        self._resolver = Resolver(lookup, timing, time.monotonic, faults.stale_seconds)
        self.door = FrontDoor(lookup, self._resolver, domain_target, scope_of)
        self.feed = NamesFeed(lookup, self._resolver, self.health, timing, lambda: (self.authority.port, self._responder.queries))
        self._waits = StackWaits()
        self._certificates = Certificates(scheduler.now, timing, faults, lambda: changed(("acm",)))
        self._zones = Zones(scheduler.now, timing, chance, self._certificates.settle)
        self._route53 = Route53Service(self.health, lookup, self._zones)
        self._distributions = Distributions(scheduler.now, timing, self._waits, self._certificates.settle)

    def apply(self) -> None:
        """Patch MiniStack's services and its types in stacks, before the parts that look at what stacks do in threads."""
        self._route53.apply()
        self._certificates.apply()
        CustomDomains(self._certificates).apply()
        self._distributions.apply()
        Route53Stacks(self._route53).apply()
        CertificateStacks(self._certificates, self._zones, self._waits).apply()
        GlobalTableStacks(self._waits).apply()
        patch_identity_providers()
        patch_sign_in()
        patch_sign_in_rules()

    def probe_through(self, app: Asgi) -> None:
        """From now on health checkers send their requests to the cloud's outermost layer."""
        self._prober = Prober(app, self._reach.locate)

    def begin(self, saved: dict[str, Any]) -> None:
        """Go on with what `document` returned, on the server's loop, after the state of the services is back."""
        self._driver.attach()
        self._route53.restore(saved.get("route53", {}))
        self.health.restore(saved.get("health", {}))
        self._driver.run()

    def document(self) -> dict[str, Any]:
        """The saved form of what MiniStack does not save itself."""
        return {"route53": self._route53.document(), "health": self.health.document()}

    async def quiet(self) -> None:
        """Before a reset: no health checker sends anything any more, and what was sent has been responded to."""
        self.health.clear()
        if self._prober is not None:
            await self._prober.finish(QUIET_SECONDS)

    def clear(self) -> None:
        """Forget everything, at a reset of the cloud."""
        self.health.clear()
        self._route53.clear()
        self._resolver.flush()

    def end(self) -> None:
        """Close the name server and end every wait of a stack."""
        self.authority.close()
        self._waits.end()

    async def _probe(self, target: CheckTarget) -> ProbeResult:
        if self._prober is None:
            raise RuntimeError("Health checks begin once the cloud is put together.")
        return await self._prober(target)

    def _alias_up(self, alias: Alias) -> bool:
        """An alias that evaluates its target gives way only when API Gateway of the region is down (docs/aws-behaviours.md,
        section 6)."""
        return not self._faults.gateway_down(self._endpoints.region(alias.name))
