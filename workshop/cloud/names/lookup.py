"""What DNS says about a name, for one asker, at this moment: through the zones of this cloud to the address of an endpoint.

In: a name, a record type, a place. Out: the record sets of the answer in order, with the TTLs that Route 53's API shows. It keeps
nothing, and asks no other name server.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from workshop.cloud.hosts import ENDPOINT_TTL, Endpoints
from workshop.cloud.names.choice import Choice, choose, is_healthy
from workshop.cloud.names.places import DEFAULT, Location
from workshop.cloud.names.records import Alias, Zone, ZoneRecord, is_below, plain_name

__all__ = ["MOST_ZONES", "AnswerSet", "Lookup", "ResolvedName"]

MOST_ZONES = 8
"""How many zones one question is followed through: a name may lead from one to the next by CNAME."""


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """One set of records of an answer; `ttl` in seconds as the API shows it."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResolvedName:
    """The outcome of one question.

    `rcode` is NOERROR, NODATA, NXDOMAIN, REFUSED (in no zone of this cloud) or REFERRAL (then `answers` is the delegation).
    `zone` is the one that decided, `target` the name at the end of the chain, `region` the region of the endpoint that it is, or
    "".
    """

    rcode: str
    answers: tuple[AnswerSet, ...] = ()
    zone: Zone | None = None
    target: str = ""
    region: str = ""

    @property
    def ttl(self) -> int:
        """How long all of it holds, in seconds; 0 when there is no answer."""
        return min((each.ttl for each in self.answers), default=0)


class Lookup:
    """`healthy` and `alias_up` decide which records count; `chance` draws among them."""

    def __init__(
        self,
        zones: Callable[[], tuple[Zone, ...]],
        endpoints: Endpoints,
        healthy: Callable[[str], bool],
        alias_up: Callable[[Alias], bool],
        chance: random.Random,
    ) -> None:
        self.zones, self.endpoints = zones, endpoints
        self._healthy, self._alias_up, self._chance = healthy, alias_up, chance

    def zone_of(self, name: str) -> Zone | None:
        """The public zone that decides about a name: the one with the longest name, of two with the same name the older."""
        covering = [zone for zone in self.zones() if not zone.private and zone.contains(name)]
        return max(covering, key=lambda zone: len(zone.name), default=None)

    def choose(self, zone: Zone, name: str, kind: str, asker: Location) -> Choice:
        """Route 53's choice within one zone."""
        return choose(zone, name, kind, asker, healthy=self._healthy, alias_up=self._alias_up, chance=self._chance)

    def is_healthy(self, zone: Zone, record: ZoneRecord) -> bool:
        """Whether a record counts as healthy for an asker in the cloud's first region."""
        return is_healthy(zone, record, DEFAULT, healthy=self._healthy, alias_up=self._alias_up)

    def find(self, name: str, kind: str, asker: Location) -> ResolvedName:
        """The answer to one question."""
        answers: tuple[AnswerSet, ...] = ()
        owner, decided = name, None
        for _ in range(MOST_ZONES):
            zone = self.zone_of(owner)
            if zone is None:
                break
            decided, delegation = zone, _delegation(zone, owner)
            if delegation is not None:
                if not answers:
                    return ResolvedName("REFERRAL", (delegation,), zone, owner)
                break
            step, leads_on = self._within(zone, owner, kind, asker)
            answers += step.answers
            if not leads_on:
                return ResolvedName(step.rcode, answers, zone, step.target, step.region)
            owner = step.target
        return ResolvedName("NOERROR" if answers else "REFUSED", answers, decided, owner)

    def endpoint(self, name: str, kind: str) -> ResolvedName:
        """The address of an endpoint of this cloud under its own name, which is in no zone; REFUSED for other names."""
        if not self.endpoints.address(name):
            return ResolvedName("REFUSED", target=name)
        return self._at_endpoint(name, name, kind, [])

    def _within(self, zone: Zone, owner: str, kind: str, asker: Location) -> tuple[ResolvedName, bool]:
        """One zone's part of the answer, and whether its `target` is left for another zone to say more about."""
        choice = self.choose(zone, owner, kind, asker)
        answers: list[AnswerSet] = []
        for record in choice.chain:
            if record.type == "CNAME" and record.alias is None and kind != "CNAME":
                answers.append(AnswerSet(owner, "CNAME", record.ttl, record.values[:1]))
                owner = plain_name(record.values[0])
        if choice.rcode != "NOERROR":
            return ResolvedName(choice.rcode, tuple(answers), zone, owner), False
        last = choice.chain[-1]
        if last.alias is not None:
            return self._at_endpoint(last.alias.name, owner, kind, answers), False
        if last.type == "CNAME" and kind != "CNAME":
            if self.endpoints.address(owner):
                return self._at_endpoint(owner, owner, kind, answers), False
            return ResolvedName("NOERROR", tuple(answers), zone, owner), True
        answers.append(AnswerSet(owner, kind, choice.ttl, choice.values))
        region = self.endpoints.region_at(choice.values[0]) if last.type == "A" and choice.values else ""
        return ResolvedName("NOERROR", tuple(answers), zone, owner, region), False

    def _at_endpoint(self, target: str, owner: str, kind: str, answers: list[AnswerSet]) -> ResolvedName:
        """The end of a chain outside the zones: the address of an endpoint, under the name that leads there."""
        address = self.endpoints.address(target)
        if address and kind == "A":
            answers = [*answers, AnswerSet(owner, "A", ENDPOINT_TTL, (address,))]
        return ResolvedName("NOERROR" if answers else "NODATA", tuple(answers), None, target, self.endpoints.region(target))


def _delegation(zone: Zone, name: str) -> AnswerSet | None:
    """The NS records below the zone's apex that hand a name on to other name servers."""
    for record in zone.records:
        if record.type == "NS" and record.name != zone.name and is_below(name, record.name):
            return AnswerSet(record.name, "NS", record.ttl, record.values)
    return None
