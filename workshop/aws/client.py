"""The shape of the one aws to AWS, as steps and checks see it; `workshop.aws.boto_client` is the real one."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Answer", "AwsClient"]

Answer = dict[str, Any]
"""The parsed answer of one AWS call, in botocore's form."""


class AwsClient(Protocol):
    """Calls AWS as one account."""

    @property
    def account(self) -> str:
        """The twelve-digit account id."""
        ...

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Answer:
        """One operation, retried while AWS says "later"; raises `workshop.aws.errors.AwsError` otherwise.

        `service` is botocore's name (`dynamodb`), `operation` the method name (`describe_table`).
        """
        ...
