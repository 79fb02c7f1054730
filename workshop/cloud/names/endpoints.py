"""Which names outside the zones are endpoints of this cloud, and at which address each of them is.

In: the target of a record, such as `{api}.execute-api.{region}.localhost`, a custom domain's target or a distribution. Out: its
region and the address that DNS returns for it; "" for a name that belongs to the internet.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from workshop.cloud.hosts import endpoint_host, is_domain_target
from workshop.cloud.names.loopback import SHARED, RegionAddresses
from workshop.cloud.regions import ENABLED, OPT_IN

__all__ = ["ENDPOINT_TTL", "Endpoints"]

ENDPOINT_TTL = 60
"""Seconds that resolvers keep the address of an endpoint, also behind an alias (docs/aws-behaviours.md, section 6)."""
DISTRIBUTION = re.compile(r"(?P<label>[a-z0-9]+)\.cloudfront\.(?:net|localhost)")


class Endpoints:
    """`domain_region` returns the region of a custom domain's target, `is_distribution` knows the labels of distributions."""

    def __init__(
        self, addresses: RegionAddresses, domain_region: Callable[[str], str], is_distribution: Callable[[str], bool]
    ) -> None:
        self.addresses, self._domain_region, self._is_distribution = addresses, domain_region, is_distribution

    def region(self, name: str) -> str:
        """The region of an API's or a custom domain's endpoint. As on AWS, an endpoint resolves whether its API exists or not."""
        api = endpoint_host(name)
        if api is not None:
            return api.region if api.region in ENABLED | OPT_IN else ""
        return self._domain_region(name) if is_domain_target(name) else ""

    def address(self, name: str) -> str:
        """The address of an endpoint of this cloud."""
        region = self.region(name)
        if region:
            return self.addresses.of(region)
        found = DISTRIBUTION.fullmatch(name)
        return SHARED if found is not None and self._is_distribution(found["label"]) else ""
