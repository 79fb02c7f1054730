"""`dns.answers`: what each policy promises, and when counts are too far from it."""

from __future__ import annotations

import pytest

from tests.unit.fakes.context import StepSandbox
from workshop.errors import WorkshopError
from workshop.steps.base import State
from workshop.steps.route53.answers import AnswersParams, DnsAnswers
from workshop.steps.route53.routing import expectation, routed_group
from workshop.steps.route53.sampling import Sample, band, chance_of, mismatch

ZONE, NAME = "event.example.com", "api.event.example.com"
WEST, EAST = "us-west-2", "eu-west-1"
STEP = DnsAnswers()


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


def host(region: str) -> str:
    return f"a1b2.execute-api.{region}.localhost"


def check(sandbox: StepSandbox, region: str, **more) -> str:
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": host(region), "EnableSNI": True, **more}
    made = sandbox.aws.route53.call("us-east-1", "create_health_check", CallerReference=region, HealthCheckConfig=config)
    return str(made["HealthCheck"]["Id"])


def route(sandbox: StepSandbox, *records: dict, kind: str = "CNAME") -> str:
    """A zone with one record for each of these routings, the first of them in the west."""
    zone = sandbox.aws.route53.put_zone(ZONE)
    for region, more in zip((WEST, EAST, "ap-southeast-1"), records, strict=False):
        identified = {"SetIdentifier": f"films:{region}"} if len(records) > 1 else {}
        sandbox.aws.route53.put_record(zone, NAME, kind, host(region), **identified, **more)
    return zone


def weights(sandbox: StepSandbox, *figures: int) -> str:
    return route(sandbox, *({"Weight": figure} for figure in figures))


async def look(sandbox: StepSandbox, expect: str, **more):
    return await STEP.observe(sandbox.context(AnswersParams(name=NAME, expect=expect, **more)))


async def expected(sandbox: StepSandbox, zone: str):
    return expectation(await routed_group(sandbox.aws, zone, NAME))


@pytest.mark.parametrize("figures", [(1, 1), (1, 3), (10, 0), (0, 0)])
async def test_weighted_records_are_answered_by_their_weights(sandbox, figures):
    weights(sandbox, *figures)
    assert (await look(sandbox, "weighted", queries=400)).state is State.READY


async def test_the_zones_own_servers_are_asked_as_often_as_was_wanted(sandbox):
    weights(sandbox, 1, 1)
    await look(sandbox, "weighted", queries=50)
    assert len(sandbox.internet.asked) == 50
    assert {server.split(".")[1] for server in sandbox.internet.servers_asked()} == {"awsdns-1"}


@pytest.mark.parametrize("policy", ["weighted", "failover", "latency", "geolocation"])
async def test_an_unhealthy_region_is_expected_to_be_left_out(sandbox, policy):
    ids = [check(sandbox, region) for region in (WEST, EAST)]
    routings = {
        "weighted": [{"Weight": 1}, {"Weight": 1}],
        "failover": [{"Failover": "PRIMARY"}, {"Failover": "SECONDARY"}],
        "latency": [{"Region": WEST}, {"Region": EAST}],
        "geolocation": [{"GeoLocation": {"ContinentCode": "NA"}}, {"GeoLocation": {"CountryCode": "*"}}],
    }[policy]
    zone = route(sandbox, *({**each, "HealthCheckId": id} for each, id in zip(routings, ids, strict=True)))
    assert (await look(sandbox, policy)).state is State.READY
    sandbox.aws.route53.health.sick.add(ids[0])
    assert (await expected(sandbox, zone)).regions == (EAST,)
    assert (await look(sandbox, policy)).state is State.READY


async def test_with_every_target_unhealthy_the_primary_answers(sandbox):
    ids = [check(sandbox, region) for region in (WEST, EAST)]
    zone = route(sandbox, {"Failover": "PRIMARY", "HealthCheckId": ids[0]}, {"Failover": "SECONDARY", "HealthCheckId": ids[1]})
    sandbox.aws.route53.health.sick.update(ids)
    assert (await expected(sandbox, zone)).shares == {WEST: 1.0}
    assert (await look(sandbox, "failover")).state is State.READY


@pytest.mark.parametrize(
    ("config", "sick", "regions"),
    [
        ({"Disabled": True}, True, (WEST, EAST)),
        ({"Inverted": True}, False, (EAST,)),
        ({"Inverted": True}, True, (WEST, EAST)),
        ({"Disabled": True, "Inverted": True}, True, (EAST,)),
    ],
)
async def test_disabled_and_inverted_checks_count_as_route_53_counts_them(sandbox, config, sick, regions):
    inverted = check(sandbox, WEST, **config)
    zone = route(sandbox, {"Weight": 1, "HealthCheckId": inverted}, {"Weight": 1})
    if sick:
        sandbox.aws.route53.health.sick.add(inverted)
    assert set((await expected(sandbox, zone)).regions) == set(regions)


