"""Route 53's operations on health checks: settings that read back, references, versions, resets, counts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually, refused

NUMBERS = itertools.count()
HTTPS = {"Type": "HTTPS", "FullyQualifiedDomainName": "api.example.com", "ResourcePath": "/health"}
REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-1"]


@pytest.fixture
def client(shared: Cloud) -> Any:
    return shared.client("route53")


def reference() -> str:
    return f"reference-{next(NUMBERS)}"


def create(client: Any, **settings: Any) -> dict[str, Any]:
    answer = client.create_health_check(CallerReference=reference(), HealthCheckConfig={**HTTPS, **settings})
    return dict(answer["HealthCheck"])


def config(client: Any, check: str) -> dict[str, Any]:
    return dict(client.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"])


@pytest.mark.parametrize("name", ["EnableSNI", "Inverted", "Disabled", "MeasureLatency"])
@pytest.mark.parametrize("value", [True, False])
def test_every_boolean_reads_back_as_it_was_sent(client: Any, name: str, value: bool) -> None:
    check = create(client, **{name: value})
    assert check["HealthCheckConfig"][name] is value
    assert config(client, check["Id"])[name] is value
    listed = client.list_health_checks(MaxItems="100")["HealthChecks"]
    assert next(each for each in listed if each["Id"] == check["Id"])["HealthCheckConfig"][name] is value


def test_children_and_regions_read_back(client: Any) -> None:
    children = [create(client)["Id"], create(client)["Id"]]
    settings = {"Type": "CALCULATED", "ChildHealthChecks": children, "HealthThreshold": 1}
    parent = client.create_health_check(CallerReference=reference(), HealthCheckConfig=settings)["HealthCheck"]
    assert config(client, parent["Id"])["ChildHealthChecks"] == children
    assert config(client, create(client, Regions=REGIONS)["Id"])["Regions"] == REGIONS


def test_the_text_to_search_for_keeps_its_spaces(client: Any) -> None:
    check = create(client, Type="HTTPS_STR_MATCH", SearchString=" ok ")
    assert config(client, check["Id"])["SearchString"] == " ok "


def test_what_was_not_sent_has_the_default(client: Any) -> None:
    found = create(client)["HealthCheckConfig"]
    assert (found["Port"], found["RequestInterval"], found["FailureThreshold"], found["EnableSNI"]) == (443, 30, 3, True)
    plain = {"Type": "HTTP", "IPAddress": "192.0.2.1"}
    found = client.create_health_check(CallerReference=reference(), HealthCheckConfig=plain)["HealthCheck"]["HealthCheckConfig"]
    assert (found["Port"], found["EnableSNI"], found["Inverted"]) == (80, False, False)


def test_the_same_reference_and_settings_return_the_same_check(client: Any) -> None:
    name = reference()
    first = client.create_health_check(CallerReference=name, HealthCheckConfig=HTTPS)["HealthCheck"]
    again = client.create_health_check(CallerReference=name, HealthCheckConfig=HTTPS)["HealthCheck"]
    assert again["Id"] == first["Id"]


def test_the_same_reference_with_other_settings_is_refused(client: Any) -> None:
    name = reference()
    client.create_health_check(CallerReference=name, HealthCheckConfig=HTTPS)
    other = {**HTTPS, "ResourcePath": "/other"}
    code, message = refused(lambda: client.create_health_check(CallerReference=name, HealthCheckConfig=other))
    assert code == "HealthCheckAlreadyExists" and "caller reference" in message


def test_the_reference_of_a_deleted_check_stays_used(client: Any) -> None:
    name = reference()
    check = client.create_health_check(CallerReference=name, HealthCheckConfig=HTTPS)["HealthCheck"]
    client.delete_health_check(HealthCheckId=check["Id"])
    assert (
        refused(lambda: client.create_health_check(CallerReference=name, HealthCheckConfig=HTTPS))[0]
        == "HealthCheckAlreadyExists"
    )


def test_a_change_raises_the_version_and_an_old_version_is_refused(client: Any) -> None:
    check = create(client)["Id"]
    changed = client.update_health_check(HealthCheckId=check, HealthCheckVersion=1, ResourcePath="/two")["HealthCheck"]
    assert changed["HealthCheckVersion"] == 2
    code, _ = refused(lambda: client.update_health_check(HealthCheckId=check, HealthCheckVersion=1, ResourcePath="/three"))
    assert code == "HealthCheckVersionMismatch"
    assert config(client, check)["ResourcePath"] == "/two"


def test_elements_are_reset(client: Any) -> None:
    check = create(client, Regions=REGIONS)["Id"]
    client.update_health_check(HealthCheckId=check, ResetElements=["ResourcePath", "Regions"])
    found = config(client, check)
    assert "ResourcePath" not in found and "Regions" not in found
    assert found["FullyQualifiedDomainName"] == HTTPS["FullyQualifiedDomainName"]


def test_what_a_change_does_not_name_stays(client: Any) -> None:
    check = create(client, FailureThreshold=5, Inverted=True)["Id"]
    client.update_health_check(HealthCheckId=check, Disabled=True)
    found = config(client, check)
    assert (found["FailureThreshold"], found["Inverted"], found["Disabled"]) == (5, True, True)


@pytest.mark.parametrize(
    "settings",
    [
        {"RequestInterval": 20},
        {"FailureThreshold": 11},
        {"Port": 70000},
        {"Regions": ["us-east-1", "eu-west-1", "eu-central-1"]},
        {"Regions": ["us-east-1", "us-east-1", "us-east-1"]},
        {"SearchString": "ok"},
        {"Type": "HTTPS_STR_MATCH"},
        {"Type": "TCP"},
        {"Type": "PING"},
        {"IPAddress": "not an address"},
        {"Type": "CLOUDWATCH_METRIC"},
        {"Type": "RECOVERY_CONTROL"},
    ],
)
def test_settings_that_cannot_be_are_refused(client: Any, settings: dict[str, Any]) -> None:
    assert refused(lambda: create(client, **settings))[0] == "InvalidInput"


def test_an_endpoint_needs_a_name_or_an_address(client: Any) -> None:
    code, message = refused(lambda: client.create_health_check(CallerReference=reference(), HealthCheckConfig={"Type": "HTTP"}))
    assert code == "InvalidInput" and "FullyQualifiedDomainName" in message


def test_the_status_of_a_check_is_one_observation_for_each_checker(client: Any) -> None:
    check = create(client, RequestInterval=10, FailureThreshold=1)["Id"]
    eventually(lambda: bool(client.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]))
    observation = client.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"][0]
    assert observation["StatusReport"]["Status"].startswith("Failure: ")
    assert observation["Region"] and observation["IPAddress"] and observation["StatusReport"]["CheckedTime"]
    failures = client.get_health_check_last_failure_reason(HealthCheckId=check)["HealthCheckObservations"]
    assert failures[0]["StatusReport"]["Status"].startswith("Failure: ")


@pytest.mark.parametrize("operation", ["get_health_check_status", "get_health_check_last_failure_reason", "get_health_check"])
def test_a_check_that_does_not_exist_is_named(client: Any, operation: str) -> None:
    call: Callable[..., Any] = getattr(client, operation)
    code, message = refused(lambda: call(HealthCheckId="00000000-0000-0000-0000-000000000000"))
    assert code == "NoSuchHealthCheck" and "00000000" in message


def test_a_calculated_check_has_no_observations(client: Any) -> None:
    settings = {"Type": "CALCULATED", "ChildHealthChecks": [create(client)["Id"]]}
    check = client.create_health_check(CallerReference=reference(), HealthCheckConfig=settings)["HealthCheck"]["Id"]
    assert refused(lambda: client.get_health_check_status(HealthCheckId=check))[0] == "InvalidInput"


def test_the_checkers_addresses_are_known(client: Any) -> None:
    ranges = client.get_checker_ip_ranges()["CheckerIpRanges"]
    assert len(ranges) >= 16 and all("/" in each for each in ranges)


def test_health_checks_are_counted_against_their_limit(client: Any) -> None:
    before = client.get_health_check_count()["HealthCheckCount"]
    create(client)
    assert client.get_health_check_count()["HealthCheckCount"] == before + 1
    limit = client.get_account_limit(Type="MAX_HEALTH_CHECKS_BY_OWNER")
    assert limit["Limit"] == {"Type": "MAX_HEALTH_CHECKS_BY_OWNER", "Value": 200} and limit["Count"] == before + 1


def test_the_two_hundredth_health_check_is_the_last(shared: Cloud) -> None:
    client = shared.client("route53", account="200200200200")
    for _ in range(200):
        create(client)
    assert refused(lambda: create(client))[0] == "TooManyHealthChecks"


def test_a_check_can_be_deleted_while_records_use_it(client: Any) -> None:
    """As on AWS: what follows is unpredictable there, so the order of a teardown matters."""
    zone = client.create_hosted_zone(Name="uses-checks.localhost", CallerReference=reference())["HostedZone"]["Id"]
    check = create(client)["Id"]
    record = {"Name": "www.uses-checks.localhost", "Type": "A", "TTL": 60, "SetIdentifier": "one", "Weight": 1}
    record.update(HealthCheckId=check, ResourceRecords=[{"Value": "192.0.2.1"}])
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    client.delete_health_check(HealthCheckId=check)
    records = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert next(each for each in records if each["Type"] == "A")["HealthCheckId"] == check


def test_tags_of_several_resources_come_in_one_answer(client: Any) -> None:
    checks = [create(client)["Id"] for _ in range(2)]
    for number, check in enumerate(checks):
        client.change_tags_for_resource(
            ResourceType="healthcheck", ResourceId=check, AddTags=[{"Key": "n", "Value": str(number)}]
        )
    sets = client.list_tags_for_resources(ResourceType="healthcheck", ResourceIds=checks)["ResourceTagSets"]
    assert [(each["ResourceId"], each["Tags"]) for each in sets] == [
        (check, [{"Key": "n", "Value": str(number)}]) for number, check in enumerate(checks)
    ]
    assert (
        refused(lambda: client.list_tags_for_resources(ResourceType="healthcheck", ResourceIds=["nobody"]))[0]
        == "NoSuchHealthCheck"
    )
