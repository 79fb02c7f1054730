"""Host names: which are loopback names, and what an API's host name names.

In: the Host header of a request. Out: yes or no, and the API that it means. The cloud must not be reachable by a name that
another party points at 127.0.0.1 (DNS rebinding), so any name that is not a loopback name is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ApiHost", "api_host", "host_name", "is_bare_host", "is_loopback_host"]

_HOST = re.compile(r"(?P<name>\[[0-9a-f:]+\]|[a-z0-9._-]+?)\.?(?::\d{1,5})?", re.IGNORECASE)
_API = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.(?:(?P<region>[a-z0-9-]+)\.)?localhost", re.IGNORECASE)


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
