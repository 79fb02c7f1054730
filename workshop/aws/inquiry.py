"""Asks AWS before anything is made: a client that gives up soon, the caller, and how long the credentials live.

In: a session. Out: answers, or an `AwsError` within seconds, because a check that waits out an outage helps nobody. Nothing
is changed anywhere.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from workshop.aws.boto_client import CLIENT, BotoClient
from workshop.aws.client import Answer
from workshop.aws.errors import AwsError, translate
from workshop.aws.sessions import Identity

__all__ = ["Life", "QuickClient", "credential_life", "who_calls"]

ATTEMPTS = 4
"""Of a call that is throttled or meets a server error; one that reaches nobody is tried once more."""
LONGEST_PAUSE = 3.0
QUICK = CLIENT.merge(Config(connect_timeout=4, read_timeout=15))
HELD = frozenset({"env"})
"""Sources whose credentials nobody renews."""


@dataclass(frozen=True, slots=True)
class Life:
    """Where the credentials come from (botocore's word) and until when they are good. `expires` is None when nobody says."""

    source: str
    temporary: bool
    expires: datetime | None
    renews: bool


class QuickClient(BotoClient):
    """The aws of the checks: as `BotoClient`, but soon done with whoever does not answer."""

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Answer:
        """See `workshop.aws.client.AwsClient.call`; gives up after a few seconds."""
        pause = 0.3
        for attempt in range(1, ATTEMPTS + 1):
            async with self._limiters.of(service, operation):
                answer = await self._attempt(service, region, operation, parameters)
            if not isinstance(answer, AwsError):
                return answer
            last = attempt == ATTEMPTS or (answer.unreachable and attempt == 2)
            if last or not (answer.throttled or answer.transient):
                raise answer
            await asyncio.sleep(min(max(pause, answer.retry_after), LONGEST_PAUSE))
            pause *= 2
        raise AssertionError("the loop ends by itself")

    async def _attempt(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> Answer | AwsError:
        try:
            return await super()._attempt(service, region, operation, parameters)
        except BotoCoreError as error:  # credentials that could not be renewed are met outside the call, too
            return translate(error, service, operation, region)

    def _client(self, service: str, region: str) -> Any:
        with self._making:
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = self._session.create_client(
                    service, region_name=region, endpoint_url=self._endpoint, config=QUICK
                )
            return self._clients[key]


async def who_calls(session: Session, region: str, *, executor: Executor, endpoint: str | None = None) -> Identity:
    """The caller, as STS says; raises `AwsError`."""
    answer = await QuickClient(session, "", executor=executor, endpoint=endpoint).call("sts", region, "get_caller_identity")
    return Identity(str(answer["Account"]), str(answer["Arn"]))


async def credential_life(session: Session, region: str) -> Life | None:
    """Where the session's credentials come from and how long they live; None without any. Raises `AwsError`."""

    def look() -> Life | None:
        credentials = session.get_credentials()
        if credentials is None:
            return None
        frozen = credentials.get_frozen_credentials()
        # Only credentials that know their end carry it (docs/aws-behaviours.md, section 8); botocore offers no public name.
        expires = getattr(credentials, "_expiry_time", None) if isinstance(credentials, RefreshableCredentials) else None
        source = str(credentials.method or "")
        known = expires.astimezone(UTC) if isinstance(expires, datetime) else None
        return Life(source, bool(frozen.token), known, renews=known is not None and source not in HELD)

    try:
        return await asyncio.to_thread(look)
    except BotoCoreError as error:
        raise translate(error, "sts", "get_credentials", region) from error
