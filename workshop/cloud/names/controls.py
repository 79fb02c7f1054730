"""The controls of names below `/_workshop/dns`: look at everything, ask as anybody, flush what is kept.

In: the JSON objects of requests. Out: JSON objects, or `UsageError` for a question that is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype

from workshop.cloud.control import Action
from workshop.cloud.names.clock import interval
from workshop.cloud.names.feed import NamesFeed
from workshop.cloud.names.lookup import Lookup
from workshop.cloud.names.places import DEFAULT, Location, place_named
from workshop.cloud.names.records import plain_name
from workshop.cloud.names.resolver import Resolver
from workshop.cloud.timing import Timing
from workshop.errors import UsageError

__all__ = ["NamesControls"]

MEMBERS = ("name", "type", "from", "client")


class NamesControls:
    """Questions without a client are asked of the zones; a client gets what its own cache says."""

    def __init__(self, feed: NamesFeed, lookup: Lookup, resolver: Resolver, timing: Timing) -> None:
        self._feed, self._lookup, self._resolver, self._timing = feed, lookup, resolver, timing

    def actions(self) -> Mapping[tuple[str, str], Action]:
        return {
            ("GET", "/_workshop/dns"): self._show,
            ("POST", "/_workshop/dns/ask"): self._ask,
            ("DELETE", "/_workshop/dns/cache"): self._flush,
        }

    async def _show(self, _: dict[str, Any]) -> dict[str, Any]:
        return self._feed.document()

    async def _flush(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"flushed": self._resolver.flush()}

    async def _ask(self, content: dict[str, Any]) -> dict[str, Any]:
        for member, value in content.items():
            if member not in MEMBERS or not isinstance(value, str):
                raise _wrong(
                    f"A question has no member {member!r} with the value {value!r}.", "It has the texts " + ", ".join(MEMBERS)
                )
        name, kind = _name(content.get("name", "")), _type(content.get("type", "A"))
        place, client = _place(content.get("from", "")), content.get("client", "")
        if client:
            answer = asdict(self._resolver.resolve(name, kind, client, place))
            return {"name": name, "type": kind, **answer}
        found = self._lookup.find(name, kind, place)
        return {
            "name": name,
            "type": kind,
            "rcode": found.rcode,
            "values": list(found.answers[-1].values) if found.answers else [],
            "ttl": interval(self._timing, found.ttl),
            "region": found.region,
            "source": "asked",
            "target": found.target,
            "answers": [asdict(each) for each in found.answers],
        }


def _name(text: str) -> str:
    try:
        return plain_name(dns.name.from_text(text).to_text())
    except (dns.exception.DNSException, UnicodeError) as error:
        raise _wrong(f"{text!r} is no DNS name.", f"{error}.") from error


def _type(text: str) -> str:
    try:
        return dns.rdatatype.to_text(dns.rdatatype.from_text(text))
    except (dns.exception.DNSException, ValueError) as error:
        raise _wrong(f"{text!r} is no record type.", "For example: A, CNAME, TXT.") from error


def _place(text: str) -> Location:
    found = place_named(text) if text else DEFAULT
    if found is None:
        raise _wrong(f"{text!r} is no place.", "A country (SG), a state of the USA (US-OR) or a region (eu-west-1) is one.")
    return found


def _wrong(what: str, why: str) -> UsageError:
    fix = (
        """For example: curl -X POST http://127.0.0.1:PORT/_workshop/dns/ask -d '{"name": "api.rydes.localhost", "from": "SG"}'"""
    )
    return UsageError(what=what, why=why, fix=fix, code="DnsQuestion")
