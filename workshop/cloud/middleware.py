"""Around every call to a service: faults, API Gateway's rate limits, and an error instead of a crash.

In: MiniStack's service handlers. Out: the same handlers with this around them.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from workshop.cloud.connections import TOUCHED
from workshop.cloud.disk import Disk
from workshop.cloud.fault_registry import FaultRegistry, ServiceCall, error_response, shaped_error
from workshop.cloud.json_bodies import UNREADABLE, is_unreadable
from workshop.cloud.responses import Response, refusal
from workshop.cloud.service_models import describe_call
from workshop.cloud.timing import Timing
from workshop.cloud.unsaved import may_change, unsaved
from workshop.cloud.write_log import WriteLog

__all__ = ["ServiceMiddleware"]

logger = logging.getLogger("workshop.cloud")

Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Any]]
RATE_LIMITED = {
    "CreateRestApi": ("POST", r"/restapis/?"),
    "DeleteRestApi": ("DELETE", r"/restapis/[^/]+"),
    "PutRestApi": ("PUT", r"/restapis/[^/]+"),
    "CreateDeployment": ("POST", r"/restapis/[^/]+/deployments/?"),
    "CreateDomainName": ("POST", r"/domainnames/?"),
    "DeleteDomainName": ("DELETE", r"/domainnames/[^/]+"),
    "UpdateDomainName": ("PATCH", r"/domainnames/[^/]+"),
    "UpdateAccount": ("PATCH", r"/account/?"),
}
"""Operations with a minimum interval, by method and path."""
MALFORMED = (AttributeError, TypeError, KeyError, ValueError, IndexError)
"""What MiniStack raises when a request holds a value of the wrong type."""
WRONG_TYPE = "A value of the request has the wrong type."
NOT_JSON = "The body of the request cannot be read: it is no JSON object, or is nested too deeply."
UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EBUSY})
"""Why a file cannot be written: the disk is full, read-only or broken, or the folder is no longer ours to write."""


class ServiceMiddleware:
    """`here` returns account and region of the current request; `drop` closes its connection; `states` returns the names of the
    saved states that a service's calls may change, None for any. `save_tables`, once it is set, returns when every table that was
    written to is saved."""

    def __init__(
        self,
        faults: FaultRegistry,
        timing: Timing,
        here: Callable[[], tuple[str, str]],
        drop: Callable[[], None],
        states: Callable[[str], frozenset[str] | None],
        log: WriteLog,
        disk: Disk,
    ) -> None:
        self._log, self._disk = log, disk
        self.save_tables: Callable[[], Awaitable[None]] | None = None
        self._faults, self._timing, self._here, self._drop, self._states = faults, timing, here, drop, states
        self._last: dict[tuple[str, str, str], float] = {}

    def wrap_all(self, handlers: MutableMapping[str, Handler]) -> None:
        for name, handler in list(handlers.items()):
            handlers[name] = self._around(name, handler)

    async def inject(self, call: ServiceCall) -> tuple[Response | None, bool]:
        """Apply the faults that match a call, before it is handled. Returns the response that replaces it, or None, and whether
        its own response is to be lost."""
        lost = False
        for fault in self._faults.matching(call):
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds)
            elif fault.kind == "drop-after":
                lost = True
            elif fault.kind == "drop-before":
                self._drop()
                return refusal(500, "ConnectionLost", "The connection is closed; this is never read."), False
            else:
                return error_response(fault, call.protocol), False
        return None, lost

    def has_faults(self) -> bool:
        return len(self._faults) > 0

    def drop_connection(self) -> None:
        """Close the connection of the current request."""
        self._drop()

    def acquire(self, operation: str) -> float:
        """Take the next slot of an operation in the current account and region: 0 when it is free, or the seconds until it is.

        An operation without a minimum interval always gets 0.
        """
        interval, now = self._timing.min_interval(operation), time.monotonic()
        key = (*self._here(), operation)
        wait = self._last.get(key, -interval) + interval - now
        if not interval or wait <= 0:
            self._last[key] = now
            return 0.0
        return wait

    def _around(self, service: str, handler: Handler) -> Handler:
        async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
            def describe() -> ServiceCall:
                return describe_call(service, self._here()[1], method, path, headers, body, query)

            lost = False
            if is_unreadable(service, path, headers, body, query):
                return refusal(400, "SerializationException", NOT_JSON)
            if self.has_faults():
                response, lost = await self.inject(describe())
                if response is not None:
                    return response
            if self._disk.is_failing and may_change(call := describe(), method, body):
                return unsaved(call, self._disk.message)
            if service == "apigateway":
                throttled = self._throttled(method, path)
                if throttled is not None:
                    return throttled
            try:
                result = await self._kept(service, handler, method, path, headers, body, query)
            except (*MALFORMED, RecursionError, OSError) as error:
                result = self._failed(error, describe())
            TOUCHED.set(self._states(service))
            if lost:
                self.drop_connection()
            return result

        return handle

    def _failed(self, error: Exception, call: ServiceCall) -> Response:
        """The response to a call that broke its service, or that could not be saved. Raises any other error again."""
        if isinstance(error, OSError):
            if error.errno not in UNWRITABLE:
                raise error
            self._disk.failed(error)
            logger.error("A call of %s cannot be saved: %s", call.service, error)
            return unsaved(call, self._disk.message)
        if isinstance(error, UNREADABLE):
            logger.warning("%s could not read a call of %s: %s", call.service, call.operation or "no operation", error)
            return shaped_error(call.protocol, "SerializationException", NOT_JSON, 400)
        logger.warning("%s could not read a call of %s", call.service, call.operation or "no operation", exc_info=error)
        return shaped_error(call.protocol, "SerializationException", WRONG_TYPE, 400)

    async def _kept(self, service: str, handler: Handler, *call: Any) -> Any:
        """Respond only once the call's writes to items are where the end of this process does not reach them, whichever service
        made them. Raises `OSError` when they cannot be."""
        if service == "dynamodb":
            with self._log.call():
                result = await handler(*call)
        else:
            result = await handler(*call)
        if self._log.needs_save and self.save_tables is not None:
            await self.save_tables()
        return result

    def _throttled(self, method: str, path: str) -> Response | None:
        """API Gateway's control plane accepts some calls once per so many seconds, per account and region
        (docs/aws-behaviours.md, section 5)."""
        operation = next((name for name, (verb, way) in RATE_LIMITED.items() if verb == method and re.fullmatch(way, path)), "")
        wait = self.acquire(operation)
        if not wait:
            return None
        status, headers, body = refusal(429, "TooManyRequestsException", "Too Many Requests", "application/json")
        return status, {**headers, "Retry-After": str(max(1, round(wait)))}, body
