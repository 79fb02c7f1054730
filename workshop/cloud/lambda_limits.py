"""Lambda's account: how much runs at once, how much may be reserved, how long a function takes to be ready.

In: MiniStack's Lambda module. Out: the same module with the limits of a new, a small or a grown account
(docs/aws-behaviours.md, section 4).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from workshop.cloud.patches import patch_around, require_attribute
from workshop.cloud.timing import Timing

__all__ = ["LambdaLimits"]

FLOOR = 100
"""AWS keeps this much unreserved; an account that has less in all may reserve nothing."""
REFUSED = (
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum "
    "value of [{floor}]."
)


class LambdaLimits:
    """`limit` returns the account's limit of concurrent executions, for every account and region."""

    def __init__(self, functions: Any, timing: Timing, limit: Callable[[], int]) -> None:
        self._functions, self._timing, self._limit = functions, timing, limit
        self._machine = require_attribute(functions, "_ACCOUNT_CONCURRENCY_CAP") or 1000

    def apply(self) -> None:
        """Patch MiniStack's Lambda."""
        patch_around(self._functions, "_put_function_concurrency", self._put_function_concurrency)
        patch_around(self._functions, "_get_account_settings", self._get_account_settings)
        patch_around(self._functions, "_acquire_execution_slot", self._acquire_execution_slot)
        patch_around(self._functions, "_schedule_state_transition", self._schedule_state_transition)

    def _put_function_concurrency(self, original: Callable[[str, Any], Any], name: str, data: Any) -> Any:
        wanted = data.get("ReservedConcurrentExecutions") if isinstance(data, dict) else None
        if name in self._functions._functions and isinstance(wanted, int) and wanted > 0:
            limit = self._limit()
            floor = min(FLOOR, limit)
            if limit - self._reserved(without=name) - wanted < floor:
                message = REFUSED.format(floor=floor)
                return self._functions.error_response_json("InvalidParameterValueException", message, 400)
        return original(name, data)

    def _get_account_settings(self, original: Callable[[], Any]) -> Any:
        status, headers, body = original()
        content, limit = json.loads(body), self._limit()
        unreserved = max(0, limit - self._reserved())
        content["AccountLimit"].update(ConcurrentExecutions=limit, UnreservedConcurrentExecutions=unreserved)
        return status, headers, json.dumps(content).encode()

    def _acquire_execution_slot(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._functions._ACCOUNT_CONCURRENCY_CAP = min(self._machine, self._limit())
        return original(*args, **kwargs)

    def _schedule_state_transition(self, original: Callable[[str, float], None], name: str, _: float) -> None:
        original(name, self._timing.seconds("function.active"))

    def _reserved(self, without: str | None = None) -> int:
        """The concurrency that functions have reserved, all but one of them if named."""
        functions = self._functions._functions.items()
        return sum(record.get("concurrency") or 0 for name, record in functions if name != without)
