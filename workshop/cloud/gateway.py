"""API Gateway and Lambda as a caller of a workshop's API meets them.

What comes in: MiniStack's modules. What goes out: the same modules answering as AWS does where a workshop looks: a throttled
function, an API of any account, a handler that prints nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from workshop.cloud.imports import extend_imports
from workshop.cloud.patches import point, replace_point

__all__ = ["extend_gateway"]

QUIET_SECONDS = 0.004
"""How long MiniStack looks for the log lines of a handler that may have printed none (its own choice is 0.05)."""


TEXTS = ("name", "description", "version")
"""Members of an API that may be empty texts; any other that is empty has no value."""


def extend_gateway() -> None:
    """Extend the named points of MiniStack's API Gateway and Lambda modules."""
    from ministack.core import lambda_runtime
    from ministack.services import apigateway, apigateway_v1

    replace_point(lambda_runtime.Worker, "_drain_stderr_bounded", _impatient)
    replace_point(apigateway_v1, "_rest_api_view", _without_empty_members)
    extend_imports(apigateway_v1)
    replace_point(apigateway_v1, "_call_lambda_raw", _throttles_are_integration_failures)
    replace_point(apigateway_v1, "_lambda_proxy_response", _failures_are_raised)
    replace_point(apigateway_v1, "_invoke_lambda_proxy_v1", _failures_are_bad_gateways(point(apigateway_v1, "_gw_error")))
    replace_point(apigateway_v1, "_gateway_error_response", _with_own_status)
    replace_point(apigateway_v1, "find_api_scope", lambda _: functools.partial(_scope_of, apigateway_v1._rest_apis))
    replace_point(apigateway, "find_api_scope", lambda _: functools.partial(_scope_of, apigateway._apis))


def _impatient(original: Callable[..., str]) -> Callable[..., str]:
    return functools.partialmethod(original, first_line_wait=QUIET_SECONDS)  # type: ignore[return-value]


def _without_empty_members(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """AWS leaves a member out that has no value; an empty number makes botocore fail while parsing."""

    def view(api: Any) -> Any:
        shown = original(api)
        return shown and {name: value for name, value in shown.items() if value not in (None, "") or name in TEXTS}

    return view


def _throttles_are_integration_failures(
    original: Callable[..., Awaitable[tuple[Any, Any]]],
) -> Callable[..., Awaitable[tuple[Any, Any]]]:
    """Lambda refusing an invocation is a 500 through the REST proxy, shaped by the API's gateway responses and by nothing
    else (docs/aws-behaviours.md, section 4)."""

    async def call(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        result, error = await original(*args, **kwargs)
        if result and result.get("throttle"):
            return None, "throttled"
        return result, error

    return call


class _FunctionFailed(Exception):
    pass


def _failures_are_raised(original: Callable[[Any], tuple[Any, Any]]) -> Callable[[Any], tuple[Any, Any]]:
    """A function that failed, timed out or answered no proxy response."""

    def shape(result: Any) -> tuple[Any, Any]:
        answer, error = original(result)
        if error or not isinstance(answer, dict) or not _is_status(answer.get("statusCode", 200)):
            raise _FunctionFailed
        return answer, None

    return shape


def _is_status(value: Any) -> bool:
    return isinstance(value, int | str) and str(value).isdigit() and 100 <= int(value) <= 599


def _failures_are_bad_gateways(
    gateway_error: Callable[[str, str], Any],
) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
    """API Gateway answers those with 502 and nothing of the function's own, shaped by the API's gateway responses
    (docs/aws-behaviours.md, section 4)."""

    def wrap(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def invoke(*args: Any, **kwargs: Any) -> Any:
            try:
                return await original(*args, **kwargs)
            except _FunctionFailed:
                error = gateway_error("DEFAULT_5XX", "Internal server error")
                error.workshop_status = 502
                return error

        return invoke

    return wrap


def _with_own_status(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def render(error: Any, request: Any) -> Any:
        status, headers, body = original(error, request)
        return (error.workshop_status if status == 500 and hasattr(error, "workshop_status") else status), headers, body

    return render


def _scope_of(apis: Any, api_id: str) -> tuple[str, str] | None:
    """Account and region of an API: a caller from outside names neither, so the id alone must find it."""
    for (account, region, stored), _ in apis.all_items():
        if stored == api_id:
            return account, region
    return None
