"""Services and operations by the names of the AWS CLI, from botocore's models, each model loaded when first needed.

In: a request, or the name of a service. Out: the operation that a request calls and the protocol of its errors; whether AWS has
such a service. Requests with paths instead of operation names are matched against the models.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs

import botocore.exceptions
import botocore.loaders
import botocore.model

from workshop.cloud.fault_registry import ServiceCall
from workshop.cloud.patches import patch

__all__ = ["describe_call", "operation_at", "operation_names", "patch_service_names", "service_model"]

# Services whose name in requests differs from the name of their model.
MODELS = {
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "elasticloadbalancing": "elbv2",
}
FORM = "application/x-www-form-urlencoded"


def describe_call(
    service: str, region: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> ServiceCall:
    """The call that a request makes; `operation` is "" when it is unknown."""
    target = headers.get("x-amz-target", "")
    if target:
        return ServiceCall(
            service, target.rpartition(".")[2], region, "json", _tables(body) if service == "dynamodb" else frozenset()
        )
    action = _first(query.get("Action"))
    if not action and headers.get("content-type", "").startswith(FORM):
        action = _first(parse_qs(body.decode("latin-1")).get("Action"))
    if action:
        return ServiceCall(service, action, region, "query")
    protocol = "s3" if service == "s3" else "xml" if service in ("route53", "cloudfront") else "rest"
    return ServiceCall(service, operation_at(service, method, path, query), region, protocol)


@functools.cache
def _loader() -> botocore.loaders.Loader:
    """Of botocore's models alone: its sessions would import its clients too, a fifth of the cloud's start."""
    return botocore.loaders.Loader()


@functools.cache
def service_model(service: str) -> Any:
    name = MODELS.get(service, service)
    try:
        return botocore.model.ServiceModel(_loader().load_service_model(name, "service-2"), service_name=name)
    except botocore.exceptions.UnknownServiceError:
        return None


def operation_names(service: str) -> Collection[str]:
    """All operations of a service by their names in the AWS CLI's models; empty for a service without a model."""
    model = service_model(service)
    return list(model.operation_names) if model is not None else []


def operation_at(service: str, method: str, path: str, query: Mapping[str, Any]) -> str:
    name = "apigatewayv2" if service == "apigateway" and path.startswith("/v2/") else service
    best = ("", -1)
    for operation, verb, pattern, wanted in _routes(name):
        weight = len(pattern.pattern) + 100 * len(wanted)
        if verb == method and weight > best[1] and pattern.fullmatch(path) and all(key in query for key in wanted):
            best = (operation, weight)
    return best[0]


@functools.cache
def _routes(service: str) -> list[tuple[str, str, re.Pattern[str], tuple[str, ...]]]:
    model, routes = service_model(service), []
    for operation in model.operation_names if model is not None else ():
        http = model.operation_model(operation).http
        uri, _, arguments = http.get("requestUri", "/").partition("?")
        pattern = "".join(
            (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]*\})", uri)
        )
        wanted = tuple(argument.partition("=")[0] for argument in arguments.split("&") if argument)
        routes.append((operation, http.get("method", "POST"), re.compile(pattern + "/?"), wanted))
    return routes


def _tables(body: bytes) -> frozenset[str]:
    try:
        data = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return frozenset()
    if not isinstance(data, dict):
        return frozenset()
    items = data.get("RequestItems")
    named = [data.get("TableName"), *(items if isinstance(items, dict) else ())]
    return frozenset(str(name).rpartition("/")[2] for name in named if name)


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value or "")


def patch_service_names(router: Any) -> None:
    """MiniStack reads every model of botocore to learn whether a name is a service of AWS: seconds in which nothing else is
    served, and 400 MB, at the first call of a service that it does not offer. File names are enough."""
    patch(router, "_is_aws_service_name", lambda _: lambda name: name in _service_names())


@functools.cache
def _service_names() -> frozenset[str]:
    """The services by the names of their models, and by those used in endpoints and signatures."""
    names = set(_loader().list_available_services("service-2"))
    for partition in _loader().load_data("endpoints")["partitions"]:
        for name, service in partition["services"].items():
            names.add(name)
            scopes = (service.get("defaults", {}), *service.get("endpoints", {}).values())
            names.update(scope["credentialScope"]["service"] for scope in scopes if "service" in scope.get("credentialScope", {}))
    return frozenset(names)
