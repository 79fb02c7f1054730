"""The sign-in pages of user pools at hosts of their own, `{prefix}.auth.{region}.localhost`.

In: the Host of a request. Out: the user pool whose pages it shows; and MiniStack's Cognito, which at such a host knows this pool's
clients alone, as AWS does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from ministack.services import cognito

from workshop.cloud.hosts import sign_in_host
from workshop.cloud.patches import patch_around, require_attribute

__all__ = ["patch_sign_in", "sign_in_pool", "signing_in_at"]

_POOL: ContextVar[str | None] = ContextVar("sign_in_pool", default=None)
"""The user pool whose host the request at hand names; None: it names none."""


def patch_sign_in() -> None:
    patch_around(cognito, "_find_pool_by_client_id", _find_pool)


def sign_in_pool(host: str) -> str | None:
    """The id of the user pool, of any account, whose domain the host is."""
    named = sign_in_host(host)
    if named is None:
        return None
    domains = require_attribute(cognito, "_pool_domain_map")
    return next((pool for (_, region, prefix), pool in domains.all_items() if (prefix, region) == (named.prefix, named.region)), None)


@contextlib.contextmanager
def signing_in_at(host: str) -> Iterator[None]:
    """Within it a client is found only if it belongs to the pool of this host; every client, if the host is no pool's own."""
    token = _POOL.set(sign_in_pool(host))
    try:
        yield
    finally:
        _POOL.reset(token)


def _find_pool(original: Callable[[str], tuple[Any, Any, Any]], client_id: str) -> tuple[Any, Any, Any]:
    pool = _POOL.get()
    if pool is not None:
        clients = next((record["_clients"] for (_, _, key), record in cognito._user_pools.all_items() if key == pool), {})
        if client_id not in clients:
            return None, None, None
    found: tuple[Any, Any, Any] = original(client_id)
    return found
