"""A disk that is full: every command names it, and what only looks or removes does its work all the same."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.amount import few
from tests.cloud.shell import Result, Shell

pytestmark = pytest.mark.cloud
NO_ROOM = 0
LITTLE = 160
"""KiB that a file may have: enough to begin, not enough for the journal of a whole teardown."""


def limited(shell: Shell, kib: int, words: str, code: int = 0) -> Result:
    """Run a command whose files may not grow over some KiB: what any user can have in place of a full disk."""
    return shell.bash(f"set +e; ulimit -f {kib}; workshop {words}", code=code)


@pytest.mark.parametrize(
    "words", ["setup", "setup --plan", "step run table", "open", "explain", "drill run", "observe replication"]
)
def test_every_command_that_needs_a_record_names_the_disk(clean, words):
    before = clean.inventory()
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f {NO_ROOM}; workshop {words}"], cwd=clean.work, env=clean.for_scripts, capture_output=True,
        text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert f"The disk cannot be written: {clean.state}" in said and "Traceback" not in said and "--debug" not in said
    assert "File too large." in said and "Free space there" in said and "WORKSHOP_HOME" in said
    assert clean.inventory() == before


@pytest.mark.parametrize(("kib", "sweep"), few([(LITTLE, ""), (NO_ROOM, ""), (NO_ROOM, "--sweep"), (LITTLE, "--sweep")], 1))
def test_status_and_teardown_do_their_work_and_report_that_nothing_is_recorded(clean, kib, sweep):
    clean.run("setup", "--region", "us-west-2", "--region", "eu-central-1")
    assert clean.inventory("us-west-2", "eu-central-1") != []
    status = limited(clean, NO_ROOM, "status --json")
    assert {step["state"] for step in status.document["steps"]} == {"ready"}
    assert {step["region"] for step in status.document["steps"]} >= {"us-west-2", "eu-central-1"}, "the journal was read"
    assert f"! The disk cannot be written: {clean.state}. " in status.err and "Nothing is recorded from now on" in status.err
    gone = limited(clean, kib, f"teardown --json {sweep}")
    assert gone.document["leftovers"] == [] and gone.document["ok"]
    assert clean.inventory("us-west-2", "eu-central-1") == []
    assert gone.err.count("Nothing is recorded from now on") == 1
    if kib == NO_ROOM:
        assert gone.document["receipt"] is None and "! No receipt was written. The disk cannot be written" in gone.err
    assert clean.document("teardown")["ok"]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(folder)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("mounting a disk of two megabytes is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))


def lock(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


@pytest.mark.parametrize(("spoil", "why"), few([(fill, "No space left on device"), (lock, "Read-only file system")], 1))
def test_a_real_disk_that_takes_nothing_is_named_and_a_teardown_works_on_it(shell, tmp_path, spoil, why):
    shell.start_over()
    with small_disk(tmp_path / "disk") as disk:
        there = {
            "WORKSHOP_HOME": str(disk), "AWS_ENDPOINT_URL": shell.endpoint, "AWS_ACCESS_KEY_ID": "000000000000",
            "AWS_SECRET_ACCESS_KEY": "x",
        }  # fmt: skip
        shell.run("setup", "--target", "aws", "--yes", "--through", "backend", env=there)
        spoil(disk)
        refused = shell.run("setup", "--target", "aws", "--yes", "--json", env=there, code=1)
        assert refused.document["error"]["code"] == "Unwritable"
        assert f"{why}." in refused.document["error"]["why"]
        checked = shell.run("check", "--target", "aws", "--json", env=there, code=3)
        assert why in checked.out
        status = shell.run("status", "--json", env=there)
        assert {step["state"] for step in status.document["steps"] if step["module"] == "backend"} == {"ready"}
        gone = shell.run("teardown", "--yes", "--json", env=there)
        assert gone.document["ok"] and gone.document["target"] == "aws", "the journal was read"
        assert why in gone.err
        assert shell.inventory() == []


def test_the_local_cloud_is_seen_and_stopped_on_a_full_disk(fresh):
    fresh.cloud()
    assert limited(fresh, NO_ROOM, "cloud status --json").document["running"]
    assert limited(fresh, NO_ROOM, "cloud logs").code == 0
    limited(fresh, NO_ROOM, "cloud stop")
    refused = limited(fresh, NO_ROOM, "cloud start", code=1)
    assert f"The disk cannot be written: {fresh.state}" in refused.err
