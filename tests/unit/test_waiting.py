"""Waiting: asked at once, then rarer and rarer, once more at the deadline, and never with a thread held."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.fakes.virtual_time import START, VirtualClock
from workshop.waiting import SystemClock, WaitTimeout, wait_for, wait_until


class Probe:
    """Answers after so many questions; remembers when it was asked."""

    def __init__(self, answer_after: int | None) -> None:
        self.answer_after, self.asked = answer_after, []

    async def __call__(self) -> str | None:
        self.asked.append(asyncio.get_running_loop().time())
        return "done" if self.answer_after is not None and len(self.asked) > self.answer_after else None


def waiting(probe: Probe, *, deadline: float = 60, interval: float = 4.0, heard=lambda reason, seconds: None, **more):
    return wait_for(probe, clock=VirtualClock(), reason="the table", deadline=deadline, interval=interval, waiting=heard, **more)


async def test_what_is_there_already_is_answered_without_a_pause():
    probe = Probe(0)
    assert await waiting(probe) == "done"
    assert probe.asked == [0.0]


async def test_pauses_grow_up_to_the_interval_within_their_jitter():
    probe = Probe(40)
    await waiting(probe, deadline=600, jitter=0.2)
    pauses = [later - earlier for earlier, later in zip(probe.asked, probe.asked[1:], strict=False)]
    assert 0.2 <= pauses[0] <= 0.3
    assert all(3.2 <= pause <= 4.8 for pause in pauses[10:])
    assert len(set(pauses[10:])) > 1


async def test_the_last_question_is_asked_at_the_deadline():
    probe = Probe(None)
    with pytest.raises(WaitTimeout) as caught:
        await waiting(probe, deadline=33)
    assert probe.asked[-1] == pytest.approx(33)
    assert caught.value.code == "Timeout"
    assert "the table" in caught.value.what and "33 s" in caught.value.why and "again" in caught.value.fix


async def test_a_clock_that_ends_pauses_a_little_early_ends_the_wait_all_the_same():
    class Hasty(VirtualClock):
        passed = 0.0

        def monotonic(self) -> float:
            return self.passed

        async def sleep(self, seconds: float) -> None:
            self.passed += max(0.0, seconds - 1e-9)

    async def never() -> None:
        nonlocal asked
        asked += 1
        assert asked < 100

    asked = 0
    with pytest.raises(WaitTimeout):
        await wait_for(never, clock=Hasty(), reason="x", deadline=9, interval=4.0, waiting=lambda reason, seconds: None)


async def test_a_deadline_of_zero_still_asks_once():
    probe = Probe(None)
    with pytest.raises(WaitTimeout):
        await waiting(probe, deadline=0)
    assert len(probe.asked) == 1


async def test_the_reason_and_the_seconds_so_far_are_told_before_each_pause():
    heard: list[tuple[str, float]] = []
    probe = Probe(3)
    await waiting(probe, heard=lambda reason, seconds: heard.append((reason, seconds)))
    assert [reason for reason, _ in heard] == ["the table"] * 3
    assert [seconds for _, seconds in heard] == probe.asked[:3]


async def test_the_advice_of_a_timeout_can_be_given():
    with pytest.raises(WaitTimeout) as caught:
        await waiting(Probe(None), deadline=1, fix="Look at the queue.")
    assert caught.value.fix == "Look at the queue."


async def test_what_the_probe_raises_ends_the_wait():
    async def broken() -> None:
        raise ValueError("no such table")

    with pytest.raises(ValueError, match="no such table"):
        await waiting(broken)


async def test_twenty_waits_of_an_hour_take_one_hour_together():
    async def wait() -> str:
        return await waiting(Probe(None), deadline=3600)

    results = await asyncio.gather(*(wait() for _ in range(20)), return_exceptions=True)
    assert all(isinstance(result, WaitTimeout) for result in results)
    assert asyncio.get_running_loop().time() == pytest.approx(3600)


async def test_the_virtual_clock_shows_the_time_that_was_leapt_over():
    await asyncio.sleep(86_400)
    assert (VirtualClock().now() - START).total_seconds() == 86_400
    assert VirtualClock().monotonic() == 86_400


async def test_the_system_clock_is_the_time_of_the_loop_and_of_the_machine_in_utc():
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(5)
    assert clock.monotonic() - before == 5
    assert clock.now().utcoffset().total_seconds() == 0


async def test_a_condition_is_awaited_until_it_is_true():
    probe = Probe(3)

    async def done() -> bool:
        return await probe() is not None

    heard: list[str] = []
    await wait_until(
        done, clock=VirtualClock(), reason="it", deadline=60, interval=1.0, waiting=lambda reason, _: heard.append(reason)
    )
    assert (len(probe.asked), heard) == (4, ["it"] * 3)


async def test_a_condition_that_stays_false_ends_at_the_deadline_with_the_fix_of_the_caller():
    async def never() -> bool:
        return False

    with pytest.raises(WaitTimeout, match="Gave up waiting for it") as caught:
        await wait_until(
            never, clock=VirtualClock(), reason="it", deadline=5, interval=1.0, waiting=lambda *_: None, fix="Run: x"
        )
    assert caught.value.fix == "Run: x"
