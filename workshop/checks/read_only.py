"""A client that makes reads only, so that no check and no observation of a step changes anything. In: calls. Out: responses."""

from __future__ import annotations

from typing import Any

from workshop.aws.client import AwsClient, AwsResponse

__all__ = ["ReadOnlyClient"]

READING = ("get_", "list_", "describe_", "batch_get_", "simulate_")
READS = frozenset({"query", "scan", "admin_get_user"})


class ReadOnlyClient:
    """Wraps a client. A call that could change something is a defect of its caller, and is not made."""

    def __init__(self, inner: AwsClient) -> None:
        self._inner = inner

    @property
    def account(self) -> str:
        return self._inner.account

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> AwsResponse:
        """See `workshop.aws.client.AwsClient.call`; raises `PermissionError` for anything but a read."""
        if not (operation.startswith(READING) or operation in READS):
            raise PermissionError(f"a check called {service} {operation}, which is not a read")
        return await self._inner.call(service, region, operation, **parameters)
