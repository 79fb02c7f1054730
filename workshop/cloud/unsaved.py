"""What a cloud that cannot save does with a call: it refuses what may change something, and goes on with what only reads.

In: a call, and the reason for which nothing can be saved. Out: whether the call is refused, and the refusal in the protocol and
with the code of its service (docs/aws-behaviours.md, section 8).
"""

from __future__ import annotations

import json

from workshop.cloud.fault_registry import ServiceCall, shaped_error
from workshop.cloud.responses import Response

__all__ = ["may_change", "unsaved"]

READING = (
    *("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet", "Head", "Filter", "Lookup", "Search", "Select"),
    *("Validate", "Simulate", "Estimate", "Test", "Check", "Decode", "Decrypt", "Verify", "Assume", "Invoke"),
)
"""How operations begin that leave the account as it is. What a function changes is refused when the function asks for it."""
PARTIQL = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")
CODES = {"dynamodb": "InternalServerError", "s3": "InternalError", "lambda": "ServiceException", "iam": "ServiceFailure"}


def may_change(call: ServiceCall, method: str, body: bytes) -> bool:
    """Whether a call may change something; in doubt it may."""
    if call.service == "dynamodb" and call.operation in PARTIQL:
        return not _only_selects(body)
    if call.operation:
        return not call.operation.startswith(READING)
    return method not in ("GET", "HEAD", "OPTIONS")


def unsaved(call: ServiceCall, message: str) -> Response:
    """The error 500 of a call whose changes cannot be kept."""
    return shaped_error(call.protocol, CODES.get(call.service, "InternalFailure"), message, 500)


def _only_selects(body: bytes) -> bool:
    try:
        data = json.loads(body)
        entries = data.get("Statements") or data.get("TransactStatements") or [data]
        return all(str(entry["Statement"]).lstrip().upper().startswith("SELECT") for entry in entries)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
