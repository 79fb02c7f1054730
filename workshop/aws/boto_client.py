"""The real aws to AWS: one account's calls, in threads, retried while AWS says "later".

In: service, region, operation, parameters. Out: the parsed answer or an `AwsError`. Retries wait in the event loop and
hold no thread; botocore itself makes one attempt only, because its defaults differ between versions
(docs/aws-behaviours.md, section 10.2).
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from workshop.aws.client import Answer
from workshop.aws.errors import AwsError, CredentialsError, translate
from workshop.aws.limiter import Limiters
from workshop.waiting import monotonic

__all__ = ["BotoClient", "Retry"]

THREADS = 16
TELL_EVERY = 30.0
"""Seconds between two notices that nobody answers."""

CLIENT = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=THREADS,
    tcp_keepalive=True,
    parameter_validation=True,
    # Fixed host names, so that allow-lists and emulators by host name work (docs/aws-behaviours.md, section 10.1).
    account_id_endpoint_mode="disabled",
    user_agent_extra="aws-workshop",
    s3={"addressing_style": "path"},
)


class Retry:
    """The pauses between attempts of one call: `pause` answers seconds, or None when it is time to give up.

    Throttling is waited out for `patience` seconds, because the slowest limit of the control plane is one call in 30 s
    (docs/aws-behaviours.md, section 5); server errors and broken connections for fewer attempts. A network that is gone is
    waited out for `outage` seconds more: a run of many minutes outlives a gap in the Wi-Fi.
    """

    patience = 240.0
    throttle_base, throttle_most = 1.0, 30.0
    transient_base, transient_most, transient_attempts = 0.2, 5.0, 8
    unreachable_attempts = 5

    def __init__(self, outage: float = 0.0) -> None:
        self._throttled = self._transient = 0
        self._waited = self._lost = 0.0
        self._outage = outage

    def pause(self, error: AwsError) -> float | None:
        if isinstance(error, CredentialsError):
            return None
        if error.throttled:
            self._throttled += 1
            pause = self._jittered(self.throttle_base, self.throttle_most, self._throttled)
            pause = max(pause, error.retry_after)
            return self._within_patience(pause)
        if error.transient:
            self._transient += 1
            attempts = self.unreachable_attempts if error.code == "Unreachable" else self.transient_attempts
            if self._transient >= attempts:
                return self._through_outage() if error.unreachable else None
            return self._within_patience(self._jittered(self.transient_base, self.transient_most, self._transient))
        return None

    def _through_outage(self) -> float | None:
        pause = self._jittered(self.transient_most, self.transient_most, 1)
        self._lost += pause
        return pause if self._lost <= self._outage else None

    def _within_patience(self, pause: float) -> float | None:
        self._waited += pause
        return pause if self._waited <= self.patience else None

    @staticmethod
    def _jittered(base: float, most: float, attempt: int) -> float:
        ceiling = min(base * 2 ** (attempt - 1), most)
        return random.uniform(ceiling / 2, ceiling)


class BotoClient:
    """Calls AWS as one account. Clients are made once per service and region and shared by all threads."""

    def __init__(
        self,
        session: Session,
        account: str,
        *,
        executor: Executor,
        endpoint: str | None = None,
        limiters: Limiters | None = None,
        outage: float = 0.0,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._session, self._account, self._executor = session, account, executor
        self._endpoint = endpoint
        self._limiters = limiters or Limiters()
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()
        self._outage, self._notice, self._told = outage, notice, -TELL_EVERY

    @property
    def account(self) -> str:
        return self._account

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> Answer:
        """See `workshop.aws.client.AwsClient.call`."""
        limiter = self._limiters.of(service, operation)
        retry = Retry(self._outage)
        while True:
            async with limiter:
                answer = await self._attempt(service, region, operation, parameters)
            if not isinstance(answer, AwsError):
                limiter.succeeded()
                return answer
            pause = retry.pause(answer)
            if pause is None:
                raise answer
            if answer.throttled:
                limiter.throttled(pause)
            if answer.unreachable and self._outage:
                self._tell(answer)
            await asyncio.sleep(pause)

    def address(self, service: str, region: str) -> str:
        """Where the calls of a service in a region go."""
        return str(self._client(service, region).meta.endpoint_url)

    def _tell(self, error: AwsError) -> None:
        """Say that nobody answers, once for all the calls that find it out together."""
        now = monotonic()
        if now - self._told >= TELL_EVERY:
            self._told = now
            self._notice(f"{error.service} in {error.region} does not answer; trying for {self._outage:.0f} s. {error.fix}.")

    async def _attempt(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> Answer | AwsError:
        try:
            return await self._in_thread(partial(self._invoke, service, region, operation, parameters))
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            return translate(error, service, operation, region, self._secrets())

    def _invoke(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> Answer:
        answer: Answer = getattr(self._client(service, region), operation)(**parameters)
        return answer

    def _client(self, service: str, region: str) -> Any:
        with self._making:  # sessions are not safe to share between threads, clients are
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = self._session.create_client(
                    service, region_name=region, endpoint_url=self._endpoint, config=CLIENT
                )
            return self._clients[key]

    def _secrets(self) -> list[str]:
        """What must not show in an error text, whatever AWS or a proxy echoes."""
        try:
            credentials = self._session.get_credentials()
            known = credentials.get_frozen_credentials() if credentials else None
        except (BotoCoreError, ClientError):
            return []  # they cannot be renewed, so none were sent; the call's own error says why
        return [secret for secret in (known.secret_key, known.token) if secret] if known else []

    async def _in_thread(self, work: Callable[[], Answer]) -> Answer:
        """Run a call in the pool. A cancelled caller still waits for the call in flight, so that its effect is known."""
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            if not future.cancelled():
                future.exception()
            raise
