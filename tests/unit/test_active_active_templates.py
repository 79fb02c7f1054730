"""The stacks of multi-region-backend after rendering: what CloudFormation would make, and what its functions may touch."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_api_template import of_kind, only, parse, remarks
from workshop.definition.files import DefinitionFiles

FOLDER = Path(__file__).parents[2] / "templates" / "multi-region-backend"
VARIABLES = {"table": "items", "stack": "films"}
EDGE = {
    "zone_name": "event.example.com",
    "region": "us-west-2",
    "steps": {"zone": {"ZoneId": "Z0123456789ABC"}},
    "apis": {"us-west-2": {"id": "abc1234567"}},
}
REGIONS = ["us-west-2", "us-east-1"]


def render(folder: Path = FOLDER, **variables: str) -> str:
    return DefinitionFiles(folder).render("api.yaml.j2", {**VARIABLES, **variables})


def edge(**variables: Any) -> str:
    return DefinitionFiles(FOLDER).render("edge.yaml.j2", {**EDGE, **variables})


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    return parse(render())


def deployment(text: str) -> str:
    (name,) = of_kind(parse(text), "AWS::ApiGateway::Deployment")
    return name


@pytest.mark.parametrize("text", [render(), edge()], ids=["api", "edge"])
def test_cfn_lint_finds_nothing(text: str) -> None:
    """Neither errors nor warnings nor remarks, in both regions of the workshop."""
    assert remarks(text, REGIONS) == []


def test_the_stack_of_the_api_has_at_most_ten_resources_and_fits_into_a_request(stack: dict[str, Any]) -> None:
    assert len(stack["Resources"]) <= 10 and len(render().encode()) < 51_200


def test_every_route_has_its_own_function_and_a_preflight_without_one(stack: dict[str, Any]) -> None:
    body = only(stack, "AWS::ApiGateway::RestApi")["Body"]
    behind = {
        (path, method): item["x-amazon-apigateway-integration"]
        for path, methods in body["paths"].items()
        for method, item in methods.items()
    }
    for (path, method), integration in behind.items():
        if method == "options":
            assert integration["type"] == "mock"
            headers = integration["responses"]["default"]["responseParameters"]
            assert headers["method.response.header.Access-Control-Allow-Origin"] == "'*'"
            assert (path, method) != ("/", "post")
        else:
            assert (integration["type"], integration["credentials"]) == ("aws_proxy", {"Fn::GetAtt": "GatewayRole.Arn"})
    uris = {key: value["uri"]["Fn::Sub"] for key, value in behind.items() if key[1] != "options"}
    assert {key: re.findall(r"\$\{(\w+)Function\.Arn\}", uri) for key, uri in uris.items()} == {
        ("/", "post"): ["Post"],
        ("/{item_id}", "get"): ["Get"],
        ("/health", "get"): ["Health"],
    }


def test_the_gateways_own_errors_carry_cors_and_keep_their_status(stack: dict[str, Any]) -> None:
    responses = only(stack, "AWS::ApiGateway::RestApi")["Body"]["x-amazon-apigateway-gateway-responses"]
    assert set(responses) == {"DEFAULT_4XX", "DEFAULT_5XX"}
    for response in responses.values():
        assert response["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
        assert "statusCode" not in response


def test_a_changed_route_is_deployed_and_the_same_one_is_not(tmp_path: Path) -> None:
    """A deployment is a snapshot of the API, not of the functions' code or of their table."""
    copy = shutil.copytree(FOLDER, tmp_path / "mine")
    changed = (copy / "api.yaml.j2").read_text(encoding="utf-8").replace("'GET,POST,OPTIONS'", "'GET,POST,PUT,OPTIONS'")
    assert deployment(render()) == deployment(render(table="others"))
    assert deployment(render(stack="other")) != deployment(render())
    (copy / "api.yaml.j2").write_text(changed, encoding="utf-8")
    assert deployment(render(copy)) != deployment(render())
    stage = only(parse(render()), "AWS::ApiGateway::Stage")
    assert stage["DeploymentId"]["Ref"] == deployment(render())


