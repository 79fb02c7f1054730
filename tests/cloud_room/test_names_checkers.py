"""Health checks at a started cloud: checkers call the APIs of workshops, and what breaks these is seen by them and by DNS."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually
from workshop.cloud import daemon
from workshop.cloud.layout import Layout

UP = "Success: HTTP Status Code 200, OK"


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
    zone = client.create_hosted_zone(Name="rydes.localhost", CallerReference=str(time.time_ns()))["HostedZone"]["Id"].split("/")[
        -1
    ]
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


def test_checkers_call_the_api_and_a_throttled_function_fails_them_and_moves_dns(emptied: Cloud) -> None:
    api = emptied.stack()
    check = create(emptied, host(api))
    become(emptied, check, UP)
    zone = failover(emptied, check)
    assert chosen(emptied, zone) == "primary.example.com"
    functions = emptied.client("lambda")
    functions.put_function_concurrency(FunctionName="web", ReservedConcurrentExecutions=0)
    eventually(lambda: chosen(emptied, zone) == "secondary.example.com", 30)
    assert all(status.startswith("Failure: HTTP Status Code 5") for status in statuses(emptied, check))
    functions.delete_function_concurrency(FunctionName="web")
    eventually(lambda: chosen(emptied, zone) == "primary.example.com", 30)
    failures = emptied.client("route53").get_health_check_last_failure_reason(HealthCheckId=check)["HealthCheckObservations"]
    assert all(row["StatusReport"]["Status"].startswith("Failure: HTTP Status Code 5") for row in failures) and failures


@pytest.mark.parametrize("domain", ["amazonaws.com", "localhost"])
def test_a_fault_of_the_gateway_is_seen_by_the_checkers(emptied: Cloud, domain: str) -> None:
    check = create(emptied, host(emptied.stack(), domain=domain))
    become(emptied, check, UP)
    emptied.control("POST", "faults", {"kind": "error", "service": "execute-api", "region": "us-west-2", "status": 503})
    become(emptied, check, "Failure: HTTP Status Code 503, Service Unavailable")
    emptied.control("DELETE", "faults")
    become(emptied, check, UP)


def test_an_api_that_does_not_exist_and_a_name_that_is_of_no_zone_are_failures(emptied: Cloud) -> None:
    absent, foreign = create(emptied, host("abcdefghij")), create(emptied, "www.example.com")
    become(emptied, absent, "Failure: HTTP Status Code 403, Forbidden")
    become(emptied, foreign, "Failure: DNS resolution failed: Rcode Refused(5)")


def test_the_body_is_searched(emptied: Cloud) -> None:
    api = emptied.stack()
    right = create(emptied, host(api), Type="HTTPS_STR_MATCH", SearchString='"ping": "ok"')
    wrong = create(emptied, host(api), Type="HTTPS_STR_MATCH", SearchString='"ping": "OK"')
    become(emptied, right, UP)
    eventually(lambda: all("not found in the response body" in status for status in statuses(emptied, wrong) or {""}), 30)


def test_the_health_of_a_check_is_a_metric_in_us_east_1(emptied: Cloud) -> None:
    check = create(emptied, host(emptied.stack()), MeasureLatency=True)
    dimensions = [{"Name": "HealthCheckId", "Value": check}]

    def found(metric: str, statistic: str) -> list[float]:
        now = datetime.now(UTC).timestamp()
        data = emptied.client("cloudwatch", "us-east-1").get_metric_statistics(
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
    emptied.client("lambda").put_function_concurrency(FunctionName="web", ReservedConcurrentExecutions=0)
    eventually(lambda: found("HealthCheckStatus", "Minimum")[-1:] == [0], 30)


def test_an_alarm_of_cloudwatch_decides(emptied: Cloud) -> None:
    alarms = emptied.client("cloudwatch", "eu-west-1")
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
    made = emptied.client("route53").create_health_check(CallerReference=str(time.time_ns()), HealthCheckConfig=config)
    zone = failover(emptied, made["HealthCheck"]["Id"])
    eventually(lambda: chosen(emptied, zone) == "secondary.example.com", 30)
    alarms.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="test")
    eventually(lambda: chosen(emptied, zone) == "primary.example.com", 30)


def invocations(cloud: Cloud, function: str) -> int:
    """How often a function began, by its log."""
    pages = cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
    return sum("START RequestId" in event["message"] for page in pages for event in page["events"])


def let_checkers_pass(cloud: Cloud, check: str, rounds: int) -> None:
    """Return once the first checker of a check has sent so many requests."""
    seen: set[datetime] = set()

    def enough() -> bool:
        observed = cloud.client("route53").get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        seen.update(row["StatusReport"]["CheckedTime"] for row in observed[:1])
        return len(seen) >= rounds

    eventually(enough, 30)


def test_a_deleted_check_sends_nothing_any_more(emptied: Cloud) -> None:
    check, other = create(emptied, host(emptied.stack())), create(emptied, host("abcdefghij"))
    become(emptied, check, UP)
    emptied.client("route53").delete_health_check(HealthCheckId=check)
    let_checkers_pass(emptied, other, 3)  # requests that were under way are over
    before = invocations(emptied, "web")
    let_checkers_pass(emptied, other, 6)
    assert invocations(emptied, "web") == before > 0


def test_what_the_checkers_know_survives_a_kill(cloud: Cloud) -> None:
    """In real time three failures of a new checker take twenty seconds: what is known at once comes from before the kill."""
    check = create(cloud, "www.example.com", FailureThreshold=3)
    zone = failover(cloud, check)
    eventually(lambda: chosen(cloud, zone) == "secondary.example.com", 30)
    daemon.start(cloud.home, timing="realistic")
    file = Layout.of(cloud.home).state / "cloud.json"
    eventually(lambda: file.exists() and '"healthy":false' in file.read_text().replace(" ", ""))
    pid = daemon.status(cloud.home).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not daemon.status(cloud.home).running)
    again = Cloud(cloud.home, daemon.start(cloud.home))
    assert chosen(again, zone) == "secondary.example.com"
    assert statuses(again, check) == {"Failure: DNS resolution failed: Rcode Refused(5)"}
