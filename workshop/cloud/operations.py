"""Which operation a request asks for, by the names of the AWS CLI.

What comes in: a request. What goes out: the operation's name and the protocol in which its errors are written. Services
with paths instead of operation names are matched against botocore's own models, loaded when first needed.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs

from workshop.cloud.injection import Call

__all__ = ["describe_call", "operation_names"]

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
) -> Call:
    """The call that a request makes; an operation that cannot be told is ""."""
    target = headers.get("x-amz-target", "")
    if target:
        return Call(service, target.rpartition(".")[2], region, "json", _tables(body) if service == "dynamodb" else frozenset())
    action = _first(query.get("Action"))
    if not action and headers.get("content-type", "").startswith(FORM):
        action = _first(parse_qs(body.decode("latin-1")).get("Action"))
    if action:
        return Call(service, action, region, "query")
    protocol = "s3" if service == "s3" else "xml" if service in ("route53", "cloudfront") else "rest"
    return Call(service, _by_path(service, method, path, query), region, protocol)


@functools.cache
def _model(service: str) -> Any:
    import botocore.exceptions
    import botocore.session

    try:
        return botocore.session.Session().get_service_model(MODELS.get(service, service))
    except botocore.exceptions.UnknownServiceError:
        return None


def operation_names(service: str) -> Collection[str]:
    """All operations of a service by their names in the AWS CLI's models; empty for a service without a model."""
    model = _model(service)
    return list(model.operation_names) if model is not None else []


def _by_path(service: str, method: str, path: str, query: Mapping[str, Any]) -> str:
    name = "apigatewayv2" if service == "apigateway" and path.startswith("/v2/") else service
    best = ("", -1)
    for operation, verb, pattern, wanted in _routes(name):
        weight = len(pattern.pattern) + 100 * len(wanted)
        if verb == method and weight > best[1] and pattern.fullmatch(path) and all(key in query for key in wanted):
            best = (operation, weight)
    return best[0]


@functools.cache
def _routes(service: str) -> list[tuple[str, str, re.Pattern[str], tuple[str, ...]]]:
    model, routes = _model(service), []
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
    except ValueError:
        return frozenset()
    if not isinstance(data, dict):
        return frozenset()
    items = data.get("RequestItems")
    named = [data.get("TableName"), *(items if isinstance(items, dict) else ())]
    return frozenset(str(name).rpartition("/")[2] for name in named if name)


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value or "")
