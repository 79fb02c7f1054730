"""An AWS account in virtual time behind the client that steps call: the product's own DynamoDB, hand-written other services.

In: the calls of a step. Out: responses in botocore's form, or `AwsError` with AWS's own codes and texts. `calls` records
every call; `refuse` and `lose_answer` make single calls go wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.unit.fakes.api_gateway import FakeGateway
from tests.unit.fakes.cloudformation import FakeCloudFormation
from tests.unit.fakes.cognito import CloudCognito
from tests.unit.fakes.dynamodb import CloudDynamoDB
from tests.unit.fakes.hosting import FakeHosting
from tests.unit.fakes.remains import FakeRemains
from tests.unit.fakes.route53 import CloudRoute53
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.errors import AwsError, CredentialsError
from workshop.cloud.replicas import SOURCE_RULE

__all__ = ["ACCOUNT", "Call", "FakeClient", "refusal"]

ACCOUNT = "111122223333"
CHANGES = (
    "create_",
    "update_",
    "delete_",
    "tag_",
    "batch_write",
    "execute_",
    "continue_",
    "change_",
    "admin_create",
    "admin_set",
    "admin_delete",
    "put_",
    "abort_",
)


@dataclass(frozen=True)
class Call:
    """One call as it came in, at the clock's second `at`."""

    service: str
    region: str
    operation: str
    parameters: dict[str, Any]
    at: float = 0.0


@dataclass
class FakeClient:
    """`AwsClient` over fakes. Calls of all services take no time; what they start does."""

    clock: VirtualClock
    account: str = ACCOUNT
    calls: list[Call] = field(default_factory=list)
    watch: Callable[[Call], None] = lambda call: None
    """Sees every call before it takes effect."""

    def __post_init__(self) -> None:
        self.dynamodb = CloudDynamoDB(self.clock, self.account)
        self.cloudformation = FakeCloudFormation(self.clock, self.account)
        self.route53 = CloudRoute53(self.clock, self.account)
        self.cognito = CloudCognito(self.account)
        self.remains = FakeRemains()
        self.hosting = FakeHosting(self.clock, self.account)
        self.gateway = FakeGateway()
        self._refusals: dict[tuple[str, str], list[AwsError]] = {}
        self._lost: list[str] = []

    def refuse(self, operation: str, region: str, *errors: AwsError) -> None:
        """Raise these errors at the next calls of `operation` in `region`, one each."""
        self._refusals.setdefault((operation, region), []).extend(errors)

    def lose_answer(self, operation: str) -> None:
        """Let the response of the next `operation` get lost: it takes effect, and the real client calls a second time."""
        self._lost.append(operation)

    def refuse_by_source_rule(self, until: float) -> None:
        """Refuse each DeleteTable before that second, as AWS does although the table shows no replica any more."""

        def refuse(call: Call) -> None:
            if call.operation == "delete_table" and call.at < until:
                raise refusal("ValidationException", SOURCE_RULE)

        self.watch = refuse

    def changes(self) -> list[str]:
        """The operations so far that change something."""
        return [c.operation for c in self.calls if c.operation.startswith(CHANGES)]

    def made(self, operation: str, region: str | None = None) -> list[Call]:
        """The calls of one operation so far."""
        return [c for c in self.calls if c.operation == operation and region in (None, c.region)]

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        self.calls.append(Call(service, region, operation, parameters, self.clock.monotonic()))
        self.watch(self.calls[-1])
        waiting = self._refusals.get((operation, region))
        if waiting:
            raise waiting.pop(0)
        if operation in self._lost:
            self._lost.remove(operation)
            self._answer(service, region, operation, parameters)
        return self._answer(service, region, operation, parameters)

    def _answer(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if service == "dynamodb":
            return self.dynamodb.call(region, operation, **parameters)
        if service == "route53":
            return self.route53.call(region, operation, **parameters)
        if service in ("s3", "cloudfront"):
            hosted: dict[str, Any] = getattr(self.hosting, operation)(region, **parameters)
            return hosted
        if service == "cognito-idp":
            return self.cognito.call(region, operation, **parameters)
        fake = self.cloudformation if service == "cloudformation" else self.remains
        if service == "apigateway" and hasattr(self.gateway, operation):
            fake = self.gateway
        response: dict[str, Any] = getattr(fake, operation)(region, **parameters)
        return response


def refusal(code: str, message: str = "", *, operation: str = "call", status: int = 400, region: str = "us-west-2") -> AwsError:
    """An error as the client raises it."""
    kind = CredentialsError if code.startswith(("Expired", "Unrecognized")) else AwsError
    return kind(code, message, service="aws", operation=operation, region=region, status=status)
