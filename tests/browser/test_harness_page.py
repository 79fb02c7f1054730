"""The test harness as an attendee uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fake_regions import FakeRegions
from playwright.sync_api import Page, expect
from polling import until
from served_site import Site

pytestmark = pytest.mark.browser

OREGON, IRELAND = "[data-region='us-west-2']", "[data-region='eu-west-1']"


@pytest.fixture
def harness(new_page: Callable[..., Page], site: Site) -> Page:
    """The harness with its sampling off, so that only the buttons read."""
    page = new_page()
    page.goto(site.url + "harness.html")
    page.uncheck("#live")
    expect(page.locator(f"{IRELAND} .value")).to_have_text("0")
    expect(page.locator(f"{OREGON} .value")).to_have_text("0")
    return page


def test_each_region_has_a_row_with_its_place_its_code_and_four_buttons(harness: Page) -> None:
    rows = harness.locator(".row")
    assert rows.count() == 2
    assert [rows.nth(i).locator("h3").inner_text().split("\n")[0] for i in range(2)] == ["Oregon", "Ireland"]
    assert rows.nth(0).locator(".home").inner_text() == "home"
    for spoken in ("Ping Ireland", "Get item from Ireland", "Minus one in Ireland", "Plus one in Ireland"):
        assert harness.get_by_role("button", name=spoken, exact=True).is_visible()


def test_the_rows_are_of_different_colours(harness: Page) -> None:
    colours = harness.eval_on_selector_all(".row h3", "rows => rows.map(row => getComputedStyle(row).color)")
    assert len(set(colours)) == 2


def test_ping_shows_the_round_trip_and_get_item_shows_dynamodbs_share(harness: Page) -> None:
    harness.click(f"{OREGON} [data-action=ping]")
    first = harness.locator("#results li").first
    expect(first).to_contain_text("ping is there")
    assert re.search(r"\d+ ms", first.locator(".took").inner_text())
    harness.click(f"{OREGON} [data-action=get]")
    expect(first).to_contain_text("get item counter is 0")
    expect(first.locator(".took")).to_contain_text("(2 ms)")
    expect(harness.locator(f"{OREGON} .figures")).to_contain_text("2 ms")


def test_results_are_newest_first_and_the_last_update_counts_up(harness: Page) -> None:
    harness.click(f"{OREGON} [data-action=plus]")
    expect(harness.locator("#results li").first).to_contain_text("counter +1, now 1")
    harness.click(f"{OREGON} [data-action=minus]")
    expect(harness.locator("#results li").first).to_contain_text("counter −1, now 0")
    seconds = harness.locator("#since")
    expect(seconds).to_contain_text(re.compile(r"\d"))  # the page renews it from time to time
    before = float(seconds.inner_text().split()[0])
    until(harness, lambda: float(seconds.inner_text().split()[0]) > before + 0.3)


def test_a_read_behind_a_write_is_marked_stale_until_replication_caught_up(harness: Page, regions: FakeRegions) -> None:
    regions.table.lag = 3600
    harness.click(f"{OREGON} [data-action=plus]")
    expect(harness.locator(f"{OREGON} .value")).to_have_text("1")
    harness.click(f"{IRELAND} [data-action=get]")
    first = harness.locator("#results li").first
    expect(first).to_contain_text("stale: Oregon had written 1")
    expect(harness.locator(f"{IRELAND} .mark")).to_be_visible()

    harness.check("#live")
    regions.table.catch_up()
    expect(harness.locator(f"{IRELAND} .value")).to_have_text("1")
    expect(harness.locator(f"{IRELAND} .mark")).to_be_hidden()
    expect(harness.locator(".legend")).to_contain_text("lag")


def test_prove_replication_shows_a_stale_read_then_the_write(harness: Page, regions: FakeRegions) -> None:
    regions.table.lag = 1.5
    harness.click("#replication-run")
    result = harness.locator("#replication-result")
    expect(result.locator(".headline")).to_contain_text("Replicated")
    expect(result.locator(".words")).to_contain_text(
        re.compile(
            r"Oregon wrote 1\. \d+ ms later Ireland still answered 0: a stale read\. \S+ m?s after the write it answered 1"
        )
    )
    assert harness.locator("#replication-result svg[role=img]").get_attribute("aria-label").startswith("Timeline of both regions")
    least = re.search(r"in ([\d.]+) (m?s) to", result.locator(".headline").inner_text())
    assert least and float(least[1]) * (1 if least[2] == "ms" else 1000) <= regions.table.lag * 1000 + 10


def test_make_a_conflict_names_the_winner_and_the_lost_write(harness: Page, regions: FakeRegions) -> None:
    regions.table.lag = 1.5
    harness.click("#conflict-run")
    result = harness.locator("#conflict-result")
    expect(result.locator(".headline")).to_have_text("Last writer wins")
    expect(result.locator(".words")).to_contain_text("Both regions now answer −1: Ireland wrote last")
    expect(result.locator(".words")).to_contain_text("a counter that counts would say 0")
    assert [regions.table.item(r, "user100", "AshlandValley")["Bookmark"] for r in regions.regions] == [{"N": "-1"}] * 2
    result.locator("summary").click()
    assert result.locator("tbody tr").count() >= 5


def test_without_lag_the_experiments_say_that_nothing_was_stale_and_nothing_collided(harness: Page, regions: FakeRegions) -> None:
    regions.table.lag = 0.0
    harness.click("#replication-run")
    expect(harness.locator("#replication-result .headline")).to_have_text("Replicated at once")
    harness.click("#conflict-run")
    expect(harness.locator("#conflict-result .headline")).to_have_text("No conflict this time")


def test_an_experiment_with_a_dead_region_stops_in_words(harness: Page, regions: FakeRegions) -> None:
    regions.regions["eu-west-1"].set_mode("bare-error")
    harness.click("#replication-run")
    expect(harness.locator("#replication-result .words")).to_contain_text("Ireland did not answer")
    assert harness.locator("#conflict-run").is_enabled()


def test_the_plot_draws_each_regions_latency(harness: Page) -> None:
    harness.check("#live")
    until(
        harness,
        "[...document.querySelectorAll('#plot path.line')].every(p => (p.getAttribute('d').match(/L/g) || []).length >= 1)",
    )
    assert "Oregon" in harness.locator("#plot svg").get_attribute("aria-label")


def test_an_api_can_be_added_by_hand_is_kept_and_can_be_removed(
    new_page: Callable[..., Page], serve: Callable[..., Site], regions: FakeRegions
) -> None:
    page = new_page()
    page.goto(serve(None).url + "harness.html")
    expect(page.locator("#none")).to_be_visible()
    address = regions.regions["eu-west-1"].url.rstrip("/")
    page.fill("#address", address)
    page.keyboard.press("Enter")
    expect(page.locator(".row h3")).to_have_text("Ireland")
    page.reload()
    expect(page.locator(f"{IRELAND} .value")).to_have_text("0")
    expect(page.locator("#replication-run")).to_be_disabled()
    page.get_by_role("button", name="Remove Ireland").click()
    expect(page.locator(".row")).to_have_count(0)
    page.reload()
    expect(page.locator(".row")).to_have_count(0)


def test_an_address_that_cannot_be_added_is_refused_in_words(harness: Page, regions: FakeRegions) -> None:
    refusals = {
        "": "Paste the API's address first",
        "ftp://example.test/api/": "Only http and https",
        "javascript:alert(1)": "Only http and https",
        "no address": "is not a web address",
        regions.regions["us-west-2"].url: "on the page already",
    }
    for text, answer in refusals.items():
        harness.fill("#address", text)
        harness.click("#add button[type=submit]")
        expect(harness.locator("#add-answer")).to_contain_text(answer)
        assert harness.locator(".row").count() == 2


def test_a_link_carries_the_apis_to_another_browser(
    new_page: Callable[..., Page], serve: Callable[..., Site], site: Site, harness: Page
) -> None:
    link = harness.evaluate("Workshop.backends.link(Workshop.backends.list())")
    other = new_page()
    other.goto(link.replace(site.url, serve(None).url))
    other.get_by_role("button", name="Add all 2").click()
    expect(other.locator(".row")).to_have_count(2)
    expect(other.locator(f"{OREGON} .value")).to_have_text("0")


def test_garbage_in_the_browsers_storage_changes_nothing(new_page: Callable[..., Page], site: Site) -> None:
    page = new_page()
    page.goto(site.url + "index.html")
    for garbage in ["{", "null", '"text"', "[1, {}]", '{"active": 7, "a": {"value": 1}}', '["javascript:alert(1)", ""]']:
        keys = ["apis", "choice", "live", "theme", "library", "owed", "positions", "repeat"]
        page.evaluate(
            "([keys, text]) => keys.forEach(k => localStorage.setItem('workshop:global-serverless:' + k, text))", [keys, garbage]
        )
        page.goto(site.url + "harness.html")
        expect(page.locator(".row")).to_have_count(2)
        page.goto(site.url + "globalflix.html")
        expect(page.locator(".film")).to_have_count(12)


def test_a_configuration_of_the_wrong_shape_is_no_configuration(
    new_page: Callable[..., Page], serve: Callable[..., Site]
) -> None:
    broken: list[Any] = [
        "text",
        {"apis": 5},
        {"apis": {"us-west-2": None}},
        {"regions": "x", "apis": {"us-west-2": {"url": "javascript:1"}}},
    ]
    page = new_page()
    for config in broken:
        page.goto(serve(config).url + "harness.html")  # type: ignore[arg-type]
        expect(page.locator("#none")).to_be_visible()