def test_the_stage_is_throttled_and_not_logged(stack: dict[str, Any]) -> None:
    stage = only(stack, "AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (stage["StageName"], settings["ResourcePath"], settings["HttpMethod"]) == ("prod", "/*", "*")
    assert 0 < settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"] <= 100
    assert "LoggingLevel" not in settings and "AccessLogSetting" not in stage


def test_the_functions_share_one_source_and_differ_in_handler_and_variable(stack: dict[str, Any]) -> None:
    source = (FOLDER / "api" / "app.py").read_text(encoding="utf-8").strip()
    functions = {name: item["Properties"] for name, item in of_kind(stack, "AWS::Lambda::Function").items()}
    assert {each["Handler"] for each in functions.values()} == {"index.post", "index.get", "index.health"}
    assert all(each["Code"]["ZipFile"].strip() == source for each in functions.values())
    assert functions["HealthFunction"]["Environment"] == {"Variables": {"STATUS": "200"}}
    assert functions["PostFunction"]["Environment"] == {"Variables": {"TABLE": "items"}}


def statements(stack: dict[str, Any], role: str) -> list[dict[str, Any]]:
    (policy,) = stack["Resources"][role]["Properties"]["Policies"]
    return list(policy["PolicyDocument"]["Statement"])


def test_each_function_may_do_its_one_thing_to_this_table_and_write_this_log(stack: dict[str, Any]) -> None:
    table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/items"
    for role, action in (("WriteRole", "dynamodb:PutItem"), ("ReadRole", "dynamodb:GetItem")):
        data, log = statements(stack, role)
        assert (data["Action"], data["Resource"]) == (action, {"Fn::Sub": table})
        assert (sorted(log["Action"]), log["Resource"]) == (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            {"Fn::GetAtt": "LogGroup.Arn"},
        )
    (calls,) = statements(stack, "GatewayRole")
    assert calls["Action"] == "lambda:InvokeFunction"
    assert calls["Resource"] == [{"Fn::GetAtt": f"{name}Function.Arn"} for name in ("Post", "Get", "Health")]
    assert all("RoleName" not in item["Properties"] for item in of_kind(stack, "AWS::IAM::Role").values())


def test_all_functions_log_into_the_group_of_the_stack(stack: dict[str, Any]) -> None:
    log = only(stack, "AWS::Logs::LogGroup")
    assert log["LogGroupName"] == "/aws/lambda/films" and log["RetentionInDays"] > 0
    for item in of_kind(stack, "AWS::Lambda::Function").values():
        assert item["Properties"]["LoggingConfig"] == {"LogGroup": {"Ref": "LogGroup"}}


def test_the_edge_is_one_name_with_a_certificate_that_the_zone_validates() -> None:
    found = parse(edge())
    certificate, domain, mapping = (
        only(found, f"AWS::{kind}")
        for kind in ("CertificateManager::Certificate", "ApiGateway::DomainName", "ApiGateway::BasePathMapping")
    )
    assert certificate["DomainName"] == domain["DomainName"] == "api.event.example.com"
    assert certificate["DomainValidationOptions"] == [{"DomainName": "api.event.example.com", "HostedZoneId": "Z0123456789ABC"}]
    assert (domain["SecurityPolicy"], domain["EndpointConfiguration"]) == ("TLS_1_2", {"Types": ["REGIONAL"]})
    assert (mapping["RestApiId"], mapping["Stage"]) == ("abc1234567", "prod")
    assert set(found["Outputs"]) == {"Name", "TargetHost", "TargetZone", "CertificateArn"}


def test_no_account_region_or_partition_is_written_into_the_templates() -> None:
    assert not re.search(r"\b\d{12}\b|us-west-2|us-east-1|arn:aws:", render() + edge())
