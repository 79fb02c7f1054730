"""The stacks of wild-rydes after rendering: who may call what, how people sign in, and what the functions may touch."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from tests.unit.test_api_template import of_kind, only, parse
from workshop.definition.files import DefinitionFiles

FOLDER = Path(__file__).parents[2] / "templates" / "wild-rydes"
POOL = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_AbCdEf123"
SITE = "https://d111.cloudfront.net"
REGIONS = ["eu-west-1", "ap-southeast-1"]
VARIABLES: dict[str, Any] = {
    "_origin": "https://{}".format,
    "account": "111122223333",
    "region": "eu-west-1",
    "home": "eu-west-1",
    "regions": REGIONS,
    "table": "tickets",
    "stack": "rydes",
    "authorizer": "pool",
    "signup": "false",
    "idp": "none",
    "idp_issuer": "",
    "idp_client": "",
    "pool_arn": "",
    "client_id": "",
    "signin_prefix": "",
    "home_label": "ireland",
    "replica_label": "singapore",
    "zone_name": "event.example.com",
    "steps": {
        "hosting": {"DistributionHost": "d111.cloudfront.net"},
        "identity": {"PoolArn": POOL},
        "zone": {"ZoneId": "Z0123456789ABC"},
    },
    "apis": {"eu-west-1": {"id": "abc1234567"}, "ap-southeast-1": {"id": "def1234567"}},
}
PROVIDERS = {
    "google": {},
    "facebook": {},
    "oidc": {"idp_issuer": "https://idp.example.com"},
    "saml": {"idp_issuer": "https://idp.example.com/metadata"},
}


def render(name: str = "api", folder: Path = FOLDER, **variables: Any) -> str:
    return DefinitionFiles(folder).render(f"{name}.yaml.j2", {**VARIABLES, **variables})


def provided(idp: str) -> str:
    return render("identity", idp=idp, idp_client="client-of-the-event", **PROVIDERS[idp])


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    return parse(render())


@pytest.fixture(scope="module")
def identity() -> dict[str, Any]:
    return parse(render("identity"))


def operations(stack: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    body = only(stack, "AWS::ApiGateway::RestApi")["Body"]
    return {(path, method): item for path, methods in body["paths"].items() for method, item in methods.items()}


def deployment(text: str) -> str:
    (name,) = of_kind(parse(text), "AWS::ApiGateway::Deployment")
    return name


@pytest.mark.parametrize(
    "text",
    [
        render(),
        render(authorizer="function"),
        render("verifier"),
        render("edge"),
        render("identity"),
        provided("oidc"),
        provided("saml"),
    ],
    ids=["api", "api-function", "verifier", "edge", "identity", "oidc", "saml"],
)
def test_cfn_lint_finds_nothing(text: str) -> None:
    """Neither errors nor warnings nor remarks, in both regions of the workshop."""
    assert [str(match) for match in lint(text, config=ManualArgs(regions=REGIONS, include_checks=["I"]))] == []


def test_the_stack_of_the_api_has_at_most_twelve_resources_and_fits_into_a_request(stack: dict[str, Any]) -> None:
    assert len(stack["Resources"]) <= 12
    longest = {"stack": "s" * 50, "table": "t" * 64, "authorizer": "function"}
    assert len(render(**longest).encode()) < 51_200


@pytest.mark.parametrize("authorizer", ["pool", "function"])
def test_every_method_for_tickets_needs_its_scope_and_health_is_for_everyone(authorizer: str) -> None:
    found = operations(parse(render(authorizer=authorizer)))
    assert {key: item.get("security") for key, item in found.items() if key[1] != "options"} == {
        ("/ticket", "get"): [{"signed-in": ["tickets/read"]}],
        ("/ticket", "post"): [{"signed-in": ["tickets/write"]}],
        ("/ticket/{id}", "get"): [{"signed-in": ["tickets/read"]}],
        ("/health", "get"): None,
    }
    assert all("security" not in found[path, "options"] for path in ("/ticket", "/ticket/{id}", "/health"))


def test_the_pool_of_another_region_is_named_by_its_arn_and_an_events_own_takes_its_place(stack: dict[str, Any]) -> None:
    def named(found: dict[str, Any]) -> Any:
        schemes = only(found, "AWS::ApiGateway::RestApi")["Body"]["components"]["securitySchemes"]
        return schemes["signed-in"]["x-amazon-apigateway-authorizer"]

    assert named(stack) == {"type": "cognito_user_pools", "providerARNs": [POOL]}
    event = POOL.replace("111122223333", "444455556666")
    assert named(parse(render(pool_arn=event)))["providerARNs"] == [event]
    by_function = named(parse(render(authorizer="function")))
    assert by_function["type"] == "token" and by_function["authorizerResultTtlInSeconds"] == 0
    assert "function:rydes-verifier/invocations" in by_function["authorizerUri"]["Fn::Sub"]


def test_every_route_has_its_own_function_and_a_preflight_without_one(stack: dict[str, Any]) -> None:
    behind = {}
    for key, item in operations(stack).items():
        integration = item["x-amazon-apigateway-integration"]
        if key[1] == "options":
            assert integration["type"] == "mock"
        else:
            assert integration["credentials"] == {"Fn::GetAtt": "GatewayRole.Arn"}
            behind[key] = re.findall(r"\$\{(\w+)Function\.Arn\}", integration["uri"]["Fn::Sub"])
    assert behind == {
        ("/ticket", "get"): ["List"],
        ("/ticket", "post"): ["Post"],
        ("/ticket/{id}", "get"): ["Get"],
        ("/health", "get"): ["Health"],
    }


def test_pages_of_the_site_alone_may_read_tickets_and_the_gateways_own_errors(stack: dict[str, Any]) -> None:
    """A star would not cover the header Authorization, so it is named."""
    origin, headers = "Access-Control-Allow-Origin", "Access-Control-Allow-Headers"
    for (path, method), item in operations(stack).items():
        if method == "options":
            sent = item["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]
            assert sent[f"method.response.header.{origin}"] == ("'*'" if path == "/health" else f"'{SITE}'")
            assert "Authorization" in sent[f"method.response.header.{headers}"]
    responses = only(stack, "AWS::ApiGateway::RestApi")["Body"]["x-amazon-apigateway-gateway-responses"]
    assert set(responses) == {"DEFAULT_4XX", "DEFAULT_5XX"}
    for response in responses.values():
        assert response["responseParameters"][f"gatewayresponse.header.{origin}"] == f"'{SITE}'"
        assert "statusCode" not in response
    functions = of_kind(stack, "AWS::Lambda::Function").values()
    assert {item["Properties"]["Environment"]["Variables"]["ORIGIN"] for item in functions} == {SITE}


def test_a_changed_route_pool_or_site_is_deployed_and_the_same_one_is_not(tmp_path: Path) -> None:
    """A deployment is a snapshot of the API, not of the functions' code or of their table."""
    copy = shutil.copytree(FOLDER, tmp_path / "mine", ignore=shutil.ignore_patterns("web"))
    changed = (copy / "api.yaml.j2").read_text(encoding="utf-8").replace("'GET,POST'", "'GET,POST,PUT'")
    assert deployment(render()) == deployment(render(table="others"))
    other = {**VARIABLES["steps"], "hosting": {"DistributionHost": "d222.cloudfront.net"}}
    deployed = [render(), render(stack="other"), render(pool_arn=POOL[:-1]), render(steps=other), render(authorizer="function")]
    (copy / "api.yaml.j2").write_text(changed, encoding="utf-8")
    deployed.append(render(folder=copy))
    assert len({deployment(text) for text in deployed}) == len(deployed)
    assert only(parse(render()), "AWS::ApiGateway::Stage")["DeploymentId"]["Ref"] == deployment(render())


