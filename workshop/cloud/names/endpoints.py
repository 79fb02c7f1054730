"""Names outside the zones that are endpoints of this cloud, and the loopback address of each region.

In: the target of a record, such as `{api}.execute-api.{region}.localhost`, a custom domain's target or a distribution; or the
address that a client connected to. Out: region and address, "" for a name that belongs to the internet. On Linux every address of
127/8 is this machine's; where only 127.0.0.1 is (macOS), the regions share it, and the front door decides instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from workshop.cloud.hosts import endpoint_host, is_domain_target
from workshop.cloud.regions import ENABLED, OPT_IN

__all__ = ["ADDRESSES", "ENDPOINT_TTL", "SHARED", "Endpoints"]

SHARED = "127.0.0.1"
ADDRESSES = {region: f"127.53.0.{number}" for number, region in enumerate(sorted(ENABLED | OPT_IN), 1)}
"""Not 127.0.53.x: 127.0.53.53 marks a collision of names (ICANN, "Name Collision", 2014)."""
ENDPOINT_TTL = 60
"""Seconds that resolvers keep the address of an endpoint, also behind an alias (docs/aws-behaviours.md, section 6)."""
DISTRIBUTION = re.compile(r"(?P<label>[a-z0-9]+)\.cloudfront\.(?:net|localhost)")


class Endpoints:
    """`bound` are the regions that have an address of their own, `domain_region` returns the region of a custom domain's target,
    `is_distribution` knows the labels of distributions."""

    def __init__(
        self, bound: Collection[str], domain_region: Callable[[str], str], is_distribution: Callable[[str], bool]
    ) -> None:
        self.addresses = {region: address for region, address in ADDRESSES.items() if region in bound}
        self._regions = {address: region for region, address in self.addresses.items()}
        self._domain_region, self._is_distribution = domain_region, is_distribution

    def region(self, name: str) -> str:
        """The region of an API's or a custom domain's endpoint. As on AWS, an endpoint resolves whether its API exists or not."""
        api = endpoint_host(name)
        if api is not None:
            return api.region if api.region in ENABLED | OPT_IN else ""
        return self._domain_region(name) if is_domain_target(name) else ""

    def region_at(self, address: str) -> str:
        """The region whose own address this is, "" for any other."""
        return self._regions.get(address, "")

    def address(self, name: str) -> str:
        """The address of an endpoint of this cloud."""
        region = self.region(name)
        if region:
            return self.addresses.get(region, SHARED)
        found = DISTRIBUTION.fullmatch(name)
        return SHARED if found is not None and self._is_distribution(found["label"]) else ""
