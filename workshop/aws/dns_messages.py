"""DNS messages on the wire (RFC 1035, EDNS client subnet of RFC 7871), written and read by dnspython.

In: a question. Out: its bytes, and the content of a response. No socket is opened. Loaded with the first question, because
dnspython takes a tenth of a second to import.
"""

from __future__ import annotations

from dataclasses import dataclass

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset

__all__ = ["DnsResponse", "Question"]

PAYLOAD = 1232
"""Bytes of a response that are taken by UDP: what DNS Flag Day 2020 settled on."""


@dataclass(frozen=True, slots=True)
class DnsResponse:
    """A response. `values` are those of the type that was asked for, at the end of the chain of CNAMEs, `target` its last name.

    `referral` are the name servers to which the question was handed on; `ttl` is the least of the chain, in seconds.
    """

    rcode: str
    values: tuple[str, ...]
    ttl: int
    target: str
    referral: tuple[str, ...]
    truncated: bool


class Question:
    """One question; `recursive` asks a resolver to find the answer elsewhere. Raises `ValueError` for what is no name or type."""

    def __init__(self, name: str, kind: str, *, recursive: bool = False, client_subnet: str = "") -> None:
        try:
            options = [dns.edns.ECSOption.from_text(f"ECS {client_subnet}")] if client_subnet else None
            self._kind = dns.rdatatype.from_text(kind)
            self._query = dns.message.make_query(name, kind, use_edns=0, payload=PAYLOAD, options=options)
        except (dns.exception.DNSException, dns.rdatatype.UnknownRdatatype) as error:
            raise ValueError(str(error) or f"{name} {kind} cannot be asked") from error
        if not recursive:
            self._query.flags &= ~dns.flags.RD
        self.wire = self._query.to_wire()

    def response(self, wire: bytes) -> DnsResponse | None:
        """The content of a response; None for one that is broken or belongs to another question."""
        try:
            message = dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=False)
        except (dns.exception.DNSException, ValueError):
            return None
        if not self._query.is_response(message):
            return None
        chain, values, ttls = self._chain(message)
        referral = [rrset for rrset in message.authority if rrset.rdtype == dns.rdatatype.NS] if not message.answer else []
        return DnsResponse(
            dns.rcode.to_text(message.rcode()),
            values,
            min(ttls, default=0),
            chain,
            tuple(sorted(_text(each) for rrset in referral for each in rrset)),
            bool(message.flags & dns.flags.TC),
        )

    def _chain(self, message: dns.message.Message) -> tuple[str, tuple[str, ...], list[int]]:
        """The last name that CNAMEs lead to (empty without any), the values there, the TTLs on the way."""
        by_owner = {(rrset.name, rrset.rdtype): rrset for rrset in message.answer}
        owner, target, ttls = self._query.question[0].name, "", list[int]()
        for _ in range(len(message.answer) + 1):
            found = by_owner.get((owner, self._kind))
            if found is not None:
                return target, tuple(_text(each) for each in found), [*ttls, found.ttl]
            alias = by_owner.get((owner, dns.rdatatype.CNAME))
            if alias is None:
                break
            owner = alias[0].target
            target, ttls = _plain(owner), [*ttls, alias.ttl]
        return target, (), ttls


def _text(data: dns.rdata.Rdata) -> str:
    """A value as people write it: names in small letters without the last dot, the parts of a text joined."""
    if data.rdtype in (dns.rdatatype.NS, dns.rdatatype.CNAME):
        return _plain(data.target)  # type: ignore[attr-defined]
    if data.rdtype == dns.rdatatype.TXT:
        return b"".join(data.strings).decode("utf-8", "replace")  # type: ignore[attr-defined]
    return str(data.to_text())


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
