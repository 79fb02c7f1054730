"""Which requests a browser may send: the table of docs/local-cloud.md, and the emulator's own parser held beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ministack import app as ministack

from tests.cloud_room.zone_builders import endpoint, lookup, record, zone
from workshop.cloud.addresses import EmulatorAddresses
from workshop.cloud.names.front_door import FrontDoor, Resolver
from workshop.cloud.routes import LOGIN_PAGE, ApiAddress, Request, Route, allowed, route_of
from workshop.cloud.timing import Timing

API = "0123abcd"
PAGE_ELSEWHERE = {"origin": "https://evil.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}
IMAGE_ELSEWHERE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
LINK_IN_A_MAIL = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
FRAME_ELSEWHERE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
OTHER_PORT = {"origin": "http://localhost:3000", "sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}
OWN_PAGE = {"origin": "http://127.0.0.1:4566", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
OWN_IMAGE = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
BROWSERS = [PAGE_ELSEWHERE, IMAGE_ELSEWHERE, LINK_IN_A_MAIL, FRAME_ELSEWHERE, OTHER_PORT, OWN_PAGE, OWN_IMAGE]
SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20261121/us-west-2/dynamodb/aws4_request, Signature=0"}


class Pool(EmulatorAddresses):
    """The emulator's parser over one API, one user pool and one distribution."""

    def __init__(self) -> None:
        super().__init__(lambda api: ("000000000000", "us-west-2") if api == API else None)

    def has_user_pool(self, pool: str) -> bool:
        return pool == "us-west-2_pool"

    def has_sign_in(self, host: str) -> bool:
        return host.startswith("pool.auth.us-west-2.localhost")

    def has_distribution(self, host: str) -> bool:
        return host.startswith("dabc.cloudfront.localhost")


ROUTED = "api.rydes.localhost"


def door() -> FrontDoor:
    """The front door of a zone with one name, which leads to the one API, and of zones that cover what they must not."""
    everything = [
        zone(name, record(f"*.{name}", "CNAME", endpoint("us-west-2", API)), number=number)
        for number, name in enumerate(("localhost", "rydes.example", "us-west-2.localhost"), 2)
    ]
    found = lookup(zone("rydes.localhost", record(ROUTED, "CNAME", endpoint("us-west-2", API))), *everything)
    resolver = Resolver(found, Timing("fast", 1.0), lambda: 0.0, lambda: 0.0)
    scope = ("000000000000", "us-west-2")
    return FrontDoor(found, resolver, lambda *_: None, lambda api: scope if api == API else None)


DOOR = door()


def route(request: Request) -> tuple[Route, ApiAddress | None]:
    """As the application does: the front door first."""
    passage = DOOR.enter(request)
    return route_of(request, Pool()) if passage is None else (Route.API, passage.api)


def decide(method: str, path: str, headers: dict[str, str], query: str = "", host: str = "127.0.0.1:4566") -> tuple[Route, bool]:
    request = Request(method, path, query, {"host": host, **headers})
    found, _ = route(request)
    return found, allowed(found, request)


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/", "Action=ListStacks&Version=2010-05-15"),
        ("GET", "/", "Action=CreateStack&X-Amz-Signature=0&X-Amz-Credential=0/20261121/us-west-2/cloudformation/aws4_request"),
        ("POST", "/", ""),
        ("GET", "/login", "Action=CreateStack"),
        ("GET", "/bucket/key", ""),
        ("POST", f"/restapis/{API}/api/_user_request_x", ""),
        ("POST", f"//_aws/execute-api/{API}/api/", ""),
        ("POST", "/2015-03-31/functions/f/invocations", ""),
        ("POST", "/_aws/lambda-url/0123/", ""),
        ("GET", "/other_pool/.well-known/jwks.json", ""),
        ("DELETE", "/_workshop/faults", ""),
        ("GET", "/_workshop/replication", ""),
        ("GET", "/_workshop/dns", ""),
        ("POST", "/_workshop/dns/ask", ""),
        ("DELETE", "/_workshop/dns/cache", ""),
        ("POST", "/_workshop/sites/global-serverless/_feed/names.json", ""),
        ("POST", "/_workshop/reset", ""),
        ("PUT", "/_workshop/access", ""),
        ("POST", "/_ministack/reset", ""),
        ("POST", "/_ministack/config", ""),
        ("GET", "/_ministack/health", ""),
        ("GET", "/_localstack/health", ""),
        ("GET", "/health", ""),
        ("POST", "/_workshop/sites/global-serverless/index.html", ""),
        ("OPTIONS", "/", ""),
    ],
)
@pytest.mark.parametrize("browser", BROWSERS)
def test_no_browser_reaches_a_control_or_an_aws_api(method: str, path: str, query: str, browser: dict[str, str]) -> None:
    assert not decide(method, path, browser, query)[1]


