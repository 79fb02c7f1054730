"""The client's own retries: throttling is waited out, broken connections soon given up, refusals passed on at once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)

from tests.unit.fakes.botocore_session import NO_EVENTS, FakeSession, Inline, client_error
from workshop.aws.boto_client import PATIENT, QUICK, BotoClient
from workshop.aws.errors import AwsError, CredentialsError

THROTTLED = client_error("ThrottlingException", "Rate exceeded")
UNREACHABLE = EndpointConnectionError(endpoint_url="https://dynamodb.us-west-2.amazonaws.com")
OK = {"Table": {}}
THROUGH_OUTAGES = replace(PATIENT, retry=replace(PATIENT.retry, outage=120.0))


def account(session: FakeSession, **more) -> BotoClient:
    return BotoClient(session, "111122223333", executor=Inline(), **more)


async def describe(session: FakeSession):
    return await account(session).call("dynamodb", "us-west-2", "describe_table", TableName="films")


def pauses(session: FakeSession) -> list[float]:
    return [later - earlier for earlier, later in zip(session.times, session.times[1:], strict=False)]


async def test_a_call_is_made_once_with_its_parameters_and_returns_what_aws_does():
    session = FakeSession(OK)
    assert await describe(session) == OK
    assert session.calls == [("dynamodb", "us-west-2", {"TableName": "films"})]
    assert session.times == [0.0]


async def test_throttling_is_waited_out_with_growing_pauses():
    session = FakeSession(*[THROTTLED] * 6, OK)
    assert await describe(session) == OK
    first, *_, last = pauses(session)
    assert 0.5 <= first <= 2 and 15 <= last <= 60


async def test_throttling_that_does_not_end_is_given_up_within_the_patience():
    session = FakeSession(*[THROTTLED] * 500)
    with pytest.raises(AwsError) as caught:
        await describe(session)
    assert caught.value.throttled and caught.value.code == "ThrottlingException"
    assert 120 <= asyncio.get_running_loop().time() <= 2 * PATIENT.retry.patience


async def test_aws_may_ask_for_a_longer_pause():
    session = FakeSession(client_error("TooManyRequestsException", status=429, **{"retry-after": "45"}), OK)
    await describe(session)
    assert pauses(session)[0] >= 45


@pytest.mark.parametrize("error", [client_error("InternalServerError", status=500), client_error("Odd", status=503)])
async def test_a_server_error_is_tried_again_a_few_times(error):
    session = FakeSession(error, error, OK)
    assert await describe(session) == OK
    session = FakeSession(*[error] * 50)
    with pytest.raises(AwsError):
        await describe(session)
    assert len(session.times) == PATIENT.retry.server_errors.attempts


async def test_an_endpoint_that_cannot_be_reached_is_given_up_sooner():
    session = FakeSession(*[UNREACHABLE] * 50)
    with pytest.raises(AwsError) as caught:
        await describe(session)
    assert caught.value.code == "Unreachable" and len(session.times) == PATIENT.retry.no_connection.attempts
    assert "network" in caught.value.fix


@pytest.mark.parametrize("error", [UNREACHABLE, ConnectionClosedError(endpoint_url="https://x")])
async def test_where_an_outage_is_waited_out_a_call_outlives_a_minute_without_network_and_reports_it_once(error):
    session, said = FakeSession(*[error] * 20, OK), []
    aws = account(session, config=THROUGH_OUTAGES, notice=said.append)
    assert await aws.call("dynamodb", "us-west-2", "describe_table", TableName="films") == OK
    assert 40 < asyncio.get_running_loop().time() < 120
    assert 2 <= len(said) <= 4 and "does not respond; trying for 120 s" in said[0] and "network" in said[0]
    session = FakeSession(*[error] * 80)
    with pytest.raises(AwsError):
        await account(session, config=THROUGH_OUTAGES).call("dynamodb", "us-west-2", "describe_table", TableName="films")
    assert max(pauses(session)) <= PATIENT.retry.no_response.longest


class Slow(Inline):
    """Every call takes some seconds of the loop."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def submit(self, fn, /, *args, **kwargs):
        future, done = Future(), super().submit
        asyncio.get_running_loop().call_later(self.seconds, lambda: end(done(fn, *args, **kwargs)))

        def end(ended: Future) -> None:
            error = ended.exception()
            future.set_result(ended.result()) if error is None else future.set_exception(error)

        return future


@pytest.mark.parametrize(
    ("failures", "seconds", "notices"),
    [
        ([UNREACHABLE], 0.0, 0),
        ([UNREACHABLE, THROTTLED, UNREACHABLE], 0.0, 0),
        ([UNREACHABLE, UNREACHABLE], 0.0, 1),
        ([ReadTimeoutError(endpoint_url="https://x")], 15.0, 1),
    ],
    ids=["one", "two apart", "two in a row", "one that took long"],
)
async def test_an_outage_is_reported_once_it_has_lasted_and_not_at_one_dropped_connection(failures, seconds, notices):
    session, said = FakeSession(*failures, OK), []
    aws = BotoClient(session, "111122223333", executor=Slow(seconds), config=THROUGH_OUTAGES, notice=said.append)
    assert await aws.call("dynamodb", "us-west-2", "describe_table", TableName="films") == OK
    assert len(said) == notices


@pytest.mark.parametrize(
    "error", [ReadTimeoutError(endpoint_url="https://x"), ConnectionClosedError(endpoint_url="https://x"), UNREACHABLE]
)
async def test_a_connection_that_breaks_once_is_not_noticed(error):
    assert await describe(FakeSession(error, OK)) == OK


