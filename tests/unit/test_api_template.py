"""The API's stack after rendering: what CloudFormation would make, and what the function may touch."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from workshop.definition.files import DefinitionFiles
from workshop.errors import DefinitionError

FOLDER = Path(__file__).parents[2] / "templates" / "global-serverless"
VARIABLES = {"table": "films", "function": "films-dev"}


def render(folder: Path = FOLDER, **variables: str) -> str:
    """The template as a setup fills it in."""
    return DefinitionFiles(folder).render("api.yaml.j2", variables or VARIABLES)


def parse(text: str) -> dict:
    """The template as plain data; `!Ref X` becomes {'Ref': 'X'}, `!Sub X` {'Fn::Sub': 'X'}."""

    class Loader(yaml.SafeLoader):
        pass

    def intrinsic(loader: yaml.Loader, suffix: str, node: yaml.Node) -> dict:
        assert isinstance(node, yaml.ScalarNode)
        return {suffix if suffix == "Ref" else f"Fn::{suffix}": node.value}

    Loader.add_multi_constructor("!", intrinsic)
    document = yaml.load(text, Loader)  # noqa: S506 a subclass of SafeLoader
    assert isinstance(document, dict)
    return document


@pytest.fixture(scope="module")
def stack() -> dict:
    return parse(render())


def of_kind(stack: dict, kind: str) -> dict[str, dict]:
    return {name: item for name, item in stack["Resources"].items() if item["Type"] == kind}


def only(stack: dict, kind: str) -> dict:
    (item,) = of_kind(stack, kind).values()
    return item["Properties"]


def address(stack: dict, method: dict) -> str:
    """The path that a method answers, followed up through the resources to the root."""
    parts: list[str] = []
    place = method["Properties"]["ResourceId"]
    while "Ref" in place:
        resource = stack["Resources"][place["Ref"]]["Properties"]
        parts.insert(0, resource["PathPart"])
        place = resource["ParentId"]
    assert place == {"Fn::GetAtt": "Api.RootResourceId"}
    return "/" + "/".join(parts)


def deployment(text: str) -> str:
    (name,) = of_kind(parse(text), "AWS::ApiGateway::Deployment")
    return name


def remarks(text, regions, checks=("I",)):
    """What cfn-lint finds: errors, warnings and these checks. Its import takes a second, so not each process does it."""
    from cfnlint.api import ManualArgs, lint

    return [str(match) for match in lint(text, config=ManualArgs(regions=regions, include_checks=list(checks)))]


def test_cfn_lint_finds_nothing():
    """Neither errors nor warnings nor remarks, in both regions of the workshop."""
    assert remarks(render(), ["us-west-2", "eu-west-1"]) == []


def test_cfn_lint_would_find_a_mistake():
    """The check above looks at the rendered text and is not asleep."""
    mistaken = render().replace("RetentionInDays: 7", "RetentionInDays: seven")
    assert remarks(mistaken, ["us-west-2"], checks=())


def test_the_template_can_be_sent_in_the_request_itself():
    """docs/aws-behaviours.md, section 3.6: a template body is at most 51,200 bytes."""
    assert len(render().encode()) < 51_200


@pytest.mark.parametrize("missing", ["table", "function"])
def test_a_variable_that_is_missing_is_an_error(missing):
    with pytest.raises(DefinitionError, match=missing):
        render(**{name: value for name, value in VARIABLES.items() if name != missing})


def test_no_parameter_needs_a_value(stack):
    assert "Parameters" not in stack


@pytest.mark.parametrize("verb", ["GET", "OPTIONS"])
def test_every_route_of_the_workshop_answers(stack, verb):
    methods = of_kind(stack, "AWS::ApiGateway::Method").values()
    answering = [address(stack, method) for method in methods if method["Properties"]["HttpMethod"] == verb]
    assert sorted(answering) == sorted(
        ["/", "/scan", "/query/{PK}", "/get/{PK}/{SK}", "/update/{PK}/{SK}/{VAL}", "/update/{PK}/{SK}/{VAL}/{THUMB+}"]
    )


def test_preflight_is_answered_without_the_function_and_everything_else_by_it(stack):
    for method in of_kind(stack, "AWS::ApiGateway::Method").values():
        properties = method["Properties"]
        assert properties["Integration"]["Type"] == {"GET": "AWS_PROXY", "OPTIONS": "MOCK"}[properties["HttpMethod"]]
        assert properties["AuthorizationType"] == "NONE"


def test_preflight_and_the_gateways_own_errors_carry_cors(stack):
    for method in of_kind(stack, "AWS::ApiGateway::Method").values():
        if method["Properties"]["HttpMethod"] == "OPTIONS":
            (response,) = method["Properties"]["Integration"]["IntegrationResponses"]
            assert response["ResponseParameters"]["method.response.header.Access-Control-Allow-Origin"] == "'*'"
    responses = of_kind(stack, "AWS::ApiGateway::GatewayResponse").values()
    assert {response["Properties"]["ResponseType"] for response in responses} == {"DEFAULT_4XX", "DEFAULT_5XX"}
    for response in responses:
        headers = response["Properties"]["ResponseParameters"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
        assert "StatusCode" not in response["Properties"], "a status here would rewrite every 5xx"


def test_the_deployment_waits_for_everything_that_it_freezes(stack):
    (item,) = of_kind(stack, "AWS::ApiGateway::Deployment").values()
    frozen = {*of_kind(stack, "AWS::ApiGateway::Method"), *of_kind(stack, "AWS::ApiGateway::GatewayResponse")}
    assert set(item["DependsOn"]) == frozen


def test_a_changed_function_name_is_deployed_again_and_the_same_template_is_not():
    """The function's address is part of what a deployment freezes; its code and its table are not."""
    assert deployment(render()) == deployment(render())
    assert deployment(render(table="films", function="other")) != deployment(render())
    assert deployment(render(table="other", function="films-dev")) == deployment(render())


