"""An API that a link names: the page asks before it calls it or keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fake_regions import FakeRegions
from playwright.sync_api import Page, expect
from polling import until
from served_site import Site
from test_accessibility import fits, problems

pytestmark = pytest.mark.browser

KEPT = "localStorage.getItem('workshop:global-serverless:apis')"


def watched(page: Page, address: str) -> list[str]:
    """The requests to `address` from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith(address) else None)
    return asked


@pytest.fixture
def stranger(regions: FakeRegions) -> str:
    """The address of an API that the page does not know."""
    return regions.regions["eu-west-1"].url


@pytest.fixture
def alone(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration with the API of one region."""
    return {**config, "regions": ["us-west-2"], "apis": {"us-west-2": config["apis"]["us-west-2"]}}


def test_nothing_is_called_or_kept_before_the_answer(
    new_page: Callable[..., Page], serve: Callable[..., Site], alone: dict[str, Any], stranger: str
) -> None:
    page = new_page()
    asked = watched(page, stranger)
    page.goto(serve(alone).url + f"harness.html?api={stranger}")
    offer = page.get_by_role("region", name="Add the API of this link?")
    expect(offer.locator("strong")).to_have_text(stranger.split("/")[2])
    expect(page.locator("[data-region='us-west-2'] .value")).to_have_text("0")
    until(page, "performance.getEntriesByType('resource').filter(e => e.initiatorType === 'fetch').length >= 3")
    assert asked == [] and page.evaluate(KEPT) is None
    expect(page.locator(".row")).to_have_count(1)


def test_a_yes_by_keyboard_adds_it_for_good(
    new_page: Callable[..., Page], serve: Callable[..., Site], alone: dict[str, Any], stranger: str
) -> None:
    page = new_page()
    page.goto(serve(alone).url + f"harness.html?api={stranger}")
    page.locator("#offer-yes").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-region='eu-west-1'] .value")).to_have_text("0")
    assert "api=" not in page.url and stranger in page.evaluate(KEPT)
    page.reload()
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator("#offer")).to_be_hidden()


def test_a_no_by_keyboard_leaves_nothing_behind(new_page: Callable[..., Page], serve: Callable[..., Site], stranger: str) -> None:
    page = new_page()
    asked = watched(page, stranger)
    page.goto(serve(None).url + f"harness.html?api={stranger}")
    expect(page.locator("#none")).to_be_hidden()
    page.locator("#offer-yes").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#none")).to_be_visible()
    expect(page.locator("#offer")).to_be_hidden()
    assert asked == [] and page.evaluate(KEPT) is None and "api=" not in page.url


def test_other_pages_take_no_api_from_a_link(new_page: Callable[..., Page], serve: Callable[..., Site], stranger: str) -> None:
    page = new_page()
    asked = watched(page, stranger)
    url = serve(None).url
    for name in ("index.html", "globalflix.html", "player.html"):
        page.goto(f"{url}{name}?api={stranger}", wait_until="networkidle")
    assert asked == [] and page.evaluate(KEPT) is None


def test_what_is_on_the_page_already_is_not_asked_about(
    new_page: Callable[..., Page], site: Site, config: dict[str, Any]
) -> None:
    page = new_page()
    page.goto(site.url + f"harness.html?api={config['apis']['us-west-2']['url']}&api={config['apis']['eu-west-1']['path_url']}")
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator("#offer")).to_be_hidden()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "ftp://evil.example/api/", "file:///etc/passwd"])
def test_an_address_that_is_not_of_the_web_is_refused(new_page: Callable[..., Page], site: Site, address: str) -> None:
    page = new_page()
    page.goto(site.url + f"harness.html?api={address}")
    expect(page.locator("#add-answer")).to_contain_text("Only http and https addresses can be called.")
    expect(page.locator("#offer")).to_be_hidden()
    expect(page.locator(".row")).to_have_count(2)


def test_the_host_is_shown_as_it_is_whatever_precedes_it(new_page: Callable[..., Page], site: Site) -> None:
    page = new_page()
    page.goto(site.url + "harness.html?api=https://execute-api.amazonaws.com:443@evil.example/api/&api=https://аws.example/api/")
    expect(page.locator("#offer strong")).to_have_text(["evil.example", "xn--ws-6kc.example"])
    expect(page.locator("#offer-yes")).to_have_text("Add all 2")


def test_a_browser_that_keeps_nothing_can_say_yes_for_this_visit(
    new_page: Callable[..., Page], serve: Callable[..., Site], stranger: str
) -> None:
    page = new_page()
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('off'); }")
    page.goto(serve(None).url + f"harness.html?api={stranger}")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("[data-region='eu-west-1'] .value")).to_have_text("0")
    expect(page.locator("#offer")).to_be_hidden()


@pytest.mark.parametrize(("colours", "width"), [("light", 1440), ("dark", 360)])
def test_the_question_fits_and_everybody_can_use_it(
    new_page: Callable[..., Page], site: Site, tmp_path: Any, colours: str, width: int
) -> None:
    page = new_page(color_scheme=colours, viewport={"width": width, "height": 900})
    hosts = ["https://evil.example/api/", f"https://{'long-name-' * 6}x.execute-api.us-west-2.amazonaws.com.example/api/"]
    page.goto(site.url + "harness.html?" + "&".join(f"api={host}" for host in hosts))
    expect(page.locator("#offer")).to_be_visible()
    page.screenshot(path=str(tmp_path / f"offer-{colours}-{width}.png"))
    assert problems(page) == [] and fits(page)
