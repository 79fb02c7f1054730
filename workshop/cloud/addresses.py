"""The emulator's reading of addresses: what its parser takes for an API, a user pool, a distribution or a public operation.

In: host, path and headers of a request. Out: what MiniStack itself would make of them, never a second opinion.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from urllib.parse import parse_qs

from botocore.loaders import Loader
from ministack import app as ministack
from ministack.core import router

from workshop.cloud.distributions import distribution_of
from workshop.cloud.hosts import is_bare_host
from workshop.cloud.patches import require_attribute
from workshop.cloud.routes import API_PATH, API_PATHS, ApiAddress, Request
from workshop.cloud.sign_in import sign_in_pool

__all__ = ["EmulatorAddresses"]

COGNITO = {"AWSCognitoIdentityProviderService": "cognito-idp", "AWSCognitoIdentityService": "cognito-identity"}
"""The services that pages call without a signature, by the prefix of their `X-Amz-Target`."""


class EmulatorAddresses:
    """Implements `routes.AddressParser`. `scope_of` returns account and region of an API id, or None when there is none."""

    def __init__(self, scope_of: Callable[[str], tuple[str, str] | None]) -> None:
        self._scope_of = scope_of
        self._parse = require_attribute(ministack, "_parse_execute_api_url")
        self._custom_domain = require_attribute(ministack, "_resolve_custom_domain_request")
        self._distribution_label = require_attribute(ministack, "_parse_cloudfront_dataplane_host")

    def is_api_address(self, host: str, path: str) -> bool:
        return self._parse(host, path) is not None or self._custom_domain(host, path) is not None

    def api(self, host: str, path: str) -> ApiAddress | None:
        parsed = self._parse(host, path)
        if parsed is not None:
            api, _, _ = parsed
            address = path
        else:
            mapped = self._custom_domain(host, path)
            if mapped is None:
                return None
            api, stage, rest = mapped
            address = f"{API_PATH}/{api}" + (f"/{stage}" if stage else "") + rest
        scope = self._scope_of(api)
        return ApiAddress(api, *scope, address) if scope is not None and address.startswith(API_PATHS) else None

    def has_user_pool(self, pool: str) -> bool:
        cognito = require_attribute(ministack, "_get_module")("cognito")
        return any(key[2] == pool for key, _ in require_attribute(cognito, "_user_pools").all_items())

    def has_sign_in(self, host: str) -> bool:
        return sign_in_pool(host) is not None

    def has_distribution(self, host: str) -> bool:
        label = self._distribution_label(host)
        return label is not None and distribution_of(label) is not None

    def is_public_operation(self, request: Request) -> bool:
        if request.path != "/" or request.query or request.effective_method != "POST" or not is_bare_host(request.host):
            return False
        if request.is_preflight:  # the operation is named by the request that follows, which is looked at by itself
            wanted = request.headers.get("access-control-request-headers", "").lower().replace(" ", "").split(",")
            return "x-amz-target" in wanted and "authorization" not in wanted
        prefix, _, operation = request.headers.get("x-amz-target", "").partition(".")
        service = COGNITO.get(prefix, "")
        if not service or "authorization" in request.headers or operation not in _unsigned_operations(service):
            return False
        read: str = router.detect_service(request.method, request.path, dict(request.headers), parse_qs(request.query))
        return read == service


@functools.cache
def _unsigned_operations(service: str) -> frozenset[str]:
    """The operations that AWS's own model of the service marks as called without a signature."""
    operations = Loader().load_service_model(service, "service-2")["operations"]
    return frozenset(
        name for name, spec in operations.items() if spec.get("authtype") == "none" or spec.get("auth") == ["smithy.api#noAuth"]
    )
