"""Whole APIs from one OpenAPI document: ImportRestApi and PutRestApi, and the `Body` of an API in a stack.

In: a document with paths, integrations and security schemes. Out: MiniStack's resources and methods, including the responses of
mock integrations (preflight requests), the roles of integrations, the authorizers of methods, the API's gateway responses. It
replaces what an API had, whose id stays
(docs/aws-behaviours.md, section 5); merging is not offered.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from workshop.cloud.patches import patch_around, require_attribute
from workshop.cloud.stack_types import failed, handled, register
from workshop.cloud.user_pool_authorizers import invalid_pools

__all__ = ["OpenApiImport"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
INTEGRATION = "x-amazon-apigateway-integration"
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
AUTHORIZER = "x-amazon-apigateway-authorizer"
IN_STACKS = "AWS::ApiGateway::RestApi"
KEPT = ("credentials", "timeoutInMillis", "passthroughBehavior", "contentHandling", "requestParameters")
"""Members of an integration that are stored as they are written."""


class OpenApiImport:
    """Our operations around those of MiniStack's module of REST APIs."""

    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway
        self._import_path_item = require_attribute(gateway, "_import_path_item")
        self._view, self._respond = (require_attribute(gateway, name) for name in ("_rest_api_view", "_v1_response"))
        self._apis, self._resources, self._responses = (
            require_attribute(gateway, name) for name in ("_rest_apis", "_resources", "_gateway_responses")
        )
        self._put_response = require_attribute(gateway, "_put_gateway_response")
        self._schemes, self._import_schemes, self._authorizers = (
            require_attribute(gateway, name) for name in ("_security_schemes", "_import_security_schemes", "_authorizers_v1")
        )
        self._update_in_stack = handled(IN_STACKS, "update")

    def apply(self) -> None:
        """Patch MiniStack's REST APIs."""
        patch_around(self._gateway, "_import_rest_api", self._import)
        patch_around(self._gateway, "_create_rest_api", self._create_rest_api)
        patch_around(self._gateway, "handle_request", self._handle_request)
        register(IN_STACKS, update=self._update)

    def _import(self, original: Callable[..., Any], document: dict[str, Any], data: Any = None) -> Any:
        refused = self._refused(document)
        if refused:
            raise failed("ApiGateway", refused)
        api = original(document, data)
        self._complete(api, document)
        return api

    def _create_rest_api(self, original: Callable[[Any], Any], data: Any) -> Any:
        if not _is_document(data):
            return original(data)
        refused = self._refused(data)
        if refused:
            return self._gateway._v1_error("BadRequestException", refused, 400)
        api = self._gateway._import_rest_api(data, {})
        return self._respond(self._view(self._apis[api]), 201)

    def _update(self, api: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str | None) -> Any:
        """A changed body is put into the API that exists; MiniStack would make another, with another address."""
        body: Any = new.get("Body")
        if api in self._apis and _is_document(body) and _is_document(old.get("Body")) and body != old["Body"]:
            refused = self._refused(body)
            if refused:
                raise failed("ApiGateway", refused)
            self._replace(api, body)
            old = {**old, "Body": body}
        return self._update_in_stack(api, old, new, stack, logical_id)

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
        refused = self._refused(document) if _is_document(document) else "Invalid OpenAPI input."
        if refused:
            return self._gateway._v1_error("BadRequestException", refused, 400)
        self._replace(parts[1], document)
        return self._respond(self._view(self._apis[parts[1]]))

    def _replace(self, api: str, document: dict[str, Any]) -> None:
        root = next(entry for entry in self._resources[api].values() if entry["path"] == "/")
        root["resourceMethods"] = {}
        self._resources[api] = {root["id"]: root}
        self._responses[api] = {}
        schemes = self._replace_authorizers(api, document)
        for path, item in document.get("paths", {}).items():
            self._import_path_item(api, path, item, schemes, document.get("security"))
        self._complete(api, document)

    def _replace_authorizers(self, api: str, document: dict[str, Any]) -> Any:
        """How the methods are authorized, by the name of the security scheme. An authorizer that stays keeps its id."""
        before = {row["name"]: row["id"] for row in self._authorizers.get(api, {}).values()}
        self._authorizers[api] = {}
        schemes = self._import_schemes(api, document)
        for name, scheme in schemes.items():
            if name in before and "authorizerId" in scheme:
                row = self._authorizers[api].pop(scheme["authorizerId"])
                row["id"] = scheme["authorizerId"] = before[name]
                self._authorizers[api][row["id"]] = row
        return schemes

    def _refused(self, document: dict[str, Any]) -> str:
        """Why API Gateway refuses the document's authorizers; empty where it takes all of them."""
        for name, scheme in self._schemes(document).items():
            extension = scheme.get(AUTHORIZER) if isinstance(scheme, dict) else None
            reason = invalid_pools(extension) if isinstance(extension, dict) else ""
            if reason:
                return f"Errors found during import:\n\tUnable to create authorizer '{name}': {reason}"
        return ""

    def _complete(self, api: str, document: dict[str, Any]) -> None:
        """What MiniStack's import leaves out: request templates, roles, gateway responses, and the responses of integrations that
        are not proxies."""
        for kind, response in (document.get(GATEWAY_RESPONSES) or {}).items():
            self._put_response(api, kind, response)
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
        stored.update({name: integration[name] for name in KEPT if name in integration})
        for status in operation.get("responses", {}):
            self._gateway._put_method_response(*where, str(status), {})
        for pattern, response in integration.get("responses", {}).items():
            data = {**response, "selectionPattern": "" if pattern == "default" else pattern}
            self._gateway._put_integration_response(*where, str(response.get("statusCode", "200")), data)


def _is_document(data: Any) -> bool:
    return isinstance(data, dict) and ("swagger" in data or "openapi" in data) and isinstance(data.get("paths", {}), dict)
