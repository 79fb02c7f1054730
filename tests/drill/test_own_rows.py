"""The drill's own items are removed for good: what is still on its way when the removal begins does not come back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.drill.regions import EAST, WEST, DrillSandbox, Regions, load_of
from tests.unit.fakes.virtual_time import VirtualClock
from tests.unit.fakes.workshop_api import respond
from workshop.definition.drill_model import LoadSpec
from workshop.drill.load_requests import LoadRequests, Row
from workshop.drill.own_rows import OwnRows, RowsJournal, RowsSnapshot, own_items
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


class Searched:
    """One table of items, which can be read by keys and searched."""

    account = "0"

    def __init__(self, *items: dict[str, str], unread: int = 0) -> None:
        self.items = {each["id"]: {name: {"S": text} for name, text in each.items()} for each in items}
        self.unread, self.operations = unread, list[str]()

    async def call(self, service: str, region: str, operation: str, **given: Any) -> dict[str, Any]:
        self.operations.append(operation)
        if operation == "scan":
            assert given["FilterExpression"] == "contains(#a0, :v0)"
            name, text = given["ExpressionAttributeNames"]["#a0"], given["ExpressionAttributeValues"][":v0"]["S"]
            return {"Items": [each for each in self.items.values() if text in each[name]["S"]]}
        if operation == "batch_write_item":
            for request in given["RequestItems"]["t"]:
                del self.items[request["DeleteRequest"]["Key"]["id"]["S"]]
            return {}
        keys = given["RequestItems"]["t"]["Keys"]
        assert 0 < len(keys) <= 100
        assert given["RequestItems"]["t"]["ConsistentRead"]
        left, self.unread = keys[: self.unread], 0
        found = [self.items[key["id"]["S"]] for key in keys[len(left) :] if key["id"]["S"] in self.items]
        return {"Responses": {"t": found}, **({"UnprocessedKeys": {"t": {"Keys": left}}} if left else {})}


def load(**changed: Any) -> LoadRequests:
    spec = {
        "write": {"id": "drill-{{ run }}-{{ n }}", "body": {"id": "{{ id }}", "text": "{{ value }}"}},
        "read": {"path": "{{ id }}"},
        "rows": {"table": "t", "key": {"id": "{{ id }}"}, "holds": {"text": "{{ value }}"}},
        **changed,
    }
    return LoadRequests(LoadSpec.model_validate(spec), {"home": WEST}, "r1")


def snapshots(requests: LoadRequests, *numbers: int) -> list[RowsSnapshot]:
    found: list[RowsSnapshot] = []
    journal = RowsJournal(requests, (WEST,), lambda text: found.append(RowsSnapshot.model_validate_json(text)), block=150)
    for number in numbers:
        journal.cover(number)
    return found


def test_keys_that_the_load_chooses_are_recorded_in_blocks_before_they_are_written() -> None:
    found = snapshots(load(), 1, 2, 150, 151, 152)
    assert [len(each.keys) for each in found] == [150, 150]
    assert found[1].keys[0] == {"id": "drill-r1-151"}


def test_items_of_one_partition_need_one_record() -> None:
    (found,) = snapshots(load_of(Regions()), 1, 2, 900)
    assert (found.partition, found.keys, found.attributes) == ({"PK": KEY}, (), ("PK", "SK"))


async def test_keys_are_read_a_hundred_at_a_time_and_those_left_unread_again() -> None:
    (known,) = snapshots(load(), 1)
    table = Searched(*({"id": f"drill-r1-{number}", "text": "x"} for number in range(1, 160)), unread=30)
    assert len(await own_items(table, WEST, known)) == 150
    assert table.operations == ["batch_get_item"] * 2


async def test_items_whose_ids_the_api_chose_are_found_by_what_they_hold(sandbox: DrillSandbox) -> None:
    own = {"table": "t", "key": {"id": "{{ id }}"}, "holds": {"text": "drill {{ run }} {{ n }}"}}
    requests = load(write={"id": "{{ response.made.id }}", "body": {"text": "drill {{ run }} {{ n }}"}}, rows=own)
    assert not requests.chooses_ids
    assert requests.id_of(1, "", {"made": {"id": "x-9"}}) == "x-9"
    assert requests.id_of(1, "", {"other": 1}) == "", "an API that does not name the id has not stored what could be found"
    assert requests.row(7, "", "x-9") == Row({"id": "x-9"}, {"text": "drill r1 7"})
    (known,) = snapshots(requests, 1, 200)
    assert known.marks == {"text": "r1"}
    table = Searched({"id": "x-9", "text": "drill r1 7"}, {"id": "y", "text": "a guest's"})
    text = await OwnRows().undo(replace(sandbox.context, aws=table), WEST, known.model_dump_json())
    assert text.startswith("1 items of drill-r1 removed")
    assert list(table.items) == ["y"]


async def test_a_record_of_the_first_version_is_a_partition(sandbox: DrillSandbox) -> None:
    write_in(sandbox, 0.0, EAST)
    await VirtualClock().sleep(0.1)
    old = '{"table": "t", "regions": ["us-west-2", "eu-west-1"], "key": "drill-r1"}'
    assert (await OwnRows().undo(sandbox.context, WEST, old)).startswith("1 items of drill-r1 removed")
    assert await seen_later(sandbox) == set()
