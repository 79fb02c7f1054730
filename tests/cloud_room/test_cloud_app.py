"""Who may call the cloud, what a wrong request gets, and how an API is addressed."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.cloud_room.conftest import Cloud
from workshop.cloud.hosts import ApiHost, api_host, is_loopback_host


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:4566", "localhost", "LOCALHOST:80", "a.b.localhost:1", "[::1]:4566", "bucket.s3.localhost"]
)
def test_loopback_names_are_served(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:4566",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "notlocalhost",
        "192.0.2.1",
        "a b",
    ],
)
def test_any_other_name_is_not(host: str) -> None:
    assert not is_loopback_host(host)


def test_an_api_host_names_api_and_region() -> None:
    assert api_host("abc123.execute-api.eu-west-1.localhost:4566") == ApiHost("abc123", "eu-west-1")
    assert api_host("abc123.execute-api.localhost") == ApiHost("abc123", "")
    assert api_host("abc123.execute-api.eu-west-1.amazonaws.com") is None
    assert api_host("localhost") is None


def test_a_rebound_name_is_not_answered(shared: Cloud) -> None:
    status, headers, body = shared.http("/_workshop/health", headers={"Host": "evil.example"})
    assert status == 421
    assert headers["x-amzn-errortype"] == "MisdirectedRequest" and "loopback" not in str(headers)
    assert json.loads(body)["__type"] == "MisdirectedRequest"


@pytest.mark.parametrize("path", ["/", "/_workshop/reset", "/_ministack/reset", "/_ministack/health", "/2015-03-31/functions"])
def test_a_page_from_elsewhere_cannot_use_the_cloud(shared: Cloud, path: str) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        for method in ("GET", "POST"):
            assert shared.http(path, method=method, headers=headers)[0] == 403


def test_any_page_may_call_a_workshops_api(shared: Cloud) -> None:
    api = shared.stack(name="called")
    status, headers, _ = shared.http(f"/_aws/execute-api/{api}/api/", headers={"Origin": "null", "Sec-Fetch-Site": "cross-site"})
    assert (status, headers["access-control-allow-origin"]) == (200, "*")


def test_an_api_answers_by_host_name_and_by_path(shared: Cloud) -> None:
    api = shared.stack(region="eu-west-1", name="both")
    by_path = shared.http(f"/_aws/execute-api/{api}/api/some/path?q=1")
    by_host = shared.http("/api/some/path?q=1", headers={"Host": f"{api}.execute-api.eu-west-1.localhost:{shared.state.port}"})
    assert by_path[0] == by_host[0] == 200
    assert json.loads(by_path[2]) == json.loads(by_host[2]) == {"ping": "ok", "region": "eu-west-1"}


@pytest.mark.parametrize("region", ["us-west-2", "us-wst-2", "evil"])
def test_an_api_is_not_found_under_another_region(shared: Cloud, region: str) -> None:
    api = shared.stack(region="eu-west-1", name=f"only-{region}")
    status, _, body = shared.http("/api/", headers={"Host": f"{api}.execute-api.{region}.localhost:{shared.state.port}"})
    assert (status, json.loads(body)) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize(
    "path", ["/_aws/execute-api/absent12/api/", "/_aws/execute-api//api/", "/restapis/absent12/api/_user_request_/"]
)
def test_an_api_that_does_not_exist_is_forbidden(shared: Cloud, path: str) -> None:
    status, _, body = shared.http(path)
    assert (status, json.loads(body)) == (403, {"message": "Forbidden"})


def test_an_api_of_another_account_answers_too(shared: Cloud) -> None:
    gateway = shared.client("apigateway", account="123456789012")
    api = gateway.create_rest_api(name="other")
    root = gateway.get_resources(restApiId=api["id"])["items"][0]["id"]
    gateway.put_method(restApiId=api["id"], resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(
        restApiId=api["id"],
        resourceId=root,
        httpMethod="GET",
        type="MOCK",
        requestTemplates={"application/json": '{"statusCode": 200}'},
    )
    gateway.put_method_response(restApiId=api["id"], resourceId=root, httpMethod="GET", statusCode="200")
    gateway.put_integration_response(restApiId=api["id"], resourceId=root, httpMethod="GET", statusCode="200")
    gateway.create_deployment(restApiId=api["id"], stageName="api")
    assert shared.http(f"/_aws/execute-api/{api['id']}/api/")[0] == 200


def test_an_unknown_path_of_an_api_is_a_403_as_on_aws(shared: Cloud) -> None:
    gateway = shared.client("apigateway")
    api = gateway.create_rest_api(name="bare")["id"]
    gateway.create_deployment(restApiId=api, stageName="api")
    status, _, body = shared.http(f"/_aws/execute-api/{api}/api/nothing")
    assert (status, json.loads(body)["message"]) == (403, "Missing Authentication Token")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("DELETE", "health", None, 404),
        ("PUT", "timing", b"{", 400),
        ("PUT", "timing", b"[]", 400),
        ("PUT", "timing", b'{"timing": "slow"}', 400),
        ("PUT", "timing", b'{"scale": 0}', 400),
        ("PUT", "timing", b'{"scale": 1e9}', 400),
        ("PUT", "timing", b'{"scale": "1"}', 400),
        ("PUT", "timing", b'{"scale": true}', 400),
    ],
)
def test_a_wrong_control_is_told_what_is_right(shared: Cloud, method: str, path: str, body: bytes | None, status: int) -> None:
    answered, _, content = shared.http(f"/_workshop/{path}", method=method, body=body)
    assert answered == status
    assert json.loads(content)["message"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"X-Amz-Target": "DynamoDB_20120810.NoSuchThing"}, b"{}"),
        ({"X-Amz-Target": "DynamoDB_20120810.PutItem"}, b"{not json"),
        ({"X-Amz-Target": "DynamoDB_20120810.PutItem"}, b'"text"'),
        ({"X-Amz-Target": "DynamoDB_20120810.PutItem"}, b"[1]"),
        ({"X-Amz-Target": "DynamoDB_20120810.CreateTable"}, b'{"TableName": 7}'),
        ({"X-Amz-Target": "DynamoDB_20120810.UpdateTable"}, b'{"TableName": "abc", "ReplicaUpdates": 7}'),
        ({"X-Amz-Target": "DynamoDB_20120810.DescribeTable"}, b"\xff\xfe"),
        ({"X-Amz-Target": "Nothing.At.All"}, b""),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"Action=NoSuchAction&Version=1"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"Action=CreateStack&StackName=%00"),
        ({"Content-Encoding": "gzip"}, b"not gzip"),
    ],
)
def test_a_malformed_request_is_a_client_error_and_the_server_lives(shared: Cloud, headers: dict[str, str], body: bytes) -> None:
    scope = "Credential=000000000000/20261121/us-west-2/dynamodb/aws4_request"
    status, _, content = shared.http(
        "/",
        method="POST",
        headers={"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0", **headers},
        body=body,
    )
    assert 400 <= status < 500, content
    assert shared.control("GET", "health")[0] == 200


def test_a_huge_body_is_refused_before_it_is_read(shared: Cloud) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shared.state.port or 0, timeout=20)
    try:
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(300 * 1024 * 1024))
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["__type"]) == (413, "RequestEntityTooLarge")
    finally:
        connection.close()
