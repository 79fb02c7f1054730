"""Everybody can use the pages: axe-core finds nothing serious, the keyboard reaches everything, a phone shows everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fake_regions import FakeRegions
from playwright.sync_api import Page, expect
from served_site import Site

pytestmark = pytest.mark.browser


def problems(page: Page) -> list[str]:
    """What axe-core calls serious or critical, with the first place."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:120]} {v['nodes'][0]['failureSummary']}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


def fits(page: Page) -> bool:
    """Nothing has to be scrolled sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.fixture(params=["light wide", "dark phone"])
def look(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Colours and size of a screen, for a browser context."""
    colours, size = request.param.split()
    return {
        "color_scheme": colours,
        "viewport": {"width": 1440, "height": 900} if size == "wide" else {"width": 360, "height": 740},
    }


def test_no_page_has_a_serious_problem_in_any_look(
    new_page: Callable[..., Page],
    serve: Callable[..., Site],
    config: dict[str, Any],
    quick_failover: dict[str, str],
    regions: FakeRegions,
    look: dict[str, Any],
) -> None:
    site = serve(config, quick_failover)
    page = new_page(**look)

    page.goto(site.url)
    expect(page.locator("#regions li").last).to_contain_text("answers in")
    assert problems(page) == [] and fits(page)

    page.goto(site.url + "harness.html")
    page.click("#conflict-run")
    expect(page.locator("#conflict-result .words")).to_be_visible()
    regions.table.lag = 3600
    page.click("[data-region='us-west-2'] [data-action=plus]")
    page.click("[data-region='eu-west-1'] [data-action=get]")
    expect(page.locator("#results .mark").first).to_be_visible()
    regions.table.lag = 0.6
    assert problems(page) == [] and fits(page)

    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film")).to_have_count(12)
    assert problems(page) == [] and fits(page)

    page.locator(".film").nth(1).click()
    expect(page.locator("#log li").nth(1)).to_be_visible()
    regions.regions["us-west-2"].set_mode("error")
    expect(page.locator("#status")).to_have_attribute("data-phase", "failing")
    assert fits(page)
    expect(page.locator("#status")).to_have_attribute("data-phase", "away")
    regions.regions["us-west-2"].set_mode("up")
    expect(page.locator("#go-back")).to_be_visible()
    assert problems(page) == [] and fits(page)


def test_the_failing_state_has_no_serious_problem_either(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    for colours in ("light", "dark"):
        page = new_page(color_scheme=colours)
        page.goto(site.url + "player.html?title=02")
        regions.regions["us-west-2"].set_mode("error")
        expect(page.locator("#status")).to_have_attribute("data-phase", "failing")
        assert problems(page) == []
        page.evaluate("document.getElementById('main').append(document.createElement('input'))")
        assert [problem.split(":")[0] for problem in problems(page)] == ["label"], "axe-core does find what is wrong"
        regions.regions["us-west-2"].set_mode("up")


def test_the_keyboard_alone_is_enough(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    page = new_page()
    page.goto(site.url + "harness.html")
    expect(page.locator("[data-region='us-west-2'] .value")).to_have_text("0")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    name_of_focus = "(e => e.getAttribute('aria-label') || e.id || e.textContent)(document.activeElement)"
    seen: list[str] = []
    while "clear" not in seen and len(seen) < 60:
        page.keyboard.press("Tab")
        seen.append(page.evaluate(name_of_focus))
        if seen[-1] == "Plus one in Ireland":
            page.keyboard.press("Enter")
    assert {"Ping Oregon", "Plus one in Ireland", "replication-run", "conflict-run", "live", "address"} <= set(seen)
    expect(page.locator("[data-region='eu-west-1'] .value")).to_have_text("1")
    assert page.evaluate("getComputedStyle(document.querySelector('.row button')).outlineStyle") is not None


def test_a_focused_button_shows_where_the_focus_is(new_page: Callable[..., Page], site: Site) -> None:
    page = new_page()
    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film")).to_have_count(12)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
    assert width >= 2


def test_reduced_motion_is_respected(new_page: Callable[..., Page], site: Site) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto(site.url + "globalflix.html")
    expect(page.locator(".film")).to_have_count(12)
    assert page.evaluate("getComputedStyle(document.querySelector('.art')).transitionDuration") == "0s"
    page.locator(".film").first.click()
    expect(page.locator("#readings .share").first).to_be_visible()
    page.wait_for_timeout(600)
    assert page.evaluate("document.getElementById('video').paused"), "the film waits for the viewer"


def test_colours_follow_the_system_until_the_user_chooses(new_page: Callable[..., Page], site: Site) -> None:
    page = new_page(color_scheme="dark")
    page.goto(site.url)
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.get_by_role("button", name="Switch to light colours").click()
    light = page.evaluate(paper)
    assert light != dark
    page.goto(site.url + "harness.html")
    assert page.evaluate(paper) == light
    page.get_by_role("button", name="Switch to dark colours").click()
    assert page.evaluate(paper) == dark
