"""One call to a region's API as a client makes it: a GET with a deadline, judged as the player judges it.

In: an address, a deadline. Out: an `Answer`; whatever the network does comes back as one, nothing is raised.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

__all__ = ["Answer", "Caller", "http_caller"]


@dataclass(frozen=True, slots=True)
class Answer:
    """`why` is empty when it went well. `status` is None when no answer came. `body` is the parsed JSON object, else None."""

    why: str = ""
    status: int | None = None
    body: dict[str, Any] | None = None

    @property
    def ok(self) -> bool:
        return not self.why


class Caller(Protocol):
    """Makes one call; `deadline` in seconds."""

    async def __call__(self, url: str, deadline: float) -> Answer: ...


class _Http:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(self, url: str, deadline: float) -> Answer:
        try:
            async with asyncio.timeout(deadline):
                answer = await self._client.get(url)
        except TimeoutError:
            return Answer(f"no answer within {deadline:g} s")
        except httpx.HTTPError as error:
            return Answer(f"no answer: {type(error).__name__}")
        return _judged(answer)


@asynccontextmanager
async def http_caller() -> AsyncIterator[Caller]:
    """A caller over real HTTP. Proxies and certificates of the environment have no say, as in every check of ours."""
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:  # noqa: S113 - each call has its own deadline
        yield _Http(client)


def _judged(answer: httpx.Response) -> Answer:
    try:
        body = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        body = None
    detail = ""
    if isinstance(body, dict):
        detail = str(body.get("Error") or body.get("message") or "")[:160]
    said = f": {detail}" if detail else ""
    if answer.status_code != 200:
        return Answer(f"status {answer.status_code}{said}", answer.status_code, body if isinstance(body, dict) else None)
    # The original of this API reports its failures with status 200, so the body decides.
    if isinstance(body, dict) and "Error" in body:
        return Answer(f"status 200 with a failure inside{said}", 200, body)
    return Answer("", 200, body if isinstance(body, dict) else None)
