"""Questions to name servers: to those of a zone, to public resolvers, to the name server of the local cloud.

In: a name, a type, servers. Out: an `Answer`, or a `DnsError`. By UDP, by TCP where the response does not fit, and where port 53
is blocked, through resolvers by HTTPS (RFC 8484): these keep answers for their TTL, so `Answer.via` shows it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from workshop.errors import WorkshopError

if TYPE_CHECKING:
    from workshop.aws.dns_messages import DnsResponse, Question

__all__ = ["PUBLIC_RESOLVERS", "Answer", "Authority", "Dns", "DnsError", "DnsTransport", "NameServer", "NetworkTransport"]

TIMEOUT = 2.0
"""Seconds for one attempt at one server."""
MOST_SERVERS = 3
"""How many servers are tried by UDP before port 53 counts as blocked."""
HTTPS_RESOLVERS = ("https://dns.google/dns-query", "https://cloudflare-dns.com/dns-query")
"""The first one passes a client subnet on, the second one does not."""
NOT_SERVED = ("SERVFAIL", "REFUSED", "NOTIMP")
"""What makes the next server worth a try."""


@dataclass(frozen=True, slots=True)
class NameServer:
    """`host` is a name or an address."""

    host: str
    port: int = 53

    def __str__(self) -> str:
        return self.host if self.port == 53 else f"{self.host}:{self.port}"


PUBLIC_RESOLVERS = (NameServer("1.1.1.1"), NameServer("8.8.8.8"), NameServer("9.9.9.9"))


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. `values` are empty where there are none of the type; `rcode` is as DNS writes it (NOERROR, NXDOMAIN).

    `ttl` is the least of the chain in seconds, `target` the last name to which CNAMEs lead (empty without any), `referral` the
    name servers to which the question was handed on; `via` is udp, tcp or https.
    """

    values: tuple[str, ...]
    ttl: int
    rcode: str
    target: str = ""
    referral: tuple[str, ...] = ()
    via: str = "udp"
    server: str = ""


class DnsError(WorkshopError):
    """No server responded; `blocked` when the servers were tried by UDP and TCP and resolvers by HTTPS do not know the name."""


class DnsTransport(Protocol):
    """How messages get there and back; raises `OSError` or `TimeoutError`."""

    async def udp(self, wire: bytes, server: NameServer, timeout: float) -> bytes: ...
    async def tcp(self, wire: bytes, server: NameServer, timeout: float) -> bytes: ...
    async def https(self, wire: bytes, url: str, timeout: float) -> bytes: ...


class Dns:
    """Asks, and remembers for its lifetime which servers did not respond and that port 53 is blocked here."""

    def __init__(self, transport: DnsTransport | None = None, https: Sequence[str] = HTTPS_RESOLVERS) -> None:
        self._transport: DnsTransport = transport or NetworkTransport()
        self._https, self._silent, self._heard = tuple(https), dict[NameServer, int](), False
        self.blocked = False
        """Whether port 53 was found to be blocked."""

    async def ask(
        self,
        name: str,
        kind: str,
        servers: Sequence[NameServer],
        *,
        timeout: float = TIMEOUT,
        client_subnet: str | None = None,
        recursive: bool = False,
    ) -> Answer:
        """One question to the first of the servers that knows.

        `client_subnet` (`198.51.100.0/24`) is where the asker claims to be.
        `timeout` is in seconds for each attempt; `recursive` is for resolvers. Raises `DnsError` when no server responds.
        """
        question = _question(name, kind, recursive=recursive, client_subnet=client_subnet or "")
        if not self.blocked:
            found = await self._by_port_53(question, servers, timeout)
            if found is not None:
                return found
        wanted = _question(name, kind, recursive=True, client_subnet=client_subnet or "")
        found = await self._by_https(wanted, timeout)
        if found is None:
            raise _no_answer(name, kind, servers, tried_https=bool(self._https))
        self.blocked = self.blocked or not self._heard
        return found

    async def responds(self, name: str, server: NameServer, timeout: float = TIMEOUT) -> bool:
        """Whether a server responds by UDP at all, whatever the response is; nothing is remembered of it."""
        return await self._udp(_question(name, "SOA", recursive=False, client_subnet=""), server, timeout) is not None

    async def _by_port_53(self, question: Question, servers: Sequence[NameServer], timeout: float) -> Answer | None:
        last: Answer | None = None
        ordered = sorted(servers, key=lambda server: self._silent.get(server, 0))[:MOST_SERVERS]
        for server in ordered:
            found = await self._udp(question, server, timeout)
            if found is not None and found.truncated:
                found = await self._tcp(question, server, timeout) or found
                last = _answer(found, "tcp", server)
            elif found is not None:
                last = _answer(found, "udp", server)
            if last is not None and last.rcode not in NOT_SERVED:
                return last
        if last is None:  # UDP alone may be blocked
            for server in ordered[:1]:
                found = await self._tcp(question, server, timeout)
                last = _answer(found, "tcp", server) if found is not None else None
        return last

    async def _udp(self, question: Question, server: NameServer, timeout: float) -> DnsResponse | None:
        with contextlib.suppress(OSError):  # a TimeoutError is one
            found = question.response(await self._transport.udp(question.wire, server, timeout))
            if found is not None:
                self._heard = True
                return found
        self._silent[server] = self._silent.get(server, 0) + 1
        return None

    async def _tcp(self, question: Question, server: NameServer, timeout: float) -> DnsResponse | None:
        with contextlib.suppress(OSError, EOFError):
            found = question.response(await self._transport.tcp(question.wire, server, timeout))
            self._heard = self._heard or found is not None
            return found
        return None

    async def _by_https(self, question: Question, timeout: float) -> Answer | None:
        last: Answer | None = None
        for url in self._https:
            with contextlib.suppress(OSError):
                found = question.response(await self._transport.https(question.wire, url, timeout))
                if found is not None:
                    last = _answer(found, "https", NameServer(url))
                    if last.rcode not in NOT_SERVED:
                        return last
        return last


