"""Sign-in by code: who may begin it, where it may lead, and what a code and a refresh token are good for."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.cloud_room.conftest import Cloud, refused
from tests.cloud_room.test_names_hosts import CALLBACK, LINK, PASSWORD, Pool

VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SIGNED_OUT = "http://localhost:3000/signed-out"
Sent = tuple[int, dict[str, str], bytes]


class SignIn(Pool):
    """A pool whose client is that of the pages: its own scopes, one address to come back to, one to sign out to."""

    def __init__(self, cloud: Cloud, prefix: str) -> None:
        super().__init__(cloud, prefix)
        scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
        self.cognito.create_resource_server(UserPoolId=self.id, Identifier="tickets", Name="tickets", Scopes=scopes)
        self.client = self.client_of(LogoutURLs=[SIGNED_OUT])["ClientId"]

    def client_of(self, **more: Any) -> dict[str, Any]:
        settings = {
            "ClientName": "pages",
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthScopes": ["openid", "tickets/read"],
            "AllowedOAuthFlowsUserPoolClient": True,
            "CallbackURLs": [CALLBACK],
            "SupportedIdentityProviders": ["COGNITO"],
            **more,
        }
        return dict(self.cognito.create_user_pool_client(UserPoolId=self.id, **settings)["UserPoolClient"])

    def asked(self, **more: str) -> dict[str, str]:
        pkce = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return {**self.query(), "scope": "openid tickets/read", "state": "s", "nonce": "n", **pkce, **more}

    def begin(self, **more: str) -> Sent:
        return self.send("GET", f"/oauth2/authorize?{urlencode(self.asked(**more))}", headers=LINK)

    def submit(self, **more: str) -> Sent:
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
        return self.send("POST", "/login", headers=headers, form={**self.asked(**more), "username": "ana", "password": PASSWORD})

    def code(self, **more: str) -> str:
        status, headers, _ = self.submit(**more)
        assert status == 302
        back = parse_qs(urlsplit(headers["location"]).query)
        assert back["state"] == ["s"]
        return back["code"][0]

    def token(self, **form: str) -> tuple[int, dict[str, Any]]:
        known = {
            "client_id": self.client,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "grant_type": "authorization_code",
        }
        status, _, body = self.send("POST", "/oauth2/token", form={**known, **form})
        return status, json.loads(body)

    def signed_in(self, **form: str) -> dict[str, Any]:
        status, tokens = self.token(code=self.code(), **form)
        assert status == 200
        return tokens


@pytest.fixture(scope="module")
def pool(shared: Cloud) -> SignIn:
    return SignIn(shared, "tickets")


def claims(token: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


def test_a_code_is_exchanged_once_for_tokens_with_scopes_and_nonce(pool: SignIn) -> None:
    code = pool.code()
    status, tokens = pool.token(code=code)
    access, identity = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert status == 200 and set(access["scope"].split()) == {"openid", "tickets/read"} and access["username"] == "ana"
    assert (access["token_use"], identity["token_use"], identity["nonce"]) == ("access", "id", "n") and "scope" not in identity
    assert pool.token(code=code) == (
        400,
        {"error": "invalid_grant", "error_description": "Invalid or expired authorization code."},
    )


@pytest.mark.parametrize(
    "form", [{"code_verifier": VERIFIER[:-1]}, {"code_verifier": ""}, {"redirect_uri": CALLBACK + "/"}, {"client_id": "x"}]
)
def test_a_code_is_for_who_began_with_it(pool: SignIn, form: dict[str, str]) -> None:
    status, answer = pool.token(code=pool.code(), **form)
    assert (status, answer["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "wrong",
    [
        {"response_type": "token"},
        {"redirect_uri": "https://evil.example/tickets.html"},
        {"redirect_uri": CALLBACK + "?next=evil"},
        {"redirect_uri": CALLBACK + "/.."},
        {"client_id": "unknown"},
    ],
)
def test_sign_in_does_not_begin_for_an_implicit_flow_or_another_address(pool: SignIn, wrong: dict[str, str]) -> None:
    status, headers, _ = pool.begin(**wrong)
    assert status == 400 and "location" not in headers


def test_scopes_that_the_client_may_not_have_and_other_challenges_lead_back_with_an_error(pool: SignIn) -> None:
    for wrong in ({"scope": "openid tickets/write"}, {"code_challenge_method": "plain"}):
        status, headers, _ = pool.begin(**wrong)
        assert status == 302 and headers["location"].startswith(f"{CALLBACK}?error=invalid_request")


@pytest.mark.parametrize(
    "settings",
    [{"AllowedOAuthFlows": ["implicit"]}, {"AllowedOAuthFlowsUserPoolClient": False}],
    ids=["no code flow", "no sign-in"],
)
def test_a_client_without_the_code_flow_gets_neither_page_nor_code(pool: SignIn, settings: dict[str, Any]) -> None:
    client = pool.client_of(**settings)["ClientId"]
    for status, _, body in (pool.begin(client_id=client), pool.submit(client_id=client)):
        assert (status, json.loads(body)["error"]) == (400, "unauthorized_client")


def test_a_client_of_a_provider_leads_there_and_takes_no_password(pool: SignIn) -> None:
    details = {
        "client_id": "c",
        "client_secret": "s",
        "oidc_issuer": "https://idp.example.com",
        "attributes_request_method": "GET",
        "authorize_scopes": "openid",
        "authorize_url": "https://idp.example.com/authorize",
    }
    pool.cognito.create_identity_provider(UserPoolId=pool.id, ProviderName="Oidc", ProviderType="OIDC", ProviderDetails=details)
    client = pool.client_of(SupportedIdentityProviders=["Oidc"])["ClientId"]
    status, headers, _ = pool.begin(client_id=client)
    assert status == 302 and headers["location"].startswith("https://idp.example.com/authorize?")
    assert pool.submit(client_id=client)[0] == 400


def test_sign_out_leads_to_the_clients_own_page_alone(pool: SignIn) -> None:
    def leave(client: str, address: str) -> tuple[int, str]:
        query = urlencode({"client_id": client, "logout_uri": address})
        status, headers, _ = pool.send("GET", f"/logout?{query}", headers=LINK)
        return status, headers.get("location", "")

    assert leave(pool.client, SIGNED_OUT) == (302, SIGNED_OUT)
    assert leave(pool.client, "https://evil.example/") == (400, "")
    assert leave(pool.client_of()["ClientId"], "https://evil.example/") == (400, ""), "a client without such pages has none"


def test_a_refresh_token_is_its_clients_own(pool: SignIn) -> None:
    refresh = pool.signed_in()["refresh_token"]
    other = pool.client_of()["ClientId"]

    def renewed(**form: str) -> tuple[int, dict[str, Any]]:
        return pool.token(grant_type="refresh_token", refresh_token=refresh, **form)

    assert renewed(client_id=other)[0] == 400
    status, tokens = renewed()
    assert status == 200 and claims(tokens["access_token"])["client_id"] == pool.client


def test_a_client_with_a_secret_renews_with_it_alone(pool: SignIn) -> None:
    client = pool.client_of(GenerateSecret=True)
    known = {"client_id": client["ClientId"], "client_secret": client["ClientSecret"]}
    status, tokens = pool.token(code=pool.code(client_id=client["ClientId"]), **known)
    assert status == 200
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": client["ClientId"]}
    assert pool.token(**form)[1]["error"] == "invalid_client"
    assert pool.token(**form, client_secret="wrong")[1]["error"] == "invalid_client"
    assert pool.token(**form, client_secret=client["ClientSecret"])[0] == 200


def test_a_client_names_scopes_and_providers_that_exist(pool: SignIn) -> None:
    assert refused(lambda: pool.client_of(AllowedOAuthScopes=["tickets/admin"]))[0] == "ScopeDoesNotExistException"
    code, text = refused(lambda: pool.client_of(SupportedIdentityProviders=["Google"]))
    assert code == "InvalidParameterException" and "Google does not exist" in text
    known = {"UserPoolId": pool.id, "ClientId": pool.client_of()["ClientId"]}
    change = pool.cognito.update_user_pool_client
    assert refused(lambda: change(**known, AllowedOAuthScopes=["other/read"]))[0] == "ScopeDoesNotExistException"


def test_an_authorizer_is_refused_where_its_pool_does_not_exist(shared: Cloud, pool: SignIn) -> None:
    gateway = shared.client("apigateway", "eu-west-1")
    api = gateway.create_rest_api(name="tickets")["id"]
    arn = f"arn:aws:cognito-idp:eu-central-1:000000000000:userpool/{pool.id}"

    def authorizer(*arns: str) -> Any:
        return gateway.create_authorizer(
            restApiId=api,
            name="signed-in",
            type="COGNITO_USER_POOLS",
            providerARNs=list(arns),
            identitySource="method.request.header.Authorization",
        )

    assert authorizer(arn)["providerARNs"] == [arn], "of another region"
    for wrong in ((arn + "x",), (arn.replace("eu-central-1:", "eu-west-1:"),), (arn, "arn:aws:iam::000000000000:role/x"), ()):
        code, text = refused(lambda arns=wrong: authorizer(*arns))
        assert code == "BadRequestException" and "ProviderARNs need to be valid Cognito Userpools" in text
