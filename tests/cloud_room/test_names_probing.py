"""One request of a health checker: where it goes, how long it may take, what passes, and in which words the result is told."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from typing import Any

import pytest

from workshop.cloud.domain_targets import ApiTarget
from workshop.cloud.names.checks import CheckConfig
from workshop.cloud.names.choice import choose
from workshop.cloud.names.places import DEFAULT, Location
from workshop.cloud.names.probing import FORBIDDEN, NO_CONNECTION, CheckTarget, Prober, ProbeResult, Reach, Reached
from workshop.cloud.names.records import Zone, ZoneRecord

HOST = "abc123.execute-api.eu-west-1.amazonaws.com"
LOCAL = "abc123.execute-api.eu-west-1.localhost"
OK, NO_ANSWER = "Success: HTTP Status Code 200, OK", "did not respond"


@dataclass(frozen=True)
class Named:
    """An outcome of DNS."""

    rcode: str = "REFUSED"
    target: str = ""
    region: str = ""


class App:
    """The cloud's application: it waits, responds with `status` and `parts`, and notes what it was asked."""

    def __init__(self, status: int = 200, parts: tuple[bytes, ...] = (b"",), before: float = 0, between: float = 0) -> None:
        self.status, self.parts, self.before, self.between = status, parts, before, between
        self.scopes: list[dict[str, Any]] = []
        self.heard: list[dict[str, Any]] = []
        self.finished = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        self.heard.append(await receive())
        await asyncio.sleep(self.before)
        if self.status:
            await send({"type": "http.response.start", "status": self.status, "headers": []})
            for number, part in enumerate(self.parts, 1):
                await asyncio.sleep(self.between)
                await send({"type": "http.response.body", "body": part, "more_body": number < len(self.parts)})
        self.finished += 1


def check(kind: str = "HTTPS", host: str = HOST, **more: Any) -> CheckConfig:
    port = more.pop("port", 443 if kind.startswith("HTTPS") else 80)
    return CheckConfig("c1", "0", kind, host=host, port=port, path=more.pop("path", "/prod/health"), **more)


def nowhere(*_: Any) -> Any:
    return Named()


async def probe(app: App, config: CheckConfig) -> ProbeResult:
    reach = Reach(nowhere, lambda *_: None)
    prober = Prober(app, reach.locate, asyncio.get_running_loop().time)
    return await prober(CheckTarget(config, "sa-east-1", "177.71.207.138"))


async def test_a_request_goes_to_the_api_with_the_agent_and_the_address_of_a_checker():
    app = App()
    assert (await probe(app, check(path="/prod/health?deep=1&x=%20y"))).text == OK
    (scope,) = app.scopes
    headers = dict(scope["headers"])
    assert (scope["method"], scope["path"], scope["raw_path"]) == ("GET", "/prod/health", b"/prod/health")
    assert scope["query_string"] == b"deep=1&x=%20y"
    assert headers[b"host"] == LOCAL.encode()
    assert headers[b"user-agent"] == b"Amazon-Route53-Health-Check-Service (ref c1; report http://amzn.to/1vsZADi)"
    assert scope["client"][0] == "177.71.207.138"
    assert app.heard == [{"type": "http.request", "body": b"", "more_body": False}]


async def test_a_path_arrives_as_it_was_written_and_decoded_once():
    app = App()
    await probe(app, check(path="/prod/a%2Fb/ü"))
    assert app.scopes[0]["raw_path"] == b"/prod/a%2Fb/%C3%BC" and app.scopes[0]["path"] == "/prod/a/b/ü"


@pytest.mark.parametrize(
    ("status", "ok", "text"),
    [
        (200, True, "Success: HTTP Status Code 200, OK"),
        (204, True, "Success: HTTP Status Code 204, No Content"),
        (302, True, "Success: HTTP Status Code 302, Found"),
        (399, True, "Success: HTTP Status Code 399"),
        (400, False, "Failure: HTTP Status Code 400, Bad Request"),
        (403, False, "Failure: HTTP Status Code 403, Forbidden"),
        (500, False, "Failure: HTTP Status Code 500, Internal Server Error"),
        (503, False, "Failure: HTTP Status Code 503, Service Unavailable"),
        (199, False, "Failure: HTTP Status Code 199"),
    ],
)
async def test_a_status_of_200_to_399_passes(status, ok, text):
    result = await probe(App(status), check())
    assert (result.ok, result.text) == (ok, text)


