"""Host names: which are loopback names, and what an API's host name names.

In: the Host header of a request, or the target of a DNS record. Out: yes or no, and the API or the sign-in pages that it means.
The cloud must not be reachable by a name that another party points at 127.0.0.1 (DNS rebinding), so any name that is not a
loopback name is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "ApiHost",
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
