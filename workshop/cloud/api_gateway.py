"""API Gateway as a caller of a workshop's API sees it, and the functions behind it.

In: MiniStack's API Gateway and Lambda modules. Out: the same modules, behaving as AWS does for a throttled function, an API of
any account, a handler that prints nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from workshop.cloud.function_processes import FunctionProcesses
from workshop.cloud.openapi_import import OpenApiImport
from workshop.cloud.patches import patch, patch_around, require_attribute
from workshop.cloud.user_pool_authorizers import patch_user_pool_authorizers

__all__ = ["patch_api_gateway"]

QUIET_SECONDS = 0.004
"""How long MiniStack looks for the log lines of a handler that may have printed none (its own choice is 0.05)."""
TEXTS = ("name", "description", "version")
"""Members of an API that may be empty texts; any other that is empty has no value."""


class _FunctionFailed(Exception):
    pass


def patch_api_gateway() -> None:
    """Patch MiniStack's API Gateway and Lambda modules."""
    from ministack.core import lambda_runtime
    from ministack.services import apigateway, apigateway_v1

    FunctionProcesses().apply(lambda_runtime)
    patch(lambda_runtime.Worker, "_drain_stderr_bounded", _without_wait)
    patch_around(apigateway_v1, "_rest_api_view", _view_without_empty_members)
    OpenApiImport(apigateway_v1).apply()
    patch_user_pool_authorizers()
    patch_around(apigateway_v1, "_call_lambda_raw", _call_lambda)
    patch_around(apigateway_v1, "_lambda_proxy_response", _lambda_proxy_response)
    gateway_error = require_attribute(apigateway_v1, "_gw_error")
    patch_around(apigateway_v1, "_invoke_lambda_proxy_v1", functools.partial(_invoke_lambda_proxy, gateway_error))
    patch_around(apigateway_v1, "_gateway_error_response", _render_gateway_error)
    patch(apigateway_v1, "find_api_scope", lambda _: functools.partial(_scope_of, apigateway_v1._rest_apis))
    patch(apigateway, "find_api_scope", lambda _: functools.partial(_scope_of, apigateway._apis))


def _without_wait(original: Callable[..., str]) -> Callable[..., str]:
    return functools.partialmethod(original, first_line_wait=QUIET_SECONDS)  # type: ignore[return-value]


def _view_without_empty_members(original: Callable[[Any], Any], api: Any) -> Any:
    """AWS leaves a member out that has no value; an empty number makes botocore fail while parsing."""
    shown = original(api)
    return shown and {name: value for name, value in shown.items() if value not in (None, "") or name in TEXTS}


async def _call_lambda(original: Callable[..., Awaitable[tuple[Any, Any]]], *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Lambda refusing an invocation is a 500 through the REST proxy, shaped by the API's gateway responses and by nothing
    else (docs/aws-behaviours.md, section 4)."""
    result, error = await original(*args, **kwargs)
    if result and result.get("throttle"):
        return None, "throttled"
    return result, error


def _lambda_proxy_response(original: Callable[[Any], tuple[Any, Any]], result: Any) -> tuple[Any, Any]:
    """Raises `_FunctionFailed` for a function that failed, timed out or returned no proxy response."""
    response, error = original(result)
    if error or not isinstance(response, dict) or not _is_status(response.get("statusCode", 200)):
        raise _FunctionFailed
    return response, None


def _is_status(value: Any) -> bool:
    return isinstance(value, int | str) and str(value).isdigit() and 100 <= int(value) <= 599


async def _invoke_lambda_proxy(
    gateway_error: Callable[[str, str], Any], original: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
) -> Any:
    """For a function that failed, API Gateway returns 502 and nothing of the function's own, shaped by the API's gateway
    responses (docs/aws-behaviours.md, section 4)."""
    try:
        return await original(*args, **kwargs)
    except _FunctionFailed:
        error = gateway_error("DEFAULT_5XX", "Internal server error")
        error.workshop_status = 502
        return error


def _render_gateway_error(original: Callable[[Any, Any], Any], error: Any, request: Any) -> Any:
    status, headers, body = original(error, request)
    return (error.workshop_status if status == 500 and hasattr(error, "workshop_status") else status), headers, body


def _scope_of(apis: Any, api_id: str) -> tuple[str, str] | None:
    """Account and region of an API: a caller from outside names neither, so the id alone must find it."""
    for (account, region, stored), _ in apis.all_items():
        if stored == api_id:
            return account, region
    return None
