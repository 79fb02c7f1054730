"""What DNS says about a name: which zone decides, how a chain ends, which region it means."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.cloud_room.zone_builders import HOME, REPLICA, SERVERS, alias, endpoint, lookup, record, zone
from workshop.cloud.hosts import ADDRESSES
from workshop.cloud.names.lookup import AnswerSet, Lookup, ResolvedName
from workshop.cloud.names.places import DEFAULT, place_named

NAME = "api.rydes.localhost"
RYDES = "rydes.localhost"


def find(lookup_: Lookup, name: str = NAME, kind: str = "A") -> ResolvedName:
    return lookup_.find(name, kind, DEFAULT)


def test_a_record_that_leads_to_an_api_ends_at_the_address_of_its_region() -> None:
    found = find(lookup(zone(RYDES, record(NAME, "CNAME", endpoint(REPLICA), ttl=30))))
    assert found.answers == (
        AnswerSet(NAME, "CNAME", 30, (endpoint(REPLICA),)),
        AnswerSet(endpoint(REPLICA), "A", 60, (ADDRESSES[REPLICA],)),
    )
    assert (found.rcode, found.region, found.target, found.ttl) == ("NOERROR", REPLICA, endpoint(REPLICA), 30)


@pytest.mark.parametrize(
    ("target", "region"),
    [
        ("0123abcd.execute-api.eu-west-1.amazonaws.com", REPLICA),
        ("d-0123456789.execute-api.eu-west-1.localhost", REPLICA),
        ("d-0123456789.execute-api.eu-west-1.amazonaws.com.", REPLICA),
        ("0123abcd.execute-api.mars-north-1.amazonaws.com", ""),
        ("www.example.com", ""),
    ],
)
def test_a_region_is_read_from_every_form_of_an_endpoint(target: str, region: str) -> None:
    assert find(lookup(zone(RYDES, record(NAME, "CNAME", target)))).region == region


def test_a_region_without_an_address_of_its_own_shares_the_one_of_this_machine() -> None:
    found = find(lookup(zone(RYDES, record(NAME, "CNAME", endpoint(REPLICA))), bound=()))
    assert found.answers[-1].values == ("127.0.0.1",) and found.region == REPLICA


def test_a_name_that_leads_elsewhere_is_answered_with_the_way_there_alone() -> None:
    found = find(lookup(zone(RYDES, record(NAME, "CNAME", "www.example.com"))))
    assert [each.type for each in found.answers] == ["CNAME"]
    assert (found.rcode, found.target, found.region) == ("NOERROR", "www.example.com", "")


def test_a_chain_goes_on_in_another_zone_of_the_cloud() -> None:
    found = find(
        lookup(
            zone(RYDES, record(NAME, "CNAME", "primary.regions.localhost")),
            zone("regions.localhost", record("primary.regions.localhost", "CNAME", endpoint(HOME)), number=2),
        )
    )
    assert [each.name for each in found.answers] == [NAME, "primary.regions.localhost", endpoint(HOME)]
    assert found.region == HOME


def test_names_that_refer_to_each_other_in_a_circle_come_to_an_end() -> None:
    one = zone("one.localhost", record("a.one.localhost", "CNAME", "a.two.localhost"))
    two = zone("two.localhost", record("a.two.localhost", "CNAME", "a.one.localhost"), number=2)
    found = find(lookup(one, two), "a.one.localhost")
    assert found.region == "" and 2 <= len(found.answers) <= 16


def test_an_alias_is_answered_by_the_address_itself_under_the_name_that_was_asked() -> None:
    found = find(lookup(zone(RYDES, alias(NAME, endpoint(REPLICA)))))
    assert found.answers == (AnswerSet(NAME, "A", 60, (ADDRESSES[REPLICA],)),)
    assert (found.region, found.target) == (REPLICA, endpoint(REPLICA))


def test_an_alias_to_a_region_without_api_gateway_gives_way_to_the_other() -> None:
    both = [alias(NAME, endpoint(region), set_id=region, weight=50) for region in (HOME, REPLICA)]
    broken = lookup(zone(RYDES, *both), down=[HOME])
    assert {find(broken).region for _ in range(50)} == {REPLICA}
    assert {find(lookup(zone(RYDES, *both), seed=seed)).region for seed in range(50)} == {HOME, REPLICA}


def test_a_distribution_is_at_the_shared_address_and_in_no_region() -> None:
    found = find(lookup(zone(RYDES, record(NAME, "CNAME", "d111.cloudfront.net"))))
    assert (found.answers[-1].values, found.region) == (("127.0.0.1",), "")
    absent = find(lookup(zone(RYDES, record(NAME, "CNAME", "d999.cloudfront.net"))))
    assert [each.type for each in absent.answers] == ["CNAME"]


def test_an_address_of_a_region_names_the_region_also_when_it_was_typed_in() -> None:
    assert find(lookup(zone(RYDES, record(NAME, "A", ADDRESSES[REPLICA])))).region == REPLICA
    assert find(lookup(zone(RYDES, record(NAME, "A", "192.0.2.1")))).region == ""


def test_the_longest_zone_decides_and_a_private_one_never() -> None:
    outer = zone("localhost", record(NAME, "A", "192.0.2.1"))
    inner = zone(RYDES, record(NAME, "A", "192.0.2.2"), number=2)
    hidden = zone(NAME, record(NAME, "A", "192.0.2.3"), private=True, number=3)
    assert find(lookup(outer, inner, hidden)).answers[0].values == ("192.0.2.2",)


def test_of_two_zones_with_one_name_the_older_decides() -> None:
    first = zone(RYDES, record(NAME, "A", "192.0.2.1"))
    second = zone(RYDES, record(NAME, "A", "192.0.2.2"), number=2)
    assert find(lookup(first, second)).answers[0].values == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("absent.rydes.localhost", "A", "NXDOMAIN"),
        (NAME, "TXT", "NODATA"),
        (NAME, "AAAA", "NODATA"),
        (RYDES, "A", "NODATA"),
        (RYDES, "SOA", "NOERROR"),
        (RYDES, "NS", "NOERROR"),
        ("rydes.localhost.example.com", "A", "REFUSED"),
        ("otherrydes.localhost", "A", "REFUSED"),
    ],
)
def test_what_is_not_there_is_told_apart_from_what_is_not_ours(name: str, kind: str, rcode: str) -> None:
    assert find(lookup(zone(RYDES, record(NAME, "A", "192.0.2.1"))), name, kind).rcode == rcode


def test_an_endpoint_has_no_ipv6_address() -> None:
    found = find(lookup(zone(RYDES, record(NAME, "CNAME", endpoint(HOME)))), kind="AAAA")
    assert (found.rcode, [each.type for each in found.answers]) == ("NOERROR", ["CNAME"])


def test_a_name_that_was_handed_on_gets_the_name_servers_below_it() -> None:
    parent = zone(RYDES, record("a07.rydes.localhost", "NS", *SERVERS, ttl=60))
    for name in ("a07.rydes.localhost", "api.a07.rydes.localhost"):
        found = find(lookup(parent), name)
        assert (found.rcode, found.answers) == ("REFERRAL", (AnswerSet("a07.rydes.localhost", "NS", 60, SERVERS),))
    child = zone("a07.rydes.localhost", record("api.a07.rydes.localhost", "A", "192.0.2.9"), number=2)
    assert find(lookup(parent, child), "api.a07.rydes.localhost").rcode == "NOERROR"


def test_an_asker_elsewhere_gets_the_record_of_its_place() -> None:
    both = lookup(
        zone(
            RYDES,
            record(NAME, "CNAME", endpoint(HOME), set_id="us", region=HOME),
            record(NAME, "CNAME", endpoint(REPLICA), set_id="eu", region=REPLICA),
        )
    )
    asked = Counter()
    for country in ("US", "IE", "DE", "CA"):
        place = place_named(country)
        assert place is not None
        asked[both.find(NAME, "A", place).region] += 1
    assert asked == {HOME: 2, REPLICA: 2}


def test_an_unhealthy_record_is_withdrawn() -> None:
    pair = [record(NAME, "CNAME", endpoint(region), set_id=region, weight=50, health_check=region) for region in (HOME, REPLICA)]
    assert {find(lookup(zone(RYDES, *pair), sick=[HOME], seed=seed)).region for seed in range(50)} == {REPLICA}
