"""Base path mappings of custom domains: which calls AWS refuses, and changing a mapping.

In: calls to API Gateway about mappings, in the request's account and region. Out: their refusals, and mappings that were changed
(docs/aws-behaviours.md, section 6.8).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import apigateway_v1

from workshop.cloud.responses import Response

__all__ = ["NO_DOMAIN", "create_mapping", "gateway_error", "mapping_refused", "update_mapping"]

NO_DOMAIN = "Invalid domain name identifier specified"
NO_API = "Invalid REST API identifier specified"
NO_MAPPING = "Invalid base path mapping identifier specified"
MAPPED = "Base path already exists for this domain name"
ROOT = "(none)"


def mapping_refused(method: str, parts: list[str], body: bytes) -> Response | None:
    """Why a call about a base path mapping is refused; None when it is not, or is about something else."""
    if len(parts) < 3 or parts[2] != "basepathmappings":
        return None
    name = parts[1]
    if name not in apigateway_v1._domain_names:
        return gateway_error("NotFoundException", NO_DOMAIN, 404)
    existing = apigateway_v1._base_path_mappings.get(name, {})
    if method == "POST":
        data = json.loads(body or b"{}")
        if data.get("restApiId") not in apigateway_v1._rest_apis:
            return gateway_error("NotFoundException", NO_API, 404)
        if (data.get("basePath") or ROOT) in existing:
            return gateway_error("ConflictException", MAPPED, 409)
    elif len(parts) > 3 and parts[3] not in existing:
        return gateway_error("NotFoundException", NO_MAPPING, 404)
    return None


def create_mapping(original: Callable[..., Any], name: str, data: dict[str, Any]) -> Any:
    """CreateBasePathMapping: an empty base path is the root."""
    return original(name, {**data, "basePath": data.get("basePath") or ROOT})


def update_mapping(name: str, base: str, operations: list[Mapping[str, Any]]) -> Any:
    """UpdateBasePathMapping."""
    mappings = apigateway_v1._base_path_mappings[name]
    changed = dict(mappings[base])
    members = {"/stage": "stage", "/restapiId": "restApiId", "/basePath": "basePath"}
    for operation in operations:
        member = members.get(str(operation.get("path")))
        if member is None:
            return gateway_error("BadRequestException", f"Invalid patch path '{operation.get('path')}' specified.")
        changed[member] = operation.get("value") or (ROOT if member == "basePath" else "")
    if changed["restApiId"] not in apigateway_v1._rest_apis:
        return gateway_error("NotFoundException", NO_API, 404)
    if changed["basePath"] != base and changed["basePath"] in mappings:
        return gateway_error("ConflictException", MAPPED, 409)
    del mappings[base]
    mappings[changed["basePath"]] = changed
    return apigateway_v1._v1_response(apigateway_v1._public_mapping(changed))


def gateway_error(code: str, message: str, status: int = 400) -> Response:
    """An error as API Gateway's control plane returns it."""
    response: Response = apigateway_v1._v1_error(code, message, status)
    return response
