"""The authoritative name server of the local cloud: DNS by UDP and TCP on one port of 127.0.0.1, for the public zones of every
account.

In: two bound sockets, and what responds to a message. Out: responses on these sockets. What is sent to it costs nobody but the
sender: a message that cannot be read, a connection that is silent, one connection too many.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

from workshop.cloud.names.messages import MOST_DATAGRAM, MOST_MESSAGE

__all__ = ["IDLE_SECONDS", "Authority", "serve_stream"]

logger = logging.getLogger("workshop.cloud")

IDLE_SECONDS = 10.0
MOST_CONNECTIONS = 64
MOST_QUERY = 4096
"""No query is longer; what claims to be is another protocol, such as HTTP."""


class Authority:
    """`respond` gets a message and `most`, the bytes of the response. `port` is 0 until it listens, and when it cannot."""

    def __init__(self, respond: Callable[..., bytes | None]) -> None:
        self._respond = respond
        self._open = 0
        self._closing: list[Callable[[], None]] = []
        self.port = 0

    async def start(self, datagrams: socket.socket, streams: socket.socket) -> None:
        """Serve on the two sockets, which are bound to the same port."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._safely), sock=datagrams)
        server = await asyncio.start_server(self._connection, sock=streams)
        self._closing = [transport.close, server.close]
        self.port = datagrams.getsockname()[1] if datagrams.fileno() >= 0 else streams.getsockname()[1]

    def close(self) -> None:
        for close in self._closing:
            close()
        self._closing = []

    def _safely(self, wire: bytes, most: int) -> bytes | None:
        """The response; a query that breaks the server gets none, and a line in the log."""
        try:
            return self._respond(wire, most=most)
        except Exception:
            logger.exception("DNS: a query failed.")
            return None

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._open += 1
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await serve_stream(self._safely, reader, writer)
        finally:
            self._open -= 1
            writer.close()


async def serve_stream(
    respond: Callable[[bytes, int], bytes | None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Respond to one query after the other, each with its length before it (RFC 1035, section 4.2.2; RFC 7766).

    Raises `TimeoutError` when nothing comes for a while, `IncompleteReadError` at the end.
    """
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            length = int.from_bytes(await reader.readexactly(2), "big")
            if length > MOST_QUERY:
                return
            response = respond(await reader.readexactly(length), MOST_MESSAGE)
            if response is None:
                return
            writer.write(len(response).to_bytes(2, "big") + response)
            await writer.drain()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, respond: Callable[[bytes, int], bytes | None]) -> None:
        self._respond = respond
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = self._respond(data, MOST_DATAGRAM)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)
