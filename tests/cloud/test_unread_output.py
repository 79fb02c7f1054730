"""What becomes of a command whose output has no reader, no stream or no room: its work is done, and its exit code kept."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.amount import few
from tests.cloud.shell import Shell
from workshop.cloud.faults import CloudFault, fault_add, faults_clear

pytestmark = pytest.mark.cloud
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")


def script(shell: Shell, line: str) -> subprocess.CompletedProcess[str]:
    """Run one line of bash without its `pipefail`; what it prints at the end is the exit code of `workshop`."""
    return subprocess.run(
        ["bash", "-c", line], cwd=shell.work, env=shell.for_scripts, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def states(shell: Shell) -> set[str]:
    return {step["state"] for step in shell.document("status")["steps"] if step["module"] == "backend"}


@pytest.mark.parametrize("closed", few([">&-", "2>&-", ">&- 2>&- <&-"], 1))
def test_a_setup_with_closed_streams_makes_everything_and_exits_with_0(clean, closed):
    done = script(clean, f"workshop setup --yes --through backend {closed}")
    assert done.returncode == 0, done.stderr
    assert "Attribute" not in done.stderr and states(clean) == {"ready"}


@pytest.mark.parametrize("reader", few(["head -1 >/dev/null", "true"], 1))
def test_a_setup_whose_reader_leaves_exits_with_0_when_all_is_ready(clean, reader):
    done = script(clean, f'workshop setup --through backend 2>&1 | {reader}; exit "${{PIPESTATUS[0]}}"')
    assert (done.returncode, done.stderr) == (0, "")
    assert states(clean) == {"ready"}


@pytest.mark.parametrize("streams", few(["", "2>&1"], 1))
def test_a_setup_that_failed_exits_with_1_although_its_reader_has_gone(clean, streams):
    fault_add(
        clean.state, CloudFault("error", service="dynamodb", operation="CreateTable", code="AccessDeniedException", status=400)
    )
    try:
        done = script(clean, f'workshop setup --through backend {streams} | true; exit "${{PIPESTATUS[0]}}"')
    finally:
        faults_clear(clean.state)
    assert done.returncode == 1


def test_a_teardown_that_nobody_reads_goes_on_to_its_end(clean):
    clean.run("setup", "--through", "backend")
    done = script(clean, 'workshop teardown 2>&1 | true; exit "${PIPESTATUS[0]}"')
    assert done.returncode == 0, done.stderr
    assert clean.inventory() == []
    assert list((clean.state / "receipts").glob("*.json"))


@needs_dev_full
@pytest.mark.parametrize("words", few(["status --json", "status", "step list", "--help"], 2))
def test_a_result_that_a_full_disk_does_not_take_is_one_clear_error(clean, words):
    clean.run("status")
    done = script(clean, f"workshop {words} >/dev/full")
    assert done.returncode == 1
    assert (
        "Error: The result could not be written on stdout.\n  No space left on device. The command itself ended well."
        in done.stderr
    )
    assert "Traceback" not in done.stderr and done.stderr.count("Error: ") == 1
