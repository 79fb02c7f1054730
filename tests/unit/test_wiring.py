"""The static proof of the wiring: every row of its table, over worlds made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.wiring_builders import (
    APIS,
    EAST,
    FIXES,
    NAME,
    NORTH,
    ROUTES,
    WEST,
    check,
    crossed,
    host,
    plain,
    record,
    straight,
    target,
    with_checks,
    with_records,
)
from workshop.aws.resources.custom_domains import CustomDomain, Mapping
from workshop.aws.resources.health_checks import HealthCheck
from workshop.steps.route53.proof import MismatchKind, Proof, wiring_error
from workshop.steps.route53.wiring import prove
from workshop.steps.route53.world import World


def proven(world: World) -> Proof:
    return prove(world, NAME, FIXES)


def rows(world: World) -> set[MismatchKind]:
    return {each.kind for each in proven(world).mismatches}


def texts(world: World, row: MismatchKind) -> list[str]:
    return [each.text for each in proven(world).mismatches if each.kind is row]


def test_a_straight_wiring_is_proven_and_described():
    proof = proven(straight())
    assert proof.mismatches == () and all(wire.right for wire in proof.wires)
    assert "us-west-2: points at us-west-2 (aaaa111111/prod), and health check check-us-west-2 watches" in proof.summary


def test_the_talks_mistake_is_named_by_both_regions_with_the_command_that_fixes_it():
    proof = proven(crossed(straight()))
    assert {each.kind for each in proof.problems} == {MismatchKind.CROSSED, MismatchKind.OTHER_ENDPOINT}
    (ring,) = [each for each in proof.problems if each.kind is MismatchKind.CROSSED]
    assert ring.text.startswith("us-west-2 and us-east-1 carry each other's health check: ")
    assert ring.regions == (WEST, EAST) and ring.fix == "workshop step run records"
    (west,) = [each for each in proof.about(WEST) if each.kind is MismatchKind.OTHER_ENDPOINT]
    assert west.text == (
        "us-west-2: points at us-west-2 (aaaa111111/prod), but its health check check-us-east-1 watches us-east-1 "
        "(bbbb222222/prod)."
    )
    assert not any(wire.right for wire in proof.wires)
    error = wiring_error(proof)
    assert error.fix == "workshop step run records" and WEST in error.why and EAST in error.why


def test_exchanged_targets_are_the_same_mistake_as_exchanged_checks():
    world = with_records(
        straight(),
        record(WEST, ResourceRecords=[{"Value": target(EAST)}]),
        record(EAST, ResourceRecords=[{"Value": target(WEST)}]),
    )
    assert MismatchKind.CROSSED in rows(world)


def test_three_checks_in_a_ring_are_one_ring():
    following = {WEST: EAST, EAST: NORTH, NORTH: WEST}
    world = with_records(straight(WEST, EAST, NORTH), *(record(a, HealthCheckId=f"check-{b}") for a, b in following.items()))
    (text,) = texts(world, MismatchKind.CROSSED)
    assert text.startswith("us-west-2, us-east-1 and eu-north-1 carry each other's health checks in a ring")


def test_one_wrong_check_is_no_ring():
    world = with_records(straight(), record(WEST, HealthCheckId=f"check-{EAST}"))
    assert rows(world) == {MismatchKind.OTHER_ENDPOINT}


@pytest.mark.parametrize(
    ("settings", "watched"),
    [
        ({"FullyQualifiedDomainName": host(EAST)}, "watches us-east-1 (bbbb222222/prod)"),
        ({"FullyQualifiedDomainName": f"zzzz999999.execute-api.{WEST}.amazonaws.com"}, "watches us-west-2 (zzzz999999/prod)"),
        ({"ResourcePath": "/dev/health"}, "watches us-west-2 (aaaa111111/dev)"),
        ({"FullyQualifiedDomainName": "other.example.org"}, "watches other.example.org, which is no endpoint of it"),
    ],
)
def test_a_check_of_another_region_api_stage_or_host_is_named(settings, watched):
    world = with_checks(straight(), check(WEST, **settings))
    (text,) = texts(world, MismatchKind.OTHER_ENDPOINT)
    assert text.startswith("us-west-2: points at us-west-2 (aaaa111111/prod), but ") and watched in text


@pytest.mark.parametrize(
    ("settings", "row", "words"),
    [
        ({"FullyQualifiedDomainName": NAME}, MismatchKind.ROUTED, "asks the routed name api.films.example.com itself"),
        ({"FullyQualifiedDomainName": target(WEST)}, MismatchKind.TARGET_ITSELF, "403 Forbidden under that name"),
        ({"EnableSNI": False}, MismatchKind.NO_SNI, "API Gateway refuses the handshake"),
        ({"Type": "HTTP", "Port": 80, "EnableSNI": None}, MismatchKind.NOT_LISTENING, "by HTTP on port 80: nothing listens"),
        ({"Port": 8443}, MismatchKind.NOT_LISTENING, "by HTTPS on port 8443: nothing listens"),
        (
            {"Type": "TCP", "ResourcePath": None, "EnableSNI": None},
            MismatchKind.ONLY_CONNECTS,
            "stays healthy while the functions",
        ),
        ({"ResourcePath": "/health"}, MismatchKind.STAGE_MISSING, "without a stage: 403 Missing Authentication Token"),
        ({"ResourcePath": "/dev/health"}, MismatchKind.NO_STAGE, "has no stage dev"),
        ({"ResourcePath": "/prod/status/deep"}, MismatchKind.NO_ROUTE, "no route with an integration"),
        ({"Disabled": True}, MismatchKind.DISABLED, "is disabled: it counts as healthy"),
        ({"Disabled": True, "Inverted": True}, MismatchKind.DISABLED, "counts as unhealthy"),
    ],
)
def test_a_check_that_says_nothing_about_its_endpoint_is_a_problem(settings, row, words):
    world = with_checks(straight(), check(WEST, **settings))
    (text,) = texts(world, row)
    assert text.startswith("us-west-2: health check check-us-west-2") and words in text
    assert row in {each.kind for each in proven(world).problems}


@pytest.mark.parametrize(
    ("settings", "row", "words"),
    [
        ({"Inverted": True}, MismatchKind.INVERTED, "is inverted"),
        ({"FailureThreshold": 1}, MismatchKind.THRESHOLD, "a single failure"),
    ],
)
def test_settings_that_work_with_a_caveat_are_warnings(settings, row, words):
    proof = proven(with_checks(straight(), check(WEST, **settings)))
    assert proof.problems == () and [each.kind for each in proof.warnings] == [row] and words in proof.warnings[0].text


def test_a_deleted_check_counts_as_healthy_for_ever():
    world = replace(straight(), checks={f"check-{EAST}": check(EAST)})
    (text,) = texts(world, MismatchKind.CHECK_GONE)
    assert text == "us-west-2: its health check check-us-west-2 does not exist: it counts as healthy for ever."
    assert rows(world) == {MismatchKind.CHECK_GONE}


def test_a_record_without_a_check_is_never_withdrawn_unless_it_is_the_last_resort():
    assert rows(with_records(straight(), record(WEST, HealthCheckId=None))) == {MismatchKind.NO_CHECK}
    failover = (
        record(WEST, Weight=None, Failover="PRIMARY"),
        record(EAST, Weight=None, Failover="SECONDARY", HealthCheckId=None),
    )
    proof = proven(with_records(straight(), *failover))
    assert proof.mismatches == () and "it has no health check" in proof.summary
    places = (
        record(WEST, Weight=None, GeoLocation={"CountryCode": "*"}, HealthCheckId=None),
        record(EAST, Weight=None, GeoLocation={"ContinentCode": "EU"}),
    )
    assert rows(with_records(straight(), *places)) == set()


def test_a_secondary_record_with_a_check_is_a_warning():
    failover = (record(WEST, Weight=None, Failover="PRIMARY"), record(EAST, Weight=None, Failover="SECONDARY"))
    proof = proven(with_records(straight(), *failover))
    assert proof.problems == () and [each.kind for each in proof.warnings] == [MismatchKind.SECONDARY_CHECKED]


def alias(region: str, **changed):
    there = {"HostedZoneId": "Z1", "DNSName": f"{target(region)}.", "EvaluateTargetHealth": True}
    return record(region, Type="A", TTL=None, ResourceRecords=None, AliasTarget=there, **changed)


def test_an_alias_that_evaluates_its_target_instead_of_a_check_is_named():
    world = with_records(straight(), alias(WEST, HealthCheckId=None), alias(EAST))
    assert rows(world) == {MismatchKind.EVALUATES}
    assert "only when API Gateway itself is down" in texts(world, MismatchKind.EVALUATES)[0]
    assert rows(with_records(straight(), alias(WEST), alias(EAST))) == set()


def test_two_records_at_one_endpoint_are_named():
    world = with_records(straight(), record(EAST, ResourceRecords=[{"Value": target(WEST)}], HealthCheckId=f"check-{WEST}"))
    assert MismatchKind.SAME_ENDPOINT in rows(world)
    assert "two records point at the same endpoint" in texts(world, MismatchKind.SAME_ENDPOINT)[0]


def test_a_region_without_a_record_is_named():
    world = straight()
    assert texts(replace(world, records=world.records[:1]), MismatchKind.REGION_MISSING) == [
        f"us-east-1: has no record of {NAME}."
    ]


def test_a_region_without_the_custom_domain_or_its_mapping_is_named_with_setup_as_the_fix():
    world = straight()
    gone = replace(world, domains=world.domains[:1])
    (found,) = [each for each in proven(gone).problems if each.kind is MismatchKind.DOMAIN_MISSING]
    assert found.regions == (EAST,) and f"{EAST} has no custom domain {NAME}" in found.text and found.fix == "workshop setup"
    unmapped = replace(world, domains=(world.domains[0], replace(world.domains[1], mappings=())))
    assert MismatchKind.MAPPING_MISSING in rows(unmapped)


@pytest.mark.parametrize("where", ["cdn.example.org", "nowhere.films.example.com"])
def test_a_record_that_leads_out_of_the_account_is_named(where):
    world = with_records(straight(), record(WEST, ResourceRecords=[{"Value": where}]))
    assert f"points at {where}, which is no regional endpoint" in texts(world, MismatchKind.NO_ENDPOINT)[0]


def test_a_record_outside_of_api_gateway_is_right_when_its_check_asks_the_same_host():
    world = with_records(straight(), record(WEST, ResourceRecords=[{"Value": "cdn.example.org"}]))
    world = with_checks(world, check(WEST, FullyQualifiedDomainName="cdn.example.org", ResourcePath="/"))
    assert rows(world) == set()


def test_an_api_that_does_not_exist_any_more_is_named():
    world = replace(straight(), gone=frozenset({(WEST, APIS[WEST])}))
    assert texts(world, MismatchKind.API_GONE) == ["us-west-2: points at us-west-2 (aaaa111111/prod), but there is no such API."]


def test_names_of_one_region_are_followed_to_their_endpoint():
    own = {region: f"{region}.films.example.com" for region in (WEST, EAST)}
    world = straight()
    domains = tuple(
        CustomDomain(
            region, name, f"d-own{number}.execute-api.{region}.amazonaws.com", "Z", (Mapping("v1", APIS[region], "prod"),)
        )
        for number, (region, name) in enumerate(own.items())
    )
    world = replace(
        world,
        domains=(*world.domains, *domains),
        records=(*world.records, *(plain(each.name, each.target) for each in domains)),
    )
    checks = (check(region, FullyQualifiedDomainName=name, ResourcePath="/v1/health") for region, name in own.items())
    assert rows(with_checks(world, *checks)) == set()
    swapped = (check(WEST, FullyQualifiedDomainName=own[EAST], ResourcePath="/v1/health"),)
    assert rows(with_checks(world, *swapped)) == {MismatchKind.OTHER_ENDPOINT}
    assert MismatchKind.DOMAIN_MISSING in rows(
        with_checks(world, check(WEST, FullyQualifiedDomainName=own[WEST], ResourcePath="/v2/health"))
    )


def test_records_that_name_the_apis_themselves_are_compared_with_their_checks_too():
    world = with_records(straight(), *(record(region, ResourceRecords=[{"Value": host(region)}]) for region in (WEST, EAST)))
    assert rows(replace(world, domains=())) == set()
    assert MismatchKind.CROSSED in rows(
        with_records(
            world,
            record(WEST, ResourceRecords=[{"Value": host(WEST)}], HealthCheckId=f"check-{EAST}"),
            record(EAST, ResourceRecords=[{"Value": host(EAST)}], HealthCheckId=f"check-{WEST}"),
        )
    )


def test_addresses_of_the_local_cloud_are_the_same_kind_of_endpoint():
    near = {region: f"{APIS[region]}.execute-api.{region}.localhost" for region in (WEST, EAST)}
    world = with_records(straight(), *(record(region, ResourceRecords=[{"Value": near[region]}]) for region in near))
    world = with_checks(world, *(check(region, FullyQualifiedDomainName=near[region]) for region in near))
    assert rows(world) == set()


def test_the_checks_below_a_calculated_one_decide():
    above = HealthCheck("above", "r", 1, {"Type": "CALCULATED", "ChildHealthChecks": [f"check-{WEST}"]})
    world = with_checks(with_records(straight(), record(WEST, HealthCheckId="above")), above)
    assert rows(world) == set()
    wrong = HealthCheck("above", "r", 1, {"Type": "CALCULATED", "ChildHealthChecks": [f"check-{WEST}", f"check-{EAST}"]})
    assert rows(with_checks(world, wrong)) == {MismatchKind.OTHER_ENDPOINT}


def test_a_check_that_follows_an_alarm_cannot_be_proven():
    alarm = HealthCheck("alarm", "r", 1, {"Type": "CLOUDWATCH_METRIC"})
    assert MismatchKind.UNPROVEN in rows(with_checks(with_records(straight(), record(WEST, HealthCheckId="alarm")), alarm))


def test_long_and_different_ttls_are_warnings():
    proof = proven(with_records(straight(), record(WEST, TTL=300)))
    assert proof.problems == () and {each.kind for each in proof.warnings} == {MismatchKind.TTL_LONG, MismatchKind.TTL_DIFFERS}


@pytest.mark.parametrize("records", [(), (plain(NAME, target(WEST)),)])
def test_a_name_without_a_group_has_nothing_to_fail_over_to(records):
    proof = proven(replace(straight(), records=records))
    assert [each.kind for each in proof.problems] == [MismatchKind.NO_GROUP] and "nothing to fail over to" in proof.problems[
        0
    ].text


def test_routes_with_parameters_and_greedy_ones_are_routes():
    world = with_checks(straight(), check(WEST, ResourcePath="/prod/films-1"))
    assert rows(world) == set()
    greedy = replace(ROUTES, routes=frozenset({"/{proxy+}"}))
    world = replace(straight(), apis={(WEST, APIS[WEST]): greedy, (EAST, APIS[EAST]): ROUTES})
    assert rows(world) == set()


def test_foreign_texts_are_shown_without_what_a_terminal_obeys():
    odd = record(WEST, HealthCheckId="\x1b[31mgone")
    assert all("\x1b" not in each.text for each in proven(with_records(straight(), odd)).mismatches)
