"""A name of a hosted zone in real Chromium: it is opened, read across origins, and shown by the page that a workshop serves."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.cloud_room.conftest import Cloud
from tests.warm import clouds
from workshop.cloud import daemon
from workshop.cloud.ports import ANY_FREE_PORT

pytestmark = pytest.mark.browser

REGIONS = ("us-west-2", "eu-west-1")
ZONE, NAME = "rydes.localhost", "api.rydes.localhost"
READ = """async (address) => {
  const answer = await fetch(address);
  return [answer.status, answer.headers.get('x-workshop-region'), answer.headers.get('x-workshop-dns'), await answer.json()];
}"""
FEED = "async (address) => { const answer = await fetch(address); return [answer.status, await answer.json()]; }"
BLOCKED = "async (address) => { try { await fetch(address); return 'read'; } catch { return 'blocked'; } }"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """An API in two regions behind one name with equal weights, and a page."""
    with tempfile.TemporaryDirectory(prefix="workshop-browser-names-") as folder:
        home = Path(folder)
        try:
            made = Cloud(home, clouds.start(home, port=ANY_FREE_PORT, timing="instant"))
            _build(made)
            clouds.start(home, timing="realistic")  # answers are kept for a minute
            yield made
        finally:
            daemon.stop(home)


def _build(cloud: Cloud) -> None:
    hosts = {region: f"{cloud.stack(region=region, name='names')}.execute-api.{region}.amazonaws.com" for region in REGIONS}
    route53 = cloud.client("route53")
    zone = route53.create_hosted_zone(Name=ZONE, CallerReference=str(time.time()))["HostedZone"]["Id"]
    rows = [
        {"Name": NAME, "Type": "CNAME", "TTL": 60, "SetIdentifier": region, "Weight": 1, "ResourceRecords": [{"Value": host}]}
        for region, host in hosts.items()
    ]
    changes = [{"Action": "CREATE", "ResourceRecordSet": row} for row in rows]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    pages = cloud.home / "sites" / "local" / "rydes"
    pages.mkdir(parents=True)
    (pages / "index.html").write_text("<!doctype html><title>rydes</title><p>hello")


def site(cloud: Cloud, path: str) -> str:
    return f"{cloud.state.endpoint}/_workshop/sites/rydes/{path}"


def test_a_name_is_opened_and_stays_in_one_region_for_its_ttl(new_page: Callable[..., Page], cloud: Cloud) -> None:
    page = new_page()
    address = f"http://{NAME}:{cloud.state.port}/api/"
    seen: list[tuple[str, str]] = []
    for _ in range(4):
        response = page.goto(address)
        assert response is not None and response.status == 200
        headers = response.headers
        assert response.json()["region"] == headers["x-workshop-region"]
        seen.append((headers["x-workshop-region"], headers["x-workshop-dns"]))
    assert len({region for region, _ in seen}) == 1 and [source for _, source in seen][1:] == ["cache"] * 3


def test_a_page_of_another_origin_reads_which_region_answered(new_page: Callable[..., Page], cloud: Cloud) -> None:
    page = new_page()
    page.goto(site(cloud, ""))
    status, region, source, body = page.evaluate(READ, f"http://{NAME}:{cloud.state.port}/api/")
    assert (status, body["region"], source in ("asked", "cache")) == (200, region, True) and region in REGIONS


def test_the_feed_is_read_beside_the_page_and_not_from_the_name(new_page: Callable[..., Page], cloud: Cloud) -> None:
    page = new_page()
    page.goto(site(cloud, ""))
    status, document = page.evaluate(FEED, "_feed/names.json")
    (group,) = document["zones"][0]["groups"]
    shares: dict[str, Any] = {row["region"]: row["share"] for row in group["records"]}
    assert (status, shares) == (200, dict.fromkeys(REGIONS, 0.5))
    page.goto(f"http://{NAME}:{cloud.state.port}/api/")
    assert page.evaluate(BLOCKED, site(cloud, "_feed/names.json")) == "blocked"
