"""`http.check`: proof that an address returns what it should.

In: an address and what its JSON must contain. Out: nothing, or the first difference. It makes nothing and removes nothing. With
`resolve: authority` the name is looked up at its zone's own name servers, so that names are reached which no resolver knows.
"""

from __future__ import annotations

import functools
import json
import ssl
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from workshop.aws.dns import DnsError
from workshop.errors import DefinitionError, WorkshopError
from workshop.quoting import shown
from workshop.shell import command_line, operands
from workshop.steps.base import Brought, Context, Estimate, Observed, Outputs, Params, Permission, Phase, Resource, State, Step
from workshop.steps.route53.authority import authority_permissions, zone_and_authority
from workshop.steps.route53.service import ROUTE53
from workshop.waiting import WaitTimeout

__all__ = ["STEP", "CheckParams", "HttpCheck"]

INTERVAL = 3.0
REQUEST_TIMEOUT = 15.0
LONGEST = 86_400.0
"""Seconds that a check may try: longer than an event makes no sense."""
MOST_ENTRIES = 1_000_000


class CheckParams(Params):
    """`expect` and `length` name values inside the JSON response by dotted path, numbers and `true` as JSON writes them;
    `deadline` is in seconds, at most a day; `resolve: authority` asks the name servers of the zone in place of this machine's.

    A new deployment may return 403 or 500 for up to a minute (docs/aws-behaviours.md, section 5), hence the deadline.
    """

    url: str
    expect: dict[str, str] = {}  # noqa: RUF012 - pydantic copies defaults
    length: dict[str, Annotated[int, Field(ge=0, le=MOST_ENTRIES)]] = {}  # noqa: RUF012
    deadline: Annotated[float, Field(gt=0, le=LONGEST, allow_inf_nan=False)] = 120.0
    resolve: Literal["machine", "authority"] = "machine"


class HttpCheck(Step[CheckParams]):
    """One GET and what its JSON must contain."""

    kind = "http.check"
    summary = "proof that an address answers what it should"
    Params = CheckParams
    estimate = Estimate(minutes=0.1)
    is_verification = True
    calls_addresses = True
    services = (ROUTE53,)

    async def observe(self, ctx: Context[CheckParams]) -> Observed:
        problem = await _problem(ctx)
        return Observed(State.ABSENT, problem) if problem else Observed(State.READY, f"{ctx.params.url} answers")

    async def create(self, ctx: Context[CheckParams]) -> Outputs:
        problem = ""

        async def passes() -> bool:
            nonlocal problem
            problem = await _problem(ctx)
            return not problem

        reason = f"{ctx.params.url} to answer"
        try:
            await ctx.wait_until(passes, reason=reason, deadline=ctx.params.deadline, interval=INTERVAL)
        except WaitTimeout as timeout:
            raise WorkshopError(
                what=f"{ctx.params.url} does not answer as it should.",
                why=f"{problem} ({ctx.params.deadline:.0f} s of trying).",
                fix=f"Look at it: {command_line(['curl', '-i', *operands(ctx.params.url)])}",
                code="HttpCheck",
            ) from timeout
        return {}

    async def destroy(self, ctx: Context[CheckParams]) -> None:
        """Nothing was made."""

    async def leftovers(self, ctx: Context[CheckParams]) -> list[Resource]:  # noqa: ARG002
        return []

    def brings(self, ctx: Context[CheckParams]) -> list[Brought]:
        try:
            _address(ctx.params.url)
        except DefinitionError:
            return []  # it has outputs in it that do not exist yet; a wrong one is refused before it is called
        return [Brought("address", ctx.params.url, "called with GET")]

    def commands(self, ctx: Context[CheckParams]) -> list[str]:
        return [command_line(["curl", "-sS", *operands(ctx.params.url)])]

    def permissions(self, ctx: Context[CheckParams]) -> list[Permission]:
        return authority_permissions(Phase.SETUP) if ctx.params.resolve == "authority" else []


STEP = HttpCheck()


async def _problem(ctx: Context[CheckParams]) -> str:
    """What is wrong with the response, in one sentence; empty when nothing is.

    On AWS the shell's proxy and certificate settings count, as they do for the calls to AWS itself.
    """
    params, proxied = ctx.params, not ctx.target.gateway
    address = _address(params.url)
    verify = _certificates(proxied) if address.scheme == "https" else False
    try:
        host = await _connected_host(ctx, address) if params.resolve == "authority" else ctx.target.reached_at(address.host)
        # Connected to what DNS answers; for the server and its certificate it is the name.
        url, headers = address.copy_with(host=host), {"Host": address.netloc.decode("ascii")}
        extensions = {"sni_hostname": address.host}
        async with httpx.AsyncClient(timeout=REQUEST_TIMEOUT, verify=verify, trust_env=proxied) as client:
            response = await client.get(url, headers=headers, extensions=extensions)
    except DnsError as error:
        return f"{error.what} {error.why}"
    except _NoAddressError as error:
        return str(error)
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}".rstrip(": ")
    if response.status_code != 200:
        return f"it answered {response.status_code}: {shown(response.text, 200)}"
    if not params.expect and not params.length:
        return ""
    try:
        document = response.json()
    except ValueError:
        return f"it answered no JSON: {shown(response.text, 200)}"
    for path, wanted in params.expect.items():
        found = _inside(document, path)
        if (found if isinstance(found, str) else json.dumps(found)) != wanted:
            return f"{path} is {found!r}, not {wanted!r}"
    for path, count in params.length.items():
        found = _inside(document, path)
        if not isinstance(found, list | dict | str) or len(found) != count:
            size = len(found) if isinstance(found, list | dict | str) else "nothing"
            return f"{path} has {size} entries, not {count}"
    return ""


class _NoAddressError(Exception):
    """DNS knows no address of a name."""


async def _connected_host(ctx: Context[CheckParams], address: httpx.URL) -> str:
    """The address, or else the name, that the zone's servers answer for the host. Raises `DnsError`, `WorkshopError`."""
    _, authority = await zone_and_authority(ctx.aws, ctx.target, address.host)
    answer = await authority.query(address.host)
    if not (answer.values or answer.target):
        raise _NoAddressError(f"{address.host} has no address: its zone answers {answer.rcode}")
    return answer.values[0] if answer.values else answer.target


def _address(text: str) -> httpx.URL:
    try:
        parts, address = urlsplit(text), httpx.URL(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise DefinitionError(what=f"{text!r} is not the address of a web server.", fix="Write one like https://example.com/ping")
    return address


@functools.cache
def _certificates(proxied: bool) -> ssl.SSLContext:
    """Made once: reading the authorities takes longer than a local response."""
    return httpx.create_ssl_context(trust_env=proxied)


def _inside(document: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        elif isinstance(document, dict):
            document = document.get(part)
        else:
            return None
    return document
