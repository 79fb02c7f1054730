"""One call to the running cloud's own endpoints below `/_workshop/`.

In: a port, a method, a path, a JSON document. Out: the JSON document of the response.
"""

from __future__ import annotations

import http.client
import json
from typing import Any

from workshop.errors import WorkshopError

__all__ = ["ask_port"]

ASK_SECONDS = 5.0


def ask_port(port: int, method: str, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """The response of the cloud on this port. Raises `WorkshopError` when nothing responds, or when it refuses."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_SECONDS)
    try:
        connection.request(method, path, body=None if document is None else json.dumps(document))
        answer = connection.getresponse()
        content = json.loads(answer.read() or b"{}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise WorkshopError(
            what=f"The local cloud does not respond on port {port}.",
            why=str(error),
            fix="Start it: workshop cloud start",
            code="CloudSilent",
        ) from error
    finally:
        connection.close()
    if answer.status >= 400 or not isinstance(content, dict):
        said = content if isinstance(content, dict) else {}
        message = str(said.get("message", f"{method} {path} was refused."))
        raise WorkshopError(message, code=str(said.get("__type", "CloudRefused")))
    return content
