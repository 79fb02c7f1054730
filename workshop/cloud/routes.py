"""Which part of the cloud a request is for, and whether a browser may send it.

In: a request, and the emulator's own parser of addresses. Out: its route and a verdict. Closed by default: what no rule below
allows is refused to browsers, because the cloud runs code that it is given (functions), and because a page, a link in a mail and
an image are all requests that others wrote. A browser is any request with an `Origin` or a `Sec-Fetch-*` header.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs

from workshop.cloud.hosts import api_host, host_name, is_bare_host, is_domain_target, sign_in_host
from workshop.cloud.responses import Response

__all__ = [
    "API_PATH",
    "CONTROLS",
    "LOGIN_PAGE",
    "SITES",
    "AddressParser",
    "ApiAddress",
    "Passage",
    "Request",
    "Route",
    "RoutedHosts",
    "allowed",
    "route_of",
]

SITES = "/_workshop/sites/"
FEED = re.compile(re.escape(SITES) + r"[^/]+/_feed/names\.json")
CONTROLS = "/_workshop/"
API_PATH = "/_aws/execute-api"
API_PATHS = (f"{API_PATH}/", "/restapis/")
"""What the address of an API begins with: any other path is looked at by other parts of the emulator first."""
SIGNATURE = "AWS4-"
RESPONSE_ADDRESS = re.compile(r"/_ministack/cfn-response/[^/]+")
SIGN_IN_PAGES = {("GET", "/oauth2/authorize"), ("GET", "/logout")}
LOGIN_PAGE = ("GET", "/login")
"""On a user pool's own host alone: below the bare hosts it is the address of a bucket."""
LOGIN_FORMS = {("POST", "/login"), ("POST", "/oauth2/login")}
TOKEN = "/oauth2/token"  # noqa: S105 - a path
METADATA = re.compile(r"/(?P<pool>[^/]+)/\.well-known/(?:jwks\.json|openid-configuration)")
RESERVED = re.compile(
    r"/(?:_|health(?:/|$)|oauth2(?:/|$)|login$|logout$|iceberg|v2(?:/|$)|v20180820/|WriteGetObjectResponse|"
    r"(?:Execute|BeginTransaction|CommitTransaction|RollbackTransaction|BatchExecute)$)|.*/\.well-known/"
)
"""Paths that the emulator takes before it looks at the host name of a distribution."""


class Route(enum.Enum):
    """The rows of the table in docs/local-cloud.md, section "Who may call"."""

    API = "an API of a workshop"
    UNKNOWN_API = "an API or a sign-in host that does not exist"
    SIGN_IN = "sign-in"
    PUBLIC = "what AWS takes unsigned from pages"
    PAGE = "a page"
    FEED = "the feed of what pages show"
    CONTROL = "a control"
    AWS = "an AWS API"


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """An API that exists: its id, account and region, and the path below `/_aws/execute-api/` that addresses the request."""

    api: str
    account: str
    region: str
    path: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a request to a routed name goes: to an API, or nowhere, with the response that says why. `source`: how its region was
    found, `asked`, `cache` or `address`."""

    api: ApiAddress | None = None
    refused: Response | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request decides about it. `path` is percent-decoded, header names are lower case and occur once; `peer` is the
    address of the client, `address` the one that it connected to."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    peer: str = "127.0.0.1"
    address: str = "127.0.0.1"

    @property
    def host(self) -> str:
        return self.headers.get("host", "")

    @property
    def origin(self) -> str:
        return self.headers.get("origin", "")

    @property
    def from_browser(self) -> bool:
        return "origin" in self.headers or any(name.startswith("sec-fetch-") for name in self.headers)

    @property
    def effective_method(self) -> str:
        """The method that a preflight asks for, else the request's own."""
        return self.headers.get("access-control-request-method", "") if self.is_preflight else self.method

    @property
    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and "access-control-request-method" in self.headers


class RoutedHosts(Protocol):
    """The front door of the names of hosted zones."""

    def enter(self, request: Request) -> Passage | None:
        """The passage of a request, or None when its host is no name of a zone, so that another part serves it."""


class AddressParser(Protocol):
    """The emulator's own reading of addresses; whatever it does not know is not there."""

    def api(self, host: str, path: str) -> ApiAddress | None:
        """The API that the emulator would serve for this host and path, if it exists."""

    def is_api_address(self, host: str, path: str) -> bool:
        """Whether the emulator would take this for a call of an API, existing or not."""

    def has_user_pool(self, pool: str) -> bool: ...

    def has_sign_in(self, host: str) -> bool:
        """Whether the host is the domain of a user pool."""

    def has_distribution(self, host: str) -> bool: ...

    def is_public_operation(self, request: Request) -> bool:
        """Whether the request is for one of the operations of Cognito that AWS takes without a signature."""


