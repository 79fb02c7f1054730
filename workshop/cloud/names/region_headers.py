"""The headers by which a response to a routed name tells which region it is from, and how that region was found.

In: where a response goes. Out: the same, with `X-Workshop-Region` and `X-Workshop-Dns`, which pages of any origin may read if
they may read the response at all.
"""

from __future__ import annotations

from typing import Any

from workshop.cloud.responses import Send

__all__ = ["naming_region"]

EXPOSED = b"X-Workshop-Region, X-Workshop-Dns"
ORIGIN, EXPOSE = b"access-control-allow-origin", b"access-control-expose-headers"


def naming_region(send: Send, region: str, source: str) -> Send:
    """`source`: `asked`, `cache` or `address`. Whether a page may read the response stays the API's own decision: without an
    allowed origin nothing is exposed."""

    async def named(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _with_region(list(message.get("headers", [])), region, source)}
        await send(message)

    return named


def _with_region(headers: list[tuple[bytes, bytes]], region: str, source: str) -> list[tuple[bytes, bytes]]:
    own = [(b"x-workshop-region", region.encode()), (b"x-workshop-dns", source.encode())]
    if not any(name.lower() == ORIGIN for name, _ in headers):
        return [*headers, *own]
    exposed = b", ".join([*(value for name, value in headers if name.lower() == EXPOSE and value), EXPOSED])
    return [*((name, value) for name, value in headers if name.lower() != EXPOSE), (EXPOSE, exposed), *own]
