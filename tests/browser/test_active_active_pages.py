"""The pages of multi-region-backend in Chromium: console and arithmetic, light and dark, wide and on a phone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SHARED
from fake_name import HOME, HOST, OTHER, FakeName, config
from playwright.sync_api import Page, expect
from served_site import Site
from test_accessibility import fits, problems

pytestmark = pytest.mark.browser
WEB = ROOT / "templates" / "multi-region-backend" / "web"
WIDE = {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}}
PHONE = {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}}


@pytest.fixture
def name() -> FakeName:
    return FakeName()


@pytest.fixture
def serve_pages() -> Iterator[Callable[..., Site]]:
    """Serves the site with a configuration."""
    sites: list[Site] = []

    def make(**more: Any) -> Site:
        sites.append(Site((WEB, SHARED), config(**more)))
        sites[-1].start()
        return sites[-1]

    yield make
    for site in sites:
        site.stop()


@pytest.fixture
def console(new_page: Callable[..., Page], serve_pages: Callable[..., Site], name: FakeName) -> Callable[..., Page]:
    """Opens the console: keywords are the configuration's, `look` is the screen."""

    def open_console(look: dict[str, Any] = WIDE, **more: Any) -> Page:
        page = new_page(**look)
        name.attach(page)
        page.goto(serve_pages(**more).url)
        expect(page.locator("[data-region='us-west-2'] .verdict")).not_to_have_text("")
        return page

    return open_console


def lane(page: Page, region: str) -> Any:
    return page.locator(f"[data-region='{region}']")


def quiet(page: Page) -> None:
    """No request each second, so that the log shows what the test did alone."""
    page.uncheck("#live")
    page.click("#clear")


def test_writing_seventy_items_shows_that_one_browser_is_one_resolver(console: Callable[..., Page], name: FakeName) -> None:
    page = console()
    quiet(page)
    page.click("#write")
    expect(page.locator("#batch-words")).to_contain_text("70 to Oregon")
    expect(page.locator("#batch-words")).to_contain_text("kept the answer for its TTL. The shares even out over many people")
    assert page.locator(".tile.taken.slot-1").count() == 70 and len(name.items) == 70
    assert {item["region"] for item, _ in name.items.values()} == {HOME}
    expect(page.locator("#items-count")).to_have_text("70 of 70 in Oregon, 70 of 70 in Virginia")
    expect(lane(page, HOME).locator("dd").nth(1)).to_have_text("70")
    expect(page.locator("#answers li").first.locator(".source")).to_have_text(re.compile("cached for [1-5] s"))
    assert problems(page) == [] and fits(page)


def test_seventy_people_with_a_resolver_each_share_the_regions(console: Callable[..., Page], name: FakeName) -> None:
    page = console()
    quiet(page)
    page.check("#apart")
    page.select_option("#from", "SG")
    name.clients.clear()
    page.click("#write")
    expect(page.locator("#batch-words")).to_contain_text("35 to Oregon, 35 to Virginia")
    expect(page.locator("#batch-words")).to_contain_text("between 22 and 48 of 70")
    assert len(set(name.clients)) == 70
    expect(page.locator("#shares .piece")).to_have_text(["35 Oregon", "35 Virginia"])


def test_an_item_is_looked_for_in_every_region_until_it_has_arrived(console: Callable[..., Page], name: FakeName) -> None:
    page = console()
    name.lag = 1.2
    page.fill("#comment", "<img src=x onerror=alert(1)> ünd mehr")
    page.click("#write-one")
    row = page.locator("#items li").first
    expect(row.locator(".comment")).to_have_text("<img src=x onerror=alert(1)> ünd mehr")
    expect(row.locator(".place").nth(1)).to_have_text("Virginia not yet")
    expect(row.locator(".place").nth(1)).to_contain_text("✓")
    assert row.locator("img").count() == 0, "what an item holds is text"


def test_a_region_that_fails_is_withdrawn_and_comes_back(console: Callable[..., Page], name: FakeName) -> None:
    page = console(PHONE)
    drawing = page.locator("#way svg")
    expect(drawing).to_have_attribute("aria-label", f"{HOST}, weighted routing: Oregon 50 %; Virginia 50 %.")
    name.status[HOME], name.given = 400, [OTHER]
    expect(lane(page, HOME).locator(".verdict")).to_have_text("unhealthy: withdrawn")
    expect(drawing).to_have_attribute("aria-label", f"{HOST}, weighted routing: Oregon withdrawn, broken; Virginia 100 %.")
    assert lane(page, HOME).locator(".lamp.bad").count() == 3
    expect(page.locator("#answers li").first.locator(".tag")).to_have_text("Virginia")
    assert problems(page) == [] and fits(page)
    name.status[HOME], name.given = 200, [HOME, OTHER]
    expect(lane(page, HOME).locator(".verdict")).to_have_text("healthy")