@pytest.mark.parametrize("code", ["ValidationException", "ResourceInUseException", "LimitExceededException", "AccessDenied"])
async def test_a_refusal_is_passed_on_at_once(code):
    session = FakeSession(client_error(code, "No."), OK)
    with pytest.raises(AwsError) as caught:
        await describe(session)
    assert (caught.value.code, caught.value.message, caught.value.status) == (code, "No.", 400)
    assert (caught.value.service, caught.value.operation, caught.value.region) == ("dynamodb", "DescribeTable", "us-west-2")
    assert session.times == [0.0]


@pytest.mark.parametrize("error", [client_error("ExpiredTokenException"), NoCredentialsError()])
async def test_bad_credentials_are_never_tried_again(error):
    session = FakeSession(error, OK)
    with pytest.raises(CredentialsError):
        await describe(session)
    assert len(session.times) == 1


@pytest.mark.parametrize(("error", "attempts"), [(THROTTLED, 4), (client_error("Odd", status=503), 4), (UNREACHABLE, 2)])
async def test_a_quick_client_gives_up_within_seconds_even_if_aws_asks_for_a_minute(error, attempts):
    session = FakeSession(*[error] * 50)
    with pytest.raises(AwsError):
        await account(session, config=QUICK).call("dynamodb", "us-west-2", "describe_table")
    assert len(session.times) == attempts and session.times[-1] < 10
    session = FakeSession(client_error("TooManyRequestsException", status=429, **{"retry-after": "60"}), OK)
    assert await account(session, config=QUICK).call("dynamodb", "us-west-2", "describe_table") == OK
    assert pauses(session) == [pytest.approx(3.0)]


async def test_many_throttled_calls_of_a_quick_client_do_not_hold_each_other_back_for_long():
    session = FakeSession(*[THROTTLED] * 16, *[OK] * 24)
    aws = account(session, config=QUICK)
    await asyncio.gather(*(aws.call("dynamodb", "us-west-2", "describe_table") for _ in range(16)))
    assert max(pauses(session)) <= 3.0 and session.times[-1] < 20


async def test_an_account_that_is_throttled_does_not_hold_back_another_that_shares_its_threads():
    throttled, other, pool = FakeSession(THROTTLED, OK), FakeSession(OK, OK), Inline()
    first, second = (
        BotoClient(session, name, executor=pool) for name, session in (("111122223333", throttled), ("444455556666", other))
    )

    async def describe_twice() -> None:
        for _ in range(2):
            await second.call("dynamodb", "us-west-2", "describe_table")

    await asyncio.gather(first.call("dynamodb", "us-west-2", "describe_table"), describe_twice())
    assert (first.account, second.account) == ("111122223333", "444455556666")
    assert throttled.times[-1] >= 0.5 and other.times == [0.0, 0.0]


async def test_a_defect_is_not_taken_for_an_error_of_aws():
    with pytest.raises(ZeroDivisionError):
        await describe(FakeSession(ZeroDivisionError()))


async def test_credentials_that_cannot_be_renewed_are_named_and_not_taken_for_a_defect():
    class Expired(FakeSession):
        def get_credentials(self):
            raise UnauthorizedSSOTokenError

    with pytest.raises(CredentialsError):
        await describe(Expired(UnauthorizedSSOTokenError()))


async def test_secrets_that_aws_echoes_are_not_shown():
    session = FakeSession(client_error("SignatureDoesNotMatch", "token: very-secret-token, key: very-secret-key"))
    with pytest.raises(AwsError) as caught:
        await describe(session)
    assert "very-secret" not in str(caught.value)


async def test_one_throttled_call_holds_back_the_others_of_its_service():
    session = FakeSession(THROTTLED, OK, OK, OK)
    aws = account(session)

    async def later() -> None:
        await asyncio.sleep(0.01)
        await aws.call("dynamodb", "us-west-2", "describe_table")

    await asyncio.gather(aws.call("dynamodb", "us-west-2", "describe_table"), later(), later())
    assert session.times[1] >= 0.5


async def test_clients_are_made_once_per_service_and_region_and_make_one_attempt():
    session = FakeSession(*[OK] * 4)
    aws = account(session, endpoint="http://127.0.0.1:4566")
    for region in ("us-west-2", "us-west-2", "eu-west-1", "us-west-2"):
        await aws.call("dynamodb", region, "describe_table")
    assert session.clients == [("dynamodb", r, "http://127.0.0.1:4566") for r in ("us-west-2", "eu-west-1")]
    assert session.configurations[0].retries["total_max_attempts"] == 1


class Held:
    """A session whose one call waits until the test lets it go."""

    meta = NO_EVENTS

    def __init__(self) -> None:
        self.called, self.release, self.ended = threading.Event(), threading.Event(), False

    def create_client(self, *names, **more):
        return self

    def get_credentials(self):
        return None

    def update_table(self):
        self.called.set()
        assert self.release.wait(30)
        self.ended = True
        return {}


def test_a_cancelled_caller_waits_for_the_call_in_flight():
    held = Held()

    async def scene() -> None:
        with ThreadPoolExecutor(1) as pool:
            aws = BotoClient(held, "1", executor=pool)
            call = asyncio.ensure_future(aws.call("dynamodb", "us-west-2", "update_table"))
            await asyncio.to_thread(held.called.wait, 30)
            call.cancel()
            await asyncio.sleep(0)
            assert not call.done()
            held.release.set()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert held.ended

    asyncio.run(scene())
