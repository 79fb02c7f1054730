"""The sign-in family: whether people can sign in, with the line that fixes it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.checks.builders import ACCOUNT, AWAY, HOME, FakeAwsClient, FakeStep, context, denied, look, refusal
from tests.unit.fakes.http_server import Server, closed_port
from workshop.app.check_session import open_for_policy
from workshop.app.invocation import Invocation
from workshop.checks.base import Check, CheckStatus, Finding
from workshop.checks.claim import command_permissions
from workshop.checks.context import CheckContext, GivenClient, PlannedStep
from workshop.checks.definition import Parameters
from workshop.checks.read_only import ReadOnlyClient
from workshop.checks.registry import family_named
from workshop.checks.signin import FAMILY
from workshop.definition.signin import PoolArn
from workshop.steps.base import Phase

TEMPLATES = Path(__file__).parents[2] / "templates"
IDENTITY = "eu-central-1"
PASS, WARN, FAIL, SKIP = CheckStatus.PASS, CheckStatus.WARN, CheckStatus.FAIL, CheckStatus.SKIP
POOL = {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "films"}}
HOST = f"films-7.auth.{IDENTITY}.amazoncognito.com"


class Declares(FakeStep):
    """A step with a template."""

    def __init__(self, **resources: Any) -> None:
        super().__init__()
        self.template = json.dumps({"Resources": resources})

    def rendered(self, part: str, ctx: Any) -> str | None:
        return self.template if part == "template" else None


def planned(step: FakeStep, region: str, *, parameters: dict[str, str] | None = None, variables: dict[str, Any]) -> PlannedStep:
    found = SimpleNamespace(
        step="identity", region=region, params=SimpleNamespace(parameters=parameters or {}), variables=variables
    )
    return PlannedStep(step, found, region, complete=True)  # type: ignore[arg-type]


def workshop(
    *,
    prefix: str = "films-7",
    provider: dict[str, Any] | None = None,
    secret: str = "",
    region: str = IDENTITY,
    authorizer: str = "cognito_user_pools",
    answers: dict[str, Any] | None = None,
    **changes: Any,
) -> CheckContext:
    """A workshop with a user pool, and an API in its home region that asks for its tokens."""
    variables = {"regions": [HOME, AWAY], "signin_prefix": "", "identity_region": region, "authorizer": "pool", "idp_client": ""}
    resources: dict[str, Any] = {
        "Pool": POOL,
        "Domain": {"Type": "AWS::Cognito::UserPoolDomain", "Properties": {"Domain": prefix}},
    }
    if provider is not None:
        resources["Provider"] = {"Type": "AWS::Cognito::UserPoolIdentityProvider", "Properties": provider}
    scheme = {"x-amazon-apigateway-authorizer": {"type": authorizer}}
    api = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": {"components": {"securitySchemes": {"in": scheme}}}}}
    steps = (
        planned(Declares(**resources), region, parameters={"Secret": secret}, variables=variables),
        planned(Declares(Api=api), HOME, variables=variables),
    )
    aws = FakeAwsClient({"cognito-idp.describe_user_pool_domain": {"DomainDescription": {}}, **(answers or {})})
    more = {"workshop": "films", "planned_steps": steps, "secrets": {"idp_secret": None}, **changes}
    return context(ReadOnlyClient(aws), **more)


def check(name: str, found: CheckContext) -> Check:
    return next(each for each in FAMILY.instances(found) if each.name == name)


def finding(name: str, found: CheckContext) -> Finding:
    return asyncio.run(look(check(name, found)))


def test_the_family_is_registered_and_needs_nothing_where_no_one_signs_in() -> None:
    assert family_named("signin") is FAMILY
    for each in FAMILY.instances(context()):
        assert asyncio.run(look(each)).status is SKIP
        assert each.permissions() == []


def taken(pool: str = "eu-central-1_Other1", account: str = ACCOUNT, **tags: str) -> dict[str, Any]:
    description = {"DomainDescription": {"UserPoolId": pool, "AWSAccountId": account, "Domain": "films-7"}}
    return {
        "cognito-idp.describe_user_pool_domain": description,
        "cognito-idp.describe_user_pool": {"UserPool": {"Id": pool, "UserPoolTags": tags}},
    }


@pytest.mark.parametrize(
    "answers",
    [{}, {"cognito-idp.describe_user_pool_domain": refusal("ResourceNotFoundException")}, taken(workshop="films")],
    ids=["unknown", "not found", "ours"],
)
def test_a_prefix_that_is_free_or_our_own_passes(answers: dict[str, Any]) -> None:
    found = finding("prefix", workshop(answers=answers))
    assert (found.status, found.detail) == (PASS, HOST)


@pytest.mark.parametrize(
    ("answers", "whose"),
    [
        (taken(), "the user pool eu-central-1_Other1:"),
        (taken(workshop="another"), "the user pool eu-central-1_Other1:"),
        (taken(account="999988887777"), "of account 999988887777:"),
        (
            {**taken(), "cognito-idp.describe_user_pool": refusal("ResourceNotFoundException")},
            "the user pool eu-central-1_Other1:",
        ),
    ],
    ids=["untagged", "another workshop's", "another account's", "gone meanwhile"],
)
def test_a_prefix_that_is_taken_fails_with_another_one_to_paste(answers: dict[str, Any], whose: str) -> None:
    found = finding("prefix", workshop(answers=answers))
    assert found.status is FAIL
    assert HOST in found.detail
    assert whose in found.detail
    assert found.fix == "workshop check --target aws --param signin_prefix=films-7-2"


@pytest.mark.parametrize(("prefix", "better"), [("my-aws-films", "my--films"), ("cognito", "tickets")])
def test_a_prefix_with_a_word_that_aws_reserves_fails(prefix: str, better: str) -> None:
    found = finding("prefix", workshop(prefix=prefix))
    assert found.status is FAIL
    assert "which AWS does not allow" in found.detail
    assert found.fix.endswith(f"--param signin_prefix={better}")


def test_a_prefix_that_may_not_be_looked_up_is_skipped_with_the_reason() -> None:
    found = finding("prefix", workshop(answers={"cognito-idp.describe_user_pool_domain": denied("cognito-idp")}))
    assert found.status is SKIP
    assert "permission is missing" in found.detail


def test_the_lookups_are_reads_that_the_policy_grants() -> None:
    granted = {(each.action, each.resource, each.region, each.phase) for each in check("prefix", workshop()).permissions()}
    pools = f"arn:aws:cognito-idp:{IDENTITY}:{ACCOUNT}:userpool/*"
    assert granted == {
        ("cognito-idp:DescribeUserPoolDomain", "*", IDENTITY, Phase.CHECK),
        ("cognito-idp:DescribeUserPool", pools, IDENTITY, Phase.CHECK),
    }


@contextmanager
def served(text: str, status: int = 200) -> Iterator[Server]:
    """A server that returns this text for every path, with its own address for HERE."""

    def answer(path: str) -> tuple[int, bytes]:
        return status, text.replace("HERE", server.url).encode()

    server = Server(answer)
    with server:
        yield server


def with_provider(kind: str, address: str, *, client: str = "c-1", given: str = "a-long-text") -> CheckContext:
    details: dict[str, Any] = {"client_id": client, "client_secret": {"Ref": "Secret"}, "oidc_issuer": address}
    if kind == "SAML":
        details = {"MetadataURL": f"{address}/metadata"}
    return workshop(provider={"ProviderType": kind, "ProviderDetails": details}, secret=given)


SOUND = {
    "issuer": "HERE", "authorization_endpoint": "HERE/a", "token_endpoint": "HERE/t", "jwks_uri": "HERE/k",
    "response_types_supported": ["code", "id_token"],
}  # fmt: skip


def test_a_sound_provider_passes_with_the_address_to_register() -> None:
    with served(json.dumps(SOUND)) as server:
        found = finding("provider", with_provider("OIDC", server.url))
    assert (found.status, found.fix) == (PASS, "")
    assert found.detail == f"OIDC: register https://{HOST}/oauth2/idpresponse there"
    assert server.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    ("document", "status", "why"),
    [
        (json.dumps({**SOUND, "response_types_supported": ["id_token"]}), 200, "does not list the authorization code flow"),
        (json.dumps({**SOUND, "issuer": "https://other.example"}), 200, "names another issuer: https://other.example"),
        (json.dumps({**SOUND, "jwks_uri": None}), 200, "names no jwks_uri"),
        (json.dumps({**SOUND, "token_endpoint": ["x"]}), 200, "names no token_endpoint"),
        ("[1]", 200, "returns no JSON object"),
        ("<html>", 200, "returns no JSON object"),
        ("{}", 404, "returns 404"),
        ("{}", 302, "returns 302"),
        (" " * 1_000_001, 200, "returns more than 1,000,000 bytes"),
    ],
)
def test_a_provider_that_cognito_could_not_use_fails_with_the_reason(document: str, status: int, why: str) -> None:
    with served(document, status) as server:
        found = finding("provider", with_provider("OIDC", server.url))
    assert found.status is FAIL
    assert why in found.detail
    assert found.fix == f"Look at it: curl -sS {server.url}/.well-known/openid-configuration"


def test_a_provider_that_does_not_respond_fails() -> None:
    found = finding("provider", with_provider("OIDC", f"http://127.0.0.1:{closed_port()}"))
    assert found.status is FAIL
    assert "does not respond: ConnectError" in found.detail


@pytest.mark.parametrize(("text", "status"), [("<md:EntityDescriptor/>", PASS), ("<html>", FAIL)])
def test_a_saml_provider_is_known_by_its_metadata(text: str, status: CheckStatus) -> None:
    with served(text) as server:
        found = finding("provider", with_provider("SAML", server.url))
    assert found.status is status
    assert server.asked == ["/metadata"]
    assert ("saml2/idpresponse" in found.detail) == (status is PASS)


@pytest.mark.parametrize("kind", ["Facebook", "Google", "OIDC"])
def test_what_the_provider_issued_and_no_one_gave_is_named_with_the_address_to_register(kind: str) -> None:
    secret = finding("provider", with_provider(kind, "http://127.0.0.1:9", given=""))
    assert secret.status is FAIL
    assert "The client secret of the identity provider is missing" in secret.detail
    assert f"https://{HOST}/oauth2/idpresponse" in secret.detail
    assert secret.fix == "read -rs WORKSHOP_SECRET_IDP_SECRET && export WORKSHOP_SECRET_IDP_SECRET"
    client = finding("provider", with_provider(kind, "http://127.0.0.1:9", client=""))
    assert "The client id of the identity provider is missing" in client.detail
    assert client.fix == "workshop check --target aws --param idp_client=CLIENT-ID"


def test_a_provider_that_describes_itself_nowhere_passes_without_a_request() -> None:
    assert finding("provider", with_provider("Facebook", "")).status is PASS


def test_without_a_provider_people_are_users_of_the_pool() -> None:
    found = finding("provider", workshop())
    assert (found.status, found.detail) == (SKIP, "People sign in as users of the pool itself.")


def test_sign_in_within_a_region_of_the_workshop_is_a_warning_with_another_region() -> None:
    assert finding("region", workshop()).status is PASS
    shared = finding("region", workshop(region=HOME))
    assert shared.status is WARN
    assert f"Sign-in is in {HOME}, a region of the workshop" in shared.detail
    assert shared.fix == "workshop check --target aws --param identity_region=eu-central-1"


def test_the_region_of_a_pool_that_exists_already_is_that_of_its_arn() -> None:
    arn = f"arn:aws:cognito-idp:{AWAY}:{ACCOUNT}:userpool/{AWAY}_AbCdEf123"
    variables = {"regions": [HOME, AWAY]}
    steps = (planned(FakeTemplateless(), HOME, variables=variables),)
    found = finding("region", context(planned_steps=steps, given_pool=arn))
    assert found.status is WARN
    assert AWAY in found.detail


@pytest.mark.parametrize("load", ["with a token", "without one", "none"])
def test_a_given_pool_is_known_whatever_the_drill_of_the_workshop_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, load: str
) -> None:
    folder = tmp_path / "own"
    shutil.copytree(TEMPLATES / "wild-rydes", folder)
    text = (folder / "workshop.yaml").read_text(encoding="utf-8")
    if load == "without one":
        text = text.replace("    token: machine\n", "").replace(", token: machine}", "}")
    elif load == "none":
        text = text[: text.index("\ndrill:")] + text[text.index("\nlinks:") :]
    (folder / "workshop.yaml").write_text(text, encoding="utf-8")
    arn = f"arn:aws:cognito-idp:eu-west-1:{ACCOUNT}:userpool/eu-west-1_AbCdEf123"
    given = (f"pool_arn={arn}", "client_id=abc", "signin_host=x.example.com")
    opened = wild_rydes(monkeypatch, tmp_path / "state", *given, workshop=str(folder))
    assert (opened.given_pool, opened.machine_pool) == (arn, arn if load == "with a token" else None)
    found = finding("region", opened)
    assert found.status is WARN
    assert "Sign-in is in eu-west-1, a region of the workshop" in found.detail


class FakeTemplateless(FakeStep):
    def rendered(self, part: str, ctx: Any) -> str | None:
        return None


SCOPES = "openid tickets/read"
BACK, OUT = "https://d1.cloudfront.net/tickets.html", "https://d1.cloudfront.net/signed-out.html"
FITTING = {
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid", "email", "tickets/read"],
    "CallbackURLs": ["https://other.example/tickets.html", BACK],
    "LogoutURLs": [OUT],
}


def client(answer: Any, *, account: str = ACCOUNT, back: str = BACK, out: str = OUT) -> CheckContext:
    """A workshop with a given pool, whose client is described like this."""
    given = GivenClient(PoolArn("aws", AWAY, account, f"{AWAY}_AbC123"), "c1", SCOPES, back, out)
    aws = FakeAwsClient({"cognito-idp.describe_user_pool_client": answer})
    return context(ReadOnlyClient(aws), given_client=given)


def test_a_client_of_a_given_pool_that_fits_passes() -> None:
    found = finding("client", client({"UserPoolClient": FITTING}))
    assert (found.status, found.detail) == (
        PASS,
        f"the code flow with the scopes {SCOPES}; the callback {BACK}; the sign-out address {OUT}",
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"AllowedOAuthFlowsUserPoolClient": False}, "it lacks the code flow"),
        ({"AllowedOAuthFlows": ["implicit"]}, "it lacks the code flow"),
        ({"AllowedOAuthScopes": ["openid"]}, "it lacks the scopes tickets/read"),
        ({"CallbackURLs": []}, f"it lacks the callback {BACK}"),
        ({"LogoutURLs": [f"{OUT}/"]}, f"it lacks the sign-out address {OUT}"),
        ({"ClientSecret": "s3cr3t-of-a-client"}, "it has a secret, which pages cannot keep"),
    ],
)
def test_a_client_that_the_pages_cannot_use_fails_with_what_it_lacks(change: dict[str, Any], text: str) -> None:
    found = finding("client", client({"UserPoolClient": {**FITTING, **change}}))
    assert (found.status, found.detail) == (FAIL, f"The client c1: {text}.")
    assert f"describe-user-pool-client --region {AWAY} --user-pool-id {AWAY}_AbC123 --client-id c1" in found.fix
    assert "s3cr3t" not in f"{found}"


def test_addresses_that_are_not_known_yet_are_not_missed() -> None:
    bare = {name: value for name, value in FITTING.items() if not name.endswith("URLs")}
    found = finding("client", client({"UserPoolClient": bare}, back="", out=""))
    assert found.status is PASS
    assert "the callback, which `workshop status` prints later" in found.detail


def test_the_client_of_a_pool_in_another_account_is_for_its_owner() -> None:
    found = client({"UserPoolClient": {}}, account="999988887777")
    (told, needed) = finding("client", found), check("client", found).permissions()
    assert told.status is SKIP
    assert "account 999988887777" in told.detail and BACK in told.detail and OUT in told.detail
    assert needed == [] and not found.aws._inner.calls  # type: ignore[attr-defined]


def test_a_client_that_does_not_exist_fails_and_one_that_may_not_be_read_is_skipped() -> None:
    gone = finding("client", client(refusal("ResourceNotFoundException")))
    assert gone.status is FAIL
    assert f"The pool {AWAY}_AbC123 in {AWAY} has no client c1." in gone.detail
    assert "list-user-pool-clients" in gone.fix
    assert finding("client", client(denied())).status is SKIP


def test_a_teardown_may_look_for_pools_in_every_region_of_a_workshop_with_sign_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = wild_rydes(monkeypatch, tmp_path)
    needed = found.permissions(Phase.TEARDOWN)
    for action in ("cognito-idp:ListUserPools", "cognito-idp:DescribeUserPool"):
        assert {each.region for each in needed if each.action == action} == set(found.regions)
    assert {"eu-west-1", "ap-southeast-1", IDENTITY} == set(found.regions)


def test_the_given_client_is_what_the_definition_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    arn = f"arn:aws:cognito-idp:us-east-2:{ACCOUNT}:userpool/us-east-2_AbCdEf123"
    found = wild_rydes(monkeypatch, tmp_path, f"pool_arn={arn}", "client_id=abc", "signin_host=x.example.com")
    assert found.given_client == GivenClient(
        PoolArn("aws", "us-east-2", ACCOUNT, "us-east-2_AbCdEf123"), "abc", "openid email tickets/read tickets/write", "", ""
    )
    (needed,) = check("client", found).permissions()
    assert (needed.action, needed.resource, needed.phase) == ("cognito-idp:DescribeUserPoolClient", arn, Phase.CHECK)
    without = wild_rydes(monkeypatch, tmp_path, f"pool_arn={arn}")
    assert (without.given_pool, without.given_client) == (arn, None)
    assert wild_rydes(monkeypatch, tmp_path).given_client is None


def test_the_choice_of_what_verifies_tokens_is_one_line_with_how_to_change_it() -> None:
    itself = finding("authorizer", workshop())
    assert itself.status is PASS
    assert f"by the user pool in {IDENTITY}" in itself.detail
    assert "workshop setup --target aws --param authorizer=function" in itself.detail
    assert finding("authorizer", workshop(authorizer="token")).detail == "a function, which takes a user pool of any region"
    assert finding("authorizer", workshop(region=HOME)).detail == "API Gateway itself, by the user pool"
    assert finding("authorizer", workshop(target="local")).status is SKIP


def wild_rydes(monkeypatch: pytest.MonkeyPatch, folder: Path, *given: str, workshop: str = "wild-rydes") -> CheckContext:
    """The third workshop as it would be set up on AWS, without a call."""
    monkeypatch.setenv("WORKSHOP_HOME", str(folder))
    parameters = dict(each.split("=", 1) for each in given)

    async def opened() -> CheckContext:
        async with open_for_policy(Invocation(workshop=workshop, parameters=parameters), ACCOUNT) as found:
            return found

    return asyncio.run(opened())


def test_the_third_workshops_own_templates_are_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = wild_rydes(monkeypatch, tmp_path, "idp=google", "idp_client=c-1")
    assert finding("region", found).detail.startswith("eu-central-1:")
    provider = finding("provider", found)
    assert provider.status is FAIL
    assert f"https://wild-rydes-{ACCOUNT}.auth.eu-central-1.amazoncognito.com/oauth2/idpresponse" in provider.detail
    assert provider.fix == "read -rs WORKSHOP_SECRET_IDP_SECRET && export WORKSHOP_SECRET_IDP_SECRET"
    assert "--param authorizer=function" in finding("authorizer", found).detail


def test_a_check_names_what_belongs_to_a_given_pool_and_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    arn = f"arn:aws:cognito-idp:us-east-2:{ACCOUNT}:userpool/us-east-2_AbCdEf123"
    found = wild_rydes(monkeypatch, tmp_path, f"pool_arn={arn}", "client_id=abc")
    (check,) = Parameters.instances(found)
    missing = asyncio.run(look(check))
    assert missing.status is FAIL
    assert missing.detail.startswith("The parameter signin_host is missing. A user pool that exists already")
    assert missing.fix == "Give with the command: --param signin_host=VALUE"
    (check,) = Parameters.instances(wild_rydes(monkeypatch, tmp_path, "idp=google", "idp_client=c-1"))
    assert asyncio.run(look(check)).status is PASS, "without credentials it is not known which secrets are given"
    assert Parameters.instances(wild_rydes(monkeypatch, tmp_path)) == []


def test_the_policy_of_a_drill_grants_its_app_client_and_nothing_in_other_pools(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def pools(*given: str) -> dict[str, set[str]]:
        needed = command_permissions(wild_rydes(monkeypatch, tmp_path, *given))
        return {
            phase: {f"{each.action} {each.resource}" for each in needed if each.phase is phase and "cognito" in each.action}
            for phase in (Phase.DRILL, Phase.TEARDOWN, Phase.SETUP)
        }

    own = f"arn:aws:cognito-idp:eu-central-1:{ACCOUNT}:userpool/*"
    removal = {
        f"cognito-idp:{each}UserPoolClient{plural} {own}" for each, plural in (("List", "s"), ("Describe", ""), ("Delete", ""))
    }
    assert pools() == {
        Phase.DRILL: {f"cognito-idp:CreateUserPoolClient {own}", *removal}, Phase.TEARDOWN: removal, Phase.SETUP: set(),
    }  # fmt: skip
    arn = f"arn:aws:cognito-idp:us-east-2:{ACCOUNT}:userpool/us-east-2_AbCdEf123"
    given = pools(f"pool_arn={arn}", "client_id=abc", "signin_host=films.auth.us-east-2.amazoncognito.com")
    assert {each.rpartition(" ")[2] for each in given[Phase.DRILL]} == {arn}