@dataclass(frozen=True)
class Authority:
    """The name servers that decide about a zone: no resolver in between keeps their answers."""

    dns: Dns
    servers: tuple[NameServer, ...]

    async def query(self, name: str, kind: str = "A", source: str | None = None, *, timeout: float = TIMEOUT) -> Answer:
        """One question; `source` is the subnet in which the asker claims to be. Raises `DnsError`."""
        return await self.dns.ask(name, kind, self.servers, timeout=timeout, client_subnet=source)


class NetworkTransport:
    """Sockets of this machine, and its proxy settings for HTTPS."""

    async def udp(self, wire: bytes, server: NameServer, timeout: float) -> bytes:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout):
            # A connected socket takes datagrams of this server alone.
            transport, receiver = await loop.create_datagram_endpoint(
                lambda: _Receiver(wire[:2], loop.create_future()), remote_addr=(server.host, server.port)
            )
            try:
                transport.sendto(wire)
                return await receiver.response
            finally:
                transport.close()

    async def tcp(self, wire: bytes, server: NameServer, timeout: float) -> bytes:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(server.host, server.port)
            try:
                writer.write(len(wire).to_bytes(2, "big") + wire)
                await writer.drain()
                return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            finally:
                writer.close()

    async def https(self, wire: bytes, url: str, timeout: float) -> bytes:
        import httpx

        try:
            async with asyncio.timeout(timeout), httpx.AsyncClient(timeout=timeout) as client:
                headers = {"content-type": "application/dns-message", "accept": "application/dns-message"}
                response = await client.post(url, content=wire, headers=headers)
        except httpx.HTTPError as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        if response.status_code != 200:
            raise OSError(f"{url} responded with {response.status_code}")
        return response.content


class _Receiver(asyncio.DatagramProtocol):
    """Takes the first datagram with the id of the question; anything else is not for us."""

    def __init__(self, identity: bytes, response: asyncio.Future[bytes]) -> None:
        self._identity, self.response = identity, response

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
        if data[:2] == self._identity and not self.response.done():
            self.response.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.response.done():
            self.response.set_exception(exc)


def _question(name: str, kind: str, *, recursive: bool, client_subnet: str) -> Question:
    from workshop.aws.dns_messages import Question

    try:
        return Question(name, kind, recursive=recursive, client_subnet=client_subnet)
    except ValueError as error:
        raise WorkshopError(
            what=f"{name!r} cannot be looked up.", why=str(error), fix="Correct the name, or the subnet", code="BadName"
        ) from error


def _answer(found: DnsResponse, via: str, server: NameServer) -> Answer:
    return Answer(found.values, found.ttl, found.rcode, found.target, found.referral, via, str(server))


def _no_answer(name: str, kind: str, servers: Iterable[NameServer], *, tried_https: bool) -> DnsError:
    also = ", and neither do resolvers by HTTPS" if tried_https else ""
    return DnsError(
        what=f"No name server responds to the question for {name} ({kind}).",
        why=f"{', '.join(map(str, servers)) or 'None'} do not respond by UDP or TCP{also}.",
        fix="Check the network: port 53 may be blocked here (for the local cloud: workshop cloud status)",
        code="NoDnsAnswer",
    )
