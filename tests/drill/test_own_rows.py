"""The drill's own items are removed for good: what is still on its way when the removal begins does not come back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.drill.regions import EAST, WEST, DrillSandbox, Regions
from tests.unit.fakes.virtual_time import VirtualClock
from tests.unit.fakes.workshop_api import respond
from workshop.drill.own_rows import OwnRows, RowsSnapshot
from workshop.engine.undos import BY_DRILL

KEY = "drill-r1"


@pytest.fixture
def sandbox(tmp_path: Path) -> DrillSandbox:
    found = DrillSandbox(tmp_path, Regions())
    snapshot = RowsSnapshot(table="t", regions=(WEST, EAST), key=KEY, partition={"PK": KEY})
    found.undo_log.record(OwnRows.name, WEST, snapshot.model_dump_json(), BY_DRILL)
    return found


def write_in(sandbox: DrillSandbox, seconds: float, region: str) -> None:
    """A request that was sent already writes in some seconds."""
    parts = ["update", KEY, "000001", "0.5", "dQ"]
    asyncio.get_running_loop().call_later(seconds, respond, sandbox.regions.table, region, parts)


async def undo(sandbox: DrillSandbox) -> str:
    (undone,) = await sandbox.undo_log.undo_all(sandbox.context, sandbox.undo_log.pending())
    return undone.text


async def seen_later(sandbox: DrillSandbox) -> set[tuple[str, str]]:
    """Every item of the drill that any region shows within the next minute."""
    found: set[tuple[str, str]] = set()
    for _ in range(600):
        for region in (WEST, EAST):
            found |= {(region, item["SK"]["S"]) for item in sandbox.regions.table.items(region, KEY)}
        await VirtualClock().sleep(0.1)
    return found


@pytest.mark.parametrize("region", [WEST, EAST])
@pytest.mark.parametrize("seconds", [0.4, 5.0, 9.9])
async def test_a_write_that_a_killed_process_had_in_flight_is_removed_too(
    sandbox: DrillSandbox, seconds: float, region: str
) -> None:
    later = sandbox.next_process()
    write_in(later, seconds, region)
    assert (await undo(later)).startswith("1 items of drill-r1 removed")
    assert await seen_later(later) == set()


async def test_each_late_write_is_waited_for_from_the_last_one_on(sandbox: DrillSandbox) -> None:
    later = sandbox.next_process()
    for number in range(3):
        write_in(later, 9.0 * (number + 1), EAST)
    await undo(later)
    assert await seen_later(later) == set()


async def test_a_request_that_the_end_of_a_drill_cancelled_leaves_nothing(sandbox: DrillSandbox) -> None:
    write_in(sandbox, 0.5, WEST)
    await undo(sandbox)
    assert await seen_later(sandbox) == set()


async def test_no_region_shows_an_item_again_that_replication_was_still_delivering(sandbox: DrillSandbox) -> None:
    write_in(sandbox, 0.0, WEST)
    await VirtualClock().sleep(0.1)
    await undo(sandbox)
    assert await seen_later(sandbox) == set()
