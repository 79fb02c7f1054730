"""A proxy in front of a cloud that makes a share of the calls fail, in the ways in which networks, proxies and AWS fail.

In: the port of the cloud, the share, a seed. Out: an address on loopback; how many calls of which kind failed. One connection
carries one call. Faults of the cloud itself are `workshop.cloud.faults`: they follow its services, these come from in between.
"""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections import Counter
from types import TracebackType

__all__ = ["FOREIGN_BODIES", "ChaosProxy"]

FOREIGN_BODIES = (
    b'{"message": "upstream is gone"}',
    b"<!doctype html><title>Bad gateway</title><p>Bad gateway",
    b"<html><body>Service Unavailable</body></html>",
    b"",
    bytes(range(256)),
    b"<ErrorResponse><Error><Code>Thrott",
    b"upstream connect error or disconnect/reset before headers",
)
SLOWEST = 0.6
"""Seconds that a slow response takes longer at most."""
XML = ("cloudformation", "iam", "sts", "s3")
SCOPE = re.compile(rb"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/aws4_request")


class ChaosProxy:
    """Serves while the block runs, in a thread of its own. `struck` counts the calls that failed, by kind."""

    def __init__(self, port: int, share: float, seed: int) -> None:
        self._port, self._share, self._random = port, share, random.Random(seed)
        self._faults = (self._foreign, self._own_error, self._throttled, self._closed_before, self._closed_after, self._slow)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.struck: Counter[str] = Counter()
        self.calls = 0
        self.url = ""

    def __enter__(self) -> ChaosProxy:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop).result(30)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        calls = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _request(reader, writer)
            self.calls += 1
            if self._random.random() < self._share:
                fault = self._random.choice(self._faults)
                self.struck[fault.__name__.strip("_")] += 1
                response = await fault(request)
            else:
                response = await self._forward(request)
            writer.write(response)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone, or the cloud: the client sees a closed connection
        finally:
            writer.close()

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    async def _foreign(self, request: bytes) -> bytes:
        return _response(self._random.choice((500, 502, 503, 504)), self._random.choice(FOREIGN_BODIES))

    async def _own_error(self, request: bytes) -> bytes:
        return _response(*_error(request, 500, "InternalFailure", "We encountered an internal error."))

    async def _throttled(self, request: bytes) -> bytes:
        return _response(*_error(request, 400, "ThrottlingException", "Rate exceeded"))

    async def _closed_before(self, request: bytes) -> bytes:
        return b""

    async def _closed_after(self, request: bytes) -> bytes:
        await self._forward(request)
        return b""

    async def _slow(self, request: bytes) -> bytes:
        await asyncio.sleep(self._random.uniform(0, SLOWEST))
        return await self._forward(request)


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """One request, changed so that the connection ends with its response."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith((b"connection:", b"expect:"))]
    named = dict(line.lower().split(b":", 1) for line in lines[1:])
    assert b"transfer-encoding" not in named, "no client of workshop sends chunks"
    if b"\r\nexpect:" in head.lower():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(int(named.get(b"content-length", b"0")))
    return b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body


def _error(request: bytes, status: int, code: str, message: str) -> tuple[int, bytes]:
    """An error in the protocol of the service that was called; a call without a signature is one of a workshop's own API."""
    scope = SCOPE.search(request)
    if scope is None:
        return 500, b'{"message": "Internal server error"}'
    if scope[1].decode() in XML:
        return status, f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode()
    return status, f'{{"__type": "{code}", "message": "{message}"}}'.encode()


def _response(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} Chaos\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
