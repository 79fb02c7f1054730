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

from workshop.cloud.names.choice import negative_ttl
from workshop.cloud.names.lookup import Lookup, RecordSet, ResolvedName
from workshop.cloud.names.places import DEFAULT, Location, place_of_address
from workshop.cloud.names.records import plain_name
from workshop.cloud.timing import Timing

__all__ = ["MOST_DATAGRAM", "MOST_MESSAGE", "Responder"]

logger = logging.getLogger("workshop.cloud")

MOST_DATAGRAM = 1232
"""The largest response by UDP, whatever the asker allows: the size on which DNS Flag Day 2020 settled."""
LEAST_DATAGRAM = 512
MOST_MESSAGE = 65_535
RCODES = {"NXDOMAIN": dns.rcode.NXDOMAIN, "REFUSED": dns.rcode.REFUSED}


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
            zone, ttl = found.zone, negative_ttl(found.zone)  # for so long a negative answer may be kept
            soa = (record.values for record in zone.records if (record.type, record.name) == ("SOA", zone.name))
            response.authority.extend(self._rrset(RecordSet(zone.name, "SOA", ttl, values)) for values in soa)

    def _rrset(self, each: RecordSet) -> dns.rrset.RRset:
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
