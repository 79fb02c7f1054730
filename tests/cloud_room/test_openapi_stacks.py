"""An API that a stack makes of one OpenAPI document: complete, and the same API after a change."""

from __future__ import annotations

import json
from typing import Any

from tests.cloud_room.conftest import Cloud, refused
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


def secured(*arns: str, scope: str = "tickets/read") -> dict[str, Any]:
    """The document with a method that takes tokens of user pools."""
    found = document("/open")
    extension = {"type": "cognito_user_pools", "providerARNs": list(arns)}
    scheme = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": extension}
    found["components"] = {"securitySchemes": {"signed-in": scheme}}
    found["paths"]["/secured"] = {"get": {**found["paths"]["/open"]["get"], "security": [{"signed-in": [scope]}]}}
    return found


def of_document(body: dict[str, Any]) -> dict[str, Any]:
    return {"Api": resource("AWS::ApiGateway::RestApi", Name="items", Body=body)}


def test_methods_stay_secured_by_the_same_authorizer_when_their_document_changes(shared: Cloud) -> None:
    """They would be open to all after an update that forgot it."""
    cognito = shared.client("cognito-idp", "eu-central-1")
    arns = [cognito.create_user_pool(PoolName=name)["UserPool"]["Arn"] for name in ("one", "two")]
    stack = Stack(shared, of_document(secured(arns[0])), Api={"Ref": "Api"})
    assert stack.done() == "CREATE_COMPLETE"
    gateway, api = shared.client("apigateway"), stack.outputs()["Api"]

    def seen() -> tuple[Any, ...]:
        (authorizer,) = gateway.get_authorizers(restApiId=api)["items"]
        rows = gateway.get_resources(restApiId=api)["items"]
        where = next(row["id"] for row in rows if row["path"] == "/secured")
        method = gateway.get_method(restApiId=api, resourceId=where, httpMethod="GET")
        assert (method["authorizationType"], method["authorizerId"]) == ("COGNITO_USER_POOLS", authorizer["id"])
        return authorizer["id"], authorizer["providerARNs"], method["authorizationScopes"]

    first = seen()
    assert first[1:] == ([arns[0]], ["tickets/read"])
    stack.update(of_document(secured(arns[1], scope="tickets/write")), Api={"Ref": "Api"})
    assert stack.done() == "UPDATE_COMPLETE" and stack.outputs()["Api"] == api
    assert seen() == (first[0], [arns[1]], ["tickets/write"])


def test_a_document_with_an_authorizer_for_no_pool_is_refused_whole(shared: Cloud) -> None:
    gone = "arn:aws:cognito-idp:eu-central-1:000000000000:userpool/eu-central-1_Gone12345"
    stack = Stack(shared, of_document(secured(gone)), Api={"Ref": "Api"})
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "Unable to create authorizer 'signed-in': ProviderARNs need to be valid Cognito Userpools" in stack.reasons()
    gateway, body = shared.client("apigateway"), json.dumps(secured(gone)).encode()
    before = len(gateway.get_rest_apis()["items"])
    assert refused(lambda: gateway.import_rest_api(body=body))[0] == "BadRequestException"
    assert len(gateway.get_rest_apis()["items"]) == before
