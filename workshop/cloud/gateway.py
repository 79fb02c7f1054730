"""API Gateway and Lambda as a caller of a workshop's API meets them.

What comes in: MiniStack's modules. What goes out: the same modules answering as AWS does where a workshop looks: a throttled
function, an API of any account, a handler that prints nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from workshop.cloud.patches import replace_point

__all__ = ["extend_gateway"]

QUIET_SECONDS = 0.004
"""How long MiniStack looks for the log lines of a handler that may have printed none (its own choice is 0.05)."""


def extend_gateway() -> None:
    """Extend the named points of MiniStack's API Gateway and Lambda modules."""
    from ministack.core import lambda_runtime
    from ministack.services import apigateway, apigateway_v1

    replace_point(lambda_runtime.Worker, "_drain_stderr_bounded", _impatient)
    replace_point(apigateway_v1, "_rest_api_view", _without_empty_members)
    replace_point(apigateway_v1, "_call_lambda_raw", _throttles_are_integration_failures)
    replace_point(apigateway_v1, "find_api_scope", lambda _: functools.partial(_scope_of, apigateway_v1._rest_apis))
    replace_point(apigateway, "find_api_scope", lambda _: functools.partial(_scope_of, apigateway._apis))


def _impatient(original: Callable[..., str]) -> Callable[..., str]:
    return functools.partialmethod(original, first_line_wait=QUIET_SECONDS)  # type: ignore[return-value]


def _without_empty_members(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """AWS leaves a member out that has no value; an empty number makes botocore fail while parsing."""

    def view(api: Any) -> Any:
        shown = original(api)
        return shown and {name: value for name, value in shown.items() if value is not None}

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


def _scope_of(apis: Any, api_id: str) -> tuple[str, str] | None:
    """Account and region of an API: a caller from outside names neither, so the id alone must find it."""
    for (account, region, stored), _ in apis.all_items():
        if stored == api_id:
            return account, region
    return None
