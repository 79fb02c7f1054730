"""What the pages of multi-region-backend decide without a browser: the picture of a name, shares, availability, checkers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.fakes.page_scripts import PageScripts

ROOT = Path(__file__).resolve().parents[2] / "templates"
SCRIPTS = [f"_shared/web/scripts/{name}.js" for name in ("places", "world", "probes")] + [
    f"multi-region-backend/web/scripts/{name}.js" for name in ("picture", "batch", "availability", "layout")
]
HOME, OTHER, NAME = "us-west-2", "us-east-1", "api.backend.localhost"

ask = PageScripts([ROOT / script for script in SCRIPTS]).ask


def config(**more: Any) -> dict[str, Any]:
    return {
        "target": "local", "home": HOME, "regions": [HOME, OTHER], "policy": "weighted", "ttl": "60", "threshold": "3",
        "apis": {region: {"url": f"http://a.execute-api.{region}.localhost:1/prod/"} for region in (HOME, OTHER)},
        "name": {"host": NAME, "url": f"http://{NAME}:1/"}, **more,
    }  # fmt: skip


def checker(region: str, *, healthy: bool = True, streak: int = 0) -> dict[str, Any]:
    return {"region": region, "healthy": healthy, "streak": streak, "last": "Success: HTTP Status Code 200, OK", "checked": 1}


def check(identity: str, region: str, *, healthy: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "id": identity, "host": f"a.execute-api.{region}.localhost", "path": "/prod/health", "threshold": 3, "healthy": healthy,
        "inverted": False, "disabled": False, "checkers": [checker("eu-west-1", healthy=healthy, streak=1)], **more,
    }  # fmt: skip


def record(region: str, health_check: str, *, share: float = 0.5, healthy: bool = True) -> dict[str, Any]:
    return {"id": region, "region": region, "ttl": 60, "share": share, "healthy": healthy, "health_check": health_check}


def feed(records: list[dict[str, Any]], checks: list[dict[str, Any]]) -> dict[str, Any]:
    group = {"name": NAME, "type": "CNAME", "policy": "weighted", "records": records}
    return {
        "version": 1,
        "clock": 0.1,
        "zones": [{"name": "backend.localhost", "groups": [group]}],
        "checks": checks,
        "cache": [],
    }


def picture(document: dict[str, Any] | None, probes: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    (world,) = ask(("world", "read", [config(**more)]))
    (found,) = ask(("picture", "make", [{"world": world, "feed": document, "probes": probes or {}, "kept": None}]))
    return dict(found)


def test_the_picture_shows_each_record_with_its_share_and_its_checkers() -> None:
    found = picture(feed([record(HOME, "h1"), record(OTHER, "h2")], [check("h1", HOME), check("h2", OTHER)]))
    assert (found["kind"], found["policy"], found["ttl"], found["ttlInForce"], found["problems"]) == (
        "name", "weighted", 60, 6, [],
    )  # fmt: skip
    assert [(each["place"], each["slot"], each["share"], each["well"]) for each in found["records"]] == [
        ("Oregon", 1, 0.5, True),
        ("Virginia", 2, 0.5, True),
    ]
    assert found["records"][0]["check"]["lights"] == [
        {"healthy": True, "streak": 1, "label": "eu-west-1: healthy, Success: HTTP Status Code 200, OK"}
    ]


def test_a_crossed_wiring_is_named_and_the_region_that_is_broken_is_the_one_that_its_watcher_sees() -> None:
    records = [record(HOME, "h2", share=1.0), record(OTHER, "h1", share=0.0, healthy=False)]
    found = picture(feed(records, [check("h1", HOME, healthy=False), check("h2", OTHER)]))
    assert found["problems"] == [
        "The record of Oregon carries a health check that watches Virginia.",
        "The record of Virginia carries a health check that watches Oregon.",
    ]
    assert [(each["healthy"], each["well"], each["check"]["crossed"]) for each in found["records"]] == [
        (True, False, True),
        (False, True, True),
    ]


def test_a_record_without_a_check_and_a_group_without_a_healthy_record_are_named() -> None:
    records = [record(HOME, "h1", healthy=False), record(OTHER, "", healthy=False)]
    problems = picture(feed(records, [check("h1", HOME, healthy=False)]))["problems"]
    assert ["no health check" in problem for problem in problems] == [True, False]
    assert "all of them are answered" in problems[1]


def test_without_a_feed_the_pages_own_probes_stand_in_for_the_checkers() -> None:
    probes = {HOME: {"ok": False, "healthy": False, "streak": 0, "words": "status 400"}}
    found = picture(None, probes, target="aws", name={"host": NAME, "url": ""})
    assert found["kind"] == "page" and found["ttlInForce"] == 60
    home, other = found["records"]
    assert (home["healthy"], home["check"]["own"], home["share"]) == (False, True, None)
    assert other["healthy"] is True and other["check"] is None


def test_a_feed_of_another_workshop_or_of_nonsense_is_not_taken_for_this_name() -> None:
    strange = feed([record(HOME, "h1")], [check("h1", HOME)])
    strange["zones"][0]["groups"][0]["name"] = "api.other.localhost"
    assert [each["share"] for each in picture(strange)["records"]] == [None, None]
    odd = feed([{"region": "mars-1"}], [])
    assert [(each["place"], each["slot"]) for each in picture(odd)["records"]] == [("mars-1", 6)]


def test_addresses_that_are_none_are_left_out_of_the_world() -> None:
    apis = {HOME: {"url": "javascript:alert(1)"}, OTHER: {"url": "https://a.example/prod"}}
    worlds = ask(
        ("world", "read", [config(apis=apis, name={"host": NAME, "url": "file:///etc"})]),
        ("world", "read", [None]),
        ("world", "read", [{"apis": 5, "regions": "x", "ttl": "no"}]),
    )
    assert [each["id"] for each in worlds[0]["regions"]] == [OTHER] and worlds[0]["name"]["url"] == ""
    assert worlds[0]["regions"][0]["url"] == "https://a.example/prod/"
    assert worlds[1]["regions"] == worlds[2]["regions"] == [] and worlds[2]["ttl"] == 60


def test_a_checker_changes_its_mind_after_as_many_equal_results_as_the_threshold() -> None:
    opinion: dict[str, Any] | None = None
    seen = []
    for ok in (True, False, False, True, False, False, False, True, True, True):
        (opinion,) = ask(("probes", "heard", [opinion, ok, 3]))
        assert opinion is not None
        seen.append(opinion["healthy"])
    assert seen == [True, True, True, True, True, True, False, False, False, True]


def answer(region: str, source: str = "cache", *, ok: bool = True) -> dict[str, Any]:
    return {"ok": ok, "region": region, "source": source}


def words(answers: list[dict[str, Any]], **more: Any) -> str:
    """The sentence of a batch."""
    given = {
        "answers": answers, "places": {"$map": [[HOME, "Oregon"], [OTHER, "Virginia"]]}, "apart": False, "named": True,
        "shares": {"$map": [[HOME, 0.5], [OTHER, 0.5]]}, "seconds": 2.0, **more,
    }  # fmt: skip
    return str(ask(("batch", "words", [given]))[0])


@pytest.mark.parametrize(
    ("answers", "more", "expected"),
    [
        ([answer(HOME, "asked"), *[answer(HOME)] * 69], {}, "One browser is one resolver: it asked once and kept"),
        ([answer(HOME)] * 30 + [answer(OTHER)] * 40, {}, "The answer changed while the items were sent"),
        ([answer(HOME, "asked")] * 30 + [answer(OTHER, "asked")] * 40, {"apart": True}, "between 22 and 48 of 70"),
        ([answer(HOME)] * 70, {"shares": {"$map": [[HOME, 1], [OTHER, 0]]}}, "it kept the answer for its TTL."),
        (
            [answer(OTHER, "asked")] * 70,
            {"apart": True, "shares": {"$map": [[HOME, 0], [OTHER, 1]]}},
            "given the same answer",
        ),
        ([answer("", ok=False)] * 3, {}, "None of 3 was taken."),
        ([answer(HOME)] * 2 + [answer("", ok=False)], {"named": False}, "1 failed. Without a name"),
    ],
)
def test_a_batch_is_summed_up_in_a_sentence(answers: list[dict[str, Any]], more: dict[str, Any], expected: str) -> None:
    assert expected in words(answers, **more)


def test_chance_gives_a_region_at_most_everything_and_at_least_nothing() -> None:
    assert ask(("batch", "band", [70, 0.5]), ("batch", "band", [70, 0]), ("batch", "band", [70, 1])) == [
        [22, 48],
        [0, 0],
        [70, 70],
    ]


def availability(**given: Any) -> dict[str, tuple[float, float]]:
    assumed = {"part": 0.99, "parts": 1, "copies": 2, "shared": 1, "failures": 0, "failover": 0, "people": 1, **given}
    return {row["id"]: (row["availability"], row["minutes"]) for row in ask(("availability", "rows", [assumed]))[0]}


def test_parts_in_series_multiply_and_copies_fail_together() -> None:
    assert availability(parts=2)["region"][0] == pytest.approx(0.9801)
    assert availability()["apart"][0] == pytest.approx(0.9999)
    assert availability(copies=3)["apart"][0] == pytest.approx(0.999999)
    assert availability(part=0.9999)["part"][1] == pytest.approx(52.56)
    assert availability(shared=0.9999)["together"][0] == pytest.approx(0.9998, abs=1e-7)


def test_a_failover_costs_what_it_lasts_for_the_people_who_were_there() -> None:
    assert availability(failures=4, failover=2, people=0.5)["failover"][1] == pytest.approx(52.56 + 4)
    assert availability(copies=1, failures=4, failover=2)["failover"] == availability(copies=1)["together"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.9801, "98.01 %"), (0.99, "99 %"), (0.9999, "99.99 %"), (0.999999, "99.9999 %"), (1, "100 %"), (0.5, "50 %")],
)
def test_a_percentage_has_as_many_digits_as_it_needs(value: float, shown: str) -> None:
    assert ask(("availability", "percent", [value])) == [shown]


def test_a_time_is_shown_in_the_unit_that_people_use() -> None:
    shown = ask(*[("availability", "time", [value]) for value in (0, 0.001, 0.5, 52.56, 210, 5270)])
    assert (
        shown == ["nothing", "under a second", "30 seconds", "52.6 minutes", "3.5 hours", "3.6 days"] or shown[-1] == "3.7 days"
    )


def test_the_bound_of_a_failover_is_detection_and_the_kept_answers() -> None:
    (bound,) = ask(("availability", "bound", [{"interval": 10, "threshold": 1, "ttl": 60}]))
    assert bound * 60 == pytest.approx(80)


def test_a_long_name_is_broken_before_its_dots() -> None:
    (lines,) = ask(("layout", "lines", ["api.multi-region-backend-123456789012.example.net", 28]))
    assert lines == ["api", ".multi-region-backend-12345…", ".example.net"]
    assert ask(("layout", "lines", [NAME, 28])) == [[NAME]]


@pytest.mark.parametrize(("width", "wide"), [(1200, True), (760, True), (759, False), (320, False)])
def test_the_boxes_of_the_drawing_stay_inside_it(width: int, wide: bool) -> None:
    (plan,) = ask(("layout", "boxes", [width, 2]))
    boxes = [plan["asker"], plan["name"], *(box for row in plan["rows"] for box in row.values())]
    assert plan["wide"] is wide
    for box in boxes:
        assert box["x"] >= 0 and box["x"] + box["w"] <= width and box["y"] >= 0 and box["y"] + box["h"] <= plan["height"]
