"""The client that calls AWS through botocore: one account's calls, in threads, retried while AWS asks to come back later.

In: service, region, operation, parameters. Out: the parsed response or an `AwsError`. Retries wait in the event loop and
hold no thread; botocore itself makes one attempt only, because its defaults differ between versions
(docs/aws-behaviours.md, section 10.2).
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from workshop.aws.client import AwsResponse
from workshop.aws.errors import AwsError, translate
from workshop.aws.http_response import LastResponse
from workshop.aws.limiter import Limiters
from workshop.aws.retry import PATIENT_RETRIES, QUICK_RETRIES, Retry, RetryPolicy
from workshop.waiting import monotonic

__all__ = ["PATIENT", "QUICK", "THREADS", "BotoClient", "ClientConfig", "Clients"]

THREADS = 16
"""Threads of the pool that all clients of a process share, and connections of each client of one service and region."""
NOTICE_INTERVAL = 30.0
"""Seconds between two notices of one outage."""
OUTAGE = 5.0
"""Seconds after which a call without a response is an outage; before that, two failures in a row are. One is a hiccup."""


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """How long one attempt may take, in seconds, and when a call is tried again."""

    retry: RetryPolicy
    connect_timeout: float
    read_timeout: float

    def of_botocore(self) -> Config:
        """The same for botocore."""
        return Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            max_pool_connections=THREADS,
            tcp_keepalive=True,
            parameter_validation=True,
            # Fixed host names, so that allow-lists and emulators by host name work (docs/aws-behaviours.md, section 10.1).
            account_id_endpoint_mode="disabled",
            # Botocore would put its own together twice for each call: a fifth of what a call costs here.
            user_agent=f"aws-workshop Botocore/{botocore.__version__}",
            s3={"addressing_style": "path"},
        )


PATIENT = ClientConfig(PATIENT_RETRIES, connect_timeout=5, read_timeout=60)
QUICK = ClientConfig(QUICK_RETRIES, connect_timeout=4, read_timeout=15)


class Clients:
    """The clients of one session: made once per service and region, shared by all threads and by every `BotoClient` over them."""

    def __init__(self, session: Session, endpoint: str | None, config: ClientConfig) -> None:
        self.session, self.config, self.responses = session, config, LastResponse()
        self._endpoint, self._settings = endpoint, config.of_botocore()
        self._made: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()

    def of(self, service: str, region: str) -> Any:
        """The client of a service in a region."""
        with self._making:  # sessions are not safe to share between threads, clients are
            key = (service, region)
            if key not in self._made:
                self._made[key] = self.session.create_client(
                    service, region_name=region, endpoint_url=self._endpoint, config=self._settings
                )
                self.responses.attach(self._made[key])
            return self._made[key]

    def disconnect(self) -> None:
        """Close the connections that no call uses; the next calls open others."""
        with self._making:
            for client in self._made.values():
                client.close()


class BotoClient:
    """Calls AWS as one account, through clients of its own unless `clients` of the same session are given.

    Several accounts are several `BotoClient`s, each with its own session, limits and connections; they may share a pool.
    """

    def __init__(
        self,
        session: Session,
        account: str,
        *,
        executor: Executor,
        endpoint: str | None = None,
        config: ClientConfig = PATIENT,
        notice: Callable[[str], None] = lambda _: None,
        jitter: Callable[[float, float], float] = random.uniform,
        clients: Clients | None = None,
    ) -> None:
        self._clients = clients or Clients(session, endpoint, config)
        self._account, self._executor, self._policy = account, executor, self._clients.config.retry
        self._limiters = Limiters(slowest=self._policy.slowest_spacing)
        self._notice, self._noticed, self._jitter = notice, float("-inf"), jitter

    @property
    def account(self) -> str:
        return self._account

    async def call(self, service: str, region: str, operation: str, **parameters: Any) -> AwsResponse:
        """See `workshop.aws.client.AwsClient.call`."""
        limiter = self._limiters.of(service, operation)
        attempts, began, unreachable = Retry(self._policy, self._jitter), 0.0, 0
        while True:
            async with limiter:
                began = began if unreachable else monotonic()
                response = await self._attempt(service, region, operation, parameters)
            if not isinstance(response, AwsError):
                limiter.succeeded()
                return response
            pause = attempts.pause(response)
            if pause is None:
                raise response
            if response.throttled:
                limiter.throttled(pause)
            unreachable = unreachable + 1 if response.unreachable else 0
            if self._policy.outage and (unreachable > 1 or (unreachable and monotonic() - began > OUTAGE)):
                self._notice_outage(response)
            await asyncio.sleep(pause)

    def address(self, service: str, region: str) -> str:
        """Where the calls of a service in a region go."""
        return str(self._clients.of(service, region).meta.endpoint_url)

    def _notice_outage(self, error: AwsError) -> None:
        """Report an outage once for all the calls that meet it together."""
        now = monotonic()
        if now - self._noticed >= NOTICE_INTERVAL:
            self._noticed = now
            outage = f"{error.service} in {error.region} does not respond; trying for {self._policy.outage:.0f} s."
            self._notice(f"{outage} {error.fix}.")

    async def _attempt(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> AwsResponse | AwsError:
        return await self._in_thread(partial(self._invoke, service, region, operation, parameters))

    def _invoke(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> AwsResponse | AwsError:
        self._clients.responses.clear()
        try:
            response: AwsResponse = getattr(self._clients.of(service, region), operation)(**parameters)
            return response
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            return translate(error, service, operation, region, self._secrets(), self._clients.responses.get())
        except Exception as error:
            received = self._clients.responses.get()
            if received is None:
                raise
            # The parsers assume the shape of AWS's documents, and end on another one with whatever Python raises.
            broken = ResponseParserError(f"{received.description()} {type(error).__name__}: {error}")
            return translate(broken, service, operation, region, self._secrets(), received)

    def _secrets(self) -> list[str]:
        """What must not show in an error text, whatever AWS or a proxy echoes."""
        try:
            credentials = self._clients.session.get_credentials()
            known = credentials.get_frozen_credentials() if credentials else None
        except (BotoCoreError, ClientError):
            return []  # they cannot be renewed, so none were sent; the call's own error says why
        return [secret for secret in (known.secret_key, known.token) if secret] if known else []

    async def _in_thread(self, work: Callable[[], AwsResponse | AwsError]) -> AwsResponse | AwsError:
        """Run a call in the pool. A cancelled caller still waits for the call in flight, so that its effect is known."""
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            if not future.cancelled():
                future.exception()
            raise
