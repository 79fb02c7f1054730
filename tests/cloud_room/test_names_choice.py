"""Which records a query gets: each rule of Route 53 as a table, a comparison with a second reading of them, and the shares."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.cloud_room.names_reference import Reference, healthy_by
from workshop.cloud.names.choice import Choice, choose, is_healthy
from workshop.cloud.names.places import DEFAULT, Location, place_named
from workshop.cloud.names.records import Alias, Proximity, Zone, ZoneRecord

NAME = "api.rydes.localhost"
SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
SINGAPORE, GERMANY, OREGON = (place_named(name) or DEFAULT for name in ("SG", "DE", "US-OR"))


def record(set_id: str, name: str = NAME, **more: Any) -> ZoneRecord:
    return ZoneRecord(name, more.pop("type", "A"), more.pop("ttl", 60), (f"{set_id}.example",), set_id=set_id, **more)


def alias(set_id: str, target: str, *, name: str = NAME, zone: str = "Z1", evaluate: bool = True, **more: Any) -> ZoneRecord:
    return ZoneRecord(name, more.pop("type", "A"), 0, (), set_id=set_id, alias=Alias(zone, target, evaluate), **more)


def zone(*records: ZoneRecord) -> Zone:
    soa = ZoneRecord("rydes.localhost", "SOA", 900, (SOA,))
    return Zone("Z1", "rydes.localhost", "000000000000", private=False, records=(soa, *records))


def ask(
    *records: ZoneRecord,
    sick: str = "",
    down: str = "",
    asker: Location = DEFAULT,
    name: str = NAME,
    kind: str = "A",
    chance: random.Random | None = None,
) -> Choice:
    """`sick` are ids of checks and `down` targets of aliases, separated by spaces."""
    return choose(
        zone(*records),
        name,
        kind,
        asker,
        healthy=lambda check: check not in sick.split(),
        alias_up=lambda target: target.name not in down.split(),
        chance=chance or random.Random(1),
    )


def chosen(*records: ZoneRecord, times: int = 60, **more: Any) -> str:
    """The set identifiers of all records at the end of a chain that come up, in order."""
    chance = random.Random(7)
    return " ".join(sorted({ask(*records, chance=chance, **more).chain[-1].set_id for _ in range(times)}))


WEIGHTS = (
    record("a", weight=1, health_check="ha"),
    record("b", weight=3, health_check="hb"),
    record("z", weight=0, health_check="hz"),
)


@pytest.mark.parametrize(
    ("sick", "expected"),
    [
        ("", "a b"),
        ("ha", "b"),
        ("ha hb", "z"),
        ("hz", "a b"),
        ("ha hb hz", "a b"),
    ],
)
def test_weights_count_among_the_healthy_and_zero_weights_once_no_other_is(sick, expected):
    assert chosen(*WEIGHTS, sick=sick) == expected


def test_zero_weights_alone_have_the_same_chance_each():
    group = [record(name, weight=0, health_check=f"h{name}") for name in "abc"]
    assert chosen(*group) == "a b c"
    assert chosen(*group, sick="hb") == "a c"
    assert chosen(*group, sick="ha hb hc") == "a b c"


PAIR = (
    record("p", failover="PRIMARY", health_check="hp"),
    record("s", failover="SECONDARY", health_check="hs"),
)


@pytest.mark.parametrize(("sick", "expected"), [("", "p"), ("hp", "s"), ("hs", "p"), ("hp hs", "p")])
def test_the_primary_record_is_chosen_while_it_is_healthy_and_when_both_are_not(sick, expected):
    assert chosen(*PAIR, sick=sick) == expected
    assert chosen(*reversed(PAIR), sick=sick) == expected


def test_a_secondary_record_without_a_check_is_always_healthy():
    assert chosen(PAIR[0], record("s", failover="SECONDARY"), sick="hp") == "s"


def test_a_primary_record_alone_is_chosen_even_when_it_is_unhealthy():
    assert chosen(PAIR[0], sick="hp") == "p"
    assert chosen(PAIR[1], sick="hs") == "s"


REGIONS = tuple(
    record(region, region=region, health_check=f"h-{region}") for region in ("eu-west-1", "ap-southeast-1", "us-west-2")
)


@pytest.mark.parametrize(
    ("asker", "sick", "expected"),
    [
        (GERMANY, "", "eu-west-1"),
        (SINGAPORE, "", "ap-southeast-1"),
        (OREGON, "", "us-west-2"),
        (GERMANY, "h-eu-west-1", "us-west-2"),
        (SINGAPORE, "h-ap-southeast-1", "eu-west-1"),
        (GERMANY, "h-eu-west-1 h-us-west-2", "ap-southeast-1"),
        (GERMANY, "h-eu-west-1 h-us-west-2 h-ap-southeast-1", "eu-west-1"),
    ],
)
def test_latency_is_the_distance_to_the_nearest_healthy_region(asker, sick, expected):
    assert chosen(*REGIONS, asker=asker, sick=sick) == expected


WORLD = (
    record("default", country="*", health_check="hd"),
    record("europe", continent="EU", health_check="he"),
    record("germany", country="DE", health_check="hg"),
    record("usa", country="US", health_check="hu"),
    record("oregon", country="US", subdivision="OR", health_check="ho"),
)


@pytest.mark.parametrize(
    ("asker", "sick", "expected"),
    [
        ("DE", "", "germany"),
        ("DE", "hg", "europe"),
        ("DE", "hg he", "default"),
        ("DE", "hg he hd", "germany"),
        ("FR", "", "europe"),
        ("US-OR", "", "oregon"),
        ("US-OR", "ho", "usa"),
        ("US-WA", "", "usa"),
        ("US", "", "usa"),
        ("SG", "", "default"),
        ("SG", "hd", "default"),
    ],
)
def test_the_smallest_place_that_fits_is_chosen_and_an_unhealthy_one_gives_way_to_the_next_larger(asker, sick, expected):
    assert chosen(*WORLD, asker=place_named(asker), sick=sick) == expected


def test_a_place_that_no_record_fits_gets_no_data_rather_than_no_such_name():
    found = ask(*WORLD[1:3], asker=SINGAPORE)
    assert (found.rcode, found.chain, found.values, found.ttl) == ("NODATA", (), (), 900)


def near(set_id: str, bias: int = 0, **where: Any) -> ZoneRecord:
    return record(set_id, proximity=Proximity(bias=bias, **where), health_check=f"h-{set_id}")


@pytest.mark.parametrize(
    ("bias", "expected"),
    [(0, "dublin"), (60, "dublin"), (-90, "virginia"), (-10, "dublin")],
)
def test_a_negative_bias_pushes_askers_away_and_a_positive_one_draws_them(bias, expected):
    group = (near("dublin", bias, region="eu-west-1"), near("virginia", region="us-east-1"))
    assert chosen(*group, asker=GERMANY) == expected
    assert chosen(near("dublin", region="eu-west-1"), near("virginia", 90, region="us-east-1"), asker=GERMANY) == "virginia"


def test_geoproximity_takes_coordinates_and_local_zones_and_passes_over_the_unhealthy():
    group = (
        near("tokyo", latitude=35.7, longitude=139.7),
        near("buenos-aires", local_zone="us-east-1-bue-1"),
    )
    assert chosen(*group, asker=SINGAPORE) == "tokyo"
    assert chosen(*group, asker=SINGAPORE, sick="h-tokyo") == "buenos-aires"
    assert chosen(*group, asker=OREGON) == "buenos-aires"


@pytest.mark.parametrize(
    ("count", "sick", "expected"),
    [(3, 0, 3), (8, 0, 8), (12, 0, 8), (12, 5, 7), (3, 3, 3), (12, 12, 8)],
)
def test_multivalue_returns_up_to_eight_healthy_values_and_all_when_none_is(count, sick, expected):
    group = [record(f"m{n}", multivalue=True, health_check=f"h{n}") for n in range(count)]
    unhealthy = {f"h{n}" for n in range(sick)}
    found = ask(*group, sick=" ".join(unhealthy))
    assert len(found.values) == len(set(found.values)) == len(found.chain) == expected
    if sick < count:
        assert not {each.health_check for each in found.chain} & unhealthy


def test_a_simple_record_is_returned_whatever_its_check_says():
    assert ask(record("only", health_check="h"), sick="h").values == ("only.example",)


TREE = (
    alias("eu", "eu.rydes.localhost", region="eu-west-1"),
    alias("ap", "ap.rydes.localhost", region="ap-southeast-1"),
    record("eu-1", "eu.rydes.localhost", weight=1, health_check="h1"),
    record("eu-2", "eu.rydes.localhost", weight=1, health_check="h2"),
    record("ap-1", "ap.rydes.localhost", weight=1, health_check="h3"),
)


@pytest.mark.parametrize(
    ("sick", "expected"),
    [
        ("", "eu-1 eu-2"),
        ("h1", "eu-2"),
        ("h1 h2", "ap-1"),
        ("h3", "eu-1 eu-2"),
        ("h1 h2 h3", "eu-1 eu-2"),
    ],
)
def test_an_alias_that_evaluates_its_target_is_as_healthy_as_the_records_there(sick, expected):
    assert chosen(*TREE, asker=GERMANY, sick=sick) == expected


def test_an_alias_that_does_not_evaluate_its_target_is_followed_into_an_unhealthy_group():
    careless = tuple(replace(each, alias=replace(each.alias, evaluate=False)) if each.alias else each for each in TREE)
    assert chosen(*careless, asker=GERMANY, sick="h1 h2") == "eu-1 eu-2"


def test_an_alias_with_a_check_of_its_own_needs_both():
    checked = tuple(replace(each, health_check="own") if each.set_id == "eu" else each for each in TREE)
    assert chosen(*checked, asker=GERMANY, sick="own") == "ap-1"
    assert chosen(*checked, asker=GERMANY, sick="h1 h2") == "ap-1"
    assert chosen(*checked, asker=GERMANY) == "eu-1 eu-2"


def test_an_alias_out_of_the_zone_is_healthy_while_its_service_is_up():
    group = (
        alias("p", "d-1.execute-api.eu-west-1.localhost", zone="ZAPI", failover="PRIMARY"),
        alias("s", "d-2.execute-api.us-west-2.localhost", zone="ZAPI", failover="SECONDARY"),
    )
    found = ask(*group)
    assert (found.values, found.ttl) == (("d-1.execute-api.eu-west-1.localhost",), 60)
    assert chosen(*group, down="d-1.execute-api.eu-west-1.localhost") == "s"
    careless = tuple(replace(each, alias=replace(each.alias, evaluate=False)) for each in group)
    assert chosen(*careless, down="d-1.execute-api.eu-west-1.localhost") == "p"


def test_the_answer_has_the_smallest_ttl_on_the_way():
    way = (
        record("first", type="CNAME", ttl=300),
        record("second", "next.rydes.localhost", type="CNAME", ttl=20),
        record("last", "end.rydes.localhost", ttl=60),
    )
    way = (replace(way[0], values=("NEXT.rydes.localhost.",)), replace(way[1], values=("end.rydes.localhost",)), way[2])
    found = ask(*way)
    assert [each.set_id for each in found.chain] == ["first", "second", "last"]
    assert (found.rcode, found.values, found.ttl) == ("NOERROR", ("last.example",), 20)
    assert ask(*way, kind="CNAME").values == ("NEXT.rydes.localhost.",)


def test_a_cname_out_of_the_zone_ends_the_chain_with_the_name_of_its_target():
    found = ask(ZoneRecord(NAME, "CNAME", 60, ("d-1.execute-api.eu-west-1.localhost",)))
    assert (found.rcode, found.values) == ("NOERROR", ("d-1.execute-api.eu-west-1.localhost",))


def test_a_cname_to_a_name_that_does_not_exist_is_in_the_answer_beside_the_code():
    found = ask(ZoneRecord(NAME, "CNAME", 60, ("gone.rydes.localhost",)))
    assert (found.rcode, len(found.chain), found.values) == ("NXDOMAIN", 1, ())


def test_an_alias_to_a_name_that_does_not_exist_has_no_data():
    found = ask(alias("a", "gone.rydes.localhost", evaluate=False))
    assert (found.rcode, len(found.chain), found.values) == ("NODATA", 1, ())


def chain_of(length: int, kind: str) -> list[ZoneRecord]:
    """`length` records that lead to an address, the first under NAME."""
    names = [NAME, *(f"n{number}.rydes.localhost" for number in range(1, length + 1))]
    if kind == "alias":
        steps = [alias(f"s{n}", names[n + 1], name=names[n]) for n in range(length)]
    else:
        steps = [ZoneRecord(names[n], "CNAME", 60, (names[n + 1],), set_id=f"s{n}") for n in range(length)]
    return [*steps, record("end", names[length])]


@pytest.mark.parametrize("kind", ["alias", "CNAME"])
def test_five_records_are_followed_and_no_sixth(kind):
    assert ask(*chain_of(4, kind)).values == ("end.example",)
    found = ask(*chain_of(5, kind))
    assert len(found.chain) == 5
    assert (found.rcode, found.values) == (("NODATA", ()) if kind == "alias" else ("NOERROR", ("n5.rydes.localhost",)))


def test_records_that_lead_in_a_circle_end():
    circle = (alias("a", "b.rydes.localhost"), alias("b", NAME, name="b.rydes.localhost"))
    assert ask(*circle).rcode == "NODATA"
    names = (ZoneRecord(NAME, "CNAME", 60, ("b.rydes.localhost",)), ZoneRecord("b.rydes.localhost", "CNAME", 60, (NAME,)))
    assert len(ask(*names).chain) == 5


def test_a_hundred_aliases_to_their_own_group_cost_one_look_at_each():
    looks = Counter[str]()

    def healthy(check: str) -> bool:
        looks[check] += 1
        return True

    group = [alias(f"s{n}", NAME, weight=1, health_check=f"h{n}") for n in range(100)]
    choose(zone(*group), NAME, "A", DEFAULT, healthy=healthy, alias_up=lambda _: True, chance=random.Random(1))
    assert max(looks.values()) <= 20


WILD = (
    record("star", "*.rydes.localhost"),
    record("deep", "a.b.rydes.localhost"),
    record("text", "t.rydes.localhost", type="TXT"),
    record("inner", "*.b.rydes.localhost", type="TXT"),
)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("x.rydes.localhost", "A", "star"),
        ("y.x.rydes.localhost", "A", "star"),
        ("x.rydes.localhost", "TXT", "NODATA"),
        ("b.rydes.localhost", "A", "NODATA"),
        ("a.b.rydes.localhost", "A", "deep"),
        ("c.b.rydes.localhost", "A", "NODATA"),
        ("c.b.rydes.localhost", "TXT", "inner"),
        ("t.rydes.localhost", "A", "NODATA"),
        ("c.a.b.rydes.localhost", "A", "NXDOMAIN"),
        ("*.rydes.localhost", "A", "star"),
        ("rydes.localhost", "A", "NODATA"),
        ("rydes.example", "A", "NXDOMAIN"),
        ("xrydes.localhost", "A", "NXDOMAIN"),
    ],
)
def test_wildcards_serve_names_that_do_not_exist_below_their_closest_ancestor(name, kind, expected):
    found = ask(*WILD, name=name, kind=kind)
    assert (found.chain[-1].set_id if found.rcode == "NOERROR" else found.rcode) == expected


def test_without_a_wildcard_a_name_that_does_not_exist_is_said_to_be_none():
    found = ask(name="nothing.rydes.localhost")
    assert (found.rcode, found.ttl) == ("NXDOMAIN", 900)


def test_the_health_of_a_single_record_is_that_of_its_checks():
    def look(of: ZoneRecord, sick: str) -> bool:
        return is_healthy(zone(*TREE), of, DEFAULT, healthy=lambda check: check not in sick.split(), alias_up=lambda _: True)

    assert look(TREE[0], "") and look(TREE[0], "h1") and not look(TREE[0], "h1 h2")
    assert look(TREE[2], "h2") and not look(TREE[2], "h1")


POLICIES = ("simple", "weighted", "failover", "latency", "geolocation", "geoproximity", "multivalue")
PLACES = st.sampled_from([place_named(name) for name in ("SG", "DE", "US-OR", "US-TX", "BR", "ZA", "AU", "JP")])
OWNERS = ("api", "one", "two", "*", "*.deep", "last")


@st.composite
def groups(draw: st.DrawFn, owner: str, later: list[str], kind: str, number: itertools.count[int]) -> list[ZoneRecord]:
    """The records of one name: one policy, targets among the names that come later, so that nothing leads in a circle."""
    policy = draw(st.sampled_from(POLICIES if kind != "CNAME" else POLICIES[:-1]))  # AWS refuses CNAMEs by multivalue
    size = draw(st.integers(1, {"simple": 1, "failover": 2, "multivalue": 10}.get(policy, 4)))
    regions = draw(
        st.lists(st.sampled_from(["eu-west-1", "us-west-2", "sa-east-1", "ap-northeast-1"]), min_size=4, max_size=4, unique=True)
    )
    places = draw(
        st.lists(
            st.sampled_from([("", "*", ""), ("EU", "", ""), ("AS", "", ""), ("", "DE", ""), ("", "US", ""), ("", "US", "OR")]),
            min_size=4,
            max_size=4,
            unique=True,
        )
    )
    found = []
    for index in range(size):
        more: dict[str, Any] = {"health_check": draw(st.sampled_from(["", "h1", "h2", "h3"]))}
        if policy == "weighted":
            more["weight"] = draw(st.sampled_from([0, 1, 7]))
        elif policy == "failover":
            more["failover"] = ("PRIMARY", "SECONDARY")[index]
        elif policy == "latency":
            more["region"] = regions[index]
        elif policy == "geolocation":
            more["continent"], more["country"], more["subdivision"] = places[index]
        elif policy == "geoproximity":
            more["proximity"] = Proximity(region=regions[index], bias=draw(st.integers(-99, 99)))
        more["multivalue"] = policy == "multivalue"
        set_id, name = f"r{next(number)}", f"{owner}.rydes.localhost"
        ttl = draw(st.sampled_from([5, 60, 300]))
        way = draw(st.sampled_from(["values", "alias", "outer"])) if policy != "multivalue" and kind == "A" else "values"
        target = f"{draw(st.sampled_from(later))}.rydes.localhost" if later else ""
        if way == "alias" and target:
            found.append(alias(set_id, target, name=name, evaluate=draw(st.booleans()), **more))
        elif way == "outer":
            found.append(alias(set_id, draw(st.sampled_from(["up.aws", "down.aws"])), name=name, zone="ZX", **more))
        elif kind == "CNAME":
            found.append(ZoneRecord(name, "CNAME", ttl, (target or "elsewhere.example",), set_id=set_id, **more))
        else:
            found.append(record(set_id, name, ttl=ttl, **more))
    return found


@st.composite
def zones_of_records(draw: st.DrawFn) -> Zone:
    number = itertools.count()
    records: list[ZoneRecord] = []
    for index, owner in enumerate(OWNERS):
        if draw(st.integers(0, 4)):
            kind = draw(st.sampled_from(["A", "A", "A", "CNAME", "TXT"]))
            later = [*(each for each in OWNERS[index + 1 :] if not each.startswith("*")), *(["gone"] if index > 3 else [])]
            records += draw(groups(owner, later, kind, number))
    return zone(*records)


@settings(max_examples=200, deadline=None)
@given(
    zones_of_records(),
    st.sampled_from(["api", "one", "two", "other", "x.other", "deep", "x.deep", "last", "gone.last"]),
    st.sampled_from(["A", "A", "A", "CNAME", "TXT"]),
    PLACES,
    st.sets(st.sampled_from(["h1", "h2", "h3"])),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_every_choice_is_one_that_a_second_reading_of_the_rules_permits(found_zone, name, kind, asker, sick, targets_down, seed):
    down = frozenset({"down.aws"}) if targets_down else frozenset[str]()
    name = f"{name}.rydes.localhost"
    reference = Reference(found_zone, asker, frozenset(sick), down)
    possible = reference.outcomes(name, kind)
    assume(not reference.circular)
    chance = random.Random(seed)
    for _ in range(5):
        found = choose(
            found_zone,
            name,
            kind,
            asker,
            healthy=healthy_by(frozenset(sick)),
            alias_up=lambda target: target.name not in down,
            chance=chance,
        )
        outcome = (found.rcode, tuple(sorted(each.set_id for each in found.chain)), frozenset(found.values), found.ttl)
        assert outcome in possible


QUERIES = 10_000


@pytest.mark.parametrize(
    ("policy", "group", "shares"),
    [
        ("simple", [record("a")], {"a": 1.0}),
        ("weighted", [record("a", weight=50), record("b", weight=50)], {"a": 0.5, "b": 0.5}),
        ("weighted", [record("a", weight=255), record("b", weight=1)], {"a": 255 / 256, "b": 1 / 256}),
        ("weighted", [record("a", weight=0), record("b", weight=0), record("c", weight=0)], {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}),
        ("failover", list(PAIR), {"p": 1.0}),
        ("latency", list(REGIONS), {"us-west-2": 1.0}),
        ("geolocation", list(WORLD), {"oregon": 1.0}),
        ("geoproximity", [near("o", region="us-west-2"), near("v", region="us-east-1")], {"o": 1.0}),
        ("multivalue", [record(f"m{n}", multivalue=True) for n in range(12)], {f"m{n}": 8 / 12 for n in range(12)}),
        ("nested", [*(alias(n, f"{n}.rydes.localhost", weight=1) for n in "ab"), *(
            record(f"{n}{w}", f"{n}.rydes.localhost", weight=w) for n in "ab" for w in (1, 3)
        )], {"a1": 1 / 8, "a3": 3 / 8, "b1": 1 / 8, "b3": 3 / 8}),
    ],
)  # fmt: skip
def test_ten_thousand_queries_are_shared_as_the_policy_says(policy, group, shares):
    chance, seen = random.Random(f"{policy} {sorted(shares)}"), Counter[str]()
    for _ in range(QUERIES):
        final = ask(*group, chance=chance).chain
        seen.update(each.set_id for each in (final if policy == "multivalue" else final[-1:]))
    assert seen.keys() == shares.keys()
    width = NormalDist().inv_cdf(1 - 0.0005)
    for set_id, share in shares.items():
        band = width * (share * (1 - share) / QUERIES) ** 0.5
        assert abs(seen[set_id] / QUERIES - share) <= band, (set_id, seen[set_id] / QUERIES, share)
