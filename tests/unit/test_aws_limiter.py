"""The limiter: few at once, further apart when AWS asks for it, closer again when it does not."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.limiter import SLOWEST_SPACING, Limiter, Limiters


class Crowd:
    """Calls that take a second each; remembers when each began and how many ran at once."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.began: list[float] = []

    async def call(self, limiter: Limiter) -> None:
        async with limiter:
            self.began.append(asyncio.get_running_loop().time())
            self.running += 1
            self.most = max(self.most, self.running)
            await asyncio.sleep(1)
            self.running -= 1


async def test_no_more_calls_than_allowed_run_at_once_and_all_of_them_run():
    crowd, limiter = Crowd(), Limiter(VirtualClock(), 3)
    await asyncio.gather(*(crowd.call(limiter) for _ in range(10)))
    assert crowd.most == 3 and len(crowd.began) == 10
    assert asyncio.get_running_loop().time() == 4


async def test_changes_of_tables_are_fewer_at_once_than_questions_and_item_writes():
    limiters, most = Limiters(VirtualClock()), {}
    for operation in ("update_table", "describe_table", "put_item"):
        crowd = Crowd()
        await asyncio.gather(*(crowd.call(limiters.of("dynamodb", operation)) for _ in range(30)))
        most[operation] = crowd.most
    assert most["update_table"] < most["describe_table"] == most["put_item"]


def test_one_service_has_one_limiter_and_another_service_has_its_own():
    limiters = Limiters(VirtualClock())
    assert limiters.of("dynamodb", "create_table") is limiters.of("dynamodb", "delete_table")
    assert limiters.of("dynamodb", "create_table") is not limiters.of("dynamodb", "describe_table")
    assert limiters.of("dynamodb", "describe_table") is not limiters.of("logs", "describe_log_groups")


async def test_nothing_starts_while_aws_asks_for_a_pause():
    crowd, limiter = Crowd(), Limiter(VirtualClock(), 8)
    limiter.throttled(12)
    await asyncio.gather(*(crowd.call(limiter) for _ in range(3)))
    assert min(crowd.began) == 12
    assert len(set(crowd.began)) == 3, "they follow each other instead of storming again"


async def test_throttling_spaces_calls_out_up_to_a_limit_and_success_brings_them_together():
    crowd, limiter = Crowd(), Limiter(VirtualClock(), 8)
    for _ in range(20):
        limiter.throttled(0)
    await crowd.call(limiter)
    await crowd.call(limiter)
    assert crowd.began[1] - crowd.began[0] == SLOWEST_SPACING
    for _ in range(60):
        limiter.succeeded()
    await crowd.call(limiter)
    begun = len(crowd.began)
    await asyncio.gather(*(crowd.call(limiter) for _ in range(5)))
    assert len(set(crowd.began[begun:])) == 1


async def test_a_caller_that_is_cancelled_while_it_waits_gives_its_place_back():
    crowd, limiter = Crowd(), Limiter(VirtualClock(), 1)
    limiter.throttled(100)
    waiting = asyncio.ensure_future(crowd.call(limiter))
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(crowd.call(limiter), 200)
    assert crowd.began == [100]


async def test_a_call_that_fails_gives_its_place_back():
    crowd, limiter = Crowd(), Limiter(VirtualClock(), 1)
    with pytest.raises(ZeroDivisionError):
        async with limiter:
            raise ZeroDivisionError
    await asyncio.wait_for(crowd.call(limiter), 10)
    assert len(crowd.began) == 1
