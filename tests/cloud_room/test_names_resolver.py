"""The resolver in front of the cloud: one cache per client, TTLs on the cloud's clock, and resolvers that overstay them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud_room.zone_builders import HOME, REPLICA, endpoint, lookup, record, zone
from workshop.cloud.names.front_door import MOST_KEPT, CachedAnswer, Resolver
from workshop.cloud.names.places import DEFAULT, place_named
from workshop.cloud.names.records import Zone
from workshop.cloud.timing import Timing

NAME = "api.rydes.localhost"


class Clients:
    """A resolver in virtual time, over a zone whose one record can change."""

    def __init__(self, profile: str = "realistic", scale: float = 1.0, ttl: int = 60) -> None:
        self.time, self.stale, self.ttl = 1000.0, 0.0, ttl
        self.timing = Timing(profile, scale)
        self.zones: list[Zone] = []
        self.point_to(HOME)
        found = lookup()
        found.zones = lambda: tuple(self.zones)
        self.resolver = Resolver(found, self.timing, lambda: self.time, lambda: self.stale)

    def point_to(self, region: str) -> None:
        self.zones[:] = [zone("rydes.localhost", record(NAME, "CNAME", endpoint(region), ttl=self.ttl))]

    def ask(self, client: str = "ana", place: Any = DEFAULT) -> CachedAnswer:
        return self.resolver.resolve(NAME, "A", client, place)

    def told(self, client: str = "ana") -> tuple[str, str]:
        answer = self.ask(client)
        return answer.source, answer.region


def test_an_answer_is_kept_for_its_ttl_and_then_asked_for_again() -> None:
    clients = Clients()
    assert clients.told() == ("asked", HOME)
    clients.point_to(REPLICA)
    clients.time += 59.9
    assert clients.told() == ("cache", HOME)
    clients.time += 0.2
    assert clients.told() == ("asked", REPLICA)


def test_every_client_has_a_cache_of_its_own() -> None:
    clients = Clients()
    clients.told("ana")
    clients.point_to(REPLICA)
    assert clients.told("ben") == ("asked", REPLICA)
    assert clients.told("ana") == ("cache", HOME)


def test_a_client_that_moves_asks_again() -> None:
    clients = Clients()
    clients.told()
    assert clients.ask(place=place_named("SG")).source == "asked"


@pytest.mark.parametrize(("profile", "scale", "seconds"), [("fast", 1.0, 6.0), ("instant", 1.0, 0.6), ("realistic", 0.5, 30.0)])
def test_a_ttl_passes_on_the_clock_of_the_cloud(profile: str, scale: float, seconds: float) -> None:
    clients = Clients(profile, scale)
    assert clients.ask().ttl == pytest.approx(seconds)
    clients.time += seconds - 0.01
    assert clients.ask().source == "cache" and clients.ask().ttl == pytest.approx(0.01)
    clients.time += 0.02
    assert clients.ask().source == "asked"


def test_a_ttl_of_zero_and_a_failure_are_not_kept() -> None:
    clients = Clients(ttl=0)
    assert {clients.told(), clients.told()} == {("asked", HOME)}
    clients.zones.clear()
    assert clients.ask().rcode == "REFUSED"
    clients.ttl = 60
    clients.point_to(REPLICA)
    assert clients.told() == ("asked", REPLICA)


def test_a_stale_resolver_keeps_an_answer_beyond_its_ttl_until_the_fault_ends() -> None:
    clients = Clients()
    clients.told()
    clients.point_to(REPLICA)
    clients.stale = 120.0
    clients.time += 170.0
    assert clients.told() == ("cache", HOME)
    clients.stale = 0.0
    assert clients.told() == ("asked", REPLICA)


def test_a_flush_forgets_what_is_kept_and_counts_it() -> None:
    clients = Clients()
    clients.told("ana"), clients.told("ben")
    clients.time += 30
    assert [(row["client"], row["region"], row["seconds"]) for row in clients.resolver.document()] == [
        ("ana", HOME, 30.0),
        ("ben", HOME, 30.0),
    ]
    assert clients.resolver.flush() == 2 and clients.resolver.document() == []
    clients.point_to(REPLICA)
    assert clients.told() == ("asked", REPLICA)


def test_clients_without_number_do_not_fill_the_memory() -> None:
    clients = Clients()
    for number in range(MOST_KEPT + 50):
        clients.told(f"client {number}")
    assert len(clients.resolver.document()) == MOST_KEPT
    assert clients.told(f"client {MOST_KEPT + 49}")[0] == "cache" and clients.told("client 0")[0] == "asked"
