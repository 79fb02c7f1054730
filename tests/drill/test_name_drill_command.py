"""Drills through a name from the command line, on a local cloud: measured, refused on crossed checks, by hand, killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.shell import Shell, eventually
from tests.drill.command_line import kill, running, until

REGIONS = HOME, OTHER = "us-west-2", "us-east-1"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """An installation in which the second workshop is deployed: intervals of 0.6 s, answers kept for 4 s."""
    found = Shell(tmp_path_factory.mktemp("named")).cloud("fast", 0.6)
    found.more = {"WORKSHOP_WORKSHOP": "multi-region-backend"}
    found.run("setup", "--yes")
    yield found
    found.leave()


def checks(shell: Shell) -> dict[str, bool]:
    """Whether the check of each region is inverted, by the first label of what it asks."""
    found = shell.client("route53").list_health_checks()["HealthChecks"]
    configs = [each["HealthCheckConfig"] for each in found]
    return {each["FullyQualifiedDomainName"].split(".")[2]: each["Inverted"] for each in configs}


def status_of(shell: Shell, region: str = HOME) -> str:
    found = shell.client("lambda", region).get_function_configuration(FunctionName="multi-region-backend-health")
    return str(found["Environment"]["Variables"]["STATUS"])


def own_items(shell: Shell) -> list[str]:
    return [
        item["item_id"]["S"]
        for region in REGIONS
        for item in shell.client("dynamodb", region).scan(TableName="multi-region-backend", ConsistentRead=True)["Items"]
    ]


def cross(shell: Shell) -> None:
    """Exchange the checks of the two records; done twice, they are as before."""
    client = shell.client("route53")
    zone = client.list_hosted_zones()["HostedZones"][0]["Id"]
    found = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    one, two = (each for each in found if each.get("HealthCheckId"))
    crossed = ({**one, "HealthCheckId": two["HealthCheckId"]}, {**two, "HealthCheckId": one["HealthCheckId"]})
    changes = [{"Action": "UPSERT", "ResourceRecordSet": each} for each in crossed]
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def test_a_drill_measures_dns_within_its_bound_and_leaves_everything_as_it_was(shell: Shell) -> None:
    before = shell.inventory()
    found = shell.document("drill", "run", "--yes", "--fault", "health")
    rto, rpo = found["rto"], found["rpo"]
    assert 0 < rto["seconds"] <= rto["bound_seconds"]
    assert 0 < rto["direct_seconds"] <= rto["seconds"]
    assert rpo["lost_writes"] == 0
    assert rpo["acknowledged_writes"] > 20
    assert found["failed_requests"] > 0
    assert found["undone"]
    assert found["path"] == "dns"
    assert found["dns"]["name"] == "api.backend.localhost"
    assert found["dns"]["wiring"] == {"proven": True, "problems": [], "by_deed": []}
    assert shell.inventory() == before
    assert (status_of(shell), own_items(shell)) == ("200", [])
    page = Path(found["report"]["html"]).read_text()
    assert "record, and where it points" in page
    assert "led away" in page
    evidence = json.loads(Path(found["report"]["json"]).read_text())["evidence"]
    assert {each["client"] for each in evidence["answers"]} == {"direct", *(f"cached-{number}" for number in range(1, 7))}


def test_a_planned_evacuation_fails_no_request(shell: Shell) -> None:
    found = shell.document("drill", "run", "--yes", "--fault", "withdraw", "--region", OTHER)
    assert found["failed_requests"] == 0
    # Zero where DNS, which draws by weight, had led no client to it at that moment.
    assert 0 <= found["rto"]["seconds"] <= found["rto"]["bound_seconds"]
    assert checks(shell) == {HOME: False, OTHER: False}


def test_a_drill_does_not_start_on_crossed_checks(shell: Shell) -> None:
    cross(shell)
    refused = shell.run("drill", "run", "--yes", code=1)
    assert "carry each other's health check" in refused.err
    assert "--anyway" in refused.err
    cross(shell)
    assert own_items(shell) == []


def test_a_region_is_evacuated_by_hand_until_recover(shell: Shell) -> None:
    shell.run("drill", "fail", "--fault", "withdraw")
    assert checks(shell) == {HOME: True, OTHER: False}
    (failed,) = shell.document("status")["failed_regions"]
    assert (failed["region"], failed["fault"]) == (HOME, "withdraw")
    shell.run("drill", "recover")
    assert checks(shell) == {HOME: False, OTHER: False}
    shell.run("drill", "fail", "--fault", "gateway-down", "--region", OTHER)
    assert "gateway-down" in shell.run("cloud", "fault", "list").out
    shell.run("drill", "recover")
    assert "gateway-down" not in shell.run("cloud", "fault", "list").out


def test_what_a_killed_drill_left_is_put_back_by_recover(shell: Shell) -> None:
    process, lines = running(shell, "--fault", "health", pace=())
    until(lines, "failing")
    kill(process)
    assert status_of(shell) == "400"
    assert "A drill that was killed left us-west-2" in shell.run("status").err
    shell.run("drill", "recover")
    assert status_of(shell) == "200"
    eventually(lambda: own_items(shell) == [])
    assert shell.document("status")["failed_regions"] == []


def test_the_settings_of_a_client_that_fails_over_by_itself_need_its_path(shell: Shell) -> None:
    refused = shell.run("drill", "run", "--yes", "--failures", "2", code=2)
    assert "--path direct" in refused.err


@pytest.mark.parametrize("kind", ["replication", "conflict"])
def test_the_experiments_count_in_an_item_of_the_load(shell: Shell, kind: str) -> None:
    found = shell.document("observe", kind, "--yes", "--rounds", "1")
    assert found["ok"]
    assert own_items(shell) == []