@pytest.mark.parametrize(("seconds", "ok"), [(0.0, True), (1.9, True), (2.1, False), (600.0, False)])
async def test_the_status_has_to_arrive_within_two_seconds(seconds, ok):
    began = asyncio.get_running_loop().time()
    result = await probe(App(before=seconds), check())
    assert result.ok is ok and (NO_ANSWER in result.text) is not ok
    assert asyncio.get_running_loop().time() - began <= 2.0
    assert result.first_byte == (pytest.approx(seconds) if ok else None)


async def test_a_response_that_is_late_does_not_break_off_what_the_function_does():
    app = App(before=5)
    assert not (await probe(app, check())).ok
    await asyncio.sleep(10)
    assert app.finished == 1


async def test_the_end_of_what_is_under_way_can_be_waited_for_and_not_for_ever():
    app, loop = App(before=5), asyncio.get_running_loop()
    prober = Prober(app, Reach(nowhere, lambda *_: None).locate)
    await prober.finish(1)
    await prober(CheckTarget(check(), "sa-east-1", "177.71.207.138"))
    began = loop.time()
    await prober.finish(1)
    assert (loop.time() - began, app.finished) == (1, 0)
    await prober.finish(60)
    assert (loop.time() - began, app.finished) == (3, 1)


async def test_an_application_that_ends_without_a_response_is_a_failure_at_once():
    began = asyncio.get_running_loop().time()
    result = await probe(App(status=0), check())
    assert not result.ok and "closed the connection" in result.text
    assert asyncio.get_running_loop().time() == began


@pytest.mark.parametrize(
    ("parts", "between", "ok"),
    [
        ((b'{"status":"up"}',), 0, True),
        ((b'{"status":', b'"up"}'), 0, True),
        ((b'{"status":"UP"}',), 0, False),
        ((b"." * 5113 + b'"up"', b"rest"), 0, True),
        ((b"." * 5117 + b'"up"',), 0, False),
        ((b"." * 6000 + b'"up"',), 0, False),
        ((b".", b'"up"'), 0.9, True),
        ((b".", b'"up"'), 1.1, False),
        ((b'"up"', b"."), 1.9, True),
        ((b"",), 0, False),
    ],
)
async def test_the_string_has_to_be_in_the_first_5120_bytes_within_two_seconds_of_the_status(parts, between, ok):
    result = await probe(App(parts=parts, between=between), check("HTTPS_STR_MATCH", search='"up"'))
    assert result.ok is ok, result.text
    assert ok or "not found in the response body" in result.text


async def test_a_wrong_status_fails_whatever_the_body_holds():
    result = await probe(App(500, (b"up",)), check("HTTPS_STR_MATCH", search="up"))
    assert result.text == "Failure: HTTP Status Code 500, Internal Server Error"


async def test_the_body_is_not_waited_for_when_nothing_is_searched():
    began = asyncio.get_running_loop().time()
    assert (await probe(App(parts=(b"a", b"b"), between=30), check())).ok
    assert asyncio.get_running_loop().time() == began


@pytest.mark.parametrize(
    ("config", "ok"),
    [
        (check("TCP", port=443), True),
        (check("TCP", port=80), False),
        (check("HTTP"), False),
        (check("HTTP", port=443), False),
        (check("HTTPS", port=8443), False),
        (check("HTTPS_STR_MATCH"), True),
        (check("HTTP", host=LOCAL), True),
        (check("HTTP", host=LOCAL, port=4566), True),
        (check("HTTPS", host=LOCAL), True),
        (check("TCP", host=LOCAL, port=4566), True),
    ],
)
async def test_api_gateway_has_tls_on_port_443_alone_and_the_cloud_any_port_below_localhost(config, ok):
    result = await probe(App(), config)
    assert result.ok is ok
    assert ok or result.text == NO_CONNECTION


async def test_a_connection_alone_is_enough_for_tcp():
    app = App(500)
    result = await probe(app, check("TCP", port=443))
    assert result.ok and app.scopes == [] and result.connection is not None and result.first_byte is None


async def test_without_sni_there_is_no_handshake():
    app = App()
    assert (await probe(app, check(sni=False))).text == "Failure: SSL alert handshake_failure"
    assert (await probe(app, replace(check("HTTP", host=LOCAL), sni=False))).ok


@pytest.mark.parametrize("ip", ["192.0.2.1", "10.0.0.1", "2001:db8::1"])
async def test_an_address_elsewhere_is_never_called(ip):
    app = App()
    assert (await probe(app, check(ip=ip))).text == NO_CONNECTION
    assert app.scopes == []


async def test_an_address_of_this_machine_is_the_cloud():
    assert (await probe(App(), check(ip="127.53.0.1"))).ok


