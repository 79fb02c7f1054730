"""A wiring from the command line, on a local cloud: proven, crossed by hand, put right, crossed on purpose."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.shell import Shell

REGIONS = HOME, OTHER = "us-west-2", "us-east-1"
WIRED = Path(__file__).parent / "wired"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """An installation in which the name is deployed."""
    found = Shell(tmp_path_factory.mktemp("wired")).cloud("fast", 0.3)
    found.more = {"WORKSHOP_WORKSHOP": str(WIRED)}
    before = found.inventory()
    found.run("setup", "--yes")
    yield found
    found.run("teardown", "--yes")
    assert found.inventory() == before
    assert found.client("route53").list_health_checks()["HealthChecks"] == []
    assert found.client("route53").list_hosted_zones()["HostedZones"] == []
    found.leave()


def checks(shell: Shell, code: int) -> dict[tuple[str, str], Any]:
    document = shell.document("check", "--only", "dns", code=code)
    return {(each["id"], each["region"]): each for each in document["checks"]}


def records(shell: Shell) -> tuple[str, list[dict[str, Any]]]:
    client = shell.client("route53")
    zone = client.list_hosted_zones()["HostedZones"][0]["Id"]
    found = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return zone, [each for each in found if each.get("HealthCheckId")]


def cross(shell: Shell) -> None:
    zone, (one, two) = records(shell)
    crossed = ({**one, "HealthCheckId": two["HealthCheckId"]}, {**two, "HealthCheckId": one["HealthCheckId"]})
    changes = [{"Action": "UPSERT", "ResourceRecordSet": each} for each in crossed]
    shell.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def wires(shell: Shell) -> dict[str, str]:
    return {each["SetIdentifier"]: each["HealthCheckId"] for each in records(shell)[1]}


def test_a_name_that_was_set_up_is_proven_at_any_time(shell: Shell) -> None:
    assert {step["outcome"] for step in shell.document("setup", "--yes")["steps"]} == {"unchanged"}
    found = checks(shell, 0)
    assert list(found) == [("dns.wiring.records", region) for region in ("", *REGIONS)]
    assert {each["status"] for each in found.values()} == {"pass"}


def test_crossed_checks_are_named_drawn_and_put_right_by_the_command_that_is_offered(shell: Shell, tmp_path: Path) -> None:
    before = wires(shell)
    cross(shell)
    found = checks(shell, 3)
    bad = [each for each in found.values() if each["status"] == "fail"]
    assert {each["region"] for each in bad} == set(REGIONS)
    assert all(region in each["detail"] for each in bad for region in REGIONS)
    shell.run("check", "--only", "dns", "--html", str(tmp_path / "page.html"), code=3)
    assert "<svg" in (tmp_path / "page.html").read_text()
    states = {step["id"]: step for step in shell.document("status")["steps"]}
    assert states["records"]["state"] == "partial" and "HealthCheckId" in states["records"]["detail"]
    (fix,) = {each["fix"] for each in bad}
    shell.run(*shlex.split(fix)[1:], "--yes")
    assert wires(shell) == before
    checks(shell, 0)


def test_the_drill_finds_its_own_mistake_shows_what_it_does_and_takes_it_back(shell: Shell) -> None:
    before = wires(shell)
    found = shell.document("drill", "wiring", "--yes", "--queries", "20")
    assert found["ok"] and found["undone"] and found["region"] == HOME
    assert any("carry each other's health check" in text for text in found["found"])
    assert found["answers"] == {HOME: 20} and found["failed_requests"] == 20
    assert {each["fault"] for each in found["restored"]} == {"health", "crossed-checks"}
    assert Path(found["report"]["svg"]).read_text().startswith("<svg")
    assert wires(shell) == before and shell.document("status")["failed_regions"] == []


def test_a_drill_does_not_begin_on_a_wiring_that_is_crossed_already(shell: Shell) -> None:
    cross(shell)
    refused = shell.run("drill", "wiring", "--yes", code=1)
    assert "carry each other's health check" in refused.err and "step run records" in refused.err
    shell.run("step", "run", "records", "--yes")
    checks(shell, 0)
