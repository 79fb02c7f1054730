"""What is shown of names: the controls for own clients, and the feed that a workshop's pages read beside themselves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud
from tests.cloud_room.zone_builders import HOME, REPLICA, alias, endpoint, lookup, record, zone
from tests.warm import clouds
from workshop.cloud.names.checks import CheckConfig
from workshop.cloud.names.feed import NamesFeed
from workshop.cloud.names.front_door import Resolver
from workshop.cloud.names.health import CheckerOpinion
from workshop.cloud.names.records import Zone, ZoneRecord
from workshop.cloud.timing import Timing

NAME, RYDES = "api.rydes.localhost", "rydes.localhost"
PAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
FEED = "/_workshop/sites/rydes/_feed/names.json"


class HealthSource:
    def __init__(self, *sick: str) -> None:
        self._sick = sick

    def configs(self) -> dict[str, CheckConfig]:
        return {"h1": CheckConfig("h1", "000000000000", "HTTPS", host="h.example", path="/health", interval=10)}

    def healthy(self, check_id: str) -> bool:
        return check_id not in self._sick

    def percentage(self, check_id: str) -> float:
        return 0.0 if check_id in self._sick else 100.0

    def opinions(self, check_id: str) -> list[CheckerOpinion]:
        return [CheckerOpinion("eu-west-1", check_id not in self._sick, 2, "Failure: Connection refused", 12.5)]


def shown(*zones: Zone, sick: tuple[str, ...] = ()) -> dict[str, Any]:
    found, timing = lookup(*zones, sick=sick), Timing("fast", 1.0)
    resolver = Resolver(found, timing, lambda: 0.0, lambda: 0.0)
    return NamesFeed(found, resolver, HealthSource(*sick), timing, lambda: (4567, 12)).document()


def shares(*records: ZoneRecord, sick: tuple[str, ...] = ()) -> dict[str, float]:
    (group,) = shown(zone(RYDES, *records), sick=sick)["zones"][0]["groups"]
    return {row["id"]: row["share"] for row in group["records"]}


def weighted(**weights: int) -> list[ZoneRecord]:
    return [record(NAME, "CNAME", endpoint(HOME), set_id=name, weight=each, health_check=name) for name, each in weights.items()]


@pytest.mark.parametrize(
    ("weights", "sick", "expected"),
    [
        ({"a": 30, "b": 10}, (), {"a": 0.75, "b": 0.25}),
        ({"a": 30, "b": 10}, ("a",), {"a": 0.0, "b": 1.0}),
        ({"a": 30, "b": 10}, ("a", "b"), {"a": 0.75, "b": 0.25}),
        ({"a": 30, "b": 0}, (), {"a": 1.0, "b": 0.0}),
        ({"a": 30, "b": 0}, ("a",), {"a": 0.0, "b": 1.0}),
        ({"a": 0, "b": 0}, (), {"a": 0.5, "b": 0.5}),
    ],
)
def test_a_share_is_what_the_weights_and_the_health_promise(
    weights: dict[str, int], sick: tuple[str, ...], expected: dict[str, float]
) -> None:
    assert shares(*weighted(**weights), sick=sick) == expected


def test_a_share_of_the_other_policies_is_that_of_an_asker_in_the_first_region() -> None:
    failover = [
        record(NAME, "CNAME", endpoint(region), set_id=role, failover=role, health_check=role)
        for region, role in ((HOME, "PRIMARY"), (REPLICA, "SECONDARY"))
    ]
    assert shares(*failover) == {"PRIMARY": 1.0, "SECONDARY": 0.0}
    assert shares(*failover, sick=("PRIMARY",)) == {"PRIMARY": 0.0, "SECONDARY": 1.0}
    latency = [record(NAME, "CNAME", endpoint(region), set_id=region, region=region) for region in (HOME, REPLICA)]
    assert shares(*latency) == {HOME: 1.0, REPLICA: 0.0}
    several = [record(NAME, "A", f"192.0.2.{n}", set_id=f"{n}", multivalue=True, health_check=f"h{n}") for n in range(4)]
    assert shares(*several, sick=("h0", "h1")) == {"0": 0.0, "1": 0.0, "2": 0.5, "3": 0.5}


def test_a_record_shows_where_it_leads_and_whether_it_is_healthy() -> None:
    (group,) = shown(
        zone(RYDES, alias(NAME, endpoint(REPLICA), set_id="x", weight=1, health_check="h1")),
        zone("hidden.localhost", record("a.hidden.localhost", "A", "192.0.2.1"), private=True, number=2),
        sick=("h1",),
    )["zones"][0]["groups"]
    (row,) = group["records"]
    assert (group["name"], group["type"], group["policy"]) == (NAME, "A", "weighted")
    assert (row["region"], row["alias"], row["values"], row["healthy"]) == (REPLICA, True, [endpoint(REPLICA)], False)


def test_the_document_has_checks_the_clock_and_the_name_server() -> None:
    document = shown(sick=("h1",))
    assert document["dns"] == {"host": "127.0.0.1", "port": 4567, "queries": 12}
    assert (document["version"], document["clock"], document["zones"], document["cache"]) == (1, 0.1, [], [])
    assert [(row["id"], row["host"], row["healthy"], row["percentage"]) for row in document["checks"]] == [
        ("h1", "h.example", False, 0.0)
    ]


def test_a_check_shows_what_each_of_its_checkers_thinks_and_how_close_it_is_to_changing_its_mind() -> None:
    (check,) = shown(sick=("h1",))["checks"]
    assert check["checkers"] == [
        {"region": "eu-west-1", "healthy": False, "streak": 2, "last": "Failure: Connection refused", "checked": 12.5}
    ]
    assert (check["threshold"], check["inverted"], check["disabled"]) == (3, False, False)


@pytest.fixture(scope="module")
def served(shared: Cloud) -> Iterator[Cloud]:
    """A cloud with the pages of a workshop and a zone."""
    folder = shared.home / "sites" / "local" / "rydes"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>rydes</title>")
    route53 = shared.client("route53")
    made = route53.create_hosted_zone(Name=RYDES, CallerReference=str(time.time()))["HostedZone"]["Id"]
    rows = [
        {"Name": NAME, "Type": "CNAME", "TTL": 60, "SetIdentifier": region, "Region": region,
         "ResourceRecords": [{"Value": endpoint(region)}]}
        for region in (HOME, REPLICA)
    ]  # fmt: skip
    changes = [{"Action": "CREATE", "ResourceRecordSet": row} for row in rows]
    route53.change_resource_record_sets(HostedZoneId=made, ChangeBatch={"Changes": changes})
    yield shared


def test_a_page_reads_the_feed_beside_it_and_nothing_else_does(served: Cloud) -> None:
    status, headers, body = served.http(FEED, headers=PAGE)
    assert status == 200 and b'"api.rydes.localhost"' in body
    assert headers["cache-control"] == "no-store" and headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert served.http(FEED)[0] == 200
    for browser in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert served.http(FEED, headers=browser)[0] == 403
    assert served.http(FEED, method="POST", body=b"{}")[0] == 405
    assert served.http(FEED, method="POST", body=b"{}", headers=PAGE)[0] == 403
    assert served.http("/_workshop/sites/absent/_feed/names.json")[0] == 404
    assert served.http("/_workshop/sites/../_feed/names.json")[0] in (403, 404)


def test_the_controls_show_what_the_feed_shows(served: Cloud) -> None:
    status, document = served.control("GET", "dns")
    assert status == 200 and document["dns"]["port"] == served.state.dns_port
    assert RYDES in [row["name"] for row in document["zones"]]


def test_a_question_is_asked_from_anywhere_and_a_client_gets_what_it_keeps(served: Cloud) -> None:
    def ask(**question: str) -> dict[str, Any]:
        status, document = served.control("POST", "dns/ask", {"name": NAME, **question})
        assert status == 200, document
        return document

    assert [ask(**{"from": place})["region"] for place in ("US-OR", "IE", "")] == [HOME, REPLICA, HOME]
    found = ask()
    assert [row["type"] for row in found["answers"]] == ["CNAME", "A"] and found["source"] == "asked"
    assert ask(name=RYDES, type="txt")["rcode"] == "NODATA" and ask(name="no.rydes.localhost")["rcode"] == "NXDOMAIN"
    clouds.start(served.home, timing="realistic")
    try:
        assert [ask(client="ana")["source"] for _ in range(2)] == ["asked", "cache"]
        assert served.control("DELETE", "dns/cache")[1] == {"flushed": 1}
        assert ask(client="ana")["source"] == "asked"
    finally:
        clouds.start(served.home, timing="instant")


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ({"from": "Atlantis"}, "Atlantis"),
        ({"type": "NONSENSE"}, "NONSENSE"),
        ({"name": "a..b"}, "a..b"),
        ({"name": 5}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_question_that_is_none_is_refused_with_what_is_wrong(served: Cloud, question: dict[str, Any], word: str) -> None:
    status, document = served.control("POST", "dns/ask", {"name": NAME, **question})
    assert status == 400 and word in document["message"]
