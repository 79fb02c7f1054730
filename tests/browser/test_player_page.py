"""The player: plays, writes, resumes, fails over, goes back. The failover is quicker here; end to end its figures are real."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from fake_regions import FakeRegions
from playwright.sync_api import Page, expect
from polling import until
from served_site import Site

pytestmark = pytest.mark.browser

KEY = ("user10", "NightTrainoverSaltFlats")
OREGON, IRELAND = "us-west-2", "eu-west-1"
WATCH_STOPS = """(() => {
    window.stops = [];
    for (const name of ["pause", "ended", "error"])
        document.getElementById("video").addEventListener(name, () => window.stops.push(name));
})()"""
PLAYING = "(() => { const v = document.getElementById('video'); return !v.paused && v.readyState > 2 && v.currentTime > 0.3; })()"


@pytest.fixture
def quick_site(serve: Callable[..., Site], config: dict[str, Any], quick_failover: dict[str, str]) -> Site:
    """The site with a countdown of a second and a half."""
    return serve(config, quick_failover)


@pytest.fixture
def player(new_page: Callable[..., Page], quick_site: Site) -> Page:
    """A film that plays and has been written at least once."""
    page = new_page()
    page.goto(quick_site.url + "player.html?title=02")
    until(page, PLAYING)
    expect(page.locator("#log li").first).to_be_visible()
    return page


def bookmark(regions: FakeRegions, region: str) -> float | None:
    """The stored position as that region has it."""
    item = regions.table.item(region, *KEY)
    return float(item["bookmark"]["S"]) if item else None


def position(page: Page) -> float:
    """The played fraction."""
    return page.evaluate("document.getElementById('video').currentTime / document.getElementById('video').duration")


def remembered(page: Page) -> float:
    """The last position of the film that a region acknowledged, as the browser remembers it."""
    kept = page.evaluate("localStorage.getItem('workshop:global-serverless:positions')")
    return float(json.loads(kept or "{}").get(KEY[1], 0))


def written(regions: FakeRegions, region: str) -> list[tuple[float, str]]:
    """When which position was sent to a region."""
    calls = [(at, re.search(r"/update/user10/NightTrain\w+/([\d.]+)/", path)) for at, path in regions.regions[region].calls]
    return [(at, found[1]) for at, found in calls if found]


def test_the_film_plays_and_its_position_is_written_about_twice_a_second(
    new_page: Callable[..., Page], site: Site, regions: FakeRegions
) -> None:
    page = new_page()
    page.goto(site.url + "player.html?title=02")
    until(page, lambda: len(written(regions, OREGON)) >= 7)
    times = [at for at, _ in written(regions, OREGON)]
    between = sorted(b - a for a, b in itertools.pairwise(times))
    assert 0.4 < between[len(between) // 2] < 1.2
    values = [value for _, value in written(regions, OREGON)]
    assert all(re.fullmatch(r"[01]\.\d{3}", value) for value in values) and values == sorted(values)
    assert written(regions, IRELAND) == []
    line = page.locator("#log li").first
    assert re.search(r"Oregon\s+0\.\d{3}\s+\d+ ms \(DynamoDB 4 ms\)", line.inner_text())


def test_progress_is_shown_as_read_from_each_region(player: Page, regions: FakeRegions) -> None:
    until(player, lambda: (bookmark(regions, IRELAND) or 0) > 0.005)
    for region in (OREGON, IRELAND):
        expect(player.locator(f"#readings [data-region='{region}'] .share")).to_have_text(re.compile(r"[1-9]\.\d %|0\.[5-9] %"))
    expect(player.locator(f"#readings [data-region='{OREGON}'] .badge")).to_be_visible()
    expect(player.locator("#progress")).to_have_text(re.compile(r"\d+\.\d %"))
    expect(player.locator("#latency")).to_have_text(re.compile(r"\d+ ms"))


def test_the_thumbnail_travels_as_base64_that_any_client_can_read(player: Page, regions: FakeRegions) -> None:
    thumb = regions.table.item(OREGON, *KEY)["thumb"]["S"]
    assert player.evaluate("text => atob(text.replaceAll('-', '+').replaceAll('_', '/'))", thumb) == "media/posters/02.svg"


def test_a_film_resumes_where_it_was_left(new_page: Callable[..., Page], quick_site: Site, regions: FakeRegions) -> None:
    regions.table.update(OREGON, *KEY, {"bookmark": {"S": "0.500"}, "thumb": {"S": "x"}})
    page = new_page()
    page.goto(quick_site.url + "player.html?title=02")
    until(page, PLAYING)
    assert 0.5 <= position(page) < 0.6
    assert min(float(value) for _, value in written(regions, OREGON)) >= 0.5, (
        "nothing is written before the film stands where it was left"
    )


def test_a_film_resumes_from_the_browsers_memory_when_no_region_can_say(
    player: Page, quick_site: Site, regions: FakeRegions
) -> None:
    player.evaluate("document.getElementById('video').currentTime = 40")
    # Not when the region has the position: the page remembers it when the response has arrived.
    until(player, lambda: remembered(player) > 0.5)
    for region in regions.regions.values():
        region.set_mode("drop")
    player.evaluate("localStorage.removeItem('workshop:global-serverless:owed')")
    left_at = position(player)
    player.goto("about:blank")
    player.goto(quick_site.url + "player.html?title=02")
    until(player, PLAYING)
    assert abs(position(player) - left_at) < 0.2


def test_a_film_that_was_seen_to_the_end_starts_again(
    new_page: Callable[..., Page], quick_site: Site, regions: FakeRegions
) -> None:
    regions.table.update(OREGON, *KEY, {"bookmark": {"S": "1.000"}, "thumb": {"S": "x"}})
    page = new_page()
    page.goto(quick_site.url + "player.html?title=02")
    until(page, PLAYING)
    assert position(page) < 0.1


def test_a_film_resumes_on_a_server_that_cannot_send_parts_of_files(
    new_page: Callable[..., Page], quick_site: Site, regions: FakeRegions
) -> None:
    quick_site.ranges = False
    regions.table.update(OREGON, *KEY, {"bookmark": {"S": "0.500"}, "thumb": {"S": "x"}})
    page = new_page()
    page.goto(quick_site.url + "player.html?title=02")
    until(page, PLAYING)
    assert 0.5 <= position(page) < 0.6


def test_pausing_writes_the_exact_position_and_then_stays_quiet(player: Page, regions: FakeRegions) -> None:
    player.evaluate("document.getElementById('video').pause()")
    until(player, lambda: bookmark(regions, OREGON) == round(position(player), 3))
    player.wait_for_timeout(200)
    count = len(written(regions, OREGON))
    player.wait_for_timeout(700)
    assert len(written(regions, OREGON)) == count


@pytest.mark.parametrize("mode", ["bare-error", "error", "hang", "drop", "body-error"])
def test_a_failing_region_is_left_without_a_pause_in_playback_and_without_a_lost_position(
    player: Page, regions: FakeRegions, mode: str
) -> None:
    player.evaluate(WATCH_STOPS)
    failed_at = position(player)
    regions.regions[OREGON].set_mode(mode)
    status = player.locator("#status")
    expect(status).to_have_attribute("data-phase", "failing")
    expect(player.locator("#headline")).to_have_text("Writes to Oregon are failing.")
    expect(player.locator("#count")).to_be_visible()
    expect(status).to_have_attribute("data-phase", "away")
    expect(player.locator("#headline")).to_have_text("Ireland takes the writes now.")
    expect(player.get_by_role("button", name="Ireland").first).to_have_attribute("aria-pressed", "true")
    until(player, lambda: (bookmark(regions, IRELAND) or 0) > failed_at)

    first_in_ireland = written(regions, IRELAND)[0][1]
    assert float(first_in_ireland) >= max(float(value) for _, value in written(regions, OREGON)), (
        "the newest position is written first"
    )
    expect(player.locator("#waiting")).to_have_text("0")
    expect(player.locator("#detail")).to_contain_text("nothing is lost")
    assert player.evaluate(PLAYING) and player.evaluate("window.stops") == []
    expect(player.locator("#gap")).to_have_text(re.compile(r"[\d.]+ m?s"))


def test_going_back_is_offered_when_the_region_responds_again_and_is_a_choice(player: Page, regions: FakeRegions) -> None:
    regions.regions[OREGON].set_mode("bare-error")
    expect(player.locator("#status")).to_have_attribute("data-phase", "away")
    regions.regions[OREGON].set_mode("up")
    expect(player.locator("#status")).to_have_attribute("data-phase", "offering")
    expect(player.locator("#headline")).to_have_text("Oregon answers again.")
    before = len(written(regions, OREGON))
    player.wait_for_timeout(600)
    assert len(written(regions, OREGON)) == before, "nobody went back without being told to"
    player.get_by_role("button", name="Go back to Oregon").click()
    expect(player.locator("#status")).to_have_attribute("data-phase", "steady")
    until(player, lambda: len(written(regions, OREGON)) > before + 2)
    player.evaluate("document.getElementById('video').pause()")
    until(player, lambda: bookmark(regions, OREGON) == bookmark(regions, IRELAND) == round(position(player), 3))


def test_staying_makes_the_new_region_the_chosen_one(player: Page, regions: FakeRegions) -> None:
    regions.regions[OREGON].set_mode("bare-error")
    expect(player.locator("#status")).to_have_attribute("data-phase", "away")
    regions.regions[OREGON].set_mode("up")
    player.get_by_role("button", name="Stay in Ireland").click()
    expect(player.locator("#status")).to_have_attribute("data-phase", "steady")
    player.reload()
    expect(player.locator("#status")).to_have_attribute("data-active", IRELAND)
    expect(player.locator("#status")).to_have_attribute("data-phase", "steady")


def test_a_reload_after_the_switch_stays_with_the_new_region_and_still_offers_the_old_one(
    player: Page, regions: FakeRegions
) -> None:
    regions.regions[OREGON].set_mode("drop")
    expect(player.locator("#status")).to_have_attribute("data-phase", "away")
    player.reload()
    expect(player.locator("#status")).to_have_attribute("data-active", IRELAND)
    expect(player.locator("#status")).to_have_attribute("data-phase", "away")
    regions.regions[OREGON].set_mode("up")
    expect(player.locator("#status")).to_have_attribute("data-phase", "offering")


def test_the_countdown_can_be_cut_short(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    page = new_page()
    page.goto(site.url + "player.html?title=02")
    until(page, PLAYING)
    regions.regions[OREGON].set_mode("error")
    page.get_by_role("button", name="Switch to Ireland now").click()
    expect(page.locator("#status")).to_have_attribute("data-active", IRELAND)
    until(page, lambda: len(written(regions, IRELAND)) > 0)


def test_a_write_that_is_refused_just_as_a_person_goes_back_is_no_failover(
    new_page: Callable[..., Page], site: Site, regions: FakeRegions
) -> None:
    page = new_page()
    page.goto(site.url + "player.html?title=02")
    until(page, PLAYING)
    regions.regions[OREGON].set_mode("error")
    page.get_by_role("button", name="Switch to Ireland now").click()
    expect(page.locator("#detail")).to_contain_text("Failover took")
    expect(page.locator("#waiting")).to_have_text("0")
    measured = page.locator("#failover").inner_text()
    regions.regions[OREGON].set_mode("up")
    regions.regions[IRELAND].set_mode("error")
    expect(page.locator("#waiting")).not_to_have_text("0")
    page.get_by_role("button", name="Oregon").first.click()
    expect(page.get_by_text("Writes were refused for").first).to_be_visible()
    expect(page.locator("#failover")).to_have_text(measured)


def test_a_click_on_the_other_region_moves_the_writes_at_once(player: Page, regions: FakeRegions) -> None:
    player.get_by_role("button", name="Ireland").first.click()
    until(player, lambda: len(written(regions, IRELAND)) > 1)
    expect(player.locator("#status")).to_have_attribute("data-phase", "steady")


def test_with_every_region_failing_the_film_goes_on_and_the_newest_position_is_written_later(
    player: Page, regions: FakeRegions
) -> None:
    for region in regions.regions.values():
        region.set_mode("bare-error")
    expect(player.locator("#headline")).to_have_text("No region takes writes.")
    assert player.evaluate(PLAYING)
    player.evaluate("document.getElementById('video').pause()")
    left_at = round(position(player), 3)
    regions.regions[IRELAND].set_mode("up")
    until(player, lambda: bookmark(regions, IRELAND) == left_at)


def test_a_position_that_no_region_took_is_written_by_the_next_page(player: Page, quick_site: Site, regions: FakeRegions) -> None:
    for region in regions.regions.values():
        region.set_mode("drop")
    expect(player.locator("#waiting")).not_to_have_text("0")
    player.evaluate("document.getElementById('video').currentTime = 40")
    until(player, "document.getElementById('video').currentTime > 40.2")
    player.goto(quick_site.url + "index.html")
    stored = json.loads(player.evaluate("localStorage.getItem('workshop:global-serverless:owed')"))
    value = float(stored[KEY[1]]["value"])
    assert value > 0.5
    for region in regions.regions.values():
        region.set_mode("up")
    player.goto(quick_site.url + "globalflix.html")
    until(player, lambda: bookmark(regions, OREGON) == value)
    until(player, "localStorage.getItem('workshop:global-serverless:owed') === '{}'")


def test_a_film_that_does_not_exist_is_explained(new_page: Callable[..., Page], site: Site) -> None:
    page = new_page()
    page.goto(site.url + "player.html?title=77")
    expect(page.locator("#answer")).to_contain_text("The library has no title 77.")


def test_a_clip_that_is_missing_is_explained(
    new_page: Callable[..., Page], serve: Callable[..., Site], config: dict[str, Any]
) -> None:
    page = new_page()
    page.goto(serve(config, {"media/clips/02.webm": "this is not a film"}).url + "player.html?title=02")
    expect(page.locator("#answer")).to_contain_text("The clip does not load. Is media/clips/02.webm beside the page?")
