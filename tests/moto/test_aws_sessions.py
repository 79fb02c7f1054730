"""The sessions of AWS and of the local cloud: what differs from botocore's own is only how long it takes."""

from __future__ import annotations

import asyncio
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse

from tests.unit.fakes.botocore_session import Inline
from tests.unit.fakes.http_server import Server
from workshop.aws.sessions import AwsSession, local_account, local_session, profile_session

TIMES = (
    "2026-11-22T01:02:03Z",
    "2026-11-22T01:02:03.004Z",
    "2026-11-22T01:02:03.004567+02:00",
    "2026-11-22 01:02:03Z",
    "2026-11-22T01:02:03",
    "Sun, 22 Nov 2026 01:02:03 GMT",
    "1795309323",
    "1795309323.5",
    "20261122T010203Z",
)


def stack_made(session: AwsSession, moment: str) -> Any:
    """When a stack was made, by a response of CloudFormation with this text."""
    body = (
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>s</StackName>"
        f"<CreationTime>{moment}</CreationTime></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )

    class Raw:
        def stream(self) -> list[bytes]:
            return [body.encode()]

    client = session.create_client(
        "cloudformation", "us-west-2", aws_access_key_id="a", aws_secret_access_key="s", endpoint_url="http://nowhere.invalid"
    )
    client.meta.events.register("before-send", lambda request, **_: AWSResponse(request.url, 200, {}, Raw()))
    return client.describe_stacks()["Stacks"][0]["CreationTime"]


@pytest.mark.parametrize("moment", TIMES)
def test_a_time_is_the_one_that_botocore_reads(moment: str) -> None:
    expected = stack_made(botocore.session.Session(), moment)
    for session in (local_session("1"), profile_session(None)):
        found = stack_made(session, moment)
        assert (found, found.utcoffset()) == (expected, expected.utcoffset())


def test_a_command_goes_by_the_proxy_of_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def parameters(endpoint: str) -> list[Any]:
        call = local_account(endpoint, "1", executor=Inline()).call("ssm", "us-west-2", "describe_parameters")
        return list(asyncio.run(call)["Parameters"])

    with Server(lambda _: (200, b'{"Parameters": []}')) as direct, Server(lambda _: (200, b'{"Parameters": [{}]}')) as proxy:
        assert parameters(direct.url) == []
        monkeypatch.setenv("http_proxy", proxy.url)
        assert parameters(direct.url) == [{}]
        monkeypatch.delenv("http_proxy")
        assert parameters(direct.url) == []
