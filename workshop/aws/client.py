"""The one interface to AWS of steps, checks and drills; `workshop.aws.boto_client` implements it.

In: service, region, operation, parameters. Out: the parsed response, or an `AwsError`.
"""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["AwsClient", "AwsResponse"]

AwsResponse = dict[str, Any]
"""The parsed response of one AWS call, in botocore's form."""


class AwsClient(Protocol):
    """Calls AWS as one account."""

    @property
    def account(self) -> str:
        """The twelve-digit account id."""
        ...

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> AwsResponse:
        """One operation, retried while AWS is throttling or failing; raises `workshop.aws.errors.AwsError` otherwise.

        `service` is botocore's name (`dynamodb`), `operation` the method name (`describe_table`).
        """
        ...
