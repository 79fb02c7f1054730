"""`http.check` against a tiny server on loopback, with its deadlines in virtual time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from tests.unit.fakes.context import StepSandbox
from tests.unit.fakes.http_server import Server, closed_port
from tests.unit.fakes.tls_server import TlsServer
from workshop.errors import UsageError, WorkshopError
from workshop.steps.base import State
from workshop.steps.http_check import CheckParams, HttpCheck

STEP = HttpCheck()
ITEM = {
    "Item": {"SK": {"S": "01"}, "Tags": [{"S": "a"}, {"S": "b"}]},
    "Count": 1,
    "Ok": True,
    "Next": None,
}


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


def answering(document: object, status: int = 200):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Server(lambda path: (status, body))


async def looked(sandbox: StepSandbox, server: Server, **more) -> tuple[State, str]:
    observed = await STEP.observe(sandbox.context(CheckParams(url=f"{server.url}/get", **more)))
    return observed.state, observed.detail


async def test_an_answer_of_200_is_enough_when_nothing_else_is_expected(sandbox):
    with answering(b"anything") as server:
        assert (await looked(sandbox, server))[0] is State.READY
        assert server.asked == ["/get"]


async def test_a_host_that_browsers_alone_resolve_is_asked_at_the_local_cloud_under_its_name(sandbox):
    with answering({"workshop": "films"}) as server:
        gateway = server.url.removeprefix("http://")
        host = f"d111.cloudfront.localhost:{gateway.rpartition(':')[2]}"
        local = replace(sandbox.target("local"), gateway=gateway)
        params = CheckParams(url=f"http://{host}/config.json", expect={"workshop": "films"})
        observed = await STEP.observe(sandbox.context(params, target=local))
        assert observed.state is State.READY and (server.asked, server.hosts) == (["/config.json"], [host])


@pytest.mark.parametrize(
    "expect",
    [
        {"Item.SK.S": "01"},
        {"Item.Tags.1.S": "b"},
        {"Count": "1"},
        {"Ok": "true"},
        {"Next": "null"},
        {"Count": "1", "Ok": "true"},
    ],
)
async def test_a_value_is_found_by_its_path_and_compared_as_json_writes_it(sandbox, expect):
    with answering(ITEM) as server:
        assert (await looked(sandbox, server, expect=expect))[0] is State.READY


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        ({"Item.SK.S": "02"}, "Item.SK.S is '01', not '02'"),
        ({"Item.Missing": "x"}, "Item.Missing is None"),
        ({"Item.Tags.9.S": "x"}, "is None"),
        ({"Count.deeper": "x"}, "is None"),
        ({"Ok": "True"}, "not 'True'"),
    ],
)
async def test_another_value_is_shown_beside_the_expected_one(sandbox, expect, says):
    with answering(ITEM) as server:
        state, detail = await looked(sandbox, server, expect=expect)
    assert state is State.ABSENT and says in detail


@pytest.mark.parametrize(
    ("length", "says"), [({"Item.Tags": 3}, "has 2 entries, not 3"), ({"Item.None": 1}, "nothing"), ({"Count": 1}, "nothing")]
)
async def test_another_number_of_entries_is_shown(sandbox, length, says):
    with answering(ITEM) as server:
        assert (await looked(sandbox, server, length={"Item.Tags": 2}))[0] is State.READY
        state, detail = await looked(sandbox, server, length=length)
    assert state is State.ABSENT and says in detail


@pytest.mark.parametrize("status", [204, 301, 403, 404, 500, 502])
async def test_any_other_status_is_a_problem_that_shows_the_answer(sandbox, status):
    with Server(lambda path: (status, b"" if status == 204 else b"Internal server error")) as server:
        state, detail = await looked(sandbox, server)
    assert state is State.ABSENT and str(status) in detail


@pytest.mark.parametrize("body", [b"<html>", b"\xff\xfe\x00", b""])
async def test_an_answer_that_is_no_json_is_shown(sandbox, body):
    with answering(body) as server:
        state, detail = await looked(sandbox, server, expect={"ping": "ok"})
    assert state is State.ABSENT and "no JSON" in detail


async def test_a_port_without_a_listener_is_a_problem(sandbox):
    observed = await STEP.observe(sandbox.context(CheckParams(url=f"http://127.0.0.1:{closed_port()}/")))
    assert observed.state is State.ABSENT and "ConnectError" in observed.detail


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1/", "http://[", "http://127.0.0.1:99999/"])
async def test_an_address_that_is_none_is_refused_at_once(sandbox, url):
    with pytest.raises(UsageError, match="address"):
        await STEP.create(sandbox.context(CheckParams(url=url)))
    assert asyncio.get_running_loop().time() == 0


async def test_a_new_deployment_may_take_its_time(sandbox):
    loop = asyncio.get_running_loop()
    with Server(lambda path: (200, b'{"ping": "ok"}') if loop.time() > 50 else (403, b"Forbidden")) as server:
        assert await STEP.create(sandbox.context(CheckParams(url=server.url, expect={"ping": "ok"}))) == {}
    assert 50 < loop.time() < 60
    assert any(server.url in reason for reason in sandbox.notes.waits)


async def test_a_url_that_never_responds_is_reported_with_the_last_problem_and_a_command(sandbox):
    with answering({"ping": "no"}) as server, pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.context(CheckParams(url=server.url, expect={"ping": "ok"}, deadline=30)))
    assert caught.value.code == "HttpCheck" and "ping is 'no', not 'ok'" in caught.value.why and "30 s" in caught.value.why
    assert caught.value.fix == f"Look at it: curl -i {server.url}"
    assert asyncio.get_running_loop().time() == pytest.approx(30)


async def test_it_makes_nothing_so_it_leaves_nothing(sandbox):
    ctx = sandbox.context(CheckParams(url="http://127.0.0.1/"))
    await STEP.destroy(ctx)
    assert STEP.is_verification and await STEP.leftovers(ctx) == [] and STEP.permissions(ctx) == []
    assert STEP.commands(ctx) == ["curl -sS http://127.0.0.1/"]


# Names that only the servers of their zone know.

NAME = "api.event.example.com"


def routed(sandbox: StepSandbox, kind: str, value: str) -> None:
    zone = sandbox.aws.route53.put_zone("event.example.com")
    sandbox.aws.route53.put_record(zone, NAME, kind, value)


async def reached(sandbox: StepSandbox, url: str, **more) -> tuple[State, str]:
    observed = await STEP.observe(sandbox.context(CheckParams(url=url, resolve="authority", **more)))
    return observed.state, observed.detail


@pytest.mark.parametrize(("kind", "value"), [("A", "127.0.0.1"), ("CNAME", "127.0.0.1.")])
async def test_a_name_is_looked_up_at_its_zone_and_called_by_its_own_name(sandbox, kind, value):
    routed(sandbox, kind, value)
    with answering({"status": "ok"}) as server:
        port = server.url.rpartition(":")[2]
        assert (await reached(sandbox, f"http://{NAME}:{port}/health", expect={"status": "ok"}))[0] is State.READY
        assert server.asked == ["/health"] and server.hosts == [f"{NAME}:{port}"]
    assert all(server.startswith("ns-") for server in sandbox.internet.servers_asked())


async def test_a_name_without_an_address_is_told_from_one_that_does_not_respond(sandbox):
    routed(sandbox, "TXT", '"x"')
    assert f"{NAME} has no address: its zone answers NOERROR" in (await reached(sandbox, f"http://{NAME}/"))[1]
    assert "answers NXDOMAIN" in (await reached(sandbox, "http://no.event.example.com/"))[1]
    sandbox.internet.own = None
    sandbox.internet.blocked = {"udp", "tcp", "https"}
    assert "No name server responds" in (await reached(sandbox, f"http://{NAME}/"))[1]


async def test_a_name_in_no_zone_of_the_account_is_an_error_that_waiting_does_not_help(sandbox):
    with pytest.raises(WorkshopError, match="No public zone"):
        await STEP.create(sandbox.context(CheckParams(url="http://www.example.org/", resolve="authority")))
    assert sandbox.clock.monotonic() == 0


async def test_tls_is_spoken_with_the_name_and_its_certificate_is_still_verified(sandbox, tmp_path):
    routed(sandbox, "A", "127.0.0.1")
    with TlsServer(tmp_path, NAME) as server:
        state, detail = await reached(sandbox, f"https://{NAME}:{server.port}/")
    assert server.names == [NAME]
    assert state is State.ABSENT and "certificate verify failed: self-signed" in detail


def test_looking_a_name_up_takes_permissions_and_nothing_else_does(sandbox):
    assert STEP.permissions(sandbox.context(CheckParams(url="http://x.net/"))) == []
    needed = STEP.permissions(sandbox.context(CheckParams(url="http://x.net/", resolve="authority")))
    assert {each.action for each in needed} == {"route53:ListHostedZonesByName", "route53:GetHostedZone"}
