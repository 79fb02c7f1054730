"""Lambda's account: how much runs at once, how much may be reserved, how long a function takes to be ready.

What comes in: MiniStack's Lambda module. What goes out: the same module with the limits of a new, a small or a grown account
(docs/aws-behaviours.md, section 4).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from workshop.cloud.pacing import Pacing
from workshop.cloud.patches import point, replace_point

__all__ = ["extend_functions"]

FLOOR = 100
"""AWS keeps this much unreserved; an account that has less in all may reserve nothing."""
REFUSED = (
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum "
    "value of [{floor}]."
)


def extend_functions(functions: Any, pacing: Pacing, limit: Callable[[], int]) -> None:
    """`limit` answers the account's limit of concurrent executions, for every account and region."""
    machine = point(functions, "_ACCOUNT_CONCURRENCY_CAP") or 1000

    def reserve(original: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
        def put(name: str, data: Any) -> Any:
            wanted = data.get("ReservedConcurrentExecutions") if isinstance(data, dict) else None
            if name in functions._functions and isinstance(wanted, int) and wanted > 0:
                others = sum(record.get("concurrency") or 0 for other, record in functions._functions.items() if other != name)
                floor = min(FLOOR, limit())
                if limit() - others - wanted < floor:
                    return functions.error_response_json("InvalidParameterValueException", REFUSED.format(floor=floor), 400)
            return original(name, data)

        return put

    def settings(original: Callable[[], Any]) -> Callable[[], Any]:
        def get() -> Any:
            status, headers, body = original()
            content = json.loads(body)
            reserved = sum(record.get("concurrency") or 0 for _, record in functions._functions.items())
            content["AccountLimit"].update(
                ConcurrentExecutions=limit(), UnreservedConcurrentExecutions=max(0, limit() - reserved)
            )
            return status, headers, json.dumps(content).encode()

        return get

    def acquire(original: Callable[..., Any]) -> Callable[..., Any]:
        def slot(*args: Any, **kwargs: Any) -> Any:
            functions._ACCOUNT_CONCURRENCY_CAP = min(machine, limit())
            return original(*args, **kwargs)

        return slot

    def ready(original: Callable[[str, float], None]) -> Callable[[str, float], None]:
        return lambda name, _: original(name, pacing.seconds("function.active"))

    replace_point(functions, "_put_function_concurrency", reserve)
    replace_point(functions, "_get_account_settings", settings)
    replace_point(functions, "_acquire_execution_slot", acquire)
    replace_point(functions, "_schedule_state_transition", ready)