@pytest.mark.parametrize("path", ["/_aws/execute-api", f"/_aws/execute-api/{API}", "/_aws/execute-api/absent12/api/"])
def test_what_looks_like_an_api_and_is_none_is_refused_to_everybody(path: str) -> None:
    assert decide("POST", path, {})[0] is Route.UNKNOWN_API


@pytest.mark.parametrize("browser", [*BROWSERS, {}])
@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("127.0.0.1:4566", f"/_aws/execute-api/{API}/api/x"),
        ("localhost:4566", f"/restapis/{API}/api/_user_request_/x"),
        (f"{API}.execute-api.us-west-2.localhost:4566", "/api/x"),
        (f"{ROUTED}:4566", "/api/x"),
        (ROUTED.upper() + ".", "/api/x"),
    ],
)
def test_an_api_that_exists_is_open_to_every_page(host: str, path: str, browser: dict[str, str]) -> None:
    request = Request("GET", path, "", {"host": host, **browser})
    found, api = route(request)
    assert found is Route.API and allowed(found, request)
    assert isinstance(api, ApiAddress) and (api.api, api.region) == (API, "us-west-2")
    parsed = ministack._parse_execute_api_url(host, api.path)
    assert parsed is not None and parsed[1:] == ("api", "/x")


@pytest.mark.parametrize(
    ("host", "path"),
    [
        (f"{API}.execute-api.eu-west-1.localhost", "/api/"),
        (f"{API}.execute-api.localhost:4566", "/api/x"),
        (f"{API}.execute-api.localhost:4566", "/_ministack/reset"),
        (f"{API}.execute-api.localhost", f"/_aws/execute-api/{API}/api/"),
        ("dddddddd.execute-api.us-west-2.localhost", "/api/"),
        ("d-0123456789.execute-api.us-west-2.localhost", "/api/"),
        ("d-0123456789.execute-api.us-west-2.localhost", "/_workshop/reset"),
        ("other.auth.us-west-2.localhost:4566", "/oauth2/authorize"),
        ("pool.auth.eu-west-1.localhost:4566", "/"),
        ("abc.us-west-2.aoss.localhost", f"/_aws/execute-api/{API}/api/"),
        ("bucket.s3.localhost", f"/restapis/{API}/api/_user_request_/"),
    ],
)
def test_an_api_is_found_under_its_own_names_alone(host: str, path: str) -> None:
    assert decide("GET", path, PAGE_ELSEWHERE, host=host)[0] is Route.UNKNOWN_API


@pytest.mark.parametrize(
    ("method", "headers", "may"),
    [
        ("GET", LINK_IN_A_MAIL, True),
        ("GET", OWN_IMAGE, True),
        ("HEAD", OWN_PAGE, True),
        ("GET", {}, True),
        ("GET", IMAGE_ELSEWHERE, False),
        ("GET", FRAME_ELSEWHERE, False),
        ("GET", OTHER_PORT, False),
        ("GET", PAGE_ELSEWHERE, False),
        ("POST", OWN_PAGE, False),
    ],
)
def test_a_page_is_for_people_and_for_itself(method: str, headers: dict[str, str], may: bool) -> None:
    assert decide(method, "/_workshop/sites/global-serverless/config.js", headers) == (Route.PAGE, may)


