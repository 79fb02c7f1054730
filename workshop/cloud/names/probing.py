"""One request of one health checker, made inside this process through the cloud's own application.

In: a check, and the region of the checker. Out: whether it passed, in the words of Route 53, and how long it took. Faults,
throttled functions and gateways apply, because the request takes the way of any other; nothing outside this cloud is ever called.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from workshop.cloud.domain_targets import ApiTarget, api_behind
from workshop.cloud.hosts import endpoint_host
from workshop.cloud.names.checks import CheckConfig
from workshop.cloud.names.lookup import ResolvedName
from workshop.cloud.names.places import DEFAULT, Location, place_named
from workshop.cloud.responses import Asgi

__all__ = ["FORBIDDEN", "NO_CONNECTION", "UNREACHED", "CheckTarget", "ProbeResult", "Prober", "Reach", "Reached"]

RESPONSE_SECONDS, BODY_SECONDS = 2.0, 2.0
"""From the connection to the status, and from there to the end of what is searched (docs/aws-behaviours.md, section 6.3).
The four seconds for a connection cannot pass within one process. Real seconds in every profile: functions take real time."""
SEARCHED_BYTES = 5120
PATH_CHARACTERS = "/%:@!$&'()*+,;=~"
"""What a path may contain as it is (RFC 3986), escapes included."""
AGENT = "Amazon-Route53-Health-Check-Service (ref {check}; report http://amzn.to/1vsZADi)"
NO_CONNECTION = "Failure: The health checker could not establish a connection within the timeout limit."
FORBIDDEN = "Failure: HTTP Status Code 403, Forbidden"
RCODES = {"NXDOMAIN": "Rcode NXDomain(3)", "REFUSED": "Rcode Refused(5)"}
NO_RESPONSE = "Failure: The endpoint did not respond to the health check request within the timeout limit."
STATUSES = frozenset(HTTPStatus)


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """What is requested, and the region and the address of the checker that does it."""

    check: CheckConfig
    region: str
    ip: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a request ended with. Times are in seconds, None for what did not happen."""

    ok: bool
    text: str
    connection: float | None = None
    first_byte: float | None = None


UNREACHED = ProbeResult(False, NO_CONNECTION)


class Reached(NamedTuple):
    """An API of this cloud: its own host name and the path that is requested there."""

    host: str
    path: str


class Reach:
    """Which API of this cloud is reached under a host name. `find` asks DNS, by name, type and place; `mapped` returns what the
    custom domain of a name and region ("" for any) makes of a path."""

    def __init__(
        self, find: Callable[[str, str, Location], ResolvedName], mapped: Callable[[str, str, str], ApiTarget | None]
    ) -> None:
        self._find, self._mapped = find, mapped

    def locate(self, host: str, path: str, place: Location) -> Reached | str:
        """Where a request to `host` ends up, sent by a checker at `place`; or why one on AWS would not get that far."""
        if endpoint := endpoint_host(host):
            return Reached(f"{endpoint.api}.execute-api.{endpoint.region}.localhost", path)
        found = self._find(host, "A", place)
        if found.rcode == "NOERROR" and found.region:
            api = api_behind(self._mapped, host, found.region, found.target, path)
            return Reached(f"{api[0]}.execute-api.{found.region}.localhost", api[1]) if api else FORBIDDEN
        if found.rcode == "NOERROR" and found.target:
            return NO_CONNECTION
        domain = self._mapped(host, "", path) if found.rcode == "REFUSED" else None
        if domain is not None:
            return Reached(f"{domain.api}.execute-api.{domain.region}.localhost", domain.staged_path)
        return f"Failure: DNS resolution failed: {RCODES.get(found.rcode, 'No answers')}"


