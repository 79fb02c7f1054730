"""The real client over HTTP on loopback: to moto's server, to a page that is not AWS, and to a closed port."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from tests.unit.fakes.botocore_session import Inline
from tests.unit.fakes.http_server import Server, closed_port
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.boto_client import THREADS, BotoClient
from workshop.aws.errors import AwsError
from workshop.aws.resources.tables import list_tables
from workshop.aws.sessions import aws_account, local_account, override
from workshop.waiting import SystemClock


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def test_threads_share_the_clients_of_one_account(endpoint):
    async def scene(executor: ThreadPoolExecutor) -> list[list[str]]:
        aws = local_account(endpoint, "123456789012", clock=SystemClock(), executor=executor)
        regions = ("us-west-2", "eu-west-1", "us-west-2", "eu-west-1") * 3
        return await asyncio.gather(*(list_tables(aws, region) for region in regions))

    with ThreadPoolExecutor(THREADS) as executor:
        assert asyncio.run(scene(executor)) == [[]] * 12


def test_an_endpoint_of_the_environment_is_where_the_calls_go(endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with ThreadPoolExecutor(1) as executor:
        aws, identity = asyncio.run(aws_account(None, "us-west-2", clock=SystemClock(), executor=executor))
    assert override(None, "us-west-2", ["dynamodb"]) == endpoint and aws.account == identity.account == "123456789012"


def at(url: str) -> BotoClient:
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret")
    return BotoClient(session, "1", clock=VirtualClock(), executor=Inline(), endpoint=url)


async def test_a_page_that_is_not_aws_is_distinguished_from_a_response():
    # The call runs inside the loop here, so the server must be another thread's.
    with Server(lambda path: (200, b"<html><body>Welcome to the hotel")) as server:
        with pytest.raises(AwsError) as caught:
            await at(server.url).call("cloudformation", "us-west-2", "describe_stacks")
        assert len(server.asked) == 1
    assert caught.value.code == "NotAws" and "captive portal" in caught.value.fix


async def test_a_port_where_no_server_listens_is_unreachable():
    with pytest.raises(AwsError) as caught:
        await at(f"http://127.0.0.1:{closed_port()}").call("dynamodb", "us-west-2", "list_tables")
    assert caught.value.code == "Unreachable" and "workshop cloud status" in caught.value.fix


async def test_a_server_that_fails_for_a_moment_is_asked_again():
    responses = [(503, b"busy"), (500, b""), (200, b'{"TableNames": ["films"]}')]
    with Server(lambda path: responses.pop(0)) as server:
        assert await list_tables(at(server.url), "us-west-2") == ["films"]
