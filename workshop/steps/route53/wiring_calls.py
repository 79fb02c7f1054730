"""Calls of one region's endpoint as a client that DNS sent there makes them, whatever name it asks for.

In: where to connect, the name to ask for, a path. Out: a `Reply`; failures are returned as one, never raised. On AWS the
connection is made to one host with the server name (SNI) and the Host of another; the local cloud has an address for each region,
or where the machine has one address only, is asked for the API by its own name.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from workshop.aws.target import Target

__all__ = ["Ask", "Caller", "Reply", "caller_of"]

TIMEOUT = 10.0
"""Seconds for one call: a health checker gives up after six."""
FEED = "/_workshop/dns"
"""Where the local cloud describes its names; `addresses` are those of its regions."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One GET. `connect` is the host whose address is taken, `host` the name that is asked for there, `api` the endpoint's own
    name: all three are equal where no custom domain is in between."""

    region: str
    connect: str
    host: str
    path: str
    api: str
    api_path: str


@dataclass(frozen=True, slots=True)
class Reply:
    """`why` is the reason without a response (`status` 0); `body` the JSON object in it."""

    status: int = 0
    body: Mapping[str, Any] | None = None
    why: str = ""

    @property
    def is_healthy(self) -> bool:
        """What a health checker makes of it (docs/aws-behaviours.md, section 6.3)."""
        return 200 <= self.status < 400


class Caller(Protocol):
    """Makes one call."""

    async def __call__(self, ask: Ask) -> Reply: ...


@asynccontextmanager
async def caller_of(target: Target) -> AsyncIterator[Caller]:
    """The caller of a target. On AWS the proxy settings of the shell count, as for the calls to AWS itself."""
    verify = False if target.gateway else _certificates()
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=not target.gateway, verify=verify) as client:
        yield _LocalCaller(client, target.gateway) if target.gateway else _AwsCaller(client)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Made once: reading the authorities takes longer than a local response."""
    return httpx.create_ssl_context()


class _AwsCaller:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(self, ask: Ask) -> Reply:
        named = {"headers": {"host": ask.host}, "extensions": {"sni_hostname": ask.host}}
        return await _get(self._client, f"https://{ask.connect}{ask.path}", named)


class _LocalCaller:
    def __init__(self, client: httpx.AsyncClient, gateway: str) -> None:
        self._client, self._gateway, self._port = client, gateway, gateway.rpartition(":")[2]
        self._addresses: Mapping[str, str] | None = None

    async def __call__(self, ask: Ask) -> Reply:
        address, host, path = self._gateway, ask.api, ask.api_path
        if ask.host != ask.api:
            own = (await self._known()).get(ask.region)
            if own:
                address, host, path = f"{own}:{self._port}", ask.host, ask.path
        near = host.removesuffix(".cn").removesuffix(".amazonaws.com")
        named = f"{near}.localhost" if near != host else host
        return await _get(self._client, f"http://{address}{path}", {"headers": {"host": f"{named}:{self._port}"}})

    async def _known(self) -> Mapping[str, str]:
        """The addresses of the regions; none where the machine has one for all."""
        if self._addresses is None:
            found = await _get(self._client, f"http://{self._gateway}{FEED}", {})
            known = (found.body or {}).get("addresses")
            self._addresses = known if isinstance(known, dict) else {}
        return self._addresses


async def _get(client: httpx.AsyncClient, address: str, more: Mapping[str, Any]) -> Reply:
    try:
        async with asyncio.timeout(TIMEOUT):  # as a whole: each byte may come within the client's own
            response = await client.get(address, **more)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return Reply(why=f"{type(error).__name__}: {error}".rstrip(": "))
    try:
        body = response.json()
    except ValueError:
        body = None
    return Reply(response.status_code, body if isinstance(body, dict) else None)
