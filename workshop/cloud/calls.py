"""Around every call to a service: ordered faults, API Gateway's pace, and an error instead of a crash.

What comes in: MiniStack's service handlers. What goes out: the same handlers with this around them.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from workshop.cloud.answers import Answer, refusal
from workshop.cloud.connections import TOUCHED
from workshop.cloud.injection import Call, Faults, error_answer
from workshop.cloud.operations import describe_call
from workshop.cloud.pacing import Pacing

__all__ = ["Calls"]

logger = logging.getLogger("workshop.cloud")

Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Any]]
PACED = {
    "CreateRestApi": ("POST", r"/restapis/?"),
    "DeleteRestApi": ("DELETE", r"/restapis/[^/]+"),
    "PutRestApi": ("PUT", r"/restapis/[^/]+"),
    "CreateDeployment": ("POST", r"/restapis/[^/]+/deployments/?"),
    "CreateDomainName": ("POST", r"/domainnames/?"),
    "DeleteDomainName": ("DELETE", r"/domainnames/[^/]+"),
    "UpdateDomainName": ("PATCH", r"/domainnames/[^/]+"),
    "UpdateAccount": ("PATCH", r"/account/?"),
}
MALFORMED = (AttributeError, TypeError, KeyError, ValueError, IndexError)
"""What MiniStack runs into when a request holds a value of the wrong kind."""


class Calls:
    """`here` answers account and region of the request at hand; `drop` closes its connection; `states` names the states that
    a service's calls may change, None for any."""

    def __init__(
        self,
        faults: Faults,
        pacing: Pacing,
        here: Callable[[], tuple[str, str]],
        drop: Callable[[], None],
        states: Callable[[str], frozenset[str] | None],
    ) -> None:
        self._faults, self._pacing, self._here, self._drop, self._states = faults, pacing, here, drop, states
        self._last: dict[tuple[str, str, str], float] = {}

    def wrap_all(self, handlers: MutableMapping[str, Handler]) -> None:
        for name, handler in list(handlers.items()):
            handlers[name] = self._around(name, handler)

    async def strike(self, call: Call) -> tuple[Answer | None, bool]:
        """Let faults strike before a call: the answer that replaces it, and whether its own answer is to be lost."""
        lost = False
        for fault in self._faults.striking(call):
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds)
            elif fault.kind == "drop-after":
                lost = True
            elif fault.kind == "drop-before":
                self._drop()
                return refusal(500, "ConnectionLost", "Nobody reads this."), False
            else:
                return error_answer(fault, call.protocol), False
        return None, lost

    def anything_ordered(self) -> bool:
        return len(self._faults) > 0

    def lose(self) -> None:
        """Close the connection of the request at hand."""
        self._drop()

    def _around(self, service: str, handler: Handler) -> Handler:
        async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
            lost = False
            if len(self._faults):
                call = describe_call(service, self._here()[1], method, path, headers, body, query)
                answer, lost = await self.strike(call)
                if answer is not None:
                    return answer
            if service == "apigateway":
                refused = self._too_fast(method, path)
                if refused is not None:
                    return refused
            try:
                result = await handler(method, path, headers, body, query)
            except MALFORMED:
                logger.warning("%s could not read %s %s", service, method, path, exc_info=True)
                result = refusal(400, "SerializationException", "The request holds a value of a kind that does not belong there.")
            TOUCHED.set(self._states(service))
            if lost:
                self.lose()
            return result

        return handle

    def turn(self, operation: str) -> float:
        """Take this operation's turn in the account and region at hand: 0, or the seconds until it comes."""
        gap, now = self._pacing.gap(operation), time.monotonic()
        key = (*self._here(), operation)
        wait = self._last.get(key, -gap) + gap - now
        if not gap or wait <= 0:
            self._last[key] = now
            return 0.0
        return wait

    def _too_fast(self, method: str, path: str) -> Answer | None:
        """API Gateway's control plane lets some calls through once per so many seconds, per account and region
        (docs/aws-behaviours.md, section 5)."""
        operation = next((name for name, (verb, way) in PACED.items() if verb == method and re.fullmatch(way, path)), "")
        wait = self.turn(operation)
        if not wait:
            return None
        status, headers, body = refusal(429, "TooManyRequestsException", "Too Many Requests", "application/json")
        return status, {**headers, "Retry-After": str(max(1, round(wait)))}, body
