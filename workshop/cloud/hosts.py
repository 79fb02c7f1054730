"""Who may call: loopback names only, and no web page of a stranger.

What comes in: Host, Origin and Sec-Fetch-Site of a request. What goes out: yes or no, and the API that a host name means.
The cloud runs code that it is given (functions), so a page in the user's browser must not reach it by a name that somebody
points at 127.0.0.1 (DNS rebinding) nor by a cross-site request; the workshop's own APIs answer every page, as on AWS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["ApiHost", "api_host", "is_foreign_page", "is_loopback_host"]

_HOST = re.compile(r"(?P<name>\[[0-9a-f:]+\]|[a-z0-9._-]+?)\.?(?::\d{1,5})?", re.IGNORECASE)
_API = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.(?:(?P<region>[a-z0-9-]+)\.)?localhost", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ApiHost:
    """An API addressed by host name; `region` is "" in MiniStack's own short form."""

    api: str
    region: str


def _name(host: str) -> str:
    found = _HOST.fullmatch(host.strip())
    return found["name"].lower() if found else ""


def is_loopback_host(host: str) -> bool:
    name = _name(host)
    return name in ("127.0.0.1", "localhost", "[::1]") or name.endswith(".localhost")


def is_foreign_page(origin: str, fetch_site: str) -> bool:
    """Whether a browser sent this on behalf of a page that was not served from this machine."""
    if origin:
        return origin == "null" or not is_loopback_host(urlsplit(origin).netloc)
    return fetch_site == "cross-site"


def api_host(host: str) -> ApiHost | None:
    """The API and region of `{api}.execute-api.{region}.localhost`, or None for any other host."""
    found = _API.fullmatch(_name(host))
    return ApiHost(found["api"].lower(), (found["region"] or "").lower()) if found else None
