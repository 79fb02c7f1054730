"""The log of item writes: what a process that was killed leaves of it, and what the next one reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from workshop.cloud.write_log import LoggedWrite, WriteLog


class Json:
    def encode(self, state: Any) -> str:
        return json.dumps(state)

    def decode(self, text: str) -> Any:
        return json.loads(text)


def record(table: str = "things", table_id: str = "id-1") -> dict[str, Any]:
    return {"TableArn": f"arn:aws:dynamodb:us-west-2:000000000000:table/{table}", "TableName": table, "TableId": table_id}


def items(log: WriteLog, since: int = 0) -> list[tuple[str, Any]]:
    return [(write.key[1], write.item) for write in log.read(since)]


def test_writes_are_read_back_in_their_order_by_the_next_process(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    log.add(record(), ("p", "a"), {"v": {"S": "1"}})
    log.add(record(), ("p", "a"), None)
    (first, second) = WriteLog(tmp_path, Json()).read(0)
    assert first == LoggedWrite("000000000000", "us-west-2", "things", "id-1", ("p", "a"), {"v": {"S": "1"}})
    assert second.item is None


def test_a_call_is_one_line_so_that_half_a_transaction_never_comes_back(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    with log.call():
        log.add(record(), ("p", "a"), {})
        log.add(record(), ("p", "b"), {})
        assert items(log) == [], "nothing is written before the call has ended"
    assert items(log) == [("a", {}), ("b", {})]
    (file,) = tmp_path.glob("writes.*.log")
    os.truncate(file, file.stat().st_size - 3)
    assert items(log) == []


def test_a_line_that_was_cut_off_ends_its_file_and_not_the_next(tmp_path: Path) -> None:
    WriteLog(tmp_path, Json()).add(record(), ("p", "a"), {})
    (file,) = tmp_path.glob("writes.*.log")
    with file.open("a") as cut:
        cut.write('[["00000')
    log = WriteLog(tmp_path, Json())
    log.add(record(), ("p", "b"), {})
    assert items(log) == [("a", {}), ("b", {})]


def test_what_was_saved_is_not_read_again_and_is_removed_when_no_saved_state_needs_it(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    log.add(record(), ("p", "a"), {})
    first = log.rotate(frozenset({"id-1"}))
    log.add(record(), ("p", "b"), {})
    assert items(log, first) == [("b", {})] and items(log) == [("a", {}), ("b", {})]
    log.forget(before=first)
    assert items(log) == [("b", {})]


def test_a_table_that_is_not_saved_yet_asks_for_a_save(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    log.rotate(frozenset({"id-1"}))
    log.add(record(), ("p", "a"), {})
    assert log.has_entries and not log.needs_save
    log.add(record(table_id="id-2"), ("p", "a"), {})
    assert log.needs_save
    log.rotate(frozenset({"id-1", "id-2"}))
    assert not log.needs_save and not log.has_entries


def test_replayed_writes_are_not_logged_again(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    with log.replaying():
        log.add(record(), ("p", "a"), {})
    assert items(log) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_an_error_of_the_call(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    (tmp_path / f"writes.{log.number}.log").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        log.add(record(), ("p", "a"), {})