@pytest.mark.parametrize(
    "host",
    ["example.com", "localhost", "evil.localhost", f"x.{HOST}", HOST.replace("amazonaws.com", "amazonaws.com.evil.example"), ""],
)
async def test_a_name_that_is_not_of_this_cloud_does_not_resolve(host):
    app = App()
    assert (await probe(app, check(host=host))).text == "Failure: DNS resolution failed: Rcode Refused(5)"
    assert app.scopes == []


def locate(host: str, *, dns: dict[str, Named] | None = None, domains: dict[tuple[str, str], str] | None = None) -> Any:
    """Where a request ends up. `dns`: outcomes by name; `domains`: APIs by custom domain or its target, and region."""
    names, mapped = dns or {}, domains or {}

    def in_region(name: str, region: str, path: str) -> ApiTarget | None:
        found = ((where, api) for (each, where), api in mapped.items() if each == name and region in ("", where))
        return next((ApiTarget("0", where, api, "prod", path) for where, api in found), None)

    reach = Reach(lambda name, *_: names.get(name, Named()), in_region)
    return reach.locate(host, "/health", DEFAULT)


TARGET = "d-0123456789.execute-api.eu-west-1.localhost"


def test_a_name_of_a_zone_is_followed_to_the_custom_domain_of_the_region_that_dns_chose():
    dns = {"api.x.localhost": Named("NOERROR", TARGET, "eu-west-1")}
    domains = {("api.x.localhost", "eu-west-1"): "one", ("api.x.localhost", "us-west-2"): "two"}
    assert locate("api.x.localhost", dns=dns, domains=domains) == Reached("one.execute-api.eu-west-1.localhost", "/prod/health")


def test_a_record_that_names_an_api_leads_there_as_it_is():
    assert locate("api.x.localhost", dns={"api.x.localhost": Named("NOERROR", HOST, "eu-west-1")}) == Reached(LOCAL, "/health")


def test_a_name_that_no_custom_domain_of_the_region_has_is_forbidden():
    dns = {"api.x.localhost": Named("NOERROR", TARGET, "eu-west-1")}
    found = locate("api.x.localhost", dns=dns, domains={("api.x.localhost", "us-west-2"): "two"})
    assert found == FORBIDDEN


def test_a_custom_domain_without_a_zone_here_and_the_target_of_one_are_reached():
    domains = {("api.example.com", "us-west-2"): "one", (TARGET, "eu-west-1"): "two"}
    assert locate("api.example.com", domains=domains) == Reached("one.execute-api.us-west-2.localhost", "/prod/health")
    assert locate(TARGET, domains=domains) == Reached("two.execute-api.eu-west-1.localhost", "/prod/health")


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Named("NXDOMAIN"), "Failure: DNS resolution failed: Rcode NXDomain(3)"),
        (Named("NODATA"), "Failure: DNS resolution failed: No answers"),
        (Named("REFUSED"), "Failure: DNS resolution failed: Rcode Refused(5)"),
        (Named("REFERRAL"), "Failure: DNS resolution failed: No answers"),
        (Named("NOERROR", "host.elsewhere.example"), NO_CONNECTION),
    ],
)
def test_what_dns_says_against_a_name_is_the_reason(outcome, text):
    domains = {} if outcome.rcode == "REFUSED" else {("api.x.localhost", "eu-west-1"): "one"}
    assert locate("api.x.localhost", dns={"api.x.localhost": outcome}, domains=domains) == text


async def test_a_checker_asks_dns_from_where_it_is():
    zone = Zone("Z1", "x.localhost", "0", False, tuple(
        ZoneRecord("api.x.localhost", "CNAME", 60, (f"abc.execute-api.{region}.localhost",), set_id=region, region=region)
        for region in ("eu-west-1", "ap-southeast-1", "us-east-1")
    ))  # fmt: skip

    def find(name: str, kind: str, asker: Location) -> Named:
        chosen = choose(zone, name, kind, asker, healthy=lambda _: True, alias_up=lambda _: True, chance=random.Random(1))
        return Named("NOERROR", chosen.values[0], chosen.chain[-1].region)

    app = App()
    prober = Prober(app, Reach(find, lambda *_: None).locate)
    for region in ("ap-southeast-2", "sa-east-1"):
        await prober(CheckTarget(check(host="api.x.localhost"), region, "192.0.2.1"))
    assert [dict(scope["headers"])[b"host"] for scope in app.scopes] == [
        b"abc.execute-api.ap-southeast-1.localhost",
        b"abc.execute-api.us-east-1.localhost",
    ]
