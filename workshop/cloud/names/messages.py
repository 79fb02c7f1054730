"""One DNS message in, one out: what an authoritative name server for the zones of this cloud says.

In: a query in wire format (RFC 1035, EDNS of RFC 6891, client subnet of RFC 7871). Out: the response, or None for what is no
query at all. It opens no socket.
"""

from __future__ import annotations

import logging
import math

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

from workshop.cloud.names.clock import interval
from workshop.cloud.names.lookup import Lookup, RecordSet, ResolvedName
from workshop.cloud.names.places import Location, place_of_address
from workshop.cloud.names.records import Zone, plain_name
from workshop.cloud.timing import Timing

__all__ = ["MOST_DATAGRAM", "Responder"]

logger = logging.getLogger("workshop.cloud")

MOST_DATAGRAM = 1232
"""The largest response by UDP, whatever the asker allows: the size on which DNS Flag Day 2020 settled."""
LEAST_DATAGRAM = 512
MOST_MESSAGE = 65_535
RCODES = {"NXDOMAIN": dns.rcode.NXDOMAIN, "REFUSED": dns.rcode.REFUSED}
AT_HOME = "127.0.0.1"


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
        try:
            self._fill(query, response)
            return self._written(query, response, most)
        except dns.exception.DNSException:  # a record whose value is none of its type: the store takes some
            logger.warning("DNS: the records of %s cannot be sent.", query.question[0].name, exc_info=True)
            failed = dns.message.make_response(query)
            failed.set_rcode(dns.rcode.SERVFAIL)
            return failed.to_wire()

    def _fill(self, query: dns.message.Message, response: dns.message.Message) -> None:
        if query.opcode() != dns.opcode.QUERY:
            response.set_rcode(dns.rcode.NOTIMP)
            return
        if query.edns > 0:
            response.set_rcode(dns.rcode.BADVERS)
            return
        if len(query.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
            return
        question = query.question[0]
        if question.rdclass != dns.rdataclass.IN:
            response.set_rcode(dns.rcode.REFUSED)
            return
        place = _place(query, response)
        name = plain_name(question.name.to_text())
        if question.rdtype == dns.rdatatype.ANY:
            self._fill_any(response, name, place)
        else:
            kind = dns.rdatatype.to_text(question.rdtype)
            found = self._lookup.find(name, kind, place)
            self._add(response, self._lookup.endpoint(name, kind) if found.rcode == "REFUSED" else found)

    def _fill_any(self, response: dns.message.Message, name: str, place: Location) -> None:
        """Every type at the name; CNAME alone where there is one."""
        zone = self._lookup.zone_of(name)
        kinds = sorted({record.type for record in zone.records if record.name == name}) if zone is not None else []
        for kind in kinds or ["A"]:
            self._add(response, self._lookup.find(name, kind, place))

    def _add(self, response: dns.message.Message, found: ResolvedName) -> None:
        response.set_rcode(RCODES.get(found.rcode, dns.rcode.NOERROR))
        if found.rcode == "REFERRAL":
            response.authority.extend(self._rrset(each) for each in found.answers)
            return
        if found.rcode != "REFUSED":
            response.flags |= dns.flags.AA
        response.answer.extend(self._rrset(each) for each in found.answers)
        if found.rcode in ("NXDOMAIN", "NODATA") and found.zone is not None:
            response.authority.extend(self._start_of_authority(found.zone))

    def _rrset(self, each: RecordSet) -> dns.rrset.RRset:
        """On the wire the name refers to the question, and so keeps its capital and small letters."""
        owner, ttl = dns.name.from_text(each.name), self._seconds(each.ttl)
        return dns.rrset.from_text_list(owner, ttl, "IN", each.type, each.values, origin=dns.name.root, relativize=False)

    def _start_of_authority(self, zone: Zone) -> list[dns.rrset.RRset]:
        """The SOA that says how long a negative answer may be kept (RFC 2308): its TTL or its last figure, whichever is less."""
        for record in zone.records:
            if record.type == "SOA" and record.name == zone.name:
                kept = min(record.ttl, int(record.values[0].split()[-1]))
                return [self._rrset(RecordSet(zone.name, "SOA", kept, record.values))]
        return []

    def _seconds(self, ttl: int) -> int:
        """A TTL on the cloud's clock. DNS knows whole seconds only, and 0 would forbid to keep the answer at all."""
        return math.ceil(round(interval(self._timing, ttl), 6))

    @staticmethod
    def _written(query: dns.message.Message, response: dns.message.Message, most: int) -> bytes:
        """Over UDP as much as the asker takes."""
        if most < MOST_MESSAGE:
            most = min(most, max(query.payload, LEAST_DATAGRAM)) if query.edns >= 0 else LEAST_DATAGRAM
        return response.to_wire(max_size=most, prefer_truncation=True)


def _place(query: dns.message.Message, response: dns.message.Message) -> Location:
    """Where the asker is: as its client subnet says, which is confirmed in the response."""
    for option in query.options:
        if isinstance(option, dns.edns.ECSOption):
            confirmed = dns.edns.ECSOption(option.address, option.srclen, option.srclen)
            response.use_edns(0, payload=MOST_DATAGRAM, options=[confirmed])
            return place_of_address(option.address)
    return place_of_address(AT_HOME)


def _format_error(wire: bytes) -> bytes | None:
    """FORMERR under the query's own id, if there is that much of a message; a response is never answered."""
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    return wire[:2] + bytes((0x80 | (wire[2] & 0x79), dns.rcode.FORMERR)) + bytes(8)
