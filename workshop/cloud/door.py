"""The outermost layer: who may call, which part answers, how large a request may be.

What comes in: every request to the one port. What goes out: our own pages and controls, or the request handed to MiniStack with
an API's host name turned into the path form that it knows. A request that breaks something costs its caller an error, never
the server its life.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workshop.cloud.connections import CLIENT, TOUCHED
from workshop.cloud.control import Control
from workshop.cloud.fault_registry import ServiceCall
from workshop.cloud.hosts import ApiHost, api_host, is_foreign_page, is_loopback_host
from workshop.cloud.middleware import ServiceMiddleware
from workshop.cloud.responses import Asgi, Receive, Scope, Send, refusal, respond
from workshop.cloud.responses import Response as Answer
from workshop.cloud.sites import serve_site

__all__ = ["BODY_BYTES", "Door"]

logger = logging.getLogger("workshop.cloud")

BODY_BYTES = 256 * 1024 * 1024
"""The largest request of any kind: above the largest single upload that a workshop makes, below what a laptop can hold."""
SITES = "/_workshop/sites/"
OWN = "/_workshop/"
ADMIN = "/_ministack/"
FORBIDDEN = b'{"message":"Forbidden"}'
API_STATES = ("lambda", "cloudwatch", "cloudwatch_logs")
READING = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet")
_API_PATH = re.compile(r"/_aws/execute-api/(?P<api>[^/]*)|/restapis/(?P<legacy>[^/]+)/[^/]+/_user_request_")


class _TooLarge(Exception):
    pass


class Door:
    """The ASGI application. `scope_of` answers (account, region) of an API id, or None; `changed` hears what may have changed."""

    def __init__(
        self,
        inner: Asgi,
        control: Control,
        sites: Path,
        calls: ServiceMiddleware,
        scope_of: Callable[[str], tuple[str, str] | None],
        changed: Callable[[Iterable[str] | None], None],
    ) -> None:
        self._inner, self._control, self._sites, self._calls = inner, control, sites, calls
        self._scope_of, self._changed = scope_of, changed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and not self._is_welcome(_headers(scope), api=True):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        CLIENT.set(tuple(scope["client"][:2]) if scope.get("client") else None)
        headers, path = _headers(scope), str(scope["path"])
        host = api_host(headers.get("host", ""))
        api = host is not None or _API_PATH.match(path) is not None
        if not self._is_welcome(headers, api=api or path.startswith(SITES)):
            await respond(send, _unwelcome(headers))
            return
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > BODY_BYTES:
            await respond(send, _too_large())
            return
        if api and not self._is_known(host, path):
            await respond(send, (403, {"Content-Type": "application/json", "x-amzn-ErrorType": "ForbiddenException"}, FORBIDDEN))
            return
        if host is not None:
            scope = _as_path(scope, host.api)
        elif path.startswith(SITES):
            relative = _raw_path(scope)[len(SITES) :]
            await respond(send, serve_site(self._sites, scope["method"], relative, headers))
            return
        elif path.startswith(OWN):
            await respond(send, await self._control.answer(scope["method"], path, await _body(receive)))
            return
        elif path == ADMIN + "reset":
            await respond(send, await self._control.answer(scope["method"], "/_workshop/reset", b""))
            return
        if api and self._calls.has_faults():
            kept = await self._struck(scope, send)
            if kept is None:
                return
            send = kept
        TOUCHED.set(None)
        await self._hand_over(scope, receive, send)
        if api:
            self._changed(API_STATES)
        elif not _only_reads(scope["method"], headers.get("x-amz-target", "")):
            self._changed(TOUCHED.get())

    def _is_known(self, host: ApiHost | None, path: str) -> bool:
        """Whether there is such an API, in the region that its host name says."""
        if host is not None:
            found = self._scope_of(host.api)
            return found is not None and host.region in ("", found[1])
        named = _API_PATH.match(path)
        return named is not None and self._scope_of(named["api"] or named["legacy"] or "") is not None

    async def _struck(self, scope: Scope, send: Send) -> Send | None:
        """Faults on calls of an API. Answers where its answer goes, or None when there is nothing left to do."""
        named = _API_PATH.match(scope["path"])
        found = self._scope_of(named["api"]) if named else None
        answer, lost = await self._calls.inject(ServiceCall("execute-api", scope["method"], found[1] if found else "", "rest"))
        if answer is not None:
            await respond(send, answer)
            return None
        return self._lost if lost else send

    async def _lost(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._calls.drop_connection()

    def _is_welcome(self, headers: dict[str, str], *, api: bool) -> bool:
        if not is_loopback_host(headers.get("host", "")):
            return False
        return api or not is_foreign_page(headers.get("origin", ""), headers.get("sec-fetch-site", ""))

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


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}


def _only_reads(method: str, target: str) -> bool:
    """Whether a request cannot have changed anything; in doubt it may have."""
    return target.rpartition(".")[2].startswith(READING) if target else method in ("GET", "HEAD", "OPTIONS")


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return raw.decode("latin-1").split("?", 1)[0]


def _as_path(scope: Scope, api: str) -> Scope:
    """The same request in the path form; the Host header stays, as the function sees it on AWS."""
    front = f"/_aws/execute-api/{api}"
    return {**scope, "path": front + scope["path"], "raw_path": (front + _raw_path(scope)).encode("latin-1")}


async def _body(receive: Receive) -> bytes:
    parts = b""
    while len(parts) <= 1_000_000:
        message = await receive()
        parts += message.get("body", b"")
        if not message.get("more_body"):
            break
    return parts


def _unwelcome(headers: dict[str, str]) -> Answer:
    if not is_loopback_host(headers.get("host", "")):
        return refusal(421, "MisdirectedRequest", "The local cloud answers 127.0.0.1, localhost and names below localhost only.")
    return refusal(403, "AccessDeniedException", "The local cloud does not answer pages from elsewhere.")


def _too_large() -> Answer:
    return refusal(413, "RequestEntityTooLarge", f"A request to the local cloud may have up to {BODY_BYTES} bytes.")
