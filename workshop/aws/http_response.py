"""The HTTP response below a call, for what botocore does not say about a body that it cannot parse: its status.

In: a client of botocore. Out: the response that its last call of this thread received, before it was parsed; None when none
came. It is noted by botocore's event `before-parse` (docs/aws-behaviours.md, section 10.2).
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.parsers import ResponseParserError

__all__ = ["HttpResponse", "LastResponse"]

EXCERPT = 120
"""Characters of a foreign body that an error quotes."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What a server sent: AWS, or something between this machine and AWS."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def failed(self) -> bool:
        """The server could not serve the call (5xx): the same call may succeed in a moment."""
        return self.status >= 500

    @property
    def is_markup(self) -> bool:
        """The body is XML or a page."""
        return self.body.lstrip().startswith(b"<")

    @property
    def is_page(self) -> bool:
        """The body is HTML."""
        return self.body.lstrip()[:9].lower().startswith((b"<!doctype", b"<html"))

    @property
    def retry_after(self) -> str:
        """The header Retry-After; empty without one."""
        return next((value for name, value in self.headers.items() if name.lower() == "retry-after"), "")

    def description(self) -> str:
        """The status, and what there is instead of an error of AWS."""
        line = f"HTTP {self.status} {http.client.responses.get(self.status, '')}".rstrip()
        if not self.body.strip():
            return f"{line} without a body."
        text = " ".join(self.body.decode(errors="replace").split())
        quoted = "" if self.is_markup or not text.isprintable() else f": {text[:EXCERPT]}"
        return f"{line} with a body that is not AWS's{quoted or '.'}"


class LastResponse:
    """The last response of each thread: clients are shared by threads, and a call stays in its own."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def attach(self, client: Any) -> None:
        """Note every response that this client receives."""
        client.meta.events.register("before-parse", self._note)

    def clear(self) -> None:
        """Before a call: none has come."""
        self._of_thread.response = None

    def get(self) -> HttpResponse | None:
        """The response of the call that this thread made last."""
        response: HttpResponse | None = getattr(self._of_thread, "response", None)
        return response

    def _note(self, response_dict: Mapping[str, Any], operation_model: Any, **_: Any) -> None:
        body = response_dict.get("body")
        status, headers = int(response_dict["status_code"]), dict(response_dict["headers"])
        response = HttpResponse(status, headers, body if isinstance(body, bytes) else b"")
        self._of_thread.response = response
        expects_json = "json" in operation_model.service_model.resolved_protocol
        if status < 500 and (response.is_page or (expects_json and response.is_markup)):
            # Botocore takes it for an empty response, or for the message of an error of AWS.
            raise ResponseParserError(response.description())
