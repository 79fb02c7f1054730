"""multi-region-backend set up once on the local cloud: from the first setup to the teardown, seen from the console.

The tests of this file follow each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from local_workshop import LocalWorkshop
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
HOME, OTHER = "us-west-2", "us-east-1"
NAME, FUNCTION = "api.backend.localhost", "multi-region-backend-health"


@pytest.fixture(scope="module")
def deployed() -> Iterator[LocalWorkshop]:
    made = LocalWorkshop(name="multi-region-backend")
    try:
        made.setup()
        yield made
    finally:
        made.remove()


def outcomes(document: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for step in document["steps"]:
        found.setdefault(step["outcome"], set()).add(step["id"])
    return found


def records(made: LocalWorkshop) -> list[dict[str, Any]]:
    route53 = made.client("route53", "us-east-1")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    sets = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return [each for each in sets if each["Name"] == f"{NAME}." and each["Type"] == "CNAME"]


def test_a_setup_makes_one_name_in_front_of_two_regions_and_a_second_changes_nothing(deployed: LocalWorkshop) -> None:
    document = deployed.document
    assert document["regions"] == [HOME, OTHER] and document["names"]["api"]["host"] == NAME
    assert set(document["web"]) == {"console", "arithmetic"}
    assert [each["Weight"] for each in records(deployed)] == [100, 100]
    assert set(outcomes(deployed.tool("setup"))) == {"unchanged"}


def test_another_policy_is_one_setup_away_and_only_the_records_and_the_page_change(deployed: LocalWorkshop) -> None:
    changed = outcomes(deployed.tool("setup", "--param", "policy=failover", "--param", "ttl=30"))
    assert changed["updated"] == {"records", "web"} and set(changed) <= {"updated", "unchanged", "created"}
    assert {each.get("Failover"): each["TTL"] for each in records(deployed)} == {"PRIMARY": 30, "SECONDARY": 30}
    deployed.tool("setup", "--param", "policy=weighted", "--param", "ttl=60")
    assert [each["Weight"] for each in records(deployed)] == [100, 100]


def test_the_console_shows_the_lights_of_the_cloud_and_where_an_item_went(
    deployed: LocalWorkshop, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(deployed.page("index.html"))
    lanes = {region: page.locator(f"[data-region='{region}']") for region in (HOME, OTHER)}
    for lane in lanes.values():
        expect(lane.locator(".verdict")).to_have_text("healthy")
        expect(lane.locator(".lamp.good")).to_have_count(3)
    page.click("#write-one")
    expect(page.locator("#items-count")).to_have_text("1 of 1 in Oregon, 1 of 1 in Virginia")
    expect(page.locator("#answers li .source").first).to_contain_text("cached for")

    functions = deployed.client("lambda", HOME)
    functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": {"STATUS": "400"}})
    expect(lanes[HOME].locator(".verdict")).to_have_text("unhealthy: withdrawn")
    expect(page.locator("#way svg")).to_have_attribute(
        "aria-label", f"{NAME}, weighted routing: Oregon withdrawn, broken; Virginia 100 %."
    )
    expect(page.locator("#answers li").first.locator(".tag")).to_have_text("Virginia")
    functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": {"STATUS": "200"}})
    expect(lanes[HOME].locator(".verdict")).to_have_text("healthy")


def test_a_teardown_leaves_neither_zone_nor_check_nor_domain_nor_certificate(deployed: LocalWorkshop) -> None:
    removed = deployed.tool("teardown", "--yes")
    assert removed["leftovers"] == []
    route53 = deployed.client("route53", "us-east-1")
    left = [route53.list_hosted_zones()["HostedZones"], route53.list_health_checks()["HealthChecks"]]
    for region in (HOME, OTHER):
        gateway = deployed.client("apigateway", region)
        left += [gateway.get_domain_names().get("items", []), gateway.get_rest_apis().get("items", [])]
        left += [deployed.client("acm", region).list_certificates()["CertificateSummaryList"]]
        left += [deployed.client("logs", region).describe_log_groups()["logGroups"]]
        left += [deployed.client("dynamodb", region).list_tables()["TableNames"]]
    assert [each for each in left if each] == []
    checked = deployed.tool("check")
    assert not [each for each in checked["checks"] if each["status"] == "fail"]
