"""The state is read between the changes of stacks, not in the middle of one."""

from __future__ import annotations

import asyncio
import threading

from workshop.cloud.state_gate import PATIENCE, QUICK, StateGate


async def read(gate: StateGate, order: list[str] | None = None) -> bool:
    async with gate.quiet() as touched:
        if order is not None:
            order.append("read")
    return touched


async def test_a_read_waits_for_a_change_that_is_under_way() -> None:
    gate, order = StateGate(), list[str]()
    gate.begin(("stack", "Table"))
    reading = asyncio.create_task(read(gate, order))
    for _ in range(20):
        await asyncio.sleep(0)
    order.append("noted")
    gate.end(("stack", "Table"))
    await reading
    assert order == ["noted", "read"]


async def test_the_same_resource_in_two_regions_is_two_changes() -> None:
    gate, order = StateGate(), list[str]()
    gate.begin("Table")
    gate.begin("Table")
    gate.end("Table")
    reading = asyncio.create_task(read(gate, order))
    for _ in range(20):
        await asyncio.sleep(0)
    assert order == []
    gate.end("Table")
    await reading


async def test_a_change_that_takes_minutes_delays_one_read_and_neither_the_next_nor_the_wait_for_another_change() -> None:
    loop, order = asyncio.get_running_loop(), list[str]()
    gate = StateGate(loop.time)
    gate.begin("Custom", PATIENCE)
    await read(gate)
    before = loop.time()
    await read(gate)
    assert loop.time() - before < PATIENCE
    gate.begin("Table", QUICK)
    reading = asyncio.create_task(read(gate, order))
    for _ in range(20):
        await asyncio.sleep(0)
    assert order == [], "what outlasted its patience takes no other change's wait away"
    gate.end("Table")
    await reading


async def test_a_change_does_not_begin_while_the_state_is_read_or_about_to_be() -> None:
    gate, began = StateGate(), threading.Event()
    gate.begin("Table")

    def another() -> None:
        gate.begin("Role")
        began.set()

    reading = asyncio.create_task(read(gate))
    await asyncio.sleep(0)
    thread = threading.Thread(target=another)
    thread.start()
    gate.end("Table")
    async with gate.quiet():
        assert not began.is_set()
    await reading
    await asyncio.to_thread(thread.join)
    assert began.is_set()


async def test_a_change_within_a_change_does_not_wait_for_the_read_that_waits_for_both() -> None:
    gate = StateGate()
    gate.begin("Nested stack")
    reading = asyncio.create_task(read(gate))
    await asyncio.sleep(0)
    gate.begin("Table in it")
    gate.end("Table in it")
    gate.end("Nested stack")
    assert await reading


async def test_a_read_knows_whether_anything_began_or_ended_since_the_last_one() -> None:
    gate = StateGate()
    assert not await read(gate)
    gate.begin("Table")
    gate.end("Table")
    assert await read(gate)
    assert not await read(gate)


async def test_an_end_without_a_beginning_is_no_error() -> None:
    gate = StateGate()
    gate.end("Table")
    await read(gate)