@pytest.mark.parametrize(
    "host",
    [
        "api.rydes.example", "localhost", "127.0.0.1", "[::1]", "bucket.s3.localhost", "localhost.example",
        f"{API}.execute-api.us-west-2.localhost", "d-0123456789.execute-api.us-west-2.localhost",
        "pool.auth.us-west-2.localhost", "", "a b.localhost",
    ],
)  # fmt: skip
def test_the_front_door_takes_no_host_that_is_another_parts_or_not_below_localhost(host: str) -> None:
    assert DOOR.enter(Request("GET", "/", "", {"host": host})) is None


@pytest.mark.parametrize(
    ("method", "headers", "may"),
    [
        ("GET", OWN_PAGE, True),
        ("GET", {}, True),
        ("GET", LINK_IN_A_MAIL, False),
        ("GET", OTHER_PORT, False),
        ("GET", PAGE_ELSEWHERE, False),
        ("GET", IMAGE_ELSEWHERE, False),
        ("HEAD", OWN_PAGE, False),
        ("OPTIONS", {**OWN_PAGE, "access-control-request-method": "GET"}, False),
    ],
)
def test_the_feed_of_names_is_for_the_pages_that_are_served_beside_it(method: str, headers: dict[str, str], may: bool) -> None:
    assert decide(method, "/_workshop/sites/global-serverless/_feed/names.json", headers) == (Route.FEED, may)
    assert decide(method, "/_feed/names.json", headers, host=f"{ROUTED}:4566")[0] is Route.API


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "pool.auth.us-west-2.localhost:4566"])
@pytest.mark.parametrize(
    ("method", "path", "headers", "may"),
    [
        ("GET", "/oauth2/authorize", LINK_IN_A_MAIL, True),
        ("GET", "/logout", {**LINK_IN_A_MAIL, "sec-fetch-site": "cross-site"}, True),
        ("GET", "/oauth2/authorize", FRAME_ELSEWHERE, False),
        ("GET", "/oauth2/authorize", PAGE_ELSEWHERE, False),
        ("POST", "/login", OWN_PAGE, True),
        ("POST", "/login", PAGE_ELSEWHERE, False),
        ("POST", "/login", OTHER_PORT, False),
        ("POST", "/login", {"origin": "null", "sec-fetch-mode": "navigate"}, False),
        ("POST", "/oauth2/token", PAGE_ELSEWHERE, True),
        ("OPTIONS", "/oauth2/token", {**PAGE_ELSEWHERE, "access-control-request-method": "POST"}, True),
        ("GET", "/us-west-2_pool/.well-known/jwks.json", PAGE_ELSEWHERE, True),
    ],
)
def test_sign_in_is_open_as_far_as_a_browser_needs_it(
    method: str, path: str, headers: dict[str, str], may: bool, host: str
) -> None:
    if headers.get("origin") == OWN_PAGE["origin"]:
        headers = {**headers, "origin": f"http://{host}"}
    assert decide(method, path, headers, host=host) == (Route.SIGN_IN, may)


@pytest.mark.parametrize(("headers", "may"), [(LINK_IN_A_MAIL, True), (FRAME_ELSEWHERE, False), (PAGE_ELSEWHERE, False)])
def test_a_pools_own_host_has_a_login_page_and_a_bare_host_has_none(headers: dict[str, str], may: bool) -> None:
    assert decide("GET", "/login", headers, host="pool.auth.us-west-2.localhost:4566") == (Route.SIGN_IN, may)
    assert decide("GET", "/login", headers) == (Route.AWS, False)


def test_a_page_of_another_host_cannot_post_a_login_form() -> None:
    for origin in (
        "http://127.0.0.1:4566",
        "http://other.auth.us-west-2.localhost:4566",
        "https://pool.auth.us-west-2.localhost:4566",
    ):
        headers = {"origin": origin, "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"}
        assert decide("POST", "/login", headers, host="pool.auth.us-west-2.localhost:4566") == (Route.SIGN_IN, False)


