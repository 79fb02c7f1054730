"""Responses that are not AWS's, over a real connection: any 5xx is tried again whatever its body is, other ones are named."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.amount import long
from tests.unit.fakes.botocore_session import Inline
from tests.unit.fakes.http_server import Server
from tests.unit.fakes.virtual_time import run
from workshop.aws.boto_client import BotoClient
from workshop.aws.errors import AwsError
from workshop.aws.sessions import local_session

SESSION = local_session("111122223333")
REGION = "eu-west-1"


def query(name: str, inner: str = "") -> bytes:
    """The response of a service with the query protocol."""
    return f"<{name}Response><{name}Result>{inner}</{name}Result></{name}Response>".encode()


SERVICES = {
    "dynamodb": ("list_tables", b'{"TableNames": []}'),
    "cloudformation": ("list_stacks", query("ListStacks", "<StackSummaries/>")),
    "iam": ("list_roles", query("ListRoles", "<Roles/>")),
    "sts": ("get_caller_identity", query("GetCallerIdentity", "<Account>1</Account>")),
    "lambda": ("list_functions", b'{"Functions": []}'),
    "apigateway": ("get_rest_apis", b'{"item": []}'),
    "s3": ("list_buckets", b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"),
    "ssm": ("describe_parameters", b'{"Parameters": []}'),
}
"""Of each protocol some services: a call, and its response."""
BODIES = {
    "json": b'{"message": "upstream is gone"}',
    "list": b"[1, 2]",
    "number": b'{"__type": 5, "message": 6}',
    "html": b"<!doctype html><p>Bad gateway",
    "page": b"<html><body><h1>Bad gateway</h1></body></html>",
    "xhtml": b'<?xml version="1.0"?><html><body>Bad gateway</body></html>',
    "empty": b"",
    "text": b"upstream connect error",
    "binary": bytes(range(256)),
    "half": b"<ErrorResponse><Error><Code>Thrott",
    "odd": b"<ErrorResponse><Error>none</Error></ErrorResponse>",
    "final": b'{"__type": "ExpiredTokenException", "message": "by a proxy"}',
}


def client(endpoint: str) -> BotoClient:
    return BotoClient(SESSION, "111122223333", executor=Inline(), endpoint=endpoint)


async def called(service: str, *responses: tuple[int, bytes]) -> tuple[dict | AwsError, int]:
    """What a call returns or raises when the server sends these responses, the last one for ever; and the number of attempts."""
    waiting = list(responses)
    with Server(lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]) as server:
        try:
            found = await client(server.url).call(service, REGION, SERVICES[service][0])
        except AwsError as error:
            return error, len(server.asked)
        return found, len(server.asked)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("service", SERVICES)
async def test_a_server_error_is_tried_again_whatever_its_body_is(service, body):
    found, attempts = await called(service, (503, body), (500, body), (200, SERVICES[service][1]))
    assert isinstance(found, dict) and attempts == 3


@pytest.mark.parametrize("service", SERVICES)
@settings(max_examples=15 if long() else 5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=st.sampled_from([500, 502, 503, 504, 520, 599]), body=st.one_of(st.binary(), st.text().map(str.encode)))
def test_no_server_error_of_any_kind_ends_a_call_at_once(service, status, body):
    async def both() -> None:
        found, attempts = await called(service, (status, body), (200, SERVICES[service][1]))
        assert isinstance(found, dict) and attempts == 2

    run(both())


@pytest.mark.parametrize("service", SERVICES)
async def test_a_server_error_that_does_not_end_is_named_with_its_status_and_body(service):
    error, attempts = await called(service, (503, BODIES["json"]))
    assert attempts > 3 and error.transient and not error.final and error.status == 503
    assert f"HTTP 503 Service Unavailable with a body that is not AWS's: {BODIES['json'].decode()}" in error.why
    assert error.what.endswith(f"in {REGION} failed: 503") and "wait a little" in error.fix
    page, _ = await called(service, (502, BODIES["html"]))
    assert page.why == "HTTP 502 Bad Gateway with a body that is not AWS's."
    empty, _ = await called(service, (500, b""))
    assert empty.why == "HTTP 500 Internal Server Error without a body."


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("status", [200, 302, 403])
async def test_a_page_with_another_status_is_a_captive_portal(service, status):
    # Botocore takes a 200 of S3 that it cannot parse for a 500, as S3 can begin a 200 and then fail.
    for body in (BODIES["page"],) if (service, status) == ("s3", 200) else (BODIES["html"], BODIES["page"]):
        error, attempts = await called(service, (status, body))
        assert isinstance(error, AwsError) and (error.code, attempts) == ("NotAws", 1)
        assert "captive portal" in error.fix and not error.final


@pytest.mark.parametrize("service", ["dynamodb", "cloudformation", "sts", "lambda", "ssm"])
async def test_a_response_that_cannot_be_parsed_is_no_defect(service):
    error, attempts = await called(service, (200, BODIES["binary"]))
    assert isinstance(error, AwsError) and (error.code, attempts) == ("NotAws", 1)


@contextmanager
def cutting():
    """A server that promises more than it sends, and closes."""
    listening = socket.create_server(("127.0.0.1", 0))
    accepted: list[int] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                accepted.append(1)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"{" * 20)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", accepted
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_response_that_is_cut_off_is_no_response(service):
    with cutting() as (url, accepted), pytest.raises(AwsError) as caught:
        await client(url).call(service, REGION, SERVICES[service][0])
    assert caught.value.code == "NoAnswer" and caught.value.transient and len(accepted) > 3
