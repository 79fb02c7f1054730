"""The pages of wild-rydes in Chromium: sign-in, tickets, the loss of the home region; provider and API are the test's."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from conftest import ROOT, SHARED
from fake_rydes import HOME, HOST, OTHER, FakeRydes
from playwright.sync_api import Page, expect
from polling import until
from served_site import Site
from test_accessibility import fits, problems

pytestmark = pytest.mark.browser
WEB = ROOT / "templates" / "wild-rydes" / "web"
WIDE = {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}}
PHONE = {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}
TEXT = "My unicorn lost its horn over Dublin"


@pytest.fixture
def rydes() -> FakeRydes:
    return FakeRydes()


@pytest.fixture
def site(rydes: FakeRydes) -> Iterator[Site]:
    """The pages, configured for the fakes."""
    made = Site((WEB, SHARED), None)
    configure(made, rydes)
    made.start()
    yield made
    made.stop()


def configure(site: Site, rydes: FakeRydes, **more: Any) -> None:
    site.replace["config.js"] = f"window.WORKSHOP_CONFIG = {json.dumps(rydes.config(site.url, **more))};"


@pytest.fixture
def visit(new_page: Callable[..., Page], site: Site, rydes: FakeRydes) -> Callable[..., Page]:
    """Opens a page of the site, on a screen."""

    def visit_page(path: str = "tickets.html", look: dict[str, Any] = WIDE) -> Page:
        page = new_page(**look)
        rydes.attach(page)
        page.goto(site.url + path)
        return page

    return visit_page


@pytest.fixture
def signed_in(visit: Callable[..., Page]) -> Callable[..., Page]:
    """The tickets, signed in as ana."""

    def sign_in(look: dict[str, Any] = WIDE) -> Page:
        page = visit(look=look)
        page.click("#gate-in button")
        expect(page.locator("#list-words")).to_contain_text("read from")
        return page

    return sign_in


def write(page: Page, text: str = TEXT) -> None:
    page.get_by_role("link", name="New ticket").click()
    page.fill("#description", text)


def headline(page: Page) -> Any:
    return page.locator(".route-headline")


def test_a_person_signs_in_by_code_and_pkce_and_only_the_access_token_is_sent(
    signed_in: Callable[..., Page], rydes: FakeRydes, site: Site
) -> None:
    page = signed_in()
    expect(page.locator("#who")).to_have_text("ana@example.com")
    (asked,), (redeemed,) = rydes.begun, rydes.redeemed
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len({asked["state"], asked["nonce"], redeemed["code_verifier"]}) == 3 and len(asked["state"]) == 43
    assert asked["redirect_uri"] == redeemed["redirect_uri"] == site.url + "tickets.html"
    assert set(rydes.authorized) == {"Bearer access-1"}, "the ID token is for showing who signed in"
    assert page.url == site.url + "tickets.html", "the code does not stay in the address"
    kept = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])")
    assert not re.search("access-|refresh-|code-|signin", kept), "tokens are in memory alone, and what was pending is used"
    page.reload()
    expect(page.locator("#gate")).to_be_visible()


def test_a_sign_in_that_is_not_as_begun_is_not_accepted(visit: Callable[..., Page], rydes: FakeRydes) -> None:
    strange = "a token that is not for this sign-in"
    attempts: list[tuple[str, Any, str, int]] = [
        ("state", "another", "This sign-in was not begun here", 0),
        ("denies", True, "The sign-in service reports access_denied: <b>No</b>", 0),
        ("nonce", "another", strange, 1),
        ("claims", {"aud": "another"}, strange, 2),
    ]
    page = visit()
    for name, value, words, redeemed in attempts:
        before = getattr(rydes, name)
        setattr(rydes, name, value)
        page.click("#gate-in button")
        expect(page.locator("#notice-words")).to_contain_text(words)
        expect(page.locator("#desk")).to_be_hidden()
        assert len(rydes.redeemed) == redeemed and page.locator("#notice b").count() == 0, name
        setattr(rydes, name, before)
    assert rydes.authorized == [] and problems(page) == []
    page.click("#gate-in button")
    expect(page.locator("#who")).to_have_text("ana@example.com")


def test_a_link_with_a_code_from_elsewhere_signs_nobody_in_and_a_code_is_used_once(
    visit: Callable[..., Page], rydes: FakeRydes, site: Site
) -> None:
    page = visit("tickets.html?" + urlencode({"code": "code-1", "state": "stolen"}))
    expect(page.locator("#notice-words")).to_contain_text("This sign-in was not begun here")
    page.click("#gate-in button")
    expect(page.locator("#who")).to_have_text("ana@example.com")
    back = {"code": "code-1", "state": rydes.begun[0]["state"]}
    page.goto(site.url + "tickets.html?" + urlencode(back))
    expect(page.locator("#notice-words")).to_contain_text("This sign-in was not begun here")
    assert len(rydes.redeemed) == 1


def test_a_ticket_is_written_listed_and_read_as_text(signed_in: Callable[..., Page], rydes: FakeRydes) -> None:
    rydes.add("<img src=x onerror=alert(1)> glitter", status="<b>odd</b>", region=OTHER)
    page = signed_in()
    expect(page.locator(".ticket-words")).to_have_text("<img src=x onerror=alert(1)> glitter")
    write(page)
    page.check("input[value=high]")
    page.check("input[value=derek]")
    page.click("#create")
    expect(page.locator("#detail .description")).to_have_text(TEXT)
    expect(page.locator(".read-from")).to_contain_text("Taken by Ireland")
    stored = {name: rydes.tickets[0][name] for name in ("description", "assigned", "priority", "status")}
    assert stored == {"description": TEXT, "assigned": "derek", "priority": "high", "status": "open"}
    page.locator(".ticket").nth(1).click()
    expect(page.locator("#detail .facts")).to_contain_text("<b>odd</b>")
    expect(page.locator(".read-from")).to_contain_text("Read from Ireland")
    assert page.locator("#main img, #main b").count() == 0
    page.get_by_role("link", name="New ticket").click()
    expect(page.locator("#description")).to_have_value("")


def test_older_tickets_are_a_page_away(signed_in: Callable[..., Page], rydes: FakeRydes) -> None:
    for number in range(23):
        rydes.add(f"Hoof check due, stable {number}")
    page = signed_in(PHONE)
    expect(page.locator("#list-words")).to_contain_text("20 tickets so far, read from Ireland")
    page.click("#older")
    expect(page.locator(".ticket-words")).to_have_count(23)
    expect(page.locator(".ticket").nth(20)).to_be_focused()
    expect(page.locator("#older")).to_be_hidden()
    assert problems(page) == [] and fits(page)
    page.locator(".ticket").last.click()
    expect(page.locator("#detail .description")).to_have_text("Hoof check due, stable 22")
    expect(page.locator("#list")).to_be_hidden()
    page.get_by_role("link", name="All tickets").click()
    expect(page.locator(".ticket").last).to_be_visible()


def test_what_is_wrong_with_a_ticket_is_shown_at_its_fields(signed_in: Callable[..., Page], rydes: FakeRydes) -> None:
    page = signed_in(PHONE)
    write(page, "Too short")
    page.click("#create")
    expect(page.locator("#description-error")).to_have_text("Describe it in at least 10 characters; these are 9.")
    expect(page.locator("#description")).to_be_focused()
    assert page.get_attribute("#description", "aria-invalid") == "true" and rydes.tickets == []
    rydes.refused = {"priority": "is not one of low, medium, high", "createdBy": "is not yours"}
    page.fill("#description", TEXT)
    page.click("#create")
    expect(page.locator("#priority-error")).to_have_text("is not one of low, medium, high")
    expect(page.locator("#form-error")).to_have_text("createdBy: is not yours")
    expect(page.locator("#description")).to_have_value(TEXT)
    assert problems(page) == [] and fits(page)


def test_the_end_of_a_sign_in_keeps_the_text_and_the_next_one_sends_it(signed_in: Callable[..., Page], rydes: FakeRydes) -> None:
    page = signed_in()
    write(page)
    page.check("input[value=closed]")
    rydes.end_tokens()
    page.click("#create")
    expect(page.locator("#notice-words")).to_have_text("The API no longer accepts your sign-in.")
    expect(page.locator("#form-words")).to_contain_text("your text is kept")
    assert problems(page) == []
    sent = len(rydes.authorized)
    page.click("#create")
    expect(page.locator("#form-words")).to_contain_text("Your sign-in has ended.")
    assert len(rydes.authorized) == sent, "a token that was refused is not sent again"
    page.click("#notice-in")
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#description")).to_have_value(TEXT)
    page.click("#create")
    expect(page.locator("#detail .description")).to_have_text(TEXT)
    assert (rydes.tickets[0]["status"], rydes.authorized[-1]) == ("closed", "Bearer access-2")


def test_a_sign_in_ends_by_itself_and_a_reload_keeps_the_text(signed_in: Callable[..., Page], rydes: FakeRydes) -> None:
    rydes.lives = 2
    page = signed_in()
    write(page)
    expect(page.locator("#notice-words")).to_have_text("Your sign-in has ended.")
    rydes.lives = 3600
    page.reload()
    expect(page.locator("#gate-kept")).to_be_visible()
    page.click("#gate-in button")
    expect(page.locator("#description")).to_have_value(TEXT)


def test_signing_out_ends_it_here_and_at_the_provider(signed_in: Callable[..., Page], rydes: FakeRydes, site: Site) -> None:
    page = signed_in(PHONE)
    write(page)
    page.click("#sign-out")
    expect(page.locator("h1")).to_have_text("You are signed out")
    assert rydes.signed_out == [{"client_id": "client-1", "logout_uri": site.url + "signed-out.html"}]
    assert page.evaluate("JSON.stringify({ ...sessionStorage })") == "{}"
    assert problems(page) == [] and fits(page)
    page.go_back()
    expect(page.locator("#gate")).to_be_visible()
    expect(page.locator("#gate-kept")).to_be_hidden()


def test_a_ticket_is_sent_until_another_region_takes_it(signed_in: Callable[..., Page], rydes: FakeRydes) -> None:
    page = signed_in(PHONE)
    write(page)
    rydes.status[HOME] = rydes.health[HOME] = 502
    page.click("#create")
    expect(headline(page)).to_have_text("Ireland fails.")
    expect(page.locator(".route-count")).to_contain_text("next try in")
    expect(page.locator("#create")).to_be_disabled()
    assert problems(page) == [] and fits(page)
    page.get_by_role("button", name="Try now").click()  # while no region would take it: the page may send at any moment by itself
    rydes.given = OTHER
    expect(headline(page)).to_have_text("Home region Ireland does not respond, Singapore answered instead.")
    expect(page.locator(".read-from")).to_contain_text("Taken by Singapore")
    assert [ticket["region"] for ticket in rydes.tickets] == [OTHER]
    assert set(rydes.authorized) == {"Bearer access-1"} and len(rydes.begun) == 1, "signed in once"
    assert problems(page) == [] and fits(page)
    rydes.status[HOME] = rydes.health[HOME] = 200
    expect(page.locator(".route-detail")).to_contain_text("Ireland passes its health check")
    rydes.given = HOME
    expect(headline(page)).to_have_text("Home region Ireland answers again.")
    expect(page.locator(".region-chip.serves strong")).to_have_text("Ireland")


def test_a_ticket_whose_answer_was_lost_is_stored_once(signed_in: Callable[..., Page], rydes: FakeRydes) -> None:
    rydes.add(TEXT)
    page = signed_in()
    write(page)
    rydes.loses_answers = 1
    page.click("#create")
    expect(page.locator("#detail .description")).to_have_text(TEXT)
    assert [ticket["id"] for ticket in rydes.tickets] == ["new-1", "0190-0000"]


def test_sending_can_be_stopped_and_the_text_stays(signed_in: Callable[..., Page], rydes: FakeRydes) -> None:
    page = signed_in()
    write(page)
    rydes.status = {HOME: 0, OTHER: 0}
    page.click("#create")
    expect(headline(page)).to_have_text("No region answers.")
    page.click("#stop")
    expect(page.locator("#form-words")).to_contain_text("Whether the last try arrived is not known; your text is kept.")
    expect(page.locator("#description")).to_have_value(TEXT)
    page.context.set_offline(True)
    expect(headline(page)).to_have_text("This device is offline.")
    rydes.status = {HOME: 200, OTHER: 200}
    page.context.set_offline(False)
    expect(headline(page)).to_have_text("Ireland answered.")


def test_without_a_name_the_page_fails_over_by_itself(signed_in: Callable[..., Page], rydes: FakeRydes, site: Site) -> None:
    configure(site, rydes, target="aws", name={"host": "api.example.net", "url": ""})
    page = signed_in()
    expect(page.locator(".route-name")).to_have_text("this page")
    rydes.status[HOME] = rydes.health[HOME] = 502
    page.click("#refresh")
    expect(page.locator("#list-words")).to_contain_text("read from Singapore")
    expect(headline(page)).to_have_text("Home region Ireland does not respond, Singapore answered instead.")
    rydes.status[HOME] = rydes.health[HOME] = 200
    page.get_by_role("button", name="Go back to Ireland").click()
    page.click("#refresh")
    expect(page.locator("#list-words")).to_contain_text("read from Ireland")


@pytest.mark.parametrize("look", [WIDE, PHONE], ids=["light wide", "dark phone"])
def test_the_first_page_shows_who_answers_and_leads_to_the_tickets(visit: Callable[..., Page], look: dict[str, Any]) -> None:
    page = visit("", look)
    expect(page.locator(".region-chip.serves")).to_contain_text("Ireland")
    expect(page.locator(".route-name")).to_have_text(HOST)
    assert problems(page) == [] and fits(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#list-empty")).to_contain_text("No tickets yet.")
    assert problems(page) == [] and fits(page)


def test_the_keyboard_alone_is_enough(signed_in: Callable[..., Page], rydes: FakeRydes) -> None:
    page = signed_in()
    seen: list[str] = []
    name = "document.activeElement.id || document.activeElement.name || document.activeElement.textContent"

    def tab_to(target: str) -> None:
        while not seen or seen[-1] != target:
            page.keyboard.press("Tab")
            seen.append(page.evaluate(name))
            assert len(seen) < 60, seen

    tab_to("New ticket")
    page.keyboard.press("Enter")
    expect(page.locator("#description")).to_be_focused()
    page.keyboard.type(TEXT)
    tab_to("priority")
    page.keyboard.press("ArrowRight")
    tab_to("create")
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_be_focused()
    assert rydes.tickets[0]["priority"] == "high" and {"sign-out", "theme", "refresh", "status", "assigned"} <= {*seen}
    while page.evaluate("document.activeElement.tagName") != "SUMMARY":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab_to("log")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_a_page_may_call_nothing_but_its_api_and_its_provider(
    new_page: Callable[..., Page], rydes: FakeRydes, site: Site
) -> None:
    page = new_page().context.new_page()  # not watched: the violation is the point
    rydes.attach(page)
    page.route(
        "http://elsewhere.localhost/", lambda route: route.fulfill(headers={"Access-Control-Allow-Origin": "*"}, body="{}")
    )
    page.goto(site.url + "tickets.html")
    call = "async (url) => { try { await fetch(url); return 'called'; } catch { return 'refused'; } }"
    assert page.evaluate(call, f"http://{HOST}:4566/health") == "called"
    assert page.evaluate(call, "http://elsewhere.localhost/") == "refused"


def test_without_a_setup_and_from_the_disk_the_pages_name_what_to_run(
    new_page: Callable[..., Page], rydes: FakeRydes, site: Site, tmp_path: Path
) -> None:
    page = new_page()
    rydes.attach(page)
    del site.replace["config.js"]
    for name in ("index.html", "tickets.html"):
        page.goto(site.url + name)
        expect(page.locator("#none")).to_contain_text("workshop setup --workshop wild-rydes")
        expect(page.locator("#gate-obstacle")).to_contain_text("Sign-in is not set up yet.")
    folder = tmp_path / "my download #1"
    shutil.copytree(SHARED, folder)
    shutil.copytree(WEB, folder, dirs_exist_ok=True)
    (folder / "config.js").write_text(f"window.WORKSHOP_CONFIG = {json.dumps(rydes.config(site.url))};\n")
    for name in ("index.html", "tickets.html"):
        page.goto((folder / name).as_uri())
        expect(page.locator("#gate-obstacle")).to_contain_text("cannot work in a page that was opened from a file")
        expect(page.locator("#gate-obstacle code")).to_have_text("workshop open --workshop wild-rydes")
        expect(headline(page)).to_have_text("Ireland answered.")
    assert problems(page) == []


def test_a_page_at_another_address_than_the_providers_leads_to_the_right_one(
    new_page: Callable[..., Page], rydes: FakeRydes, site: Site
) -> None:
    page = new_page()
    rydes.attach(page)
    elsewhere = {**rydes.config(site.url)["signin"], "redirect_uri": "https://d1.cloudfront.net/tickets.html"}
    configure(site, rydes, signin=elsewhere)
    page.goto(site.url + "tickets.html")
    expect(page.locator("#gate-obstacle a")).to_have_attribute("href", "https://d1.cloudfront.net/tickets.html")
    expect(page.locator("#gate-in")).to_be_hidden()
    until(page, "document.querySelector('.region-chip.serves') !== null")
