"""Host names: which are loopback names, what an endpoint's name means, and the loopback address of each region.

In: the Host header of a request, or the target of a DNS record. Out: yes or no; API, region and address. The cloud must not be
reachable by a name that another party points at 127.0.0.1 (DNS rebinding), so any name that is not a loopback name is refused. On
Linux every address of 127/8 is this machine's; where only 127.0.0.1 is (macOS), the regions share it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from workshop.cloud.regions import ENABLED, OPT_IN

__all__ = [
    "ADDRESSES",
    "ENDPOINT_TTL",
    "SHARED",
    "ApiHost",
    "Endpoints",
    "api_host",
    "endpoint_host",
    "host_name",
    "is_bare_host",
    "is_domain_target",
    "is_loopback_host",
    "sign_in_host",
]

_HOST = re.compile(r"(?P<name>\[[0-9a-f:]+\]|[a-z0-9._-]+?)\.?(?::\d{1,5})?", re.IGNORECASE)
_API = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.(?:(?P<region>[a-z0-9-]+)\.)?localhost", re.IGNORECASE)
_ENDPOINT = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.(?:localhost|amazonaws\.com)")
_DOMAIN_TARGET = re.compile(r"d-[a-z0-9]+\.execute-api\.(?P<region>[a-z0-9-]+)\.(?:localhost|amazonaws\.com)")
_SIGN_IN = re.compile(r"(?P<prefix>[a-z0-9-]+)\.auth\.(?P<region>[a-z0-9-]+)\.localhost")
SHARED = "127.0.0.1"
ADDRESSES = {region: f"127.53.0.{number}" for number, region in enumerate(sorted(ENABLED | OPT_IN), 1)}
"""Not 127.0.53.x: 127.0.53.53 marks a collision of names (ICANN, "Name Collision", 2014)."""
ENDPOINT_TTL = 60
"""Seconds that resolvers keep the address of an endpoint, also behind an alias (docs/aws-behaviours.md, section 6)."""
DISTRIBUTION = re.compile(r"(?P<label>[a-z0-9]+)\.cloudfront\.(?:net|localhost)")


@dataclass(frozen=True, slots=True)
class ApiHost:
    """An API addressed by host name; `region` is "" in MiniStack's own short form, which is not served."""

    api: str
    region: str


def host_name(host: str) -> str:
    """The name in a Host header, lower case, without port and trailing dot; empty when it is not a name."""
    found = _HOST.fullmatch(host.strip())
    return found["name"].lower() if found else ""


def is_bare_host(host: str) -> bool:
    """Whether the host is this machine itself and no name below it."""
    return host_name(host) in ("127.0.0.1", "localhost", "[::1]")


def is_loopback_host(host: str) -> bool:
    return is_bare_host(host) or host_name(host).endswith(".localhost")


def api_host(host: str) -> ApiHost | None:
    """The API and region of `{api}.execute-api.{region}.localhost`, or None for any other host."""
    found = _API.fullmatch(host_name(host))
    return ApiHost(found["api"].lower(), (found["region"] or "").lower()) if found else None


def endpoint_host(name: str) -> ApiHost | None:
    """The API of an endpoint as DNS records name it, below `localhost` or `amazonaws.com`; None for any other name."""
    found = _ENDPOINT.fullmatch(name.lower())
    return ApiHost(found["api"], found["region"]) if found else None


def is_domain_target(name: str) -> bool:
    """Whether the name has the form of a custom domain's target, `d-....execute-api.{region}.localhost`."""
    return _DOMAIN_TARGET.fullmatch(name.lower()) is not None


def sign_in_host(host: str) -> tuple[str, str] | None:
    """The prefix and region of a user pool's domain `{prefix}.auth.{region}.localhost`, or None for any other host."""
    found = _SIGN_IN.fullmatch(host_name(host))
    return (found["prefix"], found["region"]) if found else None


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
