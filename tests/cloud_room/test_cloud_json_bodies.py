"""Bodies that no JSON service can read are the caller's error, in whatever service, and leave no traceback in the log."""

from __future__ import annotations

import json

import pytest

from tests.cloud_room.conftest import Cloud
from workshop.cloud import daemon

DEEP = b"[" * 300_000
BODIES = {
    "deep": DEEP,
    "deep and closed": DEEP + b"]" * 300_000,
    "deep within an object": b'{"TableName": "t", "Name": "n", "Item": ' + DEEP + b"}",
    "objects": b'{"a":' * 300_000,
    "text": b"hello",
    "cut off": b'{"a": ',
    "no text": b"\xff\xfe\x00",
    "list": b"[1]",
    "number": b"7",
    "null": b"null",
}
TARGETS = {
    "dynamodb": "DynamoDB_20120810.PutItem",
    "ssm": "AmazonSSM.PutParameter",
    "logs": "Logs_20140328.CreateLogGroup",
    "sqs": "AmazonSQS.CreateQueue",
    "monitoring": "GraniteServiceVersion20100801.PutMetricData",
    "cognito-idp": "AWSCognitoIdentityProviderService.CreateUserPool",
    "acm": "CertificateManager.RequestCertificate",
}
PATHS = {"lambda": "/2015-03-31/functions", "apigateway": "/restapis", "scheduler": "/schedules/x"}


def call(cloud: Cloud, service: str, body: bytes, path: str = "/", **more: str) -> tuple[int, bytes]:
    scope = f"Credential={daemon.ACCOUNT}/20261121/us-west-2/{service}/aws4_request"
    signed = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
    status, _, content = cloud.http(path, method="POST", headers={**signed, **more}, body=body)
    return status, content


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("service", [*TARGETS, *PATHS])
def test_a_body_that_is_no_readable_object_is_a_serialization_exception(shared: Cloud, service: str, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    if service in TARGETS:
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGETS[service]}
    status, content = call(shared, service, BODIES[body], PATHS.get(service, "/"), **headers)
    assert (status, json.loads(content)["__type"].rpartition("#")[2]) == (400, "SerializationException")
    assert "Traceback" not in (shared.home / "cloud" / "cloud.log").read_text()


def test_documents_within_a_form_and_controls_are_read_with_the_same_care(shared: Cloud) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, content = call(shared, "iam", b"Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=" + DEEP, **form)
    assert status == 400 and b"<Code>SerializationException</Code>" in content
    assert call(shared, "cloudformation", b"Action=CreateStack&StackName=s&TemplateBody=" + DEEP, **form)[0] == 400
    assert shared.http("/_workshop/faults", method="POST", body=DEEP)[0] == 400
    assert "Traceback" not in (shared.home / "cloud" / "cloud.log").read_text()


def test_what_is_json_without_being_an_object_still_reaches_a_function(shared: Cloud) -> None:
    shared.stack()
    response = shared.client("lambda").invoke(FunctionName="web", Payload=b"[1, 2]")
    assert response["StatusCode"] == 200


def test_an_empty_body_is_an_empty_object(shared: Cloud) -> None:
    target = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
    assert call(shared, "dynamodb", b"", **target)[0] == 200
