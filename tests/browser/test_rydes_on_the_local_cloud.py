"""wild-rydes set up once on the local cloud: signed in once at the hosted page, and the home region lost and back by a bad
deployment, with the page open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from local_workshop import LocalWorkshop
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
FAILURE = ("drill", "fail", "--fault", "bad-deploy", "--yes")


@pytest.fixture(scope="module")
def deployed() -> Iterator[LocalWorkshop]:
    made = LocalWorkshop(name="wild-rydes")
    try:
        made.setup()
        yield made
    finally:
        made.remove()


def write(page: Page, text: str) -> None:
    page.get_by_role("link", name="New ticket").click()
    page.fill("#description", text)
    page.click("#create")
    expect(page.locator("#detail .description")).to_have_text(text)


def test_one_sign_in_outlives_the_home_region(deployed: LocalWorkshop, new_page: Callable[..., Page]) -> None:
    signin = deployed.document["signin"]
    page = new_page()
    tokens: set[str] = set()
    forms: list[str] = []
    page.on("request", lambda request: tokens.add(request.headers.get("authorization", "")) if "/ticket" in request.url else None)
    page.on(
        "request", lambda request: forms.append(request.url) if request.method == "POST" and ".auth." in request.url else None
    )

    opened = page.goto(deployed.page("tickets.html"))
    assert opened is not None and "connect-src 'self' http://" in opened.headers["content-security-policy"]
    page.click("#gate-in button")
    page.fill("input[name=username]", signin["user"])
    page.fill("input[name=password]", signin["password"])
    page.keyboard.press("Enter")
    expect(page.locator("#who")).to_have_text("ana@example.com")
    expect(page.locator("#list-words")).to_contain_text("No tickets, read from Ireland")
    write(page, "Before the <b>failure</b> of Ireland")

    deployed.tool(*FAILURE)
    expect(page.locator(".route-headline")).to_have_text("Home region Ireland does not respond, Singapore answered instead.")
    expect(page.locator("#list-words")).to_contain_text("1 ticket, read from Singapore")
    write(page, "While Ireland was lost")
    expect(page.locator(".read-from")).to_contain_text("Taken by Singapore")

    deployed.tool("drill", "recover")
    expect(page.locator(".route-headline")).to_have_text("Home region Ireland answers again.")
    expect(page.locator("#list-words")).to_contain_text("2 tickets, read from Ireland")
    expect(page.locator(".ticket-words")).to_have_text(["While Ireland was lost", "Before the <b>failure</b> of Ireland"])
    assert len(tokens - {""}) == 1, "the same token in both regions"
    assert sum("/oauth2/token" in url for url in forms) == 1, "signed in once"

    page.click("#sign-out")
    expect(page.locator("h1")).to_have_text("You are signed out")


def test_the_site_carries_no_secret_and_no_address_that_a_page_could_not_call(
    deployed: LocalWorkshop, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    opened = page.goto(deployed.page("config.json"))
    assert opened is not None
    text = opened.text()
    assert deployed.document["signin"]["password"] not in text and "127.0.0.1" not in text
    config = json.loads(text)
    assert config["signin"]["redirect_uri"] == deployed.page("tickets.html")
    assert config["name"] == deployed.document["names"]["api"]


def test_what_is_deployed_is_a_go(deployed: LocalWorkshop) -> None:
    found = deployed.tool("check")
    assert [each for each in found["checks"] if each["status"] in ("fail", "crash")] == [] and found["verdict"] == "go"