def route_of(request: Request, parser: AddressParser) -> tuple[Route, ApiAddress | None]:
    """The route of a request whose host name is a loopback name, and the API when it is a call of one."""
    api = _api(request, parser)
    if api is not None:
        return Route.API, api
    if _is_api_address(request, parser) or (sign_in_host(request.host) and not parser.has_sign_in(request.host)):
        return Route.UNKNOWN_API, None
    if FEED.fullmatch(request.path) and is_bare_host(request.host):
        return Route.FEED, None
    if request.path.startswith(SITES) and is_bare_host(request.host):
        return Route.PAGE, None
    if _is_public(request, parser):
        return Route.PUBLIC, None
    if request.path.startswith((CONTROLS, "/_ministack/", "/_localstack/")) or request.path == "/health":
        return Route.CONTROL, None
    return (Route.SIGN_IN if _is_sign_in(request, parser) else Route.AWS), None


def _api(request: Request, parser: AddressParser) -> ApiAddress | None:
    """The API that a request is a call of, by its host name, by a path below a bare host, or by a custom domain name."""
    named = api_host(request.host)
    if named is None:
        elsewhere = request.path.startswith((API_PATH, "/restapis/")) and not is_bare_host(request.host)
        return None if elsewhere else parser.api(request.host, request.path)
    api = parser.api(request.host, f"{API_PATH}/{named.api}{request.path}")
    return api if api is not None and (api.api, api.region) == (named.api, named.region) else None


def _is_api_address(request: Request, parser: AddressParser) -> bool:
    """Whether a request that is no call of an API that exists has the address of one. The target of a custom domain has it too:
    it takes the domain's name alone as its host."""
    if api_host(request.host) or is_domain_target(host_name(request.host)):
        return True
    return request.path.startswith(API_PATH) or parser.is_api_address(request.host, request.path)


def allowed(route: Route, request: Request) -> bool:
    """Whether the sender may make this request; other users of the machine are refused before, by their connection."""
    if not request.from_browser:
        return route is not Route.AWS or not _is_unsigned_action(request)
    match route:
        case Route.API | Route.UNKNOWN_API | Route.PUBLIC:
            return True
        case Route.PAGE:
            return request.method in ("GET", "HEAD") and (_is_navigation(request) or _is_same_origin(request))
        case Route.FEED:
            return request.method == "GET" and _is_same_origin(request)
        case Route.SIGN_IN:
            return _may_sign_in(request)
        case Route.CONTROL | Route.AWS:
            return False


def _is_unsigned_action(request: Request) -> bool:
    """An `Action=` in the query that no header signs: what a link or an image can carry. A signature in the query proves nothing
    here, because none is verified, but signed `GetCallerIdentity` addresses are in use (EKS, Vault) and change nothing."""
    if request.method == "POST" or request.headers.get("authorization", "").startswith(SIGNATURE):
        return False
    query = parse_qs(request.query, keep_blank_values=True)
    return "Action" in query and query["Action"] != ["GetCallerIdentity"]


def _is_sign_in(request: Request, parser: AddressParser) -> bool:
    """The exact requests that the emulator's Cognito takes before any other service looks at them."""
    own = parser.has_sign_in(request.host)
    if not (own or is_bare_host(request.host)):
        return False
    call = (request.effective_method, request.path)
    pool = METADATA.fullmatch(request.path)
    return call in SIGN_IN_PAGES | LOGIN_FORMS | {("POST", TOKEN)} | ({LOGIN_PAGE} if own else set()) or (
        call[0] == "GET" and pool is not None and parser.has_user_pool(pool["pool"])
    )


def _may_sign_in(request: Request) -> bool:
    if request.path == TOKEN or METADATA.fullmatch(request.path):
        return True
    if request.is_preflight:
        return False
    if (request.method, request.path) in LOGIN_FORMS:
        return request.origin == f"http://{request.host}"
    return _is_navigation(request)


def _is_public(request: Request, parser: AddressParser) -> bool:
    if RESPONSE_ADDRESS.fullmatch(request.path) and is_bare_host(request.host):
        return request.effective_method == "PUT"
    if parser.has_distribution(request.host):
        return RESERVED.match(request.path) is None
    return parser.is_public_operation(request)


def _is_navigation(request: Request) -> bool:
    """A person who follows a link or types an address, in a tab and not in a frame."""
    return (
        request.headers.get("sec-fetch-mode") == "navigate"
        and request.headers.get("sec-fetch-dest", "document") == "document"
        and request.origin == ""
    )


def _is_same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site", "same-origin")
    return site == "same-origin" and request.origin in ("", f"http://{request.host}")
