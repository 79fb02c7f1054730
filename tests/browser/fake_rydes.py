"""Two regions, a name in front of them and a provider of sign-ins, for the pages of wild-rydes: nothing listens.

In: a page, whose requests to names below `.localhost` are taken over. Out: what a test changes (statuses, which region the name
leads to, how the provider treats a sign-in) and what arrived: tickets, Authorization headers, forms of the token endpoint.
The provider verifies what a real one would: PKCE (S256), a code used once, the exact redirect address.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from playwright.sync_api import Page, Route

__all__ = ["HOME", "HOST", "OTHER", "FakeRydes"]

HOME, OTHER, HOST = "eu-west-1", "ap-southeast-1", "api.rydes.localhost"
PROVIDER = "http://rydes.auth.eu-central-1.localhost:4566"
ISSUER, CLIENT = f"{PROVIDER}/pool", "client-1"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Workshop-Region"}


def jwt(claims: dict[str, Any]) -> str:
    """An unsigned token: the page reads it and verifies nothing but its claims."""
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "x"}, claims, 0)
    )


@dataclass
class FakeRydes:
    """`given` is the region that the name leads to; a status of 0 means that nothing responds. `denies`, `state`, `nonce` change
    what the provider sends back; `lives` is for how long its tokens are good, in seconds."""

    status: dict[str, int] = field(default_factory=lambda: {HOME: 200, OTHER: 200})
    health: dict[str, int] = field(default_factory=lambda: {HOME: 200, OTHER: 200})
    given: str = HOME
    tickets: list[dict[str, Any]] = field(default_factory=list)
    denies: bool = False
    state: str = ""
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    lives: float = 3600
    refused: dict[str, str] = field(default_factory=dict)
    loses_answers: int = 0
    """So many answers to POST are lost after the ticket was stored."""
    authorized: list[str] = field(default_factory=list)
    begun: list[dict[str, str]] = field(default_factory=list)
    redeemed: list[dict[str, str]] = field(default_factory=list)
    live: dict[str, float] = field(default_factory=dict)
    signed_out: list[dict[str, str]] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Take over what the page asks of names."""
        page.route("http://*.localhost:4566/**", self._answer)

    def config(self, origin: str, **more: Any) -> dict[str, Any]:
        """What setup would render; `origin` ends in a slash."""
        return {
            "workshop": "wild-rydes", "title": "Tickets", "target": "local", "home": HOME, "regions": [HOME, OTHER],
            "apis": {region: {"url": f"http://a.execute-api.{region}.localhost:4566/prod/"} for region in (HOME, OTHER)},
            "name": {"host": HOST, "url": f"http://{HOST}:4566/"}, "ttl": "60", "interval": "10", "threshold": "1",
            "identity_region": "eu-central-1",
            "signin": {
                "issuer": ISSUER, "authorize_url": f"{PROVIDER}/oauth2/authorize", "token_url": f"{PROVIDER}/oauth2/token",
                "logout_url": f"{PROVIDER}/logout", "client_id": CLIENT, "redirect_uri": f"{origin}tickets.html",
                "scope": "openid email tickets/read tickets/write",
            },
            **more,
        }  # fmt: skip

    def add(self, description: str, **more: str) -> dict[str, Any]:
        """A ticket that exists already; each is a quarter of an hour older than the one before."""
        number = len(self.tickets)
        on = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 120 - 900 * number))
        ticket = {
            "id": f"0190-{number:04}", "description": description, "assigned": "juan", "priority": "medium", "status": "open",
            "createdBy": "ana", "createdOn": on, "region": HOME, **more,
        }  # fmt: skip
        self.tickets.append(ticket)
        return ticket

    def end_tokens(self) -> None:
        """No token is good any more."""
        self.live.clear()

    def _answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        query = dict(parse_qsl(address.query))
        if ".auth." not in (address.hostname or ""):
            self._api(route, address.hostname or "", unquote(address.path), query)
        elif address.path == "/oauth2/authorize":
            route.fulfill(status=302, headers={"Location": self._authorize(query)})
        elif address.path == "/oauth2/token":
            status, body = self._token(dict(parse_qsl(route.request.post_data or "")))
            route.fulfill(status=status, headers=CORS, json=body)
        else:
            self.signed_out.append(query)
            route.fulfill(status=302, headers={"Location": query["logout_uri"]})

    def _authorize(self, query: dict[str, str]) -> str:
        self.begun.append(query)
        back = {"state": self.state or query["state"]}
        back |= (
            {"error": "access_denied", "error_description": "<b>No</b>"} if self.denies else {"code": f"code-{len(self.begun)}"}
        )
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def _token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.begun[-1]
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        fits = base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        known = form.get("code") == f"code-{len(self.begun)}" and form.get("code") not in {each["code"] for each in self.redeemed}
        if not (fits and known and form.get("redirect_uri") == asked["redirect_uri"]):
            return 400, {"error": "invalid_grant"}
        self.redeemed.append(form)
        access = f"access-{len(self.redeemed)}"
        self.live[access] = time.monotonic() + self.lives
        claims = {
            "iss": ISSUER, "aud": CLIENT, "nonce": self.nonce or asked["nonce"], "exp": time.time() + self.lives, "sub": "1f-2",
            "cognito:username": "ana", "email": "ana@example.com", **self.claims,
        }  # fmt: skip
        tokens = {"access_token": access, "id_token": jwt(claims), "refresh_token": "refresh-1", "token_type": "Bearer"}
        return 200, {**tokens, "expires_in": self.lives}

    def _api(self, route: Route, host: str, path: str, query: dict[str, str]) -> None:
        named = host == HOST
        region = self.given if named else next(each for each in (HOME, OTHER) if f".{each}." in host)
        path = path.removeprefix("/prod").strip("/")
        token = route.request.headers.get("authorization", "")
        if token:
            self.authorized.append(token)
        if not self.status[region]:
            return route.abort()
        status, body = self._call(region, route.request.method, path, query, token, route.request.post_data)
        if route.request.method == "POST" and status == 201 and self.loses_answers:
            self.loses_answers -= 1
            return route.abort()
        headers = {**CORS, "X-Workshop-Region": region} if named else CORS
        return route.fulfill(status=status, headers=headers, json=body)

    def _call(
        self, region: str, method: str, path: str, query: dict[str, str], token: str, data: str | None
    ) -> tuple[int, dict[str, Any]]:
        if path == "health":
            return self.health[region], {"region": region, "status": "ok" if self.health[region] == 200 else "failing"}
        if self.status[region] != 200:
            return self.status[region], {"message": "Internal server error"}
        if self.live.get(token.removeprefix("Bearer "), 0) < time.monotonic():
            return 401, {"message": "Unauthorized"}
        if method == "POST":
            return self._post(region, json.loads(data or "{}"))
        if path == "ticket":
            first, most = int(query.get("after", "0")), int(query["limit"])
            more = str(first + most) if len(self.tickets) > first + most else None
            return 200, {"tickets": self.tickets[first : first + most], "next": more, "region": region}
        found = next((each for each in self.tickets if each["id"] == path.removeprefix("ticket/")), None)
        return (200, {**found, "read_in": region}) if found else (404, {"message": "There is no such ticket"})

    def _post(self, region: str, given: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.refused:
            return 400, {"message": "The ticket is not complete", "fields": self.refused}
        made = {"id": f"new-{len(self.tickets)}", **given, "createdBy": "ana", "region": region}
        made["createdOn"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        self.tickets.insert(0, made)
        return 201, made
