"""A client that ends a run at one call, before or after it takes effect: what `kill -9` does, without a process.

In: the client of a sandbox. Out: the same, which raises `Killed` at its place and counts the calls that it passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workshop.aws.client import AwsClient

__all__ = ["Killed", "KillingClient"]


class Killed(BaseException):
    """The process is gone: nothing catches it, and nothing is cleaned up."""


@dataclass
class KillingClient:
    """Ends at the `number`th call, from 1; 0 never ends."""

    inner: AwsClient
    number: int = 0
    after: bool = False
    passed: int = 0

    @property
    def account(self) -> str:
        return self.inner.account

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.passed += 1
        mine = self.passed == self.number
        if mine and not self.after:
            raise Killed
        response = await self.inner.call(service, region, operation, **parameters)
        if mine:
            raise Killed
        return response
