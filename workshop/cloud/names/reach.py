"""Which API of this cloud a health checker reaches under a host name.

In: a host, a path, and where the checker is. Out: the API's host below `.localhost` with the path there, or why a checker on AWS
would not get that far. Nothing outside this cloud is ever called.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from workshop.cloud.names.places import Location

__all__ = ["FORBIDDEN", "NO_CONNECTION", "Reach", "Reached", "Unreached"]

NO_CONNECTION = "Failure: The health checker could not establish a connection within the timeout limit."
FORBIDDEN = "Failure: HTTP Status Code 403, Forbidden"
DNS_FAILED = "Failure: DNS resolution failed: {why}"
RCODES = {"NXDOMAIN": "Rcode NXDomain(3)", "REFUSED": "Rcode Refused(5)"}
_ENDPOINT = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com|localhost)")


class ResolvedHost(Protocol):
    """What DNS says about a name: `target` is the name at the end of the chain, `region` that of the endpoint, or ""."""

    @property
    def rcode(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def region(self) -> str: ...


class MappedPath(Protocol):
    """What a custom domain name makes of a path: an API, a stage or "", the rest of the path."""

    @property
    def api(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def path(self) -> str: ...


class InRegion(Protocol):
    """Anything of a region."""

    @property
    def region(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Reached:
    """An API of this cloud: its own host name and the path that is requested there."""

    host: str
    path: str


@dataclass(frozen=True, slots=True)
class Unreached:
    """Why a checker gets no response of the endpoint, in the words of a checker."""

    text: str


class Reach:
    """`find` asks DNS for a name of this cloud's zones, by type and place; `mapped` returns what the custom domain of that name
    and region makes of a path; `domain` knows a custom domain by its name or by its target's."""

    def __init__(
        self,
        find: Callable[[str, str, Location], ResolvedHost],
        mapped: Callable[[str, str, str], MappedPath | None],
        domain: Callable[[str], InRegion | None],
    ) -> None:
        self._find, self._mapped, self._domain = find, mapped, domain

    def locate(self, host: str, path: str, place: Location) -> Reached | Unreached:
        """Where a request to `host` ends up, sent by a checker at `place`."""
        named = _endpoint(host, path)
        if named is not None:
            return named
        found = self._find(host, "A", place)
        if found.rcode == "NOERROR" and found.region:
            return self._by_domain(host, found.region, path) or _endpoint(found.target, path) or Unreached(FORBIDDEN)
        if found.rcode == "NOERROR" and found.target:
            return Unreached(NO_CONNECTION)
        domain = self._domain(host) if found.rcode == "REFUSED" else None
        if domain is not None:
            return self._by_domain(host, domain.region, path) or Unreached(FORBIDDEN)
        return Unreached(DNS_FAILED.format(why=RCODES.get(found.rcode, "No answers")))

    def _by_domain(self, host: str, region: str, path: str) -> Reached | None:
        mapped = self._mapped(host, region, path)
        if mapped is None:
            return None
        stage = f"/{mapped.stage}" if mapped.stage else ""
        return Reached(f"{mapped.api}.execute-api.{region}.localhost", stage + mapped.path)


def _endpoint(host: str, path: str) -> Reached | None:
    found = _ENDPOINT.fullmatch(host)
    return Reached(f"{found['api']}.execute-api.{found['region']}.localhost", path) if found else None
