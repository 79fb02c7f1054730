"""The name servers of the world in the tests' virtual time: what resolvers know, what a parent hands on, the zones' own servers.

In: messages as `workshop.aws.dns` sends them. Out: responses, or what a network does instead: nothing, for as long as one waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from workshop.aws.dns import NameServer

__all__ = ["FakeInternet"]


@dataclass
class FakeInternet:
    """A `DnsTransport`. `own` responds for the zones' own servers, those whose name begins with `ns-`.

    `known` is what resolvers (and every other server) answer by name and type; names that are not in it do not exist.
    `delegated` is what the servers of `parents` hand on, and all that they know.
    """

    own: Callable[[bytes], bytes] | None = None
    known: dict[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    delegated: dict[str, Sequence[str]] = field(default_factory=dict)
    parents: set[str] = field(default_factory=set)
    failing: dict[str, str] = field(default_factory=dict)
    """The code with which a server responds to everything."""
    silent: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    """Protocols by which nothing comes back."""
    long: bool = False
    """Whether no response fits into a datagram."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Protocol, server and name of each question."""

    async def udp(self, wire: bytes, server: NameServer, timeout: float) -> bytes:
        response = await self._respond("udp", wire, server.host, timeout)
        if self.long:
            cut = dns.message.from_wire(response)
            cut.answer, cut.flags = [], cut.flags | dns.flags.TC
            return cut.to_wire()
        return response

    async def tcp(self, wire: bytes, server: NameServer, timeout: float) -> bytes:
        return await self._respond("tcp", wire, server.host, timeout)

    async def https(self, wire: bytes, url: str, timeout: float) -> bytes:
        return await self._respond("https", wire, url, timeout)

    def servers_asked(self, protocol: str = "udp") -> list[str]:
        return [server for used, server, _ in self.asked if used == protocol]

    async def _respond(self, protocol: str, wire: bytes, host: str, timeout: float) -> bytes:
        await asyncio.sleep(0)
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append((protocol, host, name))
        if protocol in self.blocked or host in self.silent:
            await asyncio.sleep(timeout)
            raise TimeoutError
        if host.startswith("ns-") and self.own is not None:
            return self.own(wire)
        response = dns.message.make_response(query)
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        if host in self.failing:
            response.set_rcode(dns.rcode.from_text(self.failing[host]))
        elif host in self.parents and name in self.delegated:
            response.authority.append(_rrset(name, "NS", self.delegated[name]))
        elif host in self.parents:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif values := self.known.get((name, kind)):
            response.answer.append(_rrset(name, kind, values))
        elif not any(known == name for known, _ in self.known):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()


def _rrset(name: str, kind: str, values: Sequence[str]) -> dns.rrset.RRset:
    dotted = [f"{value}." if kind in ("NS", "CNAME") and not value.endswith(".") else value for value in values]
    return dns.rrset.from_text_list(f"{name}.", 60, "IN", kind, dotted)
