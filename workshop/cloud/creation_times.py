"""When a resource was made, as AWS shows it: tables to the millisecond, functions with their offset to UTC.

In: what CloudFormation creates. Out: the same resources with such times. A reader that compares what it noted before a
creation with what it finds afterwards depends on them (docs/aws-behaviours.md, sections 1.3 and 4).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from workshop.cloud.patches import require_attribute

__all__ = ["milliseconds", "patch_creation_times"]

Create = Callable[..., Any]


def milliseconds(seconds: float) -> float:
    """A time as DynamoDB returns it: seconds since the epoch with three decimals."""
    return round(seconds, 3)


def patch_creation_times(provisioners: Any, functions: Any, dynamodb: Any) -> None:
    """Patch how MiniStack's CloudFormation creates functions and tables; through their own services both have such times."""
    handlers = require_attribute(provisioners, "_RESOURCE_HANDLERS")
    now = require_attribute(functions, "_now_iso")

    def create_function(original: Create, *arguments: Any) -> Any:
        name, attributes = original(*arguments)
        functions._functions[name]["config"]["LastModified"] = now()
        return name, attributes

    def create_table(original: Create, *arguments: Any) -> Any:
        name, attributes = original(*arguments)
        dynamodb._tables[name]["CreationDateTime"] = milliseconds(time.time())
        return name, attributes

    for kind, create in (("AWS::Lambda::Function", create_function), ("AWS::DynamoDB::Table", create_table)):
        handlers[kind] = {**handlers[kind], "create": functools.partial(create, handlers[kind]["create"])}
