"""What the pages of wild-rydes decide without a browser: whom to call, whom to believe, what to try again, what to show."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.fakes.page_scripts import PageScripts
from workshop.definition.renderer import Renderer

ROOT = Path(__file__).resolve().parents[2] / "templates"
WEB = ROOT / "wild-rydes" / "web"
SCRIPTS = [ROOT / "_shared/web/scripts" / f"{name}.js" for name in ("storage", "places", "world", "format")] + [
    WEB / "scripts" / f"{name}.js"
    for name in ("confine", "provider", "pkce", "signin", "patience", "story", "drafts", "ticket-fields")
]
HOME, OTHER, NAME = "eu-west-1", "ap-southeast-1", "api.rydes.localhost"
ORIGIN, SIGN = "http://d1.cloudfront.localhost:4566", "http://rydes.auth.eu-central-1.localhost:4566"

ask = PageScripts(SCRIPTS).ask


def config(**more: Any) -> dict[str, Any]:
    """What the template renders, as a value."""
    return {
        "workshop": "wild-rydes", "title": "t", "target": "local", "home": HOME, "regions": [HOME, OTHER],
        "apis": {region: {"url": f"http://a.execute-api.{region}.localhost:4566/prod/"} for region in (HOME, OTHER)},
        "name": {"host": NAME, "url": f"http://{NAME}:4566/"}, "ttl": "60", "interval": "10", "threshold": "1",
        "identity_region": "eu-central-1",
        "signin": {
            "issuer": "https://issuer", "authorize_url": f"{SIGN}/oauth2/authorize", "token_url": f"{SIGN}/oauth2/token",
            "logout_url": f"{SIGN}/logout", "client_id": "c", "redirect_uri": f"{ORIGIN}/tickets.html", "scope": "openid",
        },
        **more,
    }  # fmt: skip


def rendered(template: str, **variables: Any) -> Any:
    """A template of the configuration, as setup renders it."""
    renderer = Renderer(lambda path: (WEB.parent / path).read_text())
    text = renderer.render((WEB / template).read_text(), variables, template)
    assert "<" not in text
    return json.loads(text)


def test_the_configuration_of_setup_is_valid_before_and_after_the_second_region() -> None:
    wanted = config(title='A "title" with </script>')
    assert rendered("config.json.j2", **wanted, names={"api": wanted["name"]}) == wanted
    early = rendered("first.json.j2", **{**wanted, "apis": {HOME: wanted["apis"][HOME]}})
    assert early["name"] == {"host": "", "url": ""} and early["apis"][OTHER] == {"url": ""}
    (world,) = ask(("world", "read", [early]))
    assert [region["id"] for region in world["regions"]] == [HOME]


def test_a_page_may_call_the_api_and_the_token_endpoint_of_its_configuration_and_nothing_else() -> None:
    (policy, nothing, strange) = ask(
        ("confine", "policy", [config()]),
        ("confine", "policy", [None]),
        ("confine", "policy", [{"name": {"url": "javascript:alert(1)"}, "apis": {"x": {"url": "a; script-src *"}}}]),
    )
    hosts = [NAME, "rydes.auth.eu-central-1.localhost", *(f"a.execute-api.{region}.localhost" for region in (HOME, OTHER))]
    assert policy == " ".join(["connect-src 'self'", *(f"http://{host}:4566" for host in hosts)])
    assert nothing == strange == "connect-src 'self'"


@pytest.mark.parametrize(
    ("location", "secure", "kind"),
    [
        ({"protocol": "http:", "origin": ORIGIN}, True, None),
        ({"protocol": "file:", "origin": "null"}, True, "file"),
        ({"protocol": "http:", "origin": "http://127.0.0.1:4566"}, True, "elsewhere"),
        ({"protocol": "http:", "origin": ORIGIN}, False, "insecure"),
    ],
)
def test_what_keeps_a_page_from_signing_in_is_named(location: dict[str, str], secure: bool, kind: str | None) -> None:
    (provider,) = ask(("provider", "read", [config()]))
    assert provider["signedOutUri"] == f"{ORIGIN}/signed-out.html"
    (found,) = ask(("provider", "obstacle", [provider, location, secure]))
    assert (found and found["kind"]) == kind


@pytest.mark.parametrize("wrong", ["http://rydes.example.com/oauth2/token", "javascript:alert(1)", "", None, 4])
def test_a_token_endpoint_that_is_neither_https_nor_this_machine_is_no_provider(wrong: Any) -> None:
    signin = {**config()["signin"], "token_url": wrong}
    assert ask(("provider", "read", [{"signin": signin}]), ("provider", "read", [{"signin": "no"}])) == [None, None]


def test_the_challenge_is_that_of_the_rfc_and_random_words_have_256_bits() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge, one, two = ask(("pkce", "challenge", [verifier]), ("pkce", "random", []), ("pkce", "random", []))
    assert challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert one != two and len(base64.urlsafe_b64decode(one + "=")) == 32


@pytest.mark.parametrize("token", ["", "a.b", "a..c", "a.!!.c", "a.bnVsbA.c"])
def test_what_is_no_token_has_no_claims(token: str) -> None:
    assert ask(("pkce", "claims", [token])) == [None]


def test_the_claims_of_a_token_are_read_as_utf8() -> None:
    payload = base64.urlsafe_b64encode('{"name":"Zoë ✓"}'.encode()).decode().rstrip("=")
    assert ask(("pkce", "claims", [f"a.{payload}.c"])) == [{"name": "Zoë ✓"}]


PENDING = {"state": "s", "nonce": "n", "verifier": "v", "view": "new"}


@pytest.mark.parametrize(
    ("query", "pending", "found"),
    [
        ("", PENDING, ""),
        ("code=c&state=s", PENDING, "c"),
        ("code=c&state=other", PENDING, "not begun here"),
        ("code=c", PENDING, "not begun here"),
        ("code=&state=s", PENDING, "not begun here"),
        ("code=c&state=s", None, "not begun here"),
        ("code=c&state=undefined", {}, "not begun here"),
        ("error=access_denied&error_description=no&state=s", PENDING, "reports access_denied: no"),
        ("error=send%20money%20to&state=other", PENDING, "not begun here"),
        ("error=access_denied&state=s&code=c", PENDING, "reports access_denied"),
    ],
)
def test_a_way_back_is_taken_only_with_the_state_of_this_tab(query: str, pending: Any, found: str) -> None:
    (judged,) = ask(("signin", "judge", [{"$query": query}, pending]))
    assert judged.get("code", "") == found or found in judged.get("words", "")
    assert not ("code" in judged and "words" in judged)


CLAIMS = {"iss": "https://issuer", "aud": "c", "nonce": "n", "exp": 100, "sub": "1", "cognito:username": "ana"}


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        (CLAIMS, "ana"),
        ({**CLAIMS, "email": "ana@example.com"}, "ana@example.com"),
        ({**CLAIMS, "nonce": "other"}, None),
        ({**CLAIMS, "aud": "other"}, None),
        ({**CLAIMS, "iss": "https://other"}, None),
        ({**CLAIMS, "exp": 50}, None),
        ({**CLAIMS, "exp": "soon"}, None),
        (None, None),
    ],
)
def test_an_id_token_is_believed_only_for_this_sign_in(claims: Any, name: str | None) -> None:
    provider = {"issuer": "https://issuer", "clientId": "c"}
    (person,) = ask(("signin", "person", [claims, "n", provider, 60_000]))
    assert (person and person["name"]) == name


@pytest.mark.parametrize(
    ("answer", "worth"),
    [
        ({"kind": "network"}, True),
        ({"kind": "timeout"}, True),
        ({"kind": "garbled"}, True),
        ({"kind": "status", "status": 502}, True),
        ({"kind": "status", "status": 429}, True),
        ({"kind": "status", "status": 400}, False),
        ({"kind": "status", "status": 401}, False),
        ({"kind": "ok", "status": 200}, False),
    ],
)
def test_what_may_pass_is_tried_again_and_a_refusal_is_not(answer: dict[str, Any], worth: bool) -> None:
    assert ask(("patience", "worth", [answer])) == [worth]


def test_tries_come_later_and_later_and_never_more_than_eight_seconds_apart() -> None:
    waits = ask(*(("patience", "wait", [tries, 1]) for tries in (0, 1, 2, 3, 4, 5, 50)))
    assert waits == [500, 1000, 2000, 4000, 8000, 8000, 8000]
    assert ask(("patience", "wait", [1, 0])) == [750]


def story(**facts: Any) -> str:
    """Headline and detail for a home region that answers, changed by the facts."""
    regions = [{"id": HOME, "place": "Ireland", "home": True}, {"id": OTHER, "place": "Singapore", "home": False}]
    probes = {region: {"healthy": True} for region in (HOME, OTHER)}
    usual = {
        "named": True, "host": NAME, "local": True, "regions": regions, "probes": probes, "region": HOME, "trouble": None,
        "move": None, "now": 100_000, "offline": False, "bound": 80, "ttl": 60,
    }  # fmt: skip
    (told,) = ask(("story", "tell", [{**usual, **facts}]))
    return f"{told['look']}: {told['headline']} {told['detail']}".strip()


ILL = {HOME: {"healthy": False}, OTHER: {"healthy": True}}
MOVE = {"from": HOME, "to": OTHER, "at": 90_000, "gap": 14_000}
TROUBLE = {"kind": "status", "status": 502, "since": 90_000}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, f"good: Ireland answered. {NAME} leads to the home region."),
        ({"named": False}, "This page calls the home region by its own address."),
        ({"region": ""}, "calm: Nothing was asked yet."),
        ({"offline": True, "trouble": TROUBLE}, "bad: This device is offline."),
        (
            {"trouble": TROUBLE},
            f"bad: Ireland fails. It returned status 502. {NAME} leads to Singapore at most 80 s after Ireland",
        ),
        ({"trouble": {"kind": "timeout", "seconds": 8}}, "bad: Ireland does not respond. It was silent for 8 s."),
        ({"trouble": {"kind": "network"}, "region": ""}, f"bad: {NAME} does not respond."),
        ({"trouble": {"kind": "garbled"}, "named": False}, "This page moves to another region by itself."),
        ({"trouble": TROUBLE, "probes": {r: {"healthy": False} for r in ILL}}, "bad: No region answers."),
        (
            {"region": OTHER, "probes": ILL, "move": MOVE},
            "warn: Home region Ireland does not respond, Singapore answered instead. It took 14 s from the first failure",
        ),
        ({"region": OTHER, "probes": ILL, "move": {**MOVE, "gap": 0}}, "No request of this page failed."),
        ({"region": OTHER, "move": MOVE}, "warn: Singapore answered. It took 14 s"),
        ({"region": OTHER}, "Ireland passes its health check; the name leads back to it within 60 s."),
        ({"region": OTHER, "named": False}, "Ireland responds again; go back when you like."),
        ({"probes": ILL}, f"warn: Ireland fails its health check and still answered. {NAME} leaves it at most 80 s"),
        ({"probes": ILL, "local": False}, "a connection that this browser has may be used for longer"),
        ({"move": {"from": OTHER, "to": HOME, "at": 90_000, "gap": 0}}, "good: Home region Ireland answers again."),
        ({"regions": [{"id": HOME, "place": "Ireland", "home": True}]}, "It is the only region so far."),
    ],
)
def test_what_happens_between_the_name_and_the_regions_is_put_in_words(facts: dict[str, Any], expected: str) -> None:
    assert expected in story(**facts)


DRAFT = {"description": "A unicorn is lost", "assigned": "juan", "priority": "low", "status": "open"}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, {}),
        ({"description": "1234567890"}, {}),
        ({"description": " 123456789 "}, {"description": "Describe it in at least 10 characters; these are 9."}),
        ({"description": " "}, {"description": "Describe what happened, in at least 10 characters."}),
        ({"description": "🦄" * 9}, {"description": "Describe it in at least 10 characters; these are 9."}),
        ({"assigned": "mallory"}, {"assigned": "Choose one of juan, derek, steven."}),
        ({"priority": ""}, {"priority": "Choose one of low, medium, high."}),
    ],
)
def test_a_draft_is_looked_through_before_it_is_sent(change: dict[str, str], wrong: dict[str, str]) -> None:
    assert ask(("ticketFields", "check", [{**DRAFT, **change}])) == [wrong]


def test_what_the_api_finds_is_shown_at_its_fields_and_the_rest_beside_them() -> None:
    body = {"message": "no", "fields": {"priority": "is not one of them", "createdBy": "unexpected"}}
    named, plain, nothing = ask(*(("ticketFields", "refused", [each]) for each in (body, {"message": "Too large"}, None)))
    assert named == {"fields": {"priority": "is not one of them"}, "rest": ["createdBy: unexpected"]}
    assert plain == {"fields": {}, "rest": ["Too large"]}
    assert nothing["rest"] == ["The API did not accept this ticket."]


def test_a_ticket_is_text_whatever_the_api_sends() -> None:
    odd, none = ask(("ticketFields", "ticket", [{"id": "1", "status": {"a": 1}}]), ("ticketFields", "ticket", [{"id": 4}]))
    assert odd["status"] == odd["description"] == "" and none is None


def test_times_are_shown_as_people_put_them() -> None:
    now = 1_700_000_000_000
    on = ("2023-11-14T22:13:10Z", "2023-11-14T21:43:20Z", "not a date")
    shown = ask(*(("ticketFields", "when", [text, now]) for text in on))
    assert shown == ["just now", "30 min ago", "not a date"]
