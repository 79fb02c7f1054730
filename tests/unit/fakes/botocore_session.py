"""A hand-written botocore session: clients whose responses a test gives, and an executor that runs calls on the spot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from types import SimpleNamespace
from typing import Any

from botocore.credentials import Credentials
from botocore.exceptions import ClientError

__all__ = ["NO_EVENTS", "FakeSession", "Inline", "client_error"]

NO_EVENTS = SimpleNamespace(events=SimpleNamespace(register=lambda event, handler: None))
"""The `meta` of a client that receives no HTTP response."""


def client_error(code: str, message: str = "", status: int = 400, **headers: str) -> ClientError:
    """What botocore raises when AWS refuses a call."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return ClientError(response, "Operation")


class Inline(Executor):
    """Runs what it is given before it returns, so that virtual time does not move meanwhile."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class FakeSession:
    """Each call takes the next of `responses`; an exception among them is raised. `times` are the loop's seconds of the calls."""

    def __init__(self, *responses: Any) -> None:
        self.responses = list(responses)
        self.times: list[float] = []
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.clients: list[tuple[str, str, str | None]] = []
        self.configurations: list[Any] = []

    def create_client(self, service: str, *, region_name: str, endpoint_url: str | None, config: Any) -> Any:
        self.clients.append((service, region_name, endpoint_url))
        self.configurations.append(config)
        return SimpleNamespace(
            describe_table=self._respond, update_table=self._respond, put_item=self._respond,
            meta=NO_EVENTS,
        )  # fmt: skip

    def get_credentials(self) -> Any:
        return Credentials("AKIDEXAMPLE", "very-secret-key", "very-secret-token")

    def _respond(self, **parameters: Any) -> Any:
        self.times.append(asyncio.get_running_loop().time())
        self.calls.append((*self.clients[-1][:2], parameters))
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response
