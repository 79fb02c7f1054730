"""An API that a stack makes of one OpenAPI document: complete, and the same API after a change."""

from __future__ import annotations

from typing import Any

from tests.cloud_room.conftest import Cloud
from tests.cloud_room.test_names_stacks import Stack, resource

ORIGIN = "Access-Control-Allow-Origin"
ROLE = "arn:aws:iam::000000000000:role/caller"


def document(*paths: str) -> dict[str, Any]:
    """Routes that the gateway serves by itself, one of a function, CORS for the gateway's own errors."""
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {"statusCode": "200", "responseParameters": {f"method.response.header.{ORIGIN}": "'https://a.example'"}}
        },
    }
    proxy = {"type": "aws_proxy", "httpMethod": "POST", "uri": "arn:aws:apigateway:x", "credentials": ROLE}
    served = {
        "responses": {"200": {"headers": {ORIGIN: {"schema": {"type": "string"}}}}},
        "x-amazon-apigateway-integration": mock,
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "items", "version": "1"},
        "paths": {
            **{path: {"get": served} for path in paths},
            "/function": {"post": {"responses": {}, "x-amazon-apigateway-integration": proxy}},
        },
        "x-amazon-apigateway-gateway-responses": {
            "DEFAULT_4XX": {"responseParameters": {f"gatewayresponse.header.{ORIGIN}": "'*'"}}
        },
    }


def resources(*paths: str) -> dict[str, Any]:
    deployment = f"Deployment{len(paths)}"
    return {
        "Api": resource("AWS::ApiGateway::RestApi", Name="items", Body=document(*paths)),
        deployment: resource("AWS::ApiGateway::Deployment", RestApiId={"Ref": "Api"}),
        "Stage": resource("AWS::ApiGateway::Stage", RestApiId={"Ref": "Api"}, DeploymentId={"Ref": deployment}, StageName="prod"),
    }


def test_a_document_brings_its_preflights_gateway_responses_and_roles_and_a_change_keeps_the_api(shared: Cloud) -> None:
    stack = Stack(shared, resources("/first"), Api={"Ref": "Api"})
    assert stack.done() == "CREATE_COMPLETE"
    api = stack.outputs()["Api"]

    def get(path: str) -> tuple[int, str]:
        status, headers, _ = shared.http(f"/_aws/execute-api/{api}/prod/{path}")
        return status, headers.get(ORIGIN.lower(), "")

    assert get("first") == (200, "https://a.example")
    assert get("second") == (403, "*"), "the gateway's own error carries what its gateway response defines"
    gateway = shared.client("apigateway")
    proxied = next(row["id"] for row in gateway.get_resources(restApiId=api)["items"] if row["path"] == "/function")
    assert gateway.get_integration(restApiId=api, resourceId=proxied, httpMethod="POST")["credentials"] == ROLE

    stack.update(resources("/second", "/third"), Api={"Ref": "Api"})
    assert stack.done() == "UPDATE_COMPLETE"
    assert stack.outputs()["Api"] == api, "an API that was replaced would have another address"
    assert [get(path)[0] for path in ("first", "second", "third")] == [403, 200, 200]
    assert stack.delete() == "DELETE_COMPLETE"