def test_the_stage_is_throttled_and_not_logged(stack: dict[str, Any]) -> None:
    stage = only(stack, "AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (stage["StageName"], settings["ResourcePath"], settings["HttpMethod"]) == ("prod", "/*", "*")
    assert 0 < settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"] <= 100
    assert "LoggingLevel" not in settings and "AccessLogSetting" not in stage


def test_the_functions_share_one_source_and_differ_in_handler_and_role(stack: dict[str, Any]) -> None:
    source = (FOLDER / "api" / "app.py").read_text(encoding="utf-8").strip()
    functions = {name: item["Properties"] for name, item in of_kind(stack, "AWS::Lambda::Function").items()}
    assert {name: (each["Handler"], each["Role"]["Fn::GetAtt"]) for name, each in functions.items()} == {
        "ListFunction": ("index.query", "ListRole.Arn"),
        "PostFunction": ("index.post", "WriteRole.Arn"),
        "GetFunction": ("index.get", "ReadRole.Arn"),
        "HealthFunction": ("index.health", "ReadRole.Arn"),
    }
    assert all(each["Code"]["ZipFile"].strip() == source for each in functions.values())
    assert stack["Outputs"]["FunctionName"]["Value"] == {"Ref": "HealthFunction"}


def statements(stack: dict[str, Any], role: str) -> list[dict[str, Any]]:
    (policy,) = stack["Resources"][role]["Properties"]["Policies"]
    return list(policy["PolicyDocument"]["Statement"])


def test_each_function_may_do_its_one_thing_to_this_table_and_none_may_scan(stack: dict[str, Any]) -> None:
    table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/tickets"
    rights = {
        "ListRole": ("dynamodb:Query", f"{table}/index/newest"),
        "WriteRole": ("dynamodb:PutItem", table),
        "ReadRole": ("dynamodb:GetItem", table),
    }
    for role, (action, resource) in rights.items():
        data, log = statements(stack, role)
        assert (data["Action"], data["Resource"]) == (action, {"Fn::Sub": resource})
        assert (sorted(log["Action"]), log["Resource"]) == (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            {"Fn::GetAtt": "LogGroup.Arn"},
        )
    assert set(of_kind(stack, "AWS::IAM::Role")) == {*rights, "GatewayRole"}


@pytest.mark.parametrize("authorizer", ["pool", "function"])
def test_the_gateway_may_call_the_functions_of_this_api_and_no_others(authorizer: str) -> None:
    (calls,) = statements(parse(render(authorizer=authorizer)), "GatewayRole")
    own = [{"Fn::GetAtt": f"{name}Function.Arn"} for name in ("List", "Post", "Get", "Health")]
    verifier = {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:rydes-verifier"}
    assert calls["Action"] == "lambda:InvokeFunction"
    assert calls["Resource"] == (own if authorizer == "pool" else [*own, verifier])


def test_no_statement_of_any_stack_allows_every_action_or_every_resource() -> None:
    texts = [render(), render(authorizer="function"), render("verifier"), render("identity"), render("edge")]
    for text in texts:
        for role in of_kind(parse(text), "AWS::IAM::Role"):
            assert all("*" not in str(each["Action"]) + str(each["Resource"]) for each in statements(parse(text), role))


def test_the_verifier_has_the_pool_and_the_scopes_and_no_permission_but_its_log() -> None:
    found = parse(render("verifier"))
    function = only(found, "AWS::Lambda::Function")
    assert function["Environment"]["Variables"]["POOL"] == POOL and function["Runtime"].startswith("nodejs")
    assert function["Code"]["ZipFile"].strip() == (FOLDER / "api" / "verifier.js").read_text(encoding="utf-8").strip()
    (log,) = statements(found, "Role")
    assert log["Resource"] == {"Fn::GetAtt": "LogGroup.Arn"}


def test_sign_in_is_by_code_alone_with_a_client_that_keeps_no_secret(identity: dict[str, Any]) -> None:
    client = only(identity, "AWS::Cognito::UserPoolClient")
    assert (client["GenerateSecret"], client["AllowedOAuthFlows"], client["AllowedOAuthFlowsUserPoolClient"]) == (
        False,
        ["code"],
        True,
    )
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"], "no password is taken but by the sign-in pages"


def test_sign_in_returns_to_exactly_one_page(identity: dict[str, Any]) -> None:
    client = only(identity, "AWS::Cognito::UserPoolClient")
    assert client["CallbackURLs"] == [f"{SITE}/tickets.html"] and client["LogoutURLs"] == [f"{SITE}/signed-out.html"]


def test_tokens_are_short_lived_revocable_and_carry_the_scopes_of_tickets(identity: dict[str, Any]) -> None:
    client, server = (only(identity, f"AWS::Cognito::{kind}") for kind in ("UserPoolClient", "UserPoolResourceServer"))
    assert client["AccessTokenValidity"] == client["IdTokenValidity"] == 60 and client["RefreshTokenValidity"] == 1
    assert client["TokenValidityUnits"] == {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"}
    assert client["EnableTokenRevocation"] is True
    assert client["AllowedOAuthScopes"] == ["openid", "email", "tickets/read", "tickets/write"]
    assert (server["Identifier"], [scope["ScopeName"] for scope in server["Scopes"]]) == ("tickets", ["read", "write"])


def test_sign_in_does_not_show_who_has_an_account_and_makes_none_by_itself(identity: dict[str, Any]) -> None:
    assert only(identity, "AWS::Cognito::UserPoolClient")["PreventUserExistenceErrors"] == "ENABLED"
    pool = only(identity, "AWS::Cognito::UserPool")
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    open_to_all = only(parse(render("identity", signup="true")), "AWS::Cognito::UserPool")
    assert open_to_all["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": False}


def test_the_pool_goes_with_its_stack_and_its_prefix_names_stack_and_account(identity: dict[str, Any]) -> None:
    (pool,) = of_kind(identity, "AWS::Cognito::UserPool").values()
    assert pool["DeletionPolicy"] == "Delete" and pool["Properties"]["DeletionProtection"] == "INACTIVE"
    assert only(identity, "AWS::Cognito::UserPoolDomain")["Domain"] == "rydes-111122223333"
    assert only(parse(render("identity", signin_prefix="event-7")), "AWS::Cognito::UserPoolDomain")["Domain"] == "event-7"


@pytest.mark.parametrize("idp", PROVIDERS)
def test_a_provider_takes_the_place_of_the_pools_own_users(idp: str) -> None:
    found = parse(provided(idp))
    provider, client = (only(found, f"AWS::Cognito::{kind}") for kind in ("UserPoolIdentityProvider", "UserPoolClient"))
    assert client["SupportedIdentityProviders"] == [provider["ProviderName"]]
    (name,) = of_kind(found, "AWS::Cognito::UserPoolIdentityProvider")
    (wanting,) = of_kind(found, "AWS::Cognito::UserPoolClient").values()
    assert name in wanting["DependsOn"], "a client cannot name a provider that does not exist yet"
    assert provider["AttributeMapping"]["email"]
    details = provider["ProviderDetails"]
    if idp == "saml":
        assert details == {"MetadataURL": "https://idp.example.com/metadata"}
    else:
        assert details["client_secret"] == {"Ref": "ProviderSecret"} and details["client_id"] == "client-of-the-event"
        assert details.get("oidc_issuer") == ("https://idp.example.com" if idp == "oidc" else None)


@pytest.mark.parametrize("idp", ["none", *PROVIDERS])
def test_the_secret_of_a_provider_is_a_parameter_that_is_not_shown(idp: str) -> None:
    found = parse(provided(idp) if idp in PROVIDERS else render("identity"))
    secret = found["Parameters"]["ProviderSecret"]
    assert secret["NoEcho"] is True
    assert ("MinLength" in secret) == (idp in ("google", "facebook", "oidc")), "one that is forgotten is refused at once"


def test_a_region_has_its_own_name_beside_the_shared_one_with_one_certificate_for_both() -> None:
    for region, own in (("eu-west-1", "ireland.event.example.com"), ("ap-southeast-1", "singapore.event.example.com")):
        found = parse(render("edge", region=region))
        certificate = only(found, "AWS::CertificateManager::Certificate")
        names = ["api.event.example.com", own]
        assert [certificate["DomainName"], *certificate["SubjectAlternativeNames"]] == names
        assert certificate["DomainValidationOptions"] == [{"DomainName": n, "HostedZoneId": "Z0123456789ABC"} for n in names]
        domains = [item["Properties"] for item in of_kind(found, "AWS::ApiGateway::DomainName").values()]
        assert [each["DomainName"] for each in domains] == names
        assert all(each["SecurityPolicy"] == "TLS_1_2" for each in domains)
        mappings = [item["Properties"] for item in of_kind(found, "AWS::ApiGateway::BasePathMapping").values()]
        assert [each["DomainName"]["Ref"] for each in mappings] == ["Domain", "OwnDomain"]
        assert {each["RestApiId"] for each in mappings} == {VARIABLES["apis"][region]["id"]}
        assert found["Outputs"]["OwnTargetHost"]["Value"] == {"Fn::GetAtt": "OwnDomain.RegionalDomainName"}
