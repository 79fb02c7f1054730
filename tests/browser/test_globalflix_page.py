"""Globalflix: the wall of films and the choice of a region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fake_regions import FakeRegions
from playwright.sync_api import Page, expect
from polling import until
from served_site import Site

pytestmark = pytest.mark.browser

SCRIPT = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


def library_item(
    number: str, title: str, thumb: str = "media/posters/01.svg", video: str = "media/clips/01.webm"
) -> dict[str, Any]:
    """One title as the library holds it."""
    texts = {"PK": "library", "SK": number, "title": title, "thumb": thumb, "video": video}
    return {key: {"S": text} for key, text in texts.items()}


def test_twelve_titles_with_their_posters_come_from_the_chosen_region(
    new_page: Callable[..., Page], site: Site, regions: FakeRegions
) -> None:
    page = new_page()
    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film")).to_have_count(12)
    page.locator(".film").last.scroll_into_view_if_needed()
    until(page, "[...document.querySelectorAll('.film img')].length === 12")
    until(page, "[...document.querySelectorAll('.film img')].every(img => img.complete && img.naturalWidth > 0)")
    expect(page.locator("#source")).to_contain_text("12 titles from Oregon")
    assert not [path for _, path in regions.regions["eu-west-1"].calls if "library" in path]


def test_the_chosen_region_is_solid_and_stays_chosen_across_pages(new_page: Callable[..., Page], site: Site) -> None:
    page = new_page()
    page.goto(site.url + "globalflix.html")
    oregon, ireland = (page.get_by_role("button", name=name) for name in ("Oregon", "Ireland"))
    expect(oregon).to_have_attribute("aria-pressed", "true")
    ireland.click()
    expect(ireland).to_have_attribute("aria-pressed", "true")
    expect(oregon).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#source")).to_contain_text("from Ireland")
    page.locator(".film").nth(2).click()
    expect(page.locator("h1")).to_have_text("A Short History of Clouds")
    expect(page.get_by_role("button", name="Ireland").first).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#log .tag").first).to_have_text("Ireland")
    page.goto(site.url + "globalflix.html")
    expect(ireland).to_have_attribute("aria-pressed", "true")


def test_a_title_that_is_a_script_is_shown_as_text(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    regions.table.lag = 0.0
    regions.table.update("us-west-2", "library", "01", library_item("01", SCRIPT, thumb="javascript:alert(1)"))
    page = new_page()
    page.goto(site.url + "globalflix.html")
    first = page.locator(".film").first
    expect(first.locator(".name")).to_have_text(SCRIPT)
    assert page.locator(".films script, .films img[src='x'], .films [src^='javascript']").count() == 0
    first.click()
    expect(page.locator("h1")).to_have_text(SCRIPT)
    expect(page.locator("#log li").first).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert {item["PK"]["S"] for item in regions.table.items("us-west-2")} == {"user100", "user10", "library"}


@pytest.mark.parametrize(
    "thumb", ["https://elsewhere.test/a.png", "//elsewhere.test/a.png", "../../secret.svg", "media/posters/99.svg", ""]
)
def test_a_poster_that_is_not_beside_the_page_becomes_a_plate_with_the_title(
    new_page: Callable[..., Page], site: Site, regions: FakeRegions, thumb: str
) -> None:
    regions.table.lag = 0.0
    regions.table.update("us-west-2", "library", "01", library_item("01", "A film without a poster", thumb=thumb))
    page = new_page()  # which fails the test when anything is asked of another host
    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film").first.locator(".plate")).to_have_text("A film without a poster")


def test_a_film_on_another_host_is_explained(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    regions.table.lag = 0.0
    regions.table.update("us-west-2", "library", "01", library_item("01", "Elsewhere", video="https://elsewhere.test/film.mp4"))
    page = new_page()
    page.goto(site.url + "player.html?title=01")
    expect(page.locator("#answer")).to_contain_text("no clip beside the page")


def test_five_hundred_titles_are_all_there_and_the_page_stays_quick(
    new_page: Callable[..., Page], site: Site, regions: FakeRegions
) -> None:
    for n in range(1, 501):
        regions.table.put("us-west-2", "library", f"{n:03}", library_item(f"{n:03}", f"Title number {n}"))
    for n in range(1, 13):
        regions.table.put("us-west-2", "library", f"{n:02}", None)
    page = new_page()
    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film")).to_have_count(500)
    expect(page.locator(".name").last).to_have_text("Title number 500")
    posters = site.requested.count("media/posters/01.svg")
    assert posters < 100, "posters far below the fold are not fetched"


def test_bookmarks_show_how_far_each_film_was_watched(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    regions.table.update("us-west-2", "user10", "DunesontheMove", {"bookmark": {"S": "0.420"}, "thumb": {"S": "x"}})
    regions.table.update("us-west-2", "user10", "MonsoonParade", {"bookmark": {"S": "not a number"}})
    page = new_page()
    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film", has_text="Dunes on the Move")).to_contain_text("42 % watched")
    expect(page.locator(".watched")).to_have_count(1)


def test_a_dead_region_is_named_and_the_library_comes_from_the_other(
    new_page: Callable[..., Page], site: Site, regions: FakeRegions
) -> None:
    regions.regions["us-west-2"].set_mode("bare-error")
    page = new_page()
    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film")).to_have_count(12)
    expect(page.locator("#answer")).to_contain_text("Oregon did not answer")
    expect(page.locator("#answer")).to_contain_text("read from Ireland instead")
    expect(page.get_by_role("button", name="Oregon")).to_have_attribute("aria-pressed", "true")
    page.locator(".film").nth(4).focus()
    regions.regions["us-west-2"].set_mode("up")
    expect(page.locator("#source")).to_contain_text("from Oregon")
    expect(page.locator("#answer")).to_be_hidden()
    assert "Eleven" in page.evaluate("document.activeElement.textContent"), "asking again leaves the focus where it was"


def test_a_hanging_region_delays_the_library_for_a_moment_only(
    new_page: Callable[..., Page], site: Site, regions: FakeRegions
) -> None:
    regions.regions["us-west-2"].set_mode("hang")
    page = new_page()
    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film")).to_have_count(12)
    expect(page.locator("#answer")).to_contain_text("Oregon did not answer within 1.2 s")


def test_with_every_region_dead_the_page_shows_what_it_remembers_and_recovers_by_itself(
    new_page: Callable[..., Page], site: Site, regions: FakeRegions
) -> None:
    page = new_page()
    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film")).to_have_count(12)
    for region in regions.regions.values():
        region.set_mode("drop")
    page.reload()
    expect(page.locator("#answer")).to_contain_text("No region answers. These are the titles that this browser remembers.")
    expect(page.locator(".film")).to_have_count(12)
    for region in regions.regions.values():
        region.set_mode("up")
    expect(page.locator("#source")).to_contain_text("from Oregon")
    expect(page.locator("#answer")).to_be_hidden()


def test_an_empty_library_says_how_to_load_it(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    regions.table.clear()
    page = new_page()
    page.goto(site.url + "globalflix.html")
    expect(page.locator("#answer")).to_contain_text("The library is empty. Load the sample data")