def test_a_crossed_wiring_is_drawn_and_named(console: Callable[..., Page], name: FakeName) -> None:
    name.crossed = True
    page = console()
    expect(page.locator("#problems")).to_contain_text("The record of Oregon carries a health check that watches Virginia.")
    assert page.locator(".watch.crossed.tip").count() == 2
    name.status[HOME], name.given = 400, [HOME]
    expect(lane(page, HOME).locator(".verdict")).to_have_text("broken, and still given out")
    expect(lane(page, OTHER).locator(".verdict")).to_have_text("healthy, and withdrawn")
    assert problems(page) == [] and fits(page)
    name.crossed = False
    expect(page.locator("#problems")).to_be_hidden()


def test_without_a_name_the_page_fails_over_by_itself_and_offers_the_way_back(
    console: Callable[..., Page], name: FakeName
) -> None:
    page = console(target="aws", name={"host": "api.example.net", "url": ""})
    expect(page.locator("#where")).to_have_text("Oregon, chosen by this page")
    expect(page.locator("#apart")).to_be_hidden()
    assert "no name" in (page.locator("#way").text_content() or "").lower()
    name.status[HOME] = 400
    expect(page.locator("#where")).to_have_text("Virginia, chosen by this page")
    page.click("#write-one")
    expect(page.locator("#items .writer")).to_have_text("Virginia")
    name.status[HOME] = 200
    page.get_by_role("button", name="Go back to the first region").click()
    expect(page.locator("#where")).to_have_text("Oregon, chosen by this page")
    assert problems(page) == []


def test_on_aws_the_lights_are_the_pages_own_probes(console: Callable[..., Page], name: FakeName) -> None:
    page = console(target="aws")
    expect(lane(page, HOME)).to_contain_text("as this page sees it")
    assert lane(page, HOME).locator(".lamp").count() == 1
    expect(lane(page, HOME).locator("dd").nth(2)).to_have_text("–")


def test_the_keyboard_alone_is_enough(console: Callable[..., Page], name: FakeName) -> None:
    page = console()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    seen: list[str] = []
    while "items" not in seen and len(seen) < 40:
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        if seen[-1] == "write-one":
            page.keyboard.press("Enter")
            expect(page.locator("#items li")).to_have_count(1)
    assert {"theme", "live", "write", "apart", "from", "comment", "write-one", "answers", "items"} <= set(seen)


def test_a_page_without_a_setup_says_what_to_run(new_page: Callable[..., Page]) -> None:
    site = Site((WEB, SHARED), None)
    site.start()
    page = new_page()
    page.goto(site.url)
    expect(page.locator("#none")).to_contain_text("workshop setup --workshop multi-region-backend")
    expect(page.locator("#all")).to_be_hidden()
    site.stop()


def test_a_downloaded_folder_works_when_opened_from_the_disk(
    new_page: Callable[..., Page], name: FakeName, tmp_path: Path
) -> None:
    folder = tmp_path / "my download #1"
    shutil.copytree(SHARED, folder)
    shutil.copytree(WEB, folder, dirs_exist_ok=True)
    (folder / "config.js").write_text(f"window.WORKSHOP_CONFIG = {json.dumps(config())};\n")
    page = new_page()
    name.attach(page)
    page.goto((folder / "index.html").as_uri())
    expect(page.locator("#answers li").first).to_contain_text("is healthy")
    page.click("#write-one")
    expect(page.locator("#items li")).to_have_count(1)
    page.get_by_role("link", name="Arithmetic").click()
    expect(page.locator("#bars li")).to_have_count(5)


@pytest.mark.parametrize("look", [WIDE, PHONE], ids=["light wide", "dark phone"])
def test_the_sliders_show_what_series_parallel_shared_parts_and_failovers_do(
    new_page: Callable[..., Page], serve_pages: Callable[..., Site], look: dict[str, Any]
) -> None:
    page = new_page(**look)
    page.goto(serve_pages().url + "arithmetic.html")
    values = page.locator(".bar-value")
    expect(values).to_have_text(["99 %", "98.01 %", "99.9603 %", "99.9504 %", "99.9497 %"])
    assert problems(page) == [] and fits(page)
    for slider, value in (("count", "1"), ("shared", "7"), ("failures", "0")):
        page.fill(f"#{slider}", value)
    expect(values).to_have_text(["99 %", "99 %", "99.99 %", "99.99 %", "99.99 %"])
    expect(page.locator(".bar-time").last).to_have_text("52.6 minutes down a year")
    expect(page.locator("#shared-out")).to_have_text("nothing")
    page.focus("#copies")
    page.keyboard.press("ArrowRight")
    expect(values.last).to_have_text("99.9999 %")
    page.fill("#copies", "1")
    expect(page.locator("#verdict")).to_contain_text("as good as the chain of its parts")
    page.get_by_role("button", name="Reset").click()
    expect(values.nth(1)).to_have_text("98.01 %")
    expect(page.locator("#bound")).to_contain_text("100 seconds at most")
