"""The outermost layer: who may call, which part responds, how large a request may be.

In: every request to the one port. Out: our own pages and controls, or the request handed to MiniStack with an API's host name,
or a name that DNS routes to an API, turned into the path form that it knows. A request that breaks something costs its caller an
error, never the server its life.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workshop.cloud.connections import CLIENT, TOUCHED, Connection
from workshop.cloud.control import Control
from workshop.cloud.fault_registry import ServiceCall
from workshop.cloud.hosts import is_loopback_host
from workshop.cloud.middleware import ServiceMiddleware
from workshop.cloud.names.front_door import naming_region
from workshop.cloud.responses import Asgi, Receive, Response, Scope, Send, document, refusal, respond
from workshop.cloud.routes import (
    CONTROLS,
    LOGIN_PAGE,
    SITES,
    AddressParser,
    ApiAddress,
    Request,
    Route,
    RoutedHosts,
    allowed,
    route_of,
)
from workshop.cloud.sign_in import signing_in_at
from workshop.site_files import SECURITY_HEADERS, serve_site

__all__ = ["BODY_BYTES", "CloudApp"]

logger = logging.getLogger("workshop.cloud")

BODY_BYTES = 256 * 1024 * 1024
"""The largest request of any kind: above the largest single upload that a workshop makes, below what a laptop can hold."""
RESET = "/_ministack/reset"
AUTHORIZE = "/oauth2/authorize"
FORBIDDEN = b'{"message":"Forbidden"}'
API_STATES = ("lambda", "cloudwatch", "cloudwatch_logs")
READING = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet")
ONCE = frozenset({"host", "origin", "authorization", "x-amz-target", "content-length", "transfer-encoding"})
"""Headers that decide who asks for what. AWS clients and browsers send each once; two parsers would read two differently."""


class _TooLarge(Exception):
    pass


class _Ambiguous(Exception):
    pass


class CloudApp:
    """The ASGI application. `addresses` is the emulator's reading of addresses, `door` serves the names of hosted zones, `feed`
    is what the pages of a workshop show; `changed` is told what may have changed."""

    def __init__(
        self,
        inner: Asgi,
        control: Control,
        sites: Path,
        calls: ServiceMiddleware,
        addresses: AddressParser,
        changed: Callable[[Iterable[str] | None], None],
        door: RoutedHosts,
        feed: Callable[[], dict[str, Any]],
    ) -> None:
        self._inner, self._control, self._sites, self._calls = inner, control, sites, calls
        self._addresses, self._changed, self._door, self._feed = addresses, changed, door, feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        CLIENT.set(_connection(scope))
        try:
            request = _request(scope)
        except _Ambiguous as error:
            await _refuse(send, refusal(400, "BadRequest", f"The header {error} occurs more than once."))
            return
        if not is_loopback_host(request.host):
            await _refuse(send, MISDIRECTED)
            return
        passage = self._door.enter(request)
        route, api = route_of(request, self._addresses) if passage is None else (Route.API, passage.api)
        if not allowed(route, request):
            await _refuse(send, NOT_FOR_BROWSERS if request.from_browser else UNSIGNED_ACTION)
            return
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > BODY_BYTES:
            await _refuse(send, _too_large())
            return
        refused = passage.refused if passage is not None else None
        own = refused or await self._own(route, request, scope, receive)
        if own is not None:
            await respond(send, own)
            return
        if passage is not None and api is not None:
            send = naming_region(send, api.region, passage.source)
        await self._served(route, api, request, scope, receive, send)

    async def _served(
        self, route: Route, api: ApiAddress | None, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the emulator respond."""
        if api is not None:
            scope = _readdressed(scope, api)
            if self._calls.has_faults():
                kept = await self._struck(scope, api, send)
                if kept is None:
                    return
                send = kept
        TOUCHED.set(None)
        if route is Route.SIGN_IN:
            with signing_in_at(request.host):
                await self._hand_over(_at_sign_in(scope), receive, send)
        else:
            await self._hand_over(scope, receive, send)
        if api is not None:
            self._changed(API_STATES)
        elif not _only_reads(request):
            self._changed(TOUCHED.get())

    async def _own(self, route: Route, request: Request, scope: Scope, receive: Receive) -> Response | None:
        """The response of this layer itself, or None when the emulator has to give it."""
        match route:
            case Route.UNKNOWN_API:
                return 403, {"Content-Type": "application/json", "x-amzn-ErrorType": "ForbiddenException"}, FORBIDDEN
            case Route.PAGE:
                return serve_site(self._sites, request.method, _raw_path(scope)[len(SITES) :], request.headers)
            case Route.FEED:
                return self._fed(request)
            case Route.CONTROL if request.path.startswith(CONTROLS):
                return await self._control.answer(request.method, request.path, await _body(receive))
            case Route.CONTROL if request.path == RESET:
                return await self._control.answer(request.method, "/_workshop/reset", b"")
        return None

    def _fed(self, request: Request) -> Response:
        """What pages show about names, below the address of a workshop that has pages."""
        workshop = request.path[len(SITES) :].split("/", 1)[0]
        if request.method != "GET":
            return refusal(405, "MethodNotAllowed", "The feed is read by GET.", "application/json")
        if workshop in (".", "..") or not (self._sites / workshop).is_dir():
            return refusal(404, "NotFound", "There is no such workshop. Render its pages: workshop setup", "application/json")
        status, headers, body = document(self._feed())
        return status, {**headers, **SECURITY_HEADERS}, body

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Browsers may open a socket to an API that exists, whatever page they show; nothing else."""
        try:
            request = _request({**scope, "method": "GET"})
            welcome = is_loopback_host(request.host)
            passage = self._door.enter(request) if welcome else None
            route, api = route_of(request, self._addresses) if passage is None else (Route.API, passage.api)
            welcome = welcome and (api is not None or (passage is None and not request.from_browser))
        except _Ambiguous:
            welcome = False
        if not welcome or route is Route.UNKNOWN_API:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._inner(_readdressed(scope, api) if api else scope, receive, send)

    async def _struck(self, scope: Scope, api: ApiAddress, send: Send) -> Send | None:
        """Faults on calls of an API. Returns where its response goes, or None when there is nothing left to do."""
        answer, lost = await self._calls.inject(ServiceCall("execute-api", scope["method"], api.region, "rest"))
        if answer is not None:
            await respond(send, answer)
            return None
        return self._lost if lost else send

    async def _lost(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._calls.drop_connection()

    async def _hand_over(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, size = False, 0

        async def counted() -> dict[str, object]:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > BODY_BYTES:
                raise _TooLarge
            return message

        async def noted(message: dict[str, object]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._inner(scope, counted, noted)
        except _TooLarge:
            await respond(send, _too_large())
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            if not started:
                await respond(send, refusal(500, "InternalFailure", "The local cloud failed on this request; its log says why."))


def _request(scope: Scope) -> Request:
    headers: dict[str, str] = {}
    for raw, value in scope.get("headers", []):
        name = raw.decode("latin-1").lower()
        if name in headers and (name in ONCE or name.startswith("sec-fetch-")):
            raise _Ambiguous(name)
        headers[name] = value.decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    peer, here = ((scope.get(end) or ("127.0.0.1",))[0] for end in ("client", "server"))
    return Request(scope["method"], str(scope["path"]), query, headers, peer, here)


def _connection(scope: Scope) -> Connection | None:
    """The two ends of the connection that a request came by, None for a request of this process itself."""
    if not scope.get("client") or not scope.get("server"):
        return None
    return tuple(scope["client"][:2]), tuple(scope["server"][:2])


def _at_sign_in(scope: Scope) -> Scope:
    """The page `/login` is what `/oauth2/authorize` shows: MiniStack knows its form under the one address alone."""
    if (scope["method"], scope["path"]) != LOGIN_PAGE:
        return scope
    return {**scope, "path": AUTHORIZE, "raw_path": AUTHORIZE.encode()}


def _only_reads(request: Request) -> bool:
    """Whether a request cannot have changed anything; in doubt it may have."""
    target = request.headers.get("x-amz-target", "")
    return target.rpartition(".")[2].startswith(READING) if target else request.method in ("GET", "HEAD", "OPTIONS")


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return raw.decode("latin-1").split("?", 1)[0]


def _readdressed(scope: Scope, api: ApiAddress) -> Scope:
    """The same request in the path form; the Host header stays, as the function sees it on AWS."""
    front = api.path.removesuffix(scope["path"]) if api.path.endswith(scope["path"]) else None
    raw = quote(api.path) if front is None else front + _raw_path(scope)
    return {**scope, "path": api.path, "raw_path": raw.encode("latin-1")}


async def _body(receive: Receive) -> bytes:
    parts = b""
    while len(parts) <= 1_000_000:
        message = await receive()
        parts += message.get("body", b"")
        if not message.get("more_body"):
            break
    return parts


async def _refuse(send: Send, answer: Response) -> None:
    """A refusal ends its connection, so that a page that is refused over and over holds none open."""
    status, headers, body = answer
    await respond(send, (status, {**headers, "Connection": "close"}, body))


MISDIRECTED = refusal(421, "MisdirectedRequest", "The local cloud answers 127.0.0.1, localhost and names below localhost only.")
NOT_FOR_BROWSERS = refusal(
    403, "AccessDeniedException", "The local cloud serves browsers the APIs and pages of workshops only, not this."
)
UNSIGNED_ACTION = refusal(
    403, "MissingAuthenticationToken", "An Action by GET has to be signed in its headers; send an unsigned one by POST."
)


def _too_large() -> Response:
    return refusal(413, "RequestEntityTooLarge", f"A request to the local cloud may have up to {BODY_BYTES} bytes.")
