"""The open connections, so that one can be cut in the middle of a request, and what is known of the request at hand.

What comes in: hypercorn's connection class. What goes out: `drop`, which closes a client's connection without an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from workshop.cloud.patches import patch

__all__ = ["CLIENT", "TOUCHED", "Connections"]

CLIENT: ContextVar[tuple[str, int] | None] = ContextVar("client", default=None)
"""Address and port of the client whose request is being answered."""
TOUCHED: ContextVar[frozenset[str] | None] = ContextVar("touched", default=None)
"""Which services' states the request may have changed; None: any."""


class Connections:
    """Knows every connection between its opening and its end."""

    def __init__(self, server: Any) -> None:
        self._open: dict[tuple[str, int], Any] = {}
        patch(server, "run", self._noting)

    def drop(self) -> None:
        """Close the connection of the request at hand, at once and without a word."""
        client = CLIENT.get()
        writer = self._open.get(client) if client else None
        if writer is not None:
            writer.transport.abort()

    def _noting(self, original: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        opened = self._open

        async def run(server: Any) -> None:
            client = tuple((server.writer.get_extra_info("peername") or ("", 0))[:2])
            opened[client] = server.writer
            try:
                await original(server)
            finally:
                opened.pop(client, None)

        return run
