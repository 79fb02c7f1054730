"""Answers of our own layer, in shapes that AWS clients and browsers understand.

What comes in: a status, a code, a text. What goes out: ASGI messages. It decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

__all__ = ["Answer", "Asgi", "Receive", "Scope", "Send", "document", "refusal", "respond"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body: the shape that MiniStack's service handlers answer in too."""


def document(content: Mapping[str, Any], status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json", "Cache-Control": "no-store"}, json.dumps(content).encode()


def refusal(status: int, code: str, message: str, media: str = "application/x-amz-json-1.0") -> Answer:
    """An error that AWS clients of the JSON and REST protocols read as `code` and `message`."""
    body = json.dumps({"__type": code, "message": message}, ensure_ascii=False).encode()
    return status, {"Content-Type": media, "x-amzn-ErrorType": code}, body


async def respond(send: Send, answer: Answer) -> None:
    status, headers, body = answer
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    if not any(name == b"content-length" for name, _ in raw):
        raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
