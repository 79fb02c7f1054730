"""The authoritative name server: DNS by UDP and TCP on one port of 127.0.0.1, for the public zones of every account.

In: two bound sockets, queries in wire format (RFC 1035, EDNS of RFC 6891, client subnet of RFC 7871). Out: responses. What is
sent to it costs its sender alone: a message that cannot be read, a connection that is silent, one connection too many.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
from collections.abc import Callable

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from workshop.cloud.names.choice import negative_ttl
from workshop.cloud.names.lookup import AnswerSet, Lookup, ResolvedName
from workshop.cloud.names.places import DEFAULT, Location, place_of_address
from workshop.cloud.names.records import plain_name
from workshop.cloud.timing import Timing

__all__ = ["IDLE_SECONDS", "MOST_DATAGRAM", "MOST_MESSAGE", "AuthoritativeServer", "Responder", "serve_stream"]

logger = logging.getLogger("workshop.cloud")

MOST_DATAGRAM = 1232
"""The largest response by UDP, whatever the asker allows: the size on which DNS Flag Day 2020 settled."""
LEAST_DATAGRAM = 512
MOST_MESSAGE = 65_535
RCODES = {"NXDOMAIN": dns.rcode.NXDOMAIN, "REFUSED": dns.rcode.REFUSED}
IDLE_SECONDS = 10.0
MOST_CONNECTIONS = 64
MOST_QUERY = 4096
"""No query is longer; what claims to be is another protocol, such as HTTP."""


class Responder:
    """`queries` counts what was answered."""

    def __init__(self, lookup: Lookup, timing: Timing) -> None:
        self._lookup, self._timing = lookup, timing
        self.queries = 0

    def respond(self, wire: bytes, *, most: int) -> bytes | None:
        """The response to one query, with at most `most` bytes: what does not fit is cut off and marked as truncated."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return _format_error(wire)
        if query.flags & dns.flags.QR:
            return None
        self.queries += 1
        response = dns.message.make_response(query)
        response.flags &= ~dns.flags.RA
        if most < MOST_MESSAGE:  # over UDP as much as the asker takes
            most = min(most, max(query.payload, LEAST_DATAGRAM)) if query.edns >= 0 else LEAST_DATAGRAM
        try:
            refused = _refused(query)
            if refused is None:
                self._fill(query, response)
            else:
                response.set_rcode(refused)
            return response.to_wire(max_size=most, prefer_truncation=True)
        except dns.exception.DNSException:  # a record whose value is none of its type: a state saved long ago may hold some
            logger.warning("DNS: the records of %s cannot be sent.", query.question[0].name, exc_info=True)
            failed = dns.message.make_response(query)
            failed.set_rcode(dns.rcode.SERVFAIL)
            return failed.to_wire()

    def _fill(self, query: dns.message.Message, response: dns.message.Message) -> None:
        """The answer to a question. To ANY it is every type at the name; CNAME alone where there is one."""
        question, place = query.question[0], _place(query, response)
        name, kinds = plain_name(question.name.to_text()), [dns.rdatatype.to_text(question.rdtype)]
        if question.rdtype == dns.rdatatype.ANY:
            zone = self._lookup.zone_of(name)
            kinds = sorted({record.type for record in zone.by_name.get(name, ())} if zone else ()) or ["A"]
        for kind in kinds:
            found = self._lookup.find(name, kind, place)
            self._add(response, self._lookup.endpoint(name, kind) if found.rcode == "REFUSED" else found)

    def _add(self, response: dns.message.Message, found: ResolvedName) -> None:
        response.set_rcode(RCODES.get(found.rcode, dns.rcode.NOERROR))
        if found.rcode == "REFERRAL":
            response.authority.extend(self._rrset(each) for each in found.answers)
            return
        if found.rcode != "REFUSED":
            response.flags |= dns.flags.AA
        response.answer.extend(self._rrset(each) for each in found.answers)
        if found.rcode in ("NXDOMAIN", "NODATA") and found.zone is not None:
            zone, ttl = found.zone, negative_ttl(found.zone)  # for so long a negative answer may be kept
            soa = (record.values for record in zone.records if (record.type, record.name) == ("SOA", zone.name))
            response.authority.extend(self._rrset(AnswerSet(zone.name, "SOA", ttl, values)) for values in soa)

    def _rrset(self, each: AnswerSet) -> dns.rrset.RRset:
        """With its TTL on the cloud's clock: DNS knows whole seconds only, and 0 would forbid to keep the answer. On the wire the
        name refers to the question, and so keeps its capital and small letters."""
        owner, ttl = dns.name.from_text(each.name), math.ceil(round(self._timing.names_seconds(each.ttl), 6))
        return dns.rrset.from_text_list(owner, ttl, "IN", each.type, each.values, origin=dns.name.root, relativize=False)


def _refused(query: dns.message.Message) -> dns.rcode.Rcode | None:
    """The error of a message that asks nothing this server can say; None for a question."""
    if query.opcode() != dns.opcode.QUERY:
        return dns.rcode.NOTIMP
    if query.edns > 0:
        return dns.rcode.BADVERS
    if len(query.question) != 1:
        return dns.rcode.FORMERR
    return None if query.question[0].rdclass == dns.rdataclass.IN else dns.rcode.REFUSED


def _place(query: dns.message.Message, response: dns.message.Message) -> Location:
    """Where the asker is: as its client subnet says, which is confirmed in the response."""
    for option in query.options:
        if isinstance(option, dns.edns.ECSOption):
            confirmed = dns.edns.ECSOption(option.address, option.srclen, option.srclen)
            response.use_edns(0, payload=MOST_DATAGRAM, options=[confirmed])
            return place_of_address(option.address)
    return DEFAULT


def _format_error(wire: bytes) -> bytes | None:
    """FORMERR under the query's own id, if there is that much of a message; a response is never answered."""
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    return wire[:2] + bytes((0x80 | (wire[2] & 0x79), dns.rcode.FORMERR)) + bytes(8)


class AuthoritativeServer:
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