def test_the_stage_serves_that_deployment_throttled_and_without_logging(stack):
    stage = only(stack, "AWS::ApiGateway::Stage")
    assert stage["StageName"] == "api"
    assert [stage["DeploymentId"]["Ref"]] == list(of_kind(stack, "AWS::ApiGateway::Deployment"))
    (settings,) = stage["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert 0 < settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"] <= 100
    assert "LoggingLevel" not in settings and "AccessLogSetting" not in stage


def test_the_source_reaches_the_function_unchanged(stack):
    function = only(stack, "AWS::Lambda::Function")
    assert function["Code"]["ZipFile"].strip() == (FOLDER / "api" / "app.py").read_text(encoding="utf-8").strip()
    assert len(function["Code"]["ZipFile"].encode()) < 4096
    assert (function["Handler"], function["Runtime"]) == ("index.handler", "python3.13")
    assert (function["FunctionName"], function["Environment"]) == ("films-dev", {"Variables": {"TABLE": "films"}})


def test_an_edited_source_of_any_shape_still_renders_a_template(tmp_path):
    """Attendees edit the source: empty lines, quotes, braces and tags must arrive as they were typed."""
    source = """    # an odd first line

def handler(event, context):

    text = '{{ table }} {% raw %} !Ref: ["a"] # no comment ${Api}'

    return {"body": text}
"""
    copy = shutil.copytree(FOLDER, tmp_path / "mine")
    (copy / "api" / "app.py").write_text(source, encoding="utf-8")
    function = only(parse(render(copy, **VARIABLES)), "AWS::Lambda::Function")
    assert function["Code"]["ZipFile"].strip() == source.strip()


def test_the_function_may_use_this_table_and_this_log_only(stack):
    (policy,) = only(stack, "AWS::IAM::Role")["Policies"]
    data, log = policy["PolicyDocument"]["Statement"]
    assert sorted(data["Action"]) == ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"]
    table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/films"
    assert data["Resource"] == {"Fn::Sub": table}
    assert sorted(log["Action"]) == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert log["Resource"] == {"Fn::GetAtt": "LogGroup.Arn"}


def test_the_role_has_no_name_that_a_second_region_could_collide_with(stack):
    role = only(stack, "AWS::IAM::Role")
    assert "RoleName" not in role
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")


def test_only_this_api_may_call_the_function_and_only_with_get(stack):
    permission = only(stack, "AWS::Lambda::Permission")
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith("${AWS::AccountId}:${Api}/*/GET/*")


def test_the_log_group_exists_before_the_function_and_is_deleted_with_the_stack(stack):
    log = only(stack, "AWS::Logs::LogGroup")
    assert log["LogGroupName"] == "/aws/lambda/films-dev"
    assert log["RetentionInDays"] > 0
    assert stack["Resources"]["Function"]["DependsOn"] == "LogGroup"
    kept = [name for name, item in stack["Resources"].items() if item.get("DeletionPolicy", "Delete") != "Delete"]
    assert kept == []


def test_the_api_is_regional_and_leaves_the_accounts_settings_alone(stack):
    assert only(stack, "AWS::ApiGateway::RestApi")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert of_kind(stack, "AWS::ApiGateway::Account") == {}


def test_the_outputs_are_those_that_later_steps_read(stack):
    assert set(stack["Outputs"]) == {"ApiId", "FunctionName", "Url"}


def test_no_account_region_or_partition_is_written_into_the_template():
    assert not re.search(r"\b\d{12}\b|us-west-2|eu-west-1|arn:aws:", render())
