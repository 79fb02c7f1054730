"""HTTP responses of our own layer, in shapes that AWS clients and browsers understand.

In: a status, a code, a text. Out: ASGI messages. It makes no decisions.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

__all__ = ["Asgi", "Receive", "Response", "Scope", "Send", "document", "refusal", "respond"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Response = tuple[int, dict[str, str], bytes]
"""Status, headers, body: the shape that MiniStack's service handlers return too."""


def document(content: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON document that is never cached."""
    return status, {"Content-Type": "application/json", "Cache-Control": "no-store"}, json.dumps(content).encode()


def refusal(status: int, code: str, message: str, media: str = "application/x-amz-json-1.0") -> Response:
    """An error that AWS clients of the JSON and REST protocols read as `code` and `message`."""
    body = json.dumps({"__type": code, "message": message}, ensure_ascii=False).encode()
    return status, {"Content-Type": media, "x-amzn-ErrorType": code}, body


async def respond(send: Send, response: Response) -> None:
    """Send the response as ASGI messages, with a Content-Length unless it has one."""
    status, headers, body = response
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    if not any(name == b"content-length" for name, _ in raw):
        raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