@pytest.mark.parametrize("policy", ["latency", "geolocation"])
async def test_a_policy_that_goes_by_the_asker_promises_regions_and_no_shares(sandbox, policy):
    member = {"latency": "Region", "geolocation": "GeoLocation"}[policy]
    values = [WEST, EAST] if policy == "latency" else [{"CountryCode": "US"}, {"CountryCode": "*"}]
    zone = route(sandbox, *({member: value} for value in values))
    found = await expected(sandbox, zone)
    assert sorted(found.regions) == [EAST, WEST] and found.shares == {} and "where it is" in found.words


async def test_one_record_is_expected_to_have_every_answer(sandbox):
    route(sandbox, {})
    assert (await look(sandbox, "simple")).state is State.READY


async def test_an_alias_is_told_by_the_address_of_its_target(sandbox):
    zone = sandbox.aws.route53.put_zone(ZONE)
    for region in (WEST, EAST):
        target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": host(region), "EvaluateTargetHealth": False}
        row = {"Name": NAME, "Type": "A", "SetIdentifier": f"films:{region}", "Weight": 1, "AliasTarget": target}
        batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": row}]}
        sandbox.aws.route53.call("us-east-1", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)
    local = sandbox.target("local")
    ctx = sandbox.context(AnswersParams(name=NAME, queries=100), target=local)
    assert (await STEP.observe(ctx)).state is State.READY


async def test_records_of_another_policy_are_named(sandbox):
    weights(sandbox, 1, 1)
    observed = await look(sandbox, "latency")
    assert observed.state is State.ABSENT and "are weighted, not latency" in observed.detail


async def test_a_missing_zone_and_a_missing_record_are_found_out(sandbox):
    assert "No public zone" in (await look(sandbox, "weighted")).detail
    sandbox.aws.route53.put_zone(ZONE)
    assert f"no record {NAME}" in (await look(sandbox, "weighted")).detail


async def test_answers_that_never_fit_end_in_an_error_with_both_shares(sandbox):
    ids = [check(sandbox, region) for region in (WEST, EAST)]
    zone = route(sandbox, *({"Weight": 1, "HealthCheckId": id} for id in ids))
    sandbox.aws.route53.health.sick.add(ids[1])
    observed_as_well = sandbox.aws.route53.health.observations
    sandbox.aws.route53.health.observations = lambda _, seen="last": observed_as_well(ids[0])  # the checkers disagree with DNS
    with pytest.raises(WorkshopError, match="not answered as it should") as caught:
        await STEP.create(sandbox.context(AnswersParams(name=NAME, zone=zone, deadline=20)))
    assert f"{WEST} 200 (100.0%)" in caught.value.why and f"expected {EAST} 50.0%, {WEST} 50.0%" in caught.value.why
    assert "workshop observe answers" in caught.value.fix and 20 <= sandbox.clock.monotonic() < 30


# The test of counts.


@pytest.mark.parametrize(
    ("squares", "freedom", "chance"),
    [(10.828, 1, 0.001), (13.816, 2, 0.001), (16.266, 3, 0.001), (18.467, 4, 0.001), (20.515, 5, 0.001), (3.841, 1, 0.05)],
)
def test_chances_are_those_of_the_tables_of_chi_square(squares, freedom, chance):
    regions = [f"r{number}" for number in range(freedom + 1)]
    each, off = 1_000_000, (squares * 1_000_000 / 2) ** 0.5
    counts = dict.fromkeys(regions, each) | {regions[0]: each + off, regions[1]: each - off}
    assert chance_of(counts, dict.fromkeys(regions, 1 / len(regions))) == pytest.approx(chance, rel=0.01)


def test_an_answer_that_was_not_promised_at_all_is_never_chance():
    assert chance_of({WEST: 199, "elsewhere": 1}, {WEST: 1.0}) == 0.0
    assert chance_of({WEST: 200}, {WEST: 1.0}) == 1.0


def test_shares_too_small_for_the_test_are_counted_together():
    shares = {WEST: 0.99, EAST: 0.005, "ap-southeast-1": 0.005}
    assert chance_of({WEST: 197, EAST: 3}, shares) > 0.1
    assert chance_of({WEST: 150, EAST: 50}, shares) < 0.001


def test_a_difference_that_chance_explains_is_none():
    weighted = expectation_of({WEST: 0.5, EAST: 0.5})
    assert mismatch(Sample(NAME, 200, {WEST: 112, EAST: 88}, 60, ("udp",)), weighted) == ""
    assert "expected" in mismatch(Sample(NAME, 200, {WEST: 130, EAST: 70}, 60, ("udp",)), weighted)
    assert "alone" in mismatch(Sample(NAME, 200, {WEST: 199, "192.0.2.9": 1}, 60, ("udp",)), weighted)


def expectation_of(shares):
    from workshop.steps.route53.routing import Expectation

    return Expectation("weighted", tuple(shares), shares, "by weight")


@pytest.mark.parametrize(
    ("share", "queries", "low", "high"), [(0.5, 200, 0.384, 0.616), (1.0, 200, 1.0, 1.0), (0.01, 10, 0.0, 0.114)]
)
def test_the_band_that_chance_allows(share, queries, low, high):
    assert band(share, queries) == pytest.approx((low, high), abs=0.001)
