"""One call to a region's API as a client makes it: a request with a deadline, judged as the player judges it.

In: an address, a deadline, what to send. Out: an `ApiResponse`; network failures are returned as one, never raised.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import httpx

__all__ = ["ApiClient", "ApiResponse", "http_client"]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """`why` is the reason for a failure, empty on success; `status` None without a response; `body` the parsed JSON object."""

    why: str = ""
    status: int | None = None
    body: dict[str, Any] | None = None

    @property
    def ok(self) -> bool:
        return not self.why


class ApiClient(Protocol):
    """Makes one call; `deadline` in seconds, `body` is sent as JSON, `form` in its place as the fields of a form.

    `host` is the name to ask for when the address in the URL is that of one region: the Host, and with TLS the server name.
    """

    async def __call__(
        self,
        url: str,
        deadline: float,
        *,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] = ...,
        host: str = "",
    ) -> ApiResponse: ...


class _HttpClient:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(
        self,
        url: str,
        deadline: float,
        *,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        host: str = "",
    ) -> ApiResponse:
        named, extensions = ({"host": host}, {"sni_hostname": host.partition(":")[0]}) if host else ({}, {})
        sent = {**headers, **named}
        try:
            async with asyncio.timeout(deadline):
                response = await self._client.request(method, url, json=body, data=form, headers=sent, extensions=extensions)
        except TimeoutError:
            return ApiResponse(f"no response within {deadline:g} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return ApiResponse(f"no response: {type(error).__name__}")
        return _judged(response)


@asynccontextmanager
async def http_client() -> AsyncIterator[ApiClient]:
    """A client over real HTTP. Proxies and certificates of the environment are ignored, as in every check of ours."""
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:  # noqa: S113 - each call has its own deadline
        yield _HttpClient(client)


def _judged(response: httpx.Response) -> ApiResponse:
    try:
        parsed = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        parsed = None
    body = parsed if isinstance(parsed, dict) else None
    text = str(body.get("Error") or body.get("message") or "")[:160] if body else ""
    detail = f": {text}" if text else ""
    if not response.is_success:
        return ApiResponse(f"status {response.status_code}{detail}", response.status_code, body)
    # The original of this API reports its failures with status 200, so the body decides.
    if body and "Error" in body:
        return ApiResponse(f"status {response.status_code} with a failure inside{detail}", response.status_code, body)
    return ApiResponse(status=response.status_code, body=body)
