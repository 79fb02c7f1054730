"""Saving the state: what a save that failed leaves to the next one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workshop.cloud.disk import Disk
from workshop.cloud.persistence import Codec, Snapshots
from workshop.cloud.state_gate import StateGate
from workshop.cloud.write_log import WriteLog

Tables = dict[str, dict[str, Any]]


class Contents:
    """Tables by id and one more service, as the emulator hands them to be saved."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.codec = Codec(str, lambda row: row)
        self.gate, self.disk = StateGate(), Disk(folder)
        self.write_log = WriteLog(folder, self.codec, self.disk)
        self.tables: Tables = {}
        self.parameters = "first"
        self.reading: Callable[[], None] = lambda: None

    def getters(self) -> dict[str, Callable[[], Any]]:
        return {"dynamodb": self._read_tables, "ssm": lambda: self.parameters}

    def table_ids(self) -> frozenset[str]:
        return frozenset(self.tables)

    def log_groups(self) -> frozenset[tuple[str, str, str]]:
        return frozenset()

    def put(self, table_id: str) -> None:
        """A write to a table, which is made if need be."""
        record = {"TableArn": "arn:aws:dynamodb:us-west-2:0:table/t", "TableName": "t", "TableId": table_id}
        self.tables[table_id] = record
        self.write_log.add(record, ("p", "s"), {})

    def _read_tables(self) -> Tables:
        self.reading()
        return self.tables


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def opened(folder: Path) -> tuple[Contents, Snapshots]:
    contents = Contents(folder)
    return contents, Snapshots(folder, contents.codec, contents.getters, contents)


def saved(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "cloud.json").read_text())["services"]
    return found


def logs(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("writes.*.log")}


def moved(folder: Path, target: Path) -> Path:
    """Without its folder, no file can be written."""
    return folder.rename(target)


async def test_what_a_failed_save_had_read_is_in_the_next_one(folder: Path, tmp_path: Path) -> None:
    contents, snapshots = opened(folder)
    await snapshots.save()
    contents.parameters = "second"
    snapshots.changed(["ssm"])
    away = moved(folder, tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        await snapshots.save()
    assert contents.disk.is_failing
    moved(away, folder)
    await snapshots.save()
    assert saved(folder)["ssm"] == "second" and not contents.disk.is_failing


async def test_a_table_is_saved_only_when_its_state_is_on_disk(folder: Path, tmp_path: Path) -> None:
    contents, snapshots = opened(folder)
    await snapshots.save()
    contents.put("id-1")
    away = moved(folder, tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        await snapshots.save_tables()
    moved(away, folder)
    await snapshots.save_tables()
    assert list(saved(folder)["dynamodb"]) == ["id-1"]


async def test_a_state_that_changes_while_it_is_read_is_read_again(folder: Path) -> None:
    contents, snapshots = opened(folder)
    contents.put("id-1")
    times: list[int] = []

    def changing() -> None:
        times.append(1)
        if len(times) < 3:
            raise RuntimeError("dictionary changed size during iteration")

    contents.reading = changing
    await snapshots.save_tables()
    assert list(saved(folder)["dynamodb"]) == ["id-1"]


async def test_a_write_is_not_acknowledged_while_the_tables_cannot_be_read(folder: Path) -> None:
    contents, snapshots = opened(folder)
    contents.put("id-1")

    def changing() -> None:
        raise RuntimeError("dictionary changed size during iteration")

    contents.reading = changing
    with pytest.raises(OSError, match="being changed"):
        await snapshots.save_tables()


async def test_a_log_is_removed_only_when_no_saved_state_begins_before_it(folder: Path) -> None:
    contents, snapshots = opened(folder)
    for number in range(4):
        contents.put(f"id-{number}")
        await snapshots.save()
    first = json.loads((folder / "cloud.json").read_text())["log"]
    before = json.loads((folder / "cloud.previous.json").read_text())["log"]
    contents.put("id-last")
    assert sorted(logs(folder)) == [f"writes.{number}.log" for number in (before, first)]


async def test_a_kill_between_the_saved_state_and_the_removal_of_its_log_replays_nothing_that_is_saved(folder: Path) -> None:
    contents, snapshots = opened(folder)
    contents.put("id-1")
    before = logs(folder)
    await snapshots.save()
    assert logs(folder) == {}
    for name, text in before.items():
        (folder / name).write_text(text)
    again = Snapshots(folder, contents.codec, contents.getters, contents)
    again.load(lambda name, state: None)
    assert list(again.logged()) == []
