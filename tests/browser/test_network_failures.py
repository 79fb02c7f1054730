"""Every way in which the network can fail, in words, on the harness."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from fake_regions import FakeRegions
from playwright.sync_api import Page, expect
from served_site import Site

pytestmark = pytest.mark.browser

ROW = "[data-region='us-west-2']"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("error", "Oregon answered with status 500: The table is resting."),
        ("bare-error", "the connection was refused, or the answer came without CORS headers"),
        ("drop", "the connection was refused, or the answer came without CORS headers"),
        ("body-error", "Oregon reports a failure: The table is resting"),
        ("html", "Oregon answered with something that is not JSON"),
    ],
)
def test_a_failing_region_is_explained_in_its_row_and_in_the_results(
    new_page: Callable[..., Page], site: Site, regions: FakeRegions, mode: str, words: str
) -> None:
    page = new_page()
    page.goto(site.url + "harness.html")
    page.uncheck("#live")
    regions.regions["us-west-2"].set_mode(mode)
    page.click(f"{ROW} [data-action=plus]")
    expect(page.locator(f"{ROW} .state")).to_contain_text(words)
    expect(page.locator("#results li.failed")).to_contain_text(words.rstrip("."))
    regions.regions["us-west-2"].set_mode("up")
    page.click(f"{ROW} [data-action=get]")
    expect(page.locator(f"{ROW} .state")).to_have_text("answering")


def test_a_silent_region_is_given_up_after_the_deadline(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    regions.regions["us-west-2"].set_mode("hang")
    page = new_page()
    page.goto(site.url + "harness.html")
    words = page.evaluate("Workshop.api.call(Workshop.backends.list()[0], '', { deadline: 300 }).then(a => a.words.what)")
    assert words == "Oregon did not answer within 0.3 s."
    expect(page.locator("[data-region='eu-west-1'] .state")).to_have_text("answering")


def test_a_port_without_a_listener_is_explained(new_page: Callable[..., Page], serve: Callable[..., Site]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = new_page()
    page.goto(serve(None).url + f"harness.html?api=http://127.0.0.1:{port}/api/")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator(".row .state")).to_contain_text("did not answer: the connection was refused")


def test_an_address_without_the_stage_is_explained(
    new_page: Callable[..., Page], serve: Callable[..., Site], regions: FakeRegions
) -> None:
    page = new_page()
    page.goto(serve(None).url + f"harness.html?api={regions.regions['us-west-2'].url.removesuffix('api/')}nowhere/")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator(".row .state")).to_contain_text("Check that the address ends in the stage, /api/")


def test_a_browser_that_cannot_resolve_the_name_uses_the_second_address(
    new_page: Callable[..., Page], serve: Callable[..., Site], regions: FakeRegions
) -> None:
    oregon = regions.regions["us-west-2"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dead = f"http://fake.execute-api.us-west-2.localhost:{probe.getsockname()[1]}/api/"
    page = new_page()
    page.goto(
        serve({"regions": ["us-west-2"], "apis": {"us-west-2": {"url": dead, "path_url": oregon.path_url}}}).url + "harness.html"
    )
    expect(page.locator(f"{ROW} .value")).to_have_text("0")
    page.click(f"{ROW} [data-action=plus]")
    expect(page.locator(f"{ROW} .value")).to_have_text("1")


def test_an_item_that_is_not_there_is_no_failure(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    regions.table.clear()
    page = new_page()
    page.goto(site.url + "harness.html")
    page.click(f"{ROW} [data-action=get]")
    expect(page.locator("#results li").first).to_contain_text("has no such item")
    page.click("#replication-run")
    expect(page.locator("#replication-result .words")).to_contain_text("Load the data again: workshop setup")


def test_the_start_page_shows_which_region_responds(new_page: Callable[..., Page], site: Site, regions: FakeRegions) -> None:
    regions.regions["eu-west-1"].set_mode("error")
    page = new_page()
    page.goto(site.url)
    expect(page.locator("#regions li").nth(0)).to_contain_text("answers in")
    expect(page.locator("#regions li").nth(1)).to_contain_text("Ireland answered with status 500")
