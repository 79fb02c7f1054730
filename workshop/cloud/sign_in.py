"""The sign-in pages of user pools at hosts of their own, `{prefix}.auth.{region}.localhost`.

In: the Host of a request. Out: the user pool whose pages it shows; and MiniStack's Cognito, which at such a host knows the
clients of this pool alone, and gives a prefix to one pool of a region, as AWS does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from ministack.core import responses
from ministack.services import cognito

from workshop.cloud.hosts import sign_in_host
from workshop.cloud.patches import patch_around, require_attribute

__all__ = ["patch_sign_in", "sign_in_pool", "signing_in_at"]

_POOL: ContextVar[str | None] = ContextVar("sign_in_pool", default=None)
"""The user pool whose host the request at hand names; None: it names none."""


def patch_sign_in() -> None:
    require_attribute(cognito, "_user_pools")
    require_attribute(cognito, "error_response_json")
    patch_around(cognito, "_find_pool_by_client_id", _find_pool)
    patch_around(cognito, "_create_user_pool_domain", _create_domain)


def sign_in_pool(host: str) -> str | None:
    """The id of the user pool, of any account, whose domain the host is."""
    named = sign_in_host(host)
    return _owner(*named) if named else None


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
        clients: dict[str, Any] = next(
            (record["_clients"] for (_, _, key), record in cognito._user_pools.all_items() if key == pool), {}
        )
        if client_id not in clients:
            return None, None, None
    found: tuple[Any, Any, Any] = original(client_id)
    return found


def _owner(prefix: str, region: str) -> str | None:
    """The pool that has a prefix in a region, whatever its account."""
    domains = require_attribute(cognito, "_pool_domain_map").all_items()
    return next((pool for (_, here, name), pool in domains if (name, here) == (prefix, region)), None)


def _create_domain(original: Callable[[Any], Any], data: Any) -> Any:
    """A prefix that another pool of the region has, in any account, is taken (docs/aws-behaviours.md, section 7)."""
    if _owner(str(data.get("Domain")), responses.get_region()) is not None:
        return cognito.error_response_json("InvalidParameterException", "Domain already associated with another user pool.", 400)
    return original(data)
