"""One loopback address per region, so that an address in a DNS answer names a region as it does on AWS.

In: a region, or the address that a client connected to. Out: the other of the two. On Linux every address of 127/8 is this
machine's; where only 127.0.0.1 is (macOS), the regions share it, and the front door decides instead.
"""

from __future__ import annotations

from collections.abc import Collection

from workshop.cloud.regions import ENABLED, OPT_IN

__all__ = ["ADDRESSES", "SHARED", "RegionAddresses"]

SHARED = "127.0.0.1"
ADDRESSES = {region: f"127.53.0.{number}" for number, region in enumerate(sorted(ENABLED | OPT_IN), 1)}
"""Not 127.0.53.x: 127.0.53.53 marks a collision of names (ICANN, "Name Collision", 2014)."""


class RegionAddresses:
    """The addresses that the cloud listens on; `bound` are the regions that have one of their own."""

    def __init__(self, bound: Collection[str]) -> None:
        self._by_region = {region: address for region, address in ADDRESSES.items() if region in bound}
        self._by_address = {address: region for region, address in self._by_region.items()}

    def of(self, region: str) -> str:
        """The address of a region's endpoints."""
        return self._by_region.get(region, SHARED)

    def region_at(self, address: str) -> str:
        """The region whose own address this is, "" for any other."""
        return self._by_address.get(address, "")

    def document(self) -> dict[str, str]:
        """The regions that have an address of their own."""
        return dict(self._by_region)
