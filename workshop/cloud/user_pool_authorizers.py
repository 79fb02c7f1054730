"""Authorizers of REST APIs that name Cognito user pools.

In: the ARNs of pools, a token's issuer. Out: a refusal for an ARN that is no pool of this cloud; the public keys of one that is,
read in this process, so that a token is verified while the machine is offline (docs/aws-behaviours.md, section 7).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack.services import apigateway, apigateway_v1, cognito

from workshop.cloud.patches import patch_around, require_attribute

__all__ = ["invalid_pools", "patch_user_pool_authorizers"]

POOLS = "COGNITO_USER_POOLS"
REFUSED = "ProviderARNs need to be valid Cognito Userpools. Invalid ARNs-"
ARN = re.compile(r"arn:aws:cognito-idp:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):userpool/(?P<pool>[\w-]+)")
KEYS = re.compile(r"https?://[^/]+/(?P<pool>[\w-]+)/\.well-known/jwks\.json")


def patch_user_pool_authorizers() -> None:
    """Patch MiniStack's API Gateway modules."""
    require_attribute(cognito, "_user_pools")
    require_attribute(cognito, "well_known_jwks")
    for module in (apigateway, apigateway_v1):
        patch_around(module, "_fetch_jwks", _keys)
        patch_around(module, "_verify_rs256_signature", _is_signed)
    patch_around(apigateway_v1, "_create_authorizer", _create)


async def _keys(original: Callable[[str], Awaitable[Any]], url: str) -> Any:
    """The keys of a pool of this cloud, none of one that is gone; those of any other issuer are fetched."""
    found = KEYS.fullmatch(url)
    if found is None or "_" not in found["pool"]:
        return await original(url)
    if not any(pool == found["pool"] for _, _, pool in _pools()):
        return {"keys": []}
    return json.loads(cognito.well_known_jwks(found["pool"])[2])


def _is_signed(original: Callable[[str, Any], bool], token: str, key: Any) -> bool:
    """A token that names another algorithm than its key's is none, whatever its signature is."""
    head = token.partition(".")[0]
    try:
        named = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("alg")
    except (AttributeError, ValueError):
        return False
    return named == "RS256" and original(token, key)


def _create(original: Callable[[str, Any], Any], api: str, data: Any) -> Any:
    refused = invalid_pools(data)
    if refused and api in apigateway_v1._rest_apis:
        return apigateway_v1._v1_error("BadRequestException", refused, 400)
    return original(api, data)


def invalid_pools(authorizer: Mapping[str, Any]) -> str:
    """Why API Gateway refuses an authorizer, by its `type` and `providerARNs`; empty for one that it takes. A pool may be of
    another region or account."""
    if str(authorizer.get("type", "")).upper() != POOLS:
        return ""
    arns, there = authorizer.get("providerARNs") or [], _pools()
    wrong = [str(arn) for arn in arns if _parts(arn) not in there]
    return f"{REFUSED} {', '.join(wrong)}" if wrong or not arns else ""


def _parts(arn: Any) -> tuple[str, str, str] | None:
    found = ARN.fullmatch(arn) if isinstance(arn, str) else None
    return (found["account"], found["region"], found["pool"]) if found else None


def _pools() -> set[tuple[str, str, str]]:
    """Account, region and id of every user pool."""
    return {key for key, _ in cognito._user_pools.all_items()}
