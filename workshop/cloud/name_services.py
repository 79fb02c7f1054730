"""Everything of MiniStack that names and what they lead to need, put together: Route 53, ACM, custom domains, CloudFront, and
their types in stacks.

In: the health of checks, the time, the timing and the faults. Out: the services patched, one document to save, and one end.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Protocol

from ministack.services.cloudformation import provisioners

from workshop.cloud.certificate_stacks import CertificateStacks
from workshop.cloud.certificates import CertificateFaults, Certificates
from workshop.cloud.distribution_status import DistributionStatus
from workshop.cloud.domains import CustomDomains
from workshop.cloud.global_table_stacks import GlobalTableStacks
from workshop.cloud.identity_provider_stacks import patch_identity_providers
from workshop.cloud.names.checks_api import HealthReports
from workshop.cloud.names.service import GatewayFaults, Route53Service
from workshop.cloud.patches import require_attribute
from workshop.cloud.route53_stacks import Route53Stacks
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.stack_waits import StackWaits
from workshop.cloud.timing import Timing

__all__ = ["NameFaults", "NameServices"]


class NameFaults(GatewayFaults, CertificateFaults, Protocol):
    """What can go wrong with names."""


class NameServices:
    """`changed` is called with the saved state that changed without a request to its own service. Built before the parts of this
    room that look at what MiniStack's stacks do in threads."""

    def __init__(
        self,
        health: HealthReports,
        scheduler: Scheduler,
        timing: Timing,
        faults: NameFaults,
        *,
        changed: Callable[[str], None] = lambda _: None,
        chance: random.Random | None = None,
    ) -> None:
        self.waits = StackWaits()
        self.route53 = Route53Service(health, scheduler, timing, faults, chance=chance)
        self.certificates = Certificates(scheduler.now, timing, faults, lambda: changed("acm"))
        self._domains = CustomDomains(self.certificates)
        self._distributions = DistributionStatus(scheduler.now, timing, self.waits, self.certificates.settle)

    def apply(self) -> None:
        """Patch MiniStack's services and its types in stacks."""
        self.route53.apply()
        self.certificates.apply()
        self._domains.apply()
        self._distributions.apply()
        Route53Stacks(self.route53).apply()
        CertificateStacks(self.certificates, self.route53.changes, self.waits).apply()
        patch_identity_providers()
        name = require_attribute(provisioners, "_physical_name")
        GlobalTableStacks(self.waits, lambda stack, logical_id: str(name(stack, logical_id, max_len=255))).apply()
        self.route53.changes.subscribe(self.certificates.settle)

    def document(self) -> dict[str, Any]:
        """The saved form of what MiniStack does not save itself."""
        return self.route53.document()

    def restore(self, document: dict[str, Any]) -> None:
        self.route53.restore(document)

    def clear(self) -> None:
        """Forget everything, at a reset of the cloud."""
        self.route53.clear()

    def end(self) -> None:
        """End every wait of a stack."""
        self.waits.end()
