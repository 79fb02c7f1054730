"""Whole APIs from one OpenAPI document: ImportRestApi and PutRestApi, as deployment tools send them.

In: a document with paths and integrations. Out: MiniStack's resources and methods, including the responses of mock integrations
(preflight requests). It replaces what an API had; merging is not offered.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from workshop.cloud.patches import patch_around, require_attribute

__all__ = ["OpenApiImport"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
INTEGRATION = "x-amazon-apigateway-integration"


class OpenApiImport:
    """Our operations around those of MiniStack's module of REST APIs."""

    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway
        self._import, self._import_path_item = (
            require_attribute(gateway, name) for name in ("_import_rest_api", "_import_path_item")
        )
        self._view, self._respond = (require_attribute(gateway, name) for name in ("_rest_api_view", "_v1_response"))
        self._apis, self._resources = (require_attribute(gateway, name) for name in ("_rest_apis", "_resources"))

    def apply(self) -> None:
        """Patch MiniStack's REST APIs."""
        patch_around(self._gateway, "_create_rest_api", self._create_rest_api)
        patch_around(self._gateway, "handle_request", self._handle_request)

    def _create_rest_api(self, original: Callable[[Any], Any], data: Any) -> Any:
        if not _is_document(data):
            return original(data)
        api = self._import(data, {})
        self._complete(api, data)
        return self._respond(self._view(self._apis[api]), 201)

    async def _handle_request(
        self, original: Callable[..., Awaitable[Any]], method: str, path: str, headers: Any, body: bytes, query: Any
    ) -> Any:
        """PutRestApi; everything else is MiniStack's."""
        parts = path.strip("/").split("/")
        if method != "PUT" or len(parts) != 2 or parts[0] != "restapis" or parts[1] not in self._apis:
            return await original(method, path, headers, body, query)
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if not _is_document(document):
            return self._gateway._v1_error("BadRequestException", "Invalid OpenAPI input.", 400)
        self._replace(parts[1], document)
        return self._respond(self._view(self._apis[parts[1]]))

    def _replace(self, api: str, document: dict[str, Any]) -> None:
        root = next(entry for entry in self._resources[api].values() if entry["path"] == "/")
        root["resourceMethods"] = {}
        self._resources[api] = {root["id"]: root}
        for path, item in document.get("paths", {}).items():
            self._import_path_item(api, path, item)
        self._complete(api, document)

    def _complete(self, api: str, document: dict[str, Any]) -> None:
        """What MiniStack's import leaves out: request templates, and the responses of integrations that are not proxies."""
        for resource in self._resources[api].values():
            item = document.get("paths", {}).get(resource["path"], {})
            for method in METHODS:
                operation = item.get(method) if isinstance(item, dict) else None
                integration = operation.get(INTEGRATION) if isinstance(operation, dict) else None
                if isinstance(operation, dict) and isinstance(integration, dict):
                    self._complete_method(api, resource, method.upper(), operation, integration)

    def _complete_method(
        self, api: str, resource: dict[str, Any], method: str, operation: dict[str, Any], integration: dict[str, Any]
    ) -> None:
        where = (api, resource["id"], method)
        stored = resource["resourceMethods"][method]["methodIntegration"]
        stored["requestTemplates"] = integration.get("requestTemplates", {})
        for status in operation.get("responses", {}):
            self._gateway._put_method_response(*where, str(status), {})
        for pattern, response in integration.get("responses", {}).items():
            data = {**response, "selectionPattern": "" if pattern == "default" else pattern}
            self._gateway._put_integration_response(*where, str(response.get("statusCode", "200")), data)


def _is_document(data: Any) -> bool:
    return isinstance(data, dict) and ("swagger" in data or "openapi" in data) and isinstance(data.get("paths", {}), dict)