@pytest.mark.parametrize(
    ("target", "more", "may"),
    [
        ("AWSCognitoIdentityProviderService.InitiateAuth", {}, True),
        ("AWSCognitoIdentityService.GetId", {}, True),
        ("AWSCognitoIdentityProviderService.AdminCreateUser", {}, False),
        ("AWSCognitoIdentityProviderService.CreateUserPool", {}, False),
        ("AWSCognitoIdentityProviderService.InitiateAuth, AWSCognitoIdentityProviderService.AdminCreateUser", {}, False),
        ("AWSCognitoIdentityProviderService.InitiateAuth", SIGNED, False),
        ("DynamoDB_20120810.ListTables", {}, False),
    ],
)
def test_of_cognito_a_page_may_call_what_aws_takes_unsigned(target: str, more: dict[str, str], may: bool) -> None:
    assert decide("POST", "/", {**PAGE_ELSEWHERE, "x-amz-target": target, **more})[1] is may


@pytest.mark.parametrize(
    ("path", "may"),
    [("/", True), ("/app/index.html", True), ("/login", False), ("/_ministack/reset", False), ("/_workshop/reset", False),
     ("/iceberg/v1/config", False), ("/v20180820/tags", False), ("/a/.well-known/jwks.json", False), ("/Execute", False)],
)  # fmt: skip
def test_a_distribution_serves_pages_but_where_the_emulator_listens_first(path: str, may: bool) -> None:
    assert decide("POST", path, PAGE_ELSEWHERE, host="dabc.cloudfront.localhost:4566")[1] is may


@pytest.mark.parametrize(
    ("method", "query", "headers", "may"),
    [
        ("GET", "Action=ListStacks", {}, False),
        ("HEAD", "Action=ListStacks", {}, False),
        ("GET", "a=1&Action=", {}, False),
        ("GET", "Action=ListStacks&X-Amz-Signature=0", {}, False),
        ("GET", "Action=GetCallerIdentity&Action=CreateStack", {}, False),
        ("GET", "Action=GetCallerIdentity&X-Amz-Signature=0", {}, True),
        ("GET", "Action=ListStacks", SIGNED, True),
        ("GET", "Action=ListStacks", {"authorization": "Basic YTpi"}, False),
        ("POST", "Action=ListStacks", {}, True),
        ("GET", "", {}, True),
    ],
)
def test_an_action_by_get_has_to_be_signed(method: str, query: str, headers: dict[str, str], may: bool) -> None:
    assert decide(method, "/", headers, query)[1] is may


PIECES = st.sampled_from(
    [
        "", ".", "..", "%2e%2e", "_aws", "execute-api", "lambda-url", API, "restapis", "_user_request_", "_user_request_x",
        "_ministack", "_localstack", "_workshop", "reset", "config", "health", "faults", "sites", "cfn-response", "cfn-signal",
        "oauth2", "token", "authorize", "login", "logout", "userInfo", ".well-known", "jwks.json", "us-west-2_pool", "api",
        "2015-03-31", "functions", "iceberg", "v2", "v20180820", "email", "WriteGetObjectResponse", "Execute", "bucket",
        "%00", "%",
    ]
)  # fmt: skip
PATHS = st.lists(st.tuples(st.sampled_from(["/", "//", "%2F", "/./", "\\", ";"]), PIECES), max_size=7).map(
    lambda parts: "/" + "".join(a + b for a, b in parts).lstrip("/")
)
HOSTS = st.sampled_from(
    [
        "127.0.0.1:4566", "localhost", "[::1]:4566", "LOCALHOST.", f"{API}.execute-api.us-west-2.localhost:4566",
        f"{API}.execute-api.localhost", "bucket.s3.localhost", "bucket.s3-website.us-west-2.localhost",
        "dabc.cloudfront.localhost", "x.lambda-url.us-west-2.localhost", "abc.us-west-2.aoss.localhost",
        "x.auth.us-west-2.localhost", "pool.auth.us-west-2.localhost:4566", f"{ROUTED}:4566", "absent.rydes.localhost",
        "d-0123456789.execute-api.us-west-2.localhost",
        "x.appsync-api.localhost", "cognito-idp.us-west-2.localhost", "sqs.us-west-2.localhost",
    ]
)  # fmt: skip
CALL = {"x-amz-target": "DynamoDB_20120810.ListTables", "content-type": "application/x-amz-json-1.0"}
SMUGGLED = st.sampled_from(
    [
        {}, CALL, SIGNED, {**CALL, **SIGNED}, {"content-type": "application/x-www-form-urlencoded"},
        {"x-amz-target": "AWSCognitoIdentityProviderService.SignUp"}, {"x-amz-request-route": "x"},
        {"x-amz-target": "AWSCognitoIdentityProviderService.SignUp", **SIGNED},
        {"access-control-request-method": "POST", "access-control-request-headers": "x-amz-target"},
    ]
)  # fmt: skip
QUERIES = st.sampled_from(["", "Action=ListStacks&Version=2010-05-15", "X-Amz-Credential=1/2/us-west-2/dynamodb/aws4_request"])
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])


