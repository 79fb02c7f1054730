"""Zones, records and health checks as values: what boto3 wrote is what the rest of the cloud reads, at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ministack.services import cloudwatch, route53

from tests.cloud_room import in_process
from workshop.cloud.names.checks import CheckConfig, alarm_state, stored_checks
from workshop.cloud.names.records import Alias, Proximity, Zone, ZoneRecord, zones
from workshop.cloud.timing import Timing


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    with in_process.emptied(route53, cloudwatch):
        yield


def hosted_zone(client: Any, name: str = "rydes.localhost", **more: Any) -> str:
    made = client.create_hosted_zone(Name=name, CallerReference=f"{name}{len(zones())}", **more)
    return str(made["HostedZone"]["Id"].removeprefix("/hostedzone/"))


def write(client: Any, zone: str, *records: dict[str, Any], action: str = "UPSERT") -> None:
    changes = [{"Action": action, "ResourceRecordSet": record} for record in records]
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def cname(**more: Any) -> dict[str, Any]:
    return {"Name": "API.Rydes.localhost.", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "x.example"}], **more}


def only(set_id: str = "a") -> ZoneRecord:
    (zone,) = zones()
    return next(record for record in zone.records if record.set_id == set_id)


def test_zones_of_every_account_are_read_with_their_own_records():
    for account in ("000000000000", "111111111111"):
        hosted_zone(in_process.client("route53", route53, account=account), f"Z{account}.Localhost")
    assert {(zone.account, zone.name, zone.private) for zone in zones()} == {
        ("000000000000", "z000000000000.localhost", False),
        ("111111111111", "z111111111111.localhost", False),
    }
    assert [record.type for record in zones()[0].records] == ["SOA", "NS"]
    assert zones()[0].records[1].values[0] == "ns-1.awsdns-1.com."


def test_a_private_zone_is_marked_as_one():
    hosted_zone(in_process.client("route53", route53), VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-1"})
    assert zones()[0].private


@pytest.mark.parametrize(
    ("written", "read", "policy"),
    [
        ({"Weight": 0}, {"weight": 0}, "weighted"),
        ({"Weight": 255}, {"weight": 255}, "weighted"),
        ({"Failover": "PRIMARY"}, {"failover": "PRIMARY"}, "failover"),
        ({"Region": "eu-west-1"}, {"region": "eu-west-1"}, "latency"),
        ({"GeoLocation": {"ContinentCode": "EU"}}, {"continent": "EU"}, "geolocation"),
        ({"GeoLocation": {"CountryCode": "*"}}, {"country": "*"}, "geolocation"),
        ({"GeoLocation": {"CountryCode": "US", "SubdivisionCode": "OR"}}, {"country": "US", "subdivision": "OR"}, "geolocation"),
        ({"MultiValueAnswer": True}, {"multivalue": True}, "multivalue"),
    ],
)
def test_a_record_is_read_as_it_was_written(written, read, policy):
    client = in_process.client("route53", route53)
    write(client, hosted_zone(client), cname(SetIdentifier="a", HealthCheckId="h1", **written))
    assert only() == ZoneRecord("api.rydes.localhost", "CNAME", 60, ("x.example",), "a", health_check="h1", **read)
    assert only().policy == policy


def test_a_simple_record_has_no_policy_of_its_own_and_a_wildcard_is_a_star():
    client = in_process.client("route53", route53)
    write(client, hosted_zone(client), {**cname(), "Name": "\\052.rydes.localhost"})
    record = zones()[0].records[-1]
    assert (record.name, record.policy, record.set_id) == ("*.rydes.localhost", "simple", "")


def test_an_alias_has_a_target_and_no_values():
    client = in_process.client("route53", route53)
    target = {"HostedZoneId": "Z1UJRXOUMOOFQ8", "DNSName": "D-1.execute-api.us-east-1.localhost", "EvaluateTargetHealth": True}
    write(client, hosted_zone(client), {"Name": "rydes.localhost", "Type": "A", "AliasTarget": target})
    record = zones()[0].records[-1]
    assert record.alias == Alias("Z1UJRXOUMOOFQ8", "d-1.execute-api.us-east-1.localhost", evaluate=True)
    assert (record.ttl, record.values) == (0, ())


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ({"AWSRegion": "eu-west-1", "Bias": "-20"}, Proximity(region="eu-west-1", bias=-20)),
        ({"LocalZoneGroup": "us-east-1-bue-1"}, Proximity(local_zone="us-east-1-bue-1")),
        (
            {"Coordinates": {"Latitude": "49.22", "Longitude": "-74.01"}, "Bias": 99},
            Proximity(latitude=49.22, longitude=-74.01, bias=99),
        ),
    ],
)
def test_the_place_of_a_geoproximity_record_is_read_in_each_form(stored, read):
    client = in_process.client("route53", route53)
    zone = hosted_zone(client)
    kept = {"Name": "api.rydes.localhost.", "Type": "A", "TTL": "60", "SetIdentifier": "a", "GeoProximityLocation": stored}
    route53._records.set_scoped("000000000000", "", zone, [kept])
    assert (only().proximity, only().policy) == (read, "geoproximity")


def test_a_change_is_seen_at_once_and_what_was_not_changed_is_not_read_again():
    client = in_process.client("route53", route53)
    zone, other = hosted_zone(client), hosted_zone(client, "other.localhost")
    write(client, zone, cname(SetIdentifier="a", Weight=1))
    before = {each.id: each for each in zones()}
    write(client, zone, cname(SetIdentifier="a", Weight=9))
    after = {each.id: each for each in zones()}
    assert after[zone].records[-1].weight == 9
    assert after[other] is before[other] and after[zone] is not before[zone]
    client.delete_hosted_zone(Id=other)
    assert [each.id for each in zones()] == [zone]
    route53.reset()
    assert zones() == ()


def test_names_exist_when_they_have_records_or_names_below_them():
    zone = Zone("Z1", "rydes.localhost", "0", False, (ZoneRecord("a.b.rydes.localhost", "A", 60, ("192.0.2.1",)),))
    assert {name: len(records) for name, records in zone.by_name.items()} == {
        "a.b.rydes.localhost": 1,
        "b.rydes.localhost": 0,
        "rydes.localhost": 0,
    }


def test_a_health_check_is_read_with_the_defaults_of_aws():
    client = in_process.client("route53", route53)
    made = client.create_health_check(
        CallerReference="1", HealthCheckConfig={"Type": "HTTPS", "FullyQualifiedDomainName": "API.example.", "ResourcePath": "up"}
    )["HealthCheck"]["Id"]
    assert stored_checks() == {
        made: CheckConfig(made, "000000000000", "HTTPS", host="api.example", port=443, path="/up", interval=30, threshold=3)
    }
    assert stored_checks()[made].has_endpoint


def test_a_health_check_is_read_as_it_was_written_and_again_after_an_update():
    client = in_process.client("route53", route53, account="111111111111")
    written = {
        "Type": "HTTP_STR_MATCH",
        "IPAddress": "192.0.2.7",
        "FullyQualifiedDomainName": "api.example",
        "Port": 8080,
        "ResourcePath": "/up?deep=1",
        "SearchString": "ok",
        "RequestInterval": 10,
        "FailureThreshold": 2,
        "MeasureLatency": True,
        "Inverted": True,
        "Disabled": True,
        "EnableSNI": False,
    }
    made = client.create_health_check(CallerReference="1", HealthCheckConfig=written)["HealthCheck"]["Id"]
    first = stored_checks()[made]
    assert first == CheckConfig(
        *(made, "111111111111", "HTTP_STR_MATCH", "192.0.2.7", "api.example", 8080, "/up?deep=1", "ok", 10, 2),
        *((), True, True, False, True),
    )
    route53._health_checks.get_scoped("111111111111", "", made)["config"] = {**written, "Regions": ["us-east-1", "eu-west-1"]}
    assert stored_checks()[made] == replace(first, regions=("us-east-1", "eu-west-1"))
    client.update_health_check(HealthCheckId=made, FailureThreshold=5, Disabled=False)
    assert (stored_checks()[made].threshold, stored_checks()[made].disabled) == (5, False)
    client.delete_health_check(HealthCheckId=made)
    assert stored_checks() == {}


def test_a_calculated_check_and_one_of_an_alarm_send_no_requests():
    client = in_process.client("route53", route53)
    alarm = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "eu-west-1", "Name": "errors"}}
    kinds = [{"Type": "CALCULATED", "ChildHealthChecks": ["a"], "HealthThreshold": 1}, alarm]
    for number, kind in enumerate(kinds):
        client.create_health_check(CallerReference=str(number), HealthCheckConfig=kind)
    found = {check.type: check for check in stored_checks().values()}
    assert found["CALCULATED"].health_threshold == 1 and found["CLOUDWATCH_METRIC"].alarm == ("eu-west-1", "errors")
    assert found["CLOUDWATCH_METRIC"].insufficient == "LastKnownStatus"
    assert not any(check.has_endpoint for check in found.values())


def test_the_state_of_an_alarm_follows_what_the_cloud_itself_records():
    metrics = in_process.client("cloudwatch", cloudwatch, region="eu-west-1")
    check = CheckConfig("c", "000000000000", "CLOUDWATCH_METRIC", alarm=("eu-west-1", "errors"))
    assert alarm_state(check) == "INSUFFICIENT_DATA"
    metrics.put_metric_alarm(
        AlarmName="errors",
        Namespace="Test",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    with cloudwatch_scope():
        cloudwatch.record_metric("Test", "Errors", 9.0)
    assert alarm_state(check) == "ALARM"
    metrics.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="test")
    assert (
        alarm_state(CheckConfig("c", "111111111111", "CLOUDWATCH_METRIC", alarm=("eu-west-1", "errors"))) == "INSUFFICIENT_DATA"
    )


def cloudwatch_scope() -> Any:
    from ministack.core import responses

    return responses.request_scope("000000000000", "eu-west-1")


@pytest.mark.parametrize(
    ("profile", "scale", "seconds", "expected"),
    [
        ("realistic", 1.0, 60, 60),
        ("fast", 1.0, 60, 6),
        ("instant", 1.0, 60, 0.6),
        ("fast", 0.5, 10, 0.5),
        ("realistic", 2.0, 30, 60),
    ],
)
def test_the_clock_of_names_runs_as_the_profile_says(profile, scale, seconds, expected):
    assert Timing(profile, scale).names_seconds(seconds) == pytest.approx(expected)
