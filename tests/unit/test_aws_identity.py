"""What the checks ask before anything else: a client that gives up soon, and how long the credentials last."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import UnauthorizedSSOTokenError

from workshop.aws.boto_client import QUICK, BotoClient
from workshop.aws.errors import AwsError, CredentialsError
from workshop.aws.identity import credential_expiry, who_calls
from workshop.aws.sessions import AwsSession, local_session, profile_session
from workshop.waiting import SystemClock


def asked(work: Callable[[ThreadPoolExecutor], Coroutine[Any, Any, Any]]) -> Any:
    with ThreadPoolExecutor(2) as executor:
        return asyncio.run(work(executor))


def quick(session: AwsSession, executor: ThreadPoolExecutor, endpoint: str | None = None) -> BotoClient:
    return BotoClient(session, "", clock=SystemClock(), executor=executor, endpoint=endpoint, config=QUICK)


def test_a_signed_out_session_is_a_credentials_error_and_no_defect() -> None:
    def signed_out() -> None:
        raise UnauthorizedSSOTokenError

    session = botocore.session.Session()
    session._credentials = DeferredRefreshableCredentials(signed_out, "sso")

    async def work(executor: ThreadPoolExecutor) -> None:
        await who_calls(quick(session, executor), "us-west-2")

    with pytest.raises(CredentialsError, match="aws sso login"):
        asked(work)


def test_a_server_that_cannot_be_reached_is_given_up_after_two_attempts() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{probe.getsockname()[1]}"

    session, attempts = local_session("111122223333"), []
    session.register("before-send.dynamodb", lambda **_: attempts.append(1))

    async def work(executor: ThreadPoolExecutor) -> None:
        await quick(session, executor, endpoint).call("dynamodb", "us-west-2", "list_tables")

    with pytest.raises(AwsError, match="Unreachable"):
        asked(work)
    assert len(attempts) == 2


def test_the_address_of_a_service_is_known_without_asking_it() -> None:
    async def work(executor: ThreadPoolExecutor) -> str:
        return quick(local_session("1"), executor).address("dynamodb", "eu-west-1")

    assert asked(work) == "https://dynamodb.eu-west-1.amazonaws.com"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_credentials_of_variables_are_reported_with_their_end_and_are_not_renewed(bare: pytest.MonkeyPatch) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    bare.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    bare.setenv("AWS_SECRET_ACCESS_KEY", "x")
    permanent = asyncio.run(credential_expiry(profile_session(None), "us-west-2"))
    assert permanent is not None
    assert (permanent.temporary, permanent.expires) == (False, None)
    bare.setenv("AWS_SESSION_TOKEN", "t")
    bare.setenv("AWS_CREDENTIAL_EXPIRATION", end.isoformat())
    life = asyncio.run(credential_expiry(profile_session(None), "us-west-2"))
    assert life is not None
    assert (life.source, life.temporary, life.expires, life.renews) == ("env", True, end, False)


def test_without_credentials_no_life_is_reported(bare: pytest.MonkeyPatch) -> None:
    assert asyncio.run(credential_expiry(profile_session(None), "us-west-2")) is None
