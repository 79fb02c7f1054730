"""Health checks at a started cloud: checkers call the APIs of workshops, and what breaks these is seen by them and by DNS."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually
from tests.warm import clouds
from workshop.cloud import daemon
from workshop.cloud.layout import Layout

UP = "Success: HTTP Status Code 200, OK"


@pytest.fixture(scope="module")
def api(shared: Cloud) -> str:
    """One API for every test of the module, at a clock on which a checker sends three requests a second."""
    found = shared.stack()
    clouds.start(shared.home, timing="fast", scale=0.3)
    return found


@pytest.fixture
def served(shared: Cloud, api: str) -> Iterator[Cloud]:
    """The API works before; afterwards there are no faults, and no checks that would keep on calling it."""
    yield shared
    shared.control("DELETE", "faults")
    shared.client("lambda").delete_function_concurrency(FunctionName="web")
    client = shared.client("route53")
    for check in client.list_health_checks(MaxItems="100")["HealthChecks"]:
        client.delete_health_check(HealthCheckId=check["Id"])


def create(cloud: Cloud, host: str, **more: Any) -> str:
    """A health check of HTTPS at ten seconds; returns its id."""
    config = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": host,
        "Port": 443,
        "ResourcePath": "/api/",
        "RequestInterval": 10,
        "FailureThreshold": 1,
        "EnableSNI": True,
        **more,
    }
    made = cloud.client("route53").create_health_check(CallerReference=str(time.time_ns()), HealthCheckConfig=config)
    return str(made["HealthCheck"]["Id"])


def statuses(cloud: Cloud, check: str) -> set[str]:
    observed = cloud.client("route53").get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
    return {row["StatusReport"]["Status"] for row in observed}


def become(cloud: Cloud, check: str, status: str) -> None:
    eventually(lambda: statuses(cloud, check) == {status}, 30)


def host(api: str, region: str = "us-west-2", domain: str = "amazonaws.com") -> str:
    return f"{api}.execute-api.{region}.{domain}"


def chosen(cloud: Cloud, zone: str) -> str:
    """The value that Route 53 returns for the failover records of `failover`."""
    found = cloud.client("route53").test_dns_answer(HostedZoneId=zone, RecordName="api.rydes.localhost", RecordType="CNAME")
    return str(found["RecordData"][0]).rstrip(".")


def failover(cloud: Cloud, check: str) -> str:
    """A zone whose primary record depends on the check; returns its id."""
    client = cloud.client("route53")
    created = client.create_hosted_zone(Name="rydes.localhost", CallerReference=str(time.time_ns()))
    zone = created["HostedZone"]["Id"].split("/")[-1]
    roles = {"PRIMARY": {"HealthCheckId": check}, "SECONDARY": {}}
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {
                "Name": "api.rydes.localhost",
                "Type": "CNAME",
                "TTL": 60,
                "SetIdentifier": role,
                "Failover": role,
                "ResourceRecords": [{"Value": f"{role.lower()}.example.com"}],
                **more,
            },
        }
        for role, more in roles.items()
    ]
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    return str(zone)


def test_checkers_call_the_api_and_a_throttled_function_fails_them_and_moves_dns(served: Cloud, api: str) -> None:
    check = create(served, host(api))
    become(served, check, UP)
    zone = failover(served, check)
    assert chosen(served, zone) == "primary.example.com"
    functions = served.client("lambda")
    functions.put_function_concurrency(FunctionName="web", ReservedConcurrentExecutions=0)
    eventually(lambda: chosen(served, zone) == "secondary.example.com", 30)
    assert all(status.startswith("Failure: HTTP Status Code 5") for status in statuses(served, check))
    functions.delete_function_concurrency(FunctionName="web")
    eventually(lambda: chosen(served, zone) == "primary.example.com", 30)
    failures = served.client("route53").get_health_check_last_failure_reason(HealthCheckId=check)["HealthCheckObservations"]
    assert all(row["StatusReport"]["Status"].startswith("Failure: HTTP Status Code 5") for row in failures) and failures


@pytest.mark.parametrize("domain", ["amazonaws.com", "localhost"])
def test_a_fault_of_the_gateway_is_seen_by_the_checkers(served: Cloud, api: str, domain: str) -> None:
    check = create(served, host(api, domain=domain))
    become(served, check, UP)
    served.control("POST", "faults", {"kind": "error", "service": "execute-api", "region": "us-west-2", "status": 503})
    become(served, check, "Failure: HTTP Status Code 503, Service Unavailable")
    served.control("DELETE", "faults")
    become(served, check, UP)


def test_an_api_that_does_not_exist_and_a_name_that_is_of_no_zone_are_failures(served: Cloud) -> None:
    absent, foreign = create(served, host("abcdefghij")), create(served, "www.example.com")
    become(served, absent, "Failure: HTTP Status Code 403, Forbidden")
    become(served, foreign, "Failure: DNS resolution failed: Rcode Refused(5)")


def test_the_body_is_searched(served: Cloud, api: str) -> None:
    right = create(served, host(api), Type="HTTPS_STR_MATCH", SearchString='"ping": "ok"')
    wrong = create(served, host(api), Type="HTTPS_STR_MATCH", SearchString='"ping": "OK"')
    become(served, right, UP)
    eventually(lambda: all("not found in the response body" in status for status in statuses(served, wrong) or {""}), 30)


def test_the_health_of_a_check_is_a_metric_in_us_east_1(served: Cloud, api: str) -> None:
    check = create(served, host(api), MeasureLatency=True)
    dimensions = [{"Name": "HealthCheckId", "Value": check}]

    def found(metric: str, statistic: str) -> list[float]:
        now = datetime.now(UTC).timestamp()
        data = served.client("cloudwatch", "us-east-1").get_metric_statistics(
            Namespace="AWS/Route53",
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=now - 300,
            EndTime=now + 60,
            Period=60,
            Statistics=[statistic],
        )
        return [row[statistic] for row in data["Datapoints"]]

    eventually(lambda: bool(found("TimeToFirstByte", "Minimum")), 30)
    assert found("HealthCheckStatus", "Maximum")[-1] == 1 and found("HealthCheckPercentageHealthy", "Maximum")[-1] == 100
    assert found("ConnectionTime", "Minimum")[-1] >= 0 and found("TimeToFirstByte", "Minimum")[-1] > 0
    served.client("lambda").put_function_concurrency(FunctionName="web", ReservedConcurrentExecutions=0)
    eventually(lambda: found("HealthCheckStatus", "Minimum")[-1:] == [0], 30)


def test_an_alarm_of_cloudwatch_decides(served: Cloud) -> None:
    alarms = served.client("cloudwatch", "eu-west-1")
    alarms.put_metric_alarm(
        AlarmName="errors",
        Namespace="Mine",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    config = {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Region": "eu-west-1", "Name": "errors"},
        "InsufficientDataHealthStatus": "Unhealthy",
    }
    made = served.client("route53").create_health_check(CallerReference=str(time.time_ns()), HealthCheckConfig=config)
    zone = failover(served, made["HealthCheck"]["Id"])
    eventually(lambda: chosen(served, zone) == "secondary.example.com", 30)
    alarms.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="test")
    eventually(lambda: chosen(served, zone) == "primary.example.com", 30)


def invocations(cloud: Cloud, function: str) -> int:
    """How often a function began, by its log."""
    pages = cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
    return sum("START RequestId" in event["message"] for page in pages for event in page["events"])


def test_a_deleted_check_sends_nothing_any_more(served: Cloud, api: str) -> None:
    """Each of its three checkers may have had one request under way."""
    check, other = create(served, host(api)), create(served, host("abcdefghij"))
    become(served, check, UP)
    served.client("route53").delete_health_check(HealthCheckId=check)
    before, seen = invocations(served, "web"), set[datetime]()

    def ten_rounds_passed() -> bool:
        observed = served.client("route53").get_health_check_status(HealthCheckId=other)["HealthCheckObservations"]
        seen.update(row["StatusReport"]["CheckedTime"] for row in observed[:1])
        return len(seen) > 10

    eventually(ten_rounds_passed, 30)
    assert 0 < before <= invocations(served, "web") <= before + 3


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_what_the_checkers_know_survives_the_process(cloud: Cloud, ending: int) -> None:
    """In real time three failures of a new checker take twenty seconds: what is known at once comes from before the end."""
    check = create(cloud, "www.example.com", FailureThreshold=3)
    zone = failover(cloud, check)
    eventually(lambda: chosen(cloud, zone) == "secondary.example.com", 30)
    clouds.start(cloud.home, timing="realistic")
    file = Layout.of(cloud.home).state / "cloud.json"

    def saved() -> bool:
        text = file.read_text().replace(" ", "") if file.exists() else ""
        return '"healthy":false' in text and "secondary.example.com" in text

    eventually(saved)
    pid = daemon.status(cloud.home).pid
    assert pid is not None
    os.kill(pid, ending)
    eventually(lambda: not daemon.status(cloud.home).running)
    again = Cloud(cloud.home, clouds.start(cloud.home))
    assert chosen(again, zone) == "secondary.example.com"
    assert statuses(again, check) == {"Failure: DNS resolution failed: Rcode Refused(5)"}