class Prober:
    """`app` is the cloud's outermost layer; `locate` returns where a request to a host and a path ends up."""

    def __init__(
        self, app: Asgi, locate: Callable[[str, str, Location], Reached | str], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app, self._locate, self._clock = app, locate, clock
        self._calls: set[asyncio.Task[None]] = set()

    async def __call__(self, target: CheckTarget) -> ProbeResult:
        """The result of one request."""
        began, check = self._clock(), target.check
        if check.ip and not ipaddress.ip_address(check.ip).is_loopback:
            return UNREACHED
        host = check.host or check.ip
        found = self._locate(host, check.path, place_named(target.region) or DEFAULT)
        if isinstance(found, str):
            return ProbeResult(False, found)
        if not _listens(check):
            return UNREACHED
        connection = self._clock() - began
        if check.type == "TCP":
            return ProbeResult(True, "Success: TCP connection established", connection)
        if check.type.startswith("HTTPS") and not check.sni:
            return ProbeResult(False, "Failure: SSL alert handshake_failure", connection)
        exchange = _Exchange(self._clock)
        call = asyncio.create_task(self._call(found, target, exchange))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        ok, text = await _passed(exchange, check)
        return ProbeResult(ok, text, connection, exchange.first_byte and exchange.first_byte - began)

    async def finish(self, within: float) -> None:
        """Return once no request is under way any more, or after so many seconds. Before a reset: a function that still runs
        would write its log into the emptied cloud."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=within)

    async def _call(self, found: Reached, target: CheckTarget, exchange: _Exchange) -> None:
        """Runs to its end even when nobody waits for it any more, as a function does whose client has gone."""
        try:
            await self._app(_scope(found, target), exchange.receive, exchange.send)
        finally:
            exchange.end()


class _Exchange:
    """Both ends of one request: what the application reads, and what it sends."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.status, self.body = 0, b""
        self.first_byte: float | None = None
        self._clock = clock
        self.responded, self.ended, self._searchable = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._asked = False

    async def receive(self) -> dict[str, Any]:
        if self._asked:
            await self.ended.wait()
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.first_byte = message["status"], self._clock()
            self.responded.set()
        elif len(self.body) < SEARCHED_BYTES:
            self.body += message.get("body", b"")
        if len(self.body) >= SEARCHED_BYTES or (message["type"] == "http.response.body" and not message.get("more_body")):
            self._searchable.set()

    def end(self) -> None:
        for event in (self.responded, self._searchable, self.ended):
            event.set()

    async def read(self) -> bytes:
        """The part of the body that is searched, or what of it came in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BODY_SECONDS):
                await self._searchable.wait()
        return self.body[:SEARCHED_BYTES]


async def _passed(exchange: _Exchange, check: CheckConfig) -> tuple[bool, str]:
    """Whether the response passes, and the text that says so."""
    try:
        async with asyncio.timeout(RESPONSE_SECONDS):
            await exchange.responded.wait()
    except TimeoutError:
        return False, NO_RESPONSE
    if not exchange.status:
        return False, "Failure: The endpoint closed the connection without a response."
    status = f"{exchange.status}, {HTTPStatus(exchange.status).phrase}" if exchange.status in STATUSES else str(exchange.status)
    if not 200 <= exchange.status < 400:
        return False, f"Failure: HTTP Status Code {status}"
    if check.type.endswith("STR_MATCH") and check.search.encode() not in await exchange.read():
        return False, f"Failure: HTTP Status Code {status}. The specified string was not found in the response body."
    return True, f"Success: HTTP Status Code {status}"


def _listens(check: CheckConfig) -> bool:
    """Whether something listens on the check's port, for its protocol. API Gateway has HTTPS on port 443 and nothing else; below
    `.localhost` the cloud's one port stands for any, without TLS."""
    encrypted = check.type in ("TCP", "HTTPS", "HTTPS_STR_MATCH")
    return check.host.endswith(".localhost") or (encrypted and check.port == 443)


def _scope(found: Reached, target: CheckTarget) -> dict[str, Any]:
    path, _, query = found.path.partition("?")
    headers = {"host": found.host, "user-agent": AGENT.format(check=target.check.id), "accept": "*/*", "connection": "close"}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": quote(path, safe=PATH_CHARACTERS).encode(),
        "query_string": quote(query, safe=f"{PATH_CHARACTERS}?").encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "client": (target.ip, 0),
        "server": ("127.0.0.1", 0),
    }
