"""The open connections: whose they are, how many there may be, and how one is cut in the middle of a request.

In: hypercorn's connection class. Out: connections of this user's processes alone, each closed as soon as its client has closed
it, and `drop`, which closes a client's connection without a response.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from workshop.cloud.patches import patch
from workshop.cloud.peers import Address, peer_uid

__all__ = ["CLIENT", "TOUCHED", "Connection", "Connections", "raise_descriptor_limit"]

Connection = tuple[Address, Address]
"""The client's address and port, and those that it connected to: two connections to two addresses of the cloud may have one
port."""
CLIENT: ContextVar[Connection | None] = ContextVar("client", default=None)
"""The connection of the client whose request is being served."""
TOUCHED: ContextVar[frozenset[str] | None] = ContextVar("touched", default=None)
"""Which services' states the request may have changed; None: any."""
MOST_DESCRIPTORS = 10_240
"""The soft limit that is asked for: the most that macOS takes, and far above what a workshop needs."""
KEPT_DESCRIPTORS = 128
"""Descriptors that connections leave for files, pipes of functions and the emulator's own clients."""
GOODBYE_SECONDS = 1.0
MOST_TURNED_AWAY = 32


class Connections:
    """Knows every connection between its opening and its end. `others` lets processes of other users in."""

    def __init__(self, server: Any, *, most: int, others: bool = False) -> None:
        self.others = others
        self._most = most
        self._user = os.geteuid()
        self._open: dict[Connection, Any] = {}
        self._turned_away = 0
        patch(server, "run", self._accepting)
        patch(server, "_read_data", _ending_with_the_client)

    def drop(self) -> None:
        """Close the connection of the request at hand, at once and without a word."""
        client = CLIENT.get()
        writer = self._open.get(client) if client else None
        if writer is not None:
            writer.transport.abort()

    def _accepting(self, original: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        async def run(server: Any) -> None:
            client = _address(server.writer, "peername"), _address(server.writer, "sockname")
            if not self.others and peer_uid(*client) != self._user:
                await self._turn_away(server)
                return
            if len(self._open) >= self._most:
                server.writer.transport.abort()
                return
            self._open[client] = server.writer
            try:
                await original(server)
            finally:
                self._open.pop(client, None)

        return run

    async def _turn_away(self, server: Any) -> None:
        """Tell a process of another user why, as long as not too many are being told."""
        if self._turned_away >= MOST_TURNED_AWAY:
            server.writer.transport.abort()
            return
        self._turned_away += 1
        try:
            await _say_goodbye(server.reader, server.writer)
        finally:
            self._turned_away -= 1


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files as far as it is useful and allowed; returns how many connections fit below it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # a system with a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return max(16, (MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else min(soft, MOST_DESCRIPTORS)) - KEPT_DESCRIPTORS)


def _ending_with_the_client(original: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    """hypercorn keeps a connection whose client has gone until its keep-alive time is over; this ends the wait."""

    async def read(server: Any) -> None:
        await original(server)
        await server.idle_task.stop()

    return read


def _address(writer: Any, end: str) -> Address:
    address, port = (writer.get_extra_info(end) or ("", 0))[:2]
    return address, port


async def _say_goodbye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say why to a process of another user, and close. Nothing that it sends is looked at."""
    message = (
        "This local cloud serves processes of the user who started it. "
        "To open it to every user of the machine: workshop cloud start --allow-other-users"
    )
    body = json.dumps({"__type": "AccessDeniedException", "message": message}).encode()
    head = f"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    with contextlib.suppress(OSError, TimeoutError):
        writer.write(head.encode() + body)
        await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(GOODBYE_SECONDS):  # until it has read: a close with data unread would cut the message off
            while await reader.read(65_536):
                pass
    writer.close()
