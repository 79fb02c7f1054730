"""Bodies that a JSON service of AWS cannot read: not JSON, not an object, or nested deeper than its parser goes.

In: a call to a service. Out: whether its body is refused before the service sees it. MiniStack's services take some such bodies
for empty, and break on others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

__all__ = ["UNREADABLE", "is_unreadable"]

UNREADABLE = (json.JSONDecodeError, UnicodeDecodeError, RecursionError)
"""What Python's parser raises on such a body."""
PAYLOAD = re.compile(r"/[^/]+/functions/[^/]+/(invocations|invoke-async|response-streaming-invocations)/?|/restapis/[^/]+/?")
"""Paths whose body is a payload, or a document in a format of its own (an API's definition): the service reads it."""


def is_unreadable(service: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, object]) -> bool:
    """Whether a call with a JSON body has one that no service could read. An empty body is an empty object."""
    if not body or not _is_json(service, path, headers, query):
        return False
    if service == "dynamodb" and body.lstrip()[:1] == b"{":
        return False  # it reads every body itself, and refuses as AWS does; reading a large one twice would take long
    try:
        return not isinstance(json.loads(body), dict)
    except UNREADABLE:
        return True


def _is_json(service: str, path: str, headers: Mapping[str, str], query: Mapping[str, object]) -> bool:
    media = headers.get("content-type", "")
    if headers.get("x-amz-target"):
        return "cbor" not in media
    if service == "s3" or "mode" in query or PAYLOAD.fullmatch(path):
        return False
    return media.startswith("application/json")
