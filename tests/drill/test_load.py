"""The load of a drill, in virtual time: it can be stopped whatever it is doing, and a broken one is reported."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tests.drill.regions import SETTINGS, WEST, Regions, load_of, regional
from workshop.drill.api_client import ApiResponse
from workshop.drill.deployment import Deployment
from workshop.drill.failover_load import FailoverLoad
from workshop.drill.load import LoadParts

SECOND_WRITE = SETTINGS.write_every_ms / 1000
"""When the pause after the first write ends."""
PATIENCE = 60.0


def load_on(client: Regions | Broken) -> FailoverLoad:
    regions = client if isinstance(client, Regions) else Regions()
    deployment = Deployment("w", "t", "local", tuple(regional(regions, name) for name in regions.names))
    parts = LoadParts(load_of(regions), client, lambda _: None, lambda _: None)
    return FailoverLoad(deployment, SETTINGS, parts, preferred=WEST)


class Broken:
    """An API client with a defect."""

    async def __call__(self, url: str, deadline: float, **_: Any) -> ApiResponse:
        raise ZeroDivisionError


@pytest.mark.parametrize("turns", range(8))
async def test_a_load_can_be_stopped_in_any_turn_of_the_loop_around_a_write(turns: int) -> None:
    load = load_on(Regions())
    load.start()
    await asyncio.sleep(SECOND_WRITE)
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        await load.stop()
    count = len(load.requests)
    await asyncio.sleep(PATIENCE)
    assert len(load.requests) == count, "a load that was stopped calls nothing"


async def test_writes_follow_each_other_at_the_interval_of_the_settings() -> None:
    load = load_on(Regions())
    load.start()
    assert await load.wait(lambda: len(load.acknowledged) == 5, PATIENCE)
    await load.stop()
    sent = [write.sent for write in load.acknowledged]
    assert [later - earlier for earlier, later in itertools.pairwise(sent)] == pytest.approx([SECOND_WRITE] * 4)


async def test_a_move_of_the_writes_ends_the_pause_before_the_next_one() -> None:
    load = load_on(Regions())
    load.start()
    assert await load.wait(lambda: len(load.acknowledged) == 1, PATIENCE)
    other = load.state.regions[1]
    load.choose(other)
    chosen = load.now()
    assert await load.wait(lambda: len(load.acknowledged) == 2, PATIENCE)
    await load.stop()
    assert load.acknowledged[1].region == other
    assert load.acknowledged[1].sent == chosen


async def test_a_defect_of_the_load_is_raised_by_the_wait() -> None:
    load = load_on(Broken())
    load.start()
    with pytest.raises(ZeroDivisionError):
        await load.wait(lambda: False, PATIENCE)
    await load.stop()
