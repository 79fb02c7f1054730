"""TestDNSAnswer: what Route 53 would return to one query.

In: a zone, a name and a type, and the resolver that asks. Out: the values that the choice of records gives now, with the health
of this moment (docs/aws-behaviours.md, section 6.5).
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable
from xml.etree.ElementTree import Element

from ministack.services import route53

from workshop.cloud.names.changes import no_zone
from workshop.cloud.names.choice import choose
from workshop.cloud.names.delegation_sets import bare_id
from workshop.cloud.names.places import place_of_address
from workshop.cloud.names.records import Alias, plain_name, zones
from workshop.cloud.names.recordsets import Refused
from workshop.cloud.names.wire import Route53Request, add, add_list, respond
from workshop.cloud.names.zones import Zones
from workshop.cloud.responses import Response

__all__ = ["SimulatedQueries"]

ANYWHERE = "127.0.0.1"


class SimulatedQueries:
    """`healthy` returns the status of a health check, `alias_up` whether the target of an alias is up."""

    def __init__(
        self, zones: Zones, healthy: Callable[[str], bool], alias_up: Callable[[Alias], bool], chance: random.Random
    ) -> None:
        self._zones, self._healthy, self._alias_up, self._chance = zones, healthy, alias_up, chance

    def query(self, request: Route53Request) -> Response:
        """TestDNSAnswer; private zones are refused, as on AWS."""
        zone_id, name, kind = bare_id(request.value("hostedzoneid")), request.value("recordname"), request.value("recordtype")
        stored = route53._zones.get(zone_id)
        if stored is None:
            raise no_zone(zone_id)
        if stored.get("private"):
            raise Refused("InvalidInput", "TestDNSAnswer supports only public hosted zones.")
        plain = plain_name(name)
        zone = next(zone for zone in zones() if zone.id == zone_id)
        if plain != zone.name and not plain.endswith(f".{zone.name}"):
            raise Refused("InvalidInput", f"The record name {name} is not within the hosted zone {zone.name}.")
        choice = choose(
            zone,
            plain,
            kind,
            place_of_address(_address(request)),
            healthy=self._healthy,
            alias_up=self._alias_up,
            chance=self._chance,
        )

        def build(shown: Element) -> None:
            add(shown, "Nameserver", self._zones.servers(stored)[0].removesuffix("."))
            add(shown, "RecordName", name)
            add(shown, "RecordType", kind)
            add_list(shown, "RecordData", "RecordDataEntry", choice.values)
            add(shown, "ResponseCode", "NOERROR" if choice.rcode == "NODATA" else choice.rcode)
            add(shown, "Protocol", "UDP")

        return respond("TestDNSAnswerResponse", build)


def _address(request: Route53Request) -> str:
    """The address that the asker is placed by: the client's network, or else the resolver."""
    text = request.value("edns0clientsubnetip") or request.value("resolverip") or ANYWHERE
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise Refused("InvalidInput", f"Invalid IP address: {text}") from None
