"""Whole APIs from one OpenAPI document: ImportRestApi and PutRestApi, as deployment tools send them.

What comes in: a document with paths and integrations. What goes out: MiniStack's resources and methods, the answers of mock
integrations (preflight requests) included. It replaces what an API had; merging is not offered.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from workshop.cloud.patches import point, replace_point

__all__ = ["extend_imports"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
INTEGRATION = "x-amazon-apigateway-integration"


def extend_imports(gateway: Any) -> None:
    """Extend MiniStack's module of REST APIs."""
    bring_in, view, respond = (point(gateway, name) for name in ("_import_rest_api", "_rest_api_view", "_v1_response"))
    apis, resources = point(gateway, "_rest_apis"), point(gateway, "_resources")

    def create(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def made(data: Any) -> Any:
            if not _is_document(data):
                return original(data)
            api = bring_in(data, {})
            _finish(gateway, resources[api], api, data)
            return respond(view(apis[api]), 201)

        return made

    def handle(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def handled(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
            parts = path.strip("/").split("/")
            if method != "PUT" or len(parts) != 2 or parts[0] != "restapis" or parts[1] not in apis:
                return await original(method, path, headers, body, query)
            try:
                document = json.loads(body)
            except ValueError:
                document = None
            if not _is_document(document):
                return gateway._v1_error("BadRequestException", "Invalid OpenAPI input.", 400)
            _replace(gateway, resources, parts[1], document)
            return respond(view(apis[parts[1]]))

        return handled

    replace_point(gateway, "_create_rest_api", create)
    replace_point(gateway, "handle_request", handle)


def _is_document(data: Any) -> bool:
    return isinstance(data, dict) and ("swagger" in data or "openapi" in data) and isinstance(data.get("paths", {}), dict)


def _replace(gateway: Any, resources: Any, api: str, document: dict[str, Any]) -> None:
    root = next(entry for entry in resources[api].values() if entry["path"] == "/")
    root["resourceMethods"] = {}
    resources[api] = {root["id"]: root}
    for path, item in document.get("paths", {}).items():
        point(gateway, "_import_path_item")(api, path, item)
    _finish(gateway, resources[api], api, document)


def _finish(gateway: Any, made: dict[str, Any], api: str, document: dict[str, Any]) -> None:
    """What MiniStack's import leaves out: request templates, and the answers of integrations that are not proxies."""
    for resource in made.values():
        item = document.get("paths", {}).get(resource["path"], {})
        for method in METHODS:
            operation = item.get(method) if isinstance(item, dict) else None
            integration = operation.get(INTEGRATION) if isinstance(operation, dict) else None
            if not isinstance(operation, dict) or not isinstance(integration, dict):
                continue
            where = (api, resource["id"], method.upper())
            stored = resource["resourceMethods"][method.upper()]["methodIntegration"]
            stored["requestTemplates"] = integration.get("requestTemplates", {})
            for status in operation.get("responses", {}):
                gateway._put_method_response(*where, str(status), {})
            for pattern, response in integration.get("responses", {}).items():
                data = {**response, "selectionPattern": "" if pattern == "default" else pattern}
                gateway._put_integration_response(*where, str(response.get("statusCode", "200")), data)
