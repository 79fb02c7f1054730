"""The log of item writes: what a process that was killed leaves of it, and what the next one reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from workshop.cloud.disk import Disk
from workshop.cloud.write_log import LoggedWrite, WriteLog

ROOT = Path(__file__).parents[2]


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
    first = log.rotate()
    log.add(record(), ("p", "b"), {})
    assert items(log, first) == [("b", {})] and items(log) == [("a", {}), ("b", {})]
    log.forget(before=first)
    assert items(log) == [("b", {})]


def test_a_table_that_is_not_saved_yet_asks_for_a_save(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    log.rotate()
    log.saved(frozenset({"id-1"}))
    log.add(record(), ("p", "a"), {})
    assert log.has_entries and not log.needs_save
    log.add(record(table_id="id-2"), ("p", "a"), {})
    assert log.needs_save
    log.rotate()
    assert log.needs_save, "the state was read, and is not on disk yet"
    log.saved(frozenset({"id-1", "id-2"}))
    assert not log.needs_save and not log.has_entries


def test_a_save_that_failed_leaves_its_tables_unsaved(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    log.add(record(), ("p", "a"), {})
    log.rotate()
    log.rotate()
    log.add(record(), ("p", "b"), {})
    assert log.needs_save


def test_a_table_that_is_gone_asks_for_no_save_for_ever(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    log.add(record(), ("p", "a"), {})
    log.rotate()
    log.saved(frozenset())
    assert not log.needs_save


def test_writes_that_a_call_took_back_are_not_in_its_line(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    with log.call():
        log.add(record(), ("p", "a"), {})
        before = log.pending()
        with log.call():
            log.add(record(), ("p", "b"), {})
            log.take_back(before)
    assert items(log) == [("a", {})]


def test_a_write_of_another_thread_is_no_part_of_a_call_that_is_under_way(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    with log.call():
        log.add(record(), ("p", "a"), {})
        expiry = threading.Thread(target=log.add, args=(record(), ("p", "expired"), None))
        expiry.start()
        expiry.join()
        assert items(log) == [("expired", None)]
    assert items(log) == [("expired", None), ("a", {})]


def test_replayed_writes_are_not_logged_again(tmp_path: Path) -> None:
    log = WriteLog(tmp_path, Json())
    with log.replaying():
        log.add(record(), ("p", "a"), {})
    assert items(log) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_an_error_of_the_call_and_is_reported(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    log = WriteLog(tmp_path, Json(), disk)
    (tmp_path / f"writes.{log.number}.log").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        log.add(record(), ("p", "a"), {})
    assert disk.message == f"the local cloud cannot save its state: No space left on device ({tmp_path})"
    disk.works()
    assert not disk.is_failing and disk.notice() == ""


def test_half_a_line_that_could_not_be_written_whole_takes_no_other_line_with_it(tmp_path: Path) -> None:
    """In a process of its own, whose files may grow to 200 bytes; other lines before and after fit."""
    program = (
        "import json, resource, sys, pathlib\n"
        "from tests.cloud_room.test_cloud_write_log import Json, record\n"
        "from workshop.cloud.write_log import WriteLog\n"
        "log = WriteLog(pathlib.Path(sys.argv[1]), Json())\n"
        "log.add(record(), ('p', 'before'), {})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    log.add(record(), ('p', 'large'), {'v': {'S': 'x' * 1000}})\n"
        "    sys.exit('it was written')\n"
        "except OSError:\n"
        "    log.add(record(), ('p', 'after'), {})\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    assert items(WriteLog(tmp_path, Json())) == [("before", {}), ("after", {})]
