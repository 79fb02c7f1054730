"""The state is read between the changes of stacks, not in the middle of one."""

from __future__ import annotations

import asyncio

from workshop.cloud.state_gate import StateGate


async def test_a_read_waits_for_a_change_that_is_under_way() -> None:
    gate, order = StateGate(), []
    gate.begin(("stack", "Table"))

    async def read() -> None:
        assert await gate.quiet()
        order.append("read")

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.5)
    order.append("noted")
    gate.end(("stack", "Table"))
    await reading
    assert order == ["noted", "read"]


async def test_the_same_resource_in_two_regions_is_two_changes() -> None:
    gate = StateGate()
    gate.begin("Table")
    gate.begin("Table")
    gate.end("Table")
    assert not await gate.quiet()


async def test_a_change_that_takes_minutes_delays_one_read_and_no_other() -> None:
    gate, loop = StateGate(), asyncio.get_running_loop()
    gate.begin("Custom")
    assert not await gate.quiet()
    before = loop.time()
    assert await gate.quiet() and loop.time() == before
    gate.end("Custom")


async def test_an_end_without_a_beginning_is_no_error() -> None:
    gate = StateGate()
    gate.end("Table")
    assert await gate.quiet()