@pytest.fixture(scope="module")
def reached() -> Iterator[list[str]]:
    """The services that were reached: the emulator's own application, with every service in it replaced by a note of its name."""
    names: list[str] = []

    def noting(name: str) -> Any:
        async def handle(*_: Any) -> tuple[int, dict[str, str], bytes]:
            names.append(name)
            return 200, {}, b"{}"

        return handle

    original = dict(ministack.SERVICE_HANDLERS)
    ministack.SERVICE_HANDLERS.update({name: noting(name) for name in original})
    yield names
    ministack.SERVICE_HANDLERS.update(original)


@given(METHODS, PATHS, QUERIES, HOSTS, st.sampled_from(BROWSERS), SMUGGLED)
@example("POST", f"/_aws/execute-api/{API}", "", "127.0.0.1", PAGE_ELSEWHERE, CALL)
@example("POST", f"/restapis/{API}/api/_user_request_x", "", "127.0.0.1", PAGE_ELSEWHERE, CALL)
@example("GET", "/login", "Action=ListStacks&Version=2010-05-15", "127.0.0.1", LINK_IN_A_MAIL, {})
@example("POST", "/", "", "127.0.0.1", PAGE_ELSEWHERE, {"x-amz-target": "AWSCognitoIdentityProviderService.SignUp"})
@settings(max_examples=600, deadline=None)
def test_the_emulator_never_takes_for_a_service_what_a_browser_was_let_in_for(
    reached: list[str], method: str, path: str, query: str, host: str, browser: dict[str, str], smuggled: dict[str, str]
) -> None:
    decoded = unquote(path, "latin-1")
    request = Request(method, decoded, query, {"host": host, **browser, **smuggled})
    found, api = route(request)
    assert request.from_browser
    if not allowed(found, request) or found in (Route.UNKNOWN_API, Route.PAGE, Route.FEED) or host.startswith("dabc."):
        return
    if found is Route.API and api is None:
        assert host == "absent.rydes.localhost"
        return
    handed = api.path if api is not None else decoded
    if found is Route.SIGN_IN and (method, decoded) == LOGIN_PAGE:
        handed = "/oauth2/authorize"
    if found is Route.API:
        assert handed.startswith(("/_aws/execute-api/", "/restapis/")), "any other path is looked at by other parts first"
        parsed = ministack._parse_execute_api_url(host, handed)
        assert parsed is not None and parsed[0] == API
    reached.clear()
    status = asyncio.run(_ask_the_emulator(request, handed))
    assert reached in ([], ["cognito-idp"]) and (not reached or smuggled["x-amz-target"].endswith(".SignUp"))
    assert found is not Route.API or status in (403, 404)


async def _ask_the_emulator(request: Request, path: str) -> int:
    """The status that the emulator gives to a request with the body of a CreateStack."""
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"Action=CreateStack&Version=2010-05-15", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    scope = {
        "type": "http", "method": request.method, "path": path, "raw_path": path.encode("ascii", "replace"),
        "query_string": request.query.encode(), "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in request.headers.items()],
    }  # fmt: skip
    await ministack.app(scope, receive, send)
    return int(messages[0]["status"])
