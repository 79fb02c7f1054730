"""Reusable delegation sets: four name servers that several zones of an account share.

In: requests, and the zones that use a set. Out: the sets of each account, with a document to save
(docs/aws-behaviours.md, section 6.5).
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree.ElementTree import Element

from ministack.core import responses
from ministack.services import route53

from workshop.cloud.names.recordsets import Refused
from workshop.cloud.names.wire import Route53Request, add, add_list, respond
from workshop.cloud.responses import Response

__all__ = ["MOST_SETS", "DelegationSet", "DelegationSets", "add_delegation_set", "bare_id"]

MOST_SETS = 100
DOMAINS = ("com", "net", "org", "co.uk")
CREATED = "A delegation set with the same owner and caller reference combination has already been created."
REUSABLE = "The delegation set of hosted zone {zone} has already been marked as reusable."
IN_USE = "The delegation set {id} is in use by hosted zones and cannot be deleted."


@dataclass(frozen=True, slots=True)
class DelegationSet:
    """One set of an account; `id` without the prefix."""

    account: str
    id: str
    reference: str
    servers: tuple[str, ...]


def bare_id(value: str) -> str:
    """An id without the prefix under which the API may show it."""
    return value.rpartition("/")[2]


def add_delegation_set(parent: Element, servers: Iterable[str], found: DelegationSet | None = None) -> None:
    """The DelegationSet element of a zone or of a reusable set."""
    shown = add(parent, "DelegationSet")
    if found is not None:
        add(shown, "Id", f"/delegationset/{found.id}")
        add(shown, "CallerReference", found.reference)
    add_list(shown, "NameServers", "NameServer", servers)


class DelegationSets:
    """The reusable delegation sets of all accounts; operations work on the current account's."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._all: dict[str, DelegationSet] = {}

    def get(self, set_id: str) -> DelegationSet:
        """A set of the current account. Raises `Refused`."""
        found = self._all.get(set_id)
        if found is None or found.account != responses.get_account_id():
            raise Refused("NoSuchDelegationSet", f"A delegation set with the ID {set_id} does not exist.")
        return found

    def mine(self) -> list[DelegationSet]:
        account = responses.get_account_id()
        return sorted((found for found in self._all.values() if found.account == account), key=lambda found: found.id)

    def create(self, request: Route53Request) -> Response:
        """CreateReusableDelegationSet, with new name servers or with those of a zone."""
        root = request.root()
        reference, zone_id = route53._text(root, "CallerReference"), bare_id(route53._text(root, "HostedZoneId"))
        if not reference:
            raise Refused("InvalidInput", "CallerReference is required.")
        if any(found.reference == reference for found in self.mine()):
            raise Refused("DelegationSetAlreadyCreated", CREATED)
        if len(self.mine()) >= MOST_SETS:
            raise Refused("LimitsExceeded", f"Limits Exceeded: MAX_REUSABLE_DELEGATION_SETS_BY_OWNER={MOST_SETS}")
        new = DelegationSet(responses.get_account_id(), self._new_id(), reference, self._new_servers())
        if zone_id:
            new = self._of_zone(new, zone_id)
        self._all[new.id] = new
        return respond(
            "CreateReusableDelegationSetResponse",
            lambda root: add_delegation_set(root, new.servers, new),
            201,
            f"delegationset/{new.id}",
        )

    def show(self, request: Route53Request) -> Response:
        """GetReusableDelegationSet."""
        found = self.get(request.parts[0])
        return respond("GetReusableDelegationSetResponse", lambda root: add_delegation_set(root, found.servers, found))

    def show_all(self, request: Route53Request) -> Response:
        """ListReusableDelegationSets."""
        marker, size = request.page()
        rest = [found for found in self.mine() if found.id > marker]

        def build(root: Element) -> None:
            listed = add(root, "DelegationSets")
            for found in rest[:size]:
                add_delegation_set(listed, found.servers, found)
            add(root, "Marker", marker)
            add(root, "IsTruncated", str(len(rest) > size).lower())
            if len(rest) > size:
                add(root, "NextMarker", rest[size - 1].id)
            add(root, "MaxItems", str(size))

        return respond("ListReusableDelegationSetsResponse", build)

    def delete(self, request: Route53Request) -> Response:
        """DeleteReusableDelegationSet; one that a zone uses is refused."""
        found = self.get(request.parts[0])
        if self.zones_of(found.id):
            raise Refused("DelegationSetInUse", IN_USE.format(id=found.id))
        del self._all[found.id]
        return respond("DeleteReusableDelegationSetResponse", lambda _: None)

    def zones_of(self, set_id: str) -> int:
        """How many zones use a set."""
        return sum(1 for zone in route53._zones.values() if zone.get("delegation_set") == set_id)

    def document(self) -> list[dict[str, Any]]:
        return [asdict(found) for found in self._all.values()]

    def restore(self, document: Iterable[dict[str, Any]]) -> None:
        for row in document:
            self._all[row["id"]] = DelegationSet(**{**row, "servers": tuple(row["servers"])})

    def clear(self) -> None:
        self._all.clear()

    def _of_zone(self, new: DelegationSet, zone_id: str) -> DelegationSet:
        """The name servers of a zone, which uses the set from now on."""
        zone = route53._zones.get(zone_id)
        if zone is None:
            raise Refused("HostedZoneNotFound", f"The specified HostedZone {zone_id} cannot be found.")
        if zone.get("delegation_set"):
            raise Refused("DelegationSetAlreadyReusable", REUSABLE.format(zone=zone_id))
        zone["delegation_set"] = new.id
        return DelegationSet(
            new.account, new.id, new.reference, tuple(server.removesuffix(".") for server in route53._DEFAULT_NS)
        )

    def _new_id(self) -> str:
        return "N" + "".join(self._chance.choices(string.ascii_uppercase + string.digits, k=13))

    def _new_servers(self) -> tuple[str, ...]:
        return tuple(
            f"ns-{512 * place + self._chance.randrange(512)}.awsdns-{self._chance.randrange(64):02d}.{domain}"
            for place, domain in enumerate(DOMAINS)
        )
