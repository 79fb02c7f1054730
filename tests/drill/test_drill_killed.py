"""A drill is killed at every point: before and after each change, and at each moment. The next command restores everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.regions import WEST, Died, DrillSandbox, Regions
from tests.unit.fakes.virtual_time import run
from workshop.drill.pending import pending_notices
from workshop.drill.registry import FAULTS
from workshop.drill.timeline import Milestone
from workshop.engine import lock
from workshop.engine.undos import BY_DRILL, BY_HAND

HERE = [name for name in FAULTS if name != "withdraw"]
"""The faults that act on a workshop without a name; the other one is in test_name_drill.py."""
THROUGH_A_NAME = (Milestone.SEEN, Milestone.DNS, Milestone.PEOPLE)
FAILOVER = (Milestone.FIRST_FAILURE, Milestone.SWITCHED, Milestone.OFFERED, Milestone.RETURNED)
"""The moments that a drill has only when writes fail over."""
CASES = [
    (fault, milestone)
    for fault in HERE
    for milestone in Milestone
    if milestone not in (Milestone.NOTE, *THROUGH_A_NAME) and not (fault == "replication" and milestone in FAILOVER)
]


def sandbox_in(folder: Path) -> DrillSandbox:
    regions = Regions(health=True)
    regions.state[WEST].reserved["fn"] = 37
    return DrillSandbox(folder, regions)


async def assert_survives(sandbox: DrillSandbox, fault: str) -> None:
    """Run the drill into its death, then recover as the next command would."""
    before = sandbox.settings()
    with pytest.raises(Died):
        await sandbox.drill(fault)
    later = sandbox.next_process()
    assert pending_notices(later.folder, later.journal), "the next command warns of what is left"
    await later.undo_log.undo_all(later.context, later.undo_log.pending())
    later.assert_restored(before)
    assert pending_notices(later.folder, later.journal) == []


def changes_of(folder: Path, fault: str) -> int:
    async def count() -> int:
        sandbox = sandbox_in(folder)
        await sandbox.drill(fault)
        return len(sandbox.regions.changes)

    return run(count())


@pytest.mark.parametrize("fault", HERE)
def test_killed_before_or_after_any_change_nothing_stays_failed(tmp_path: Path, fault: str) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    for number in range(1, changes_of(whole, fault) + 1):
        for when in ("before", "after"):
            folder = tmp_path / f"{number}-{when}"
            folder.mkdir()

            async def die(folder: Path = folder, at: tuple[int, str] = (number, when)) -> None:
                sandbox = sandbox_in(folder)
                sandbox.regions.dies_at = at
                await assert_survives(sandbox, fault)

            run(die())


@pytest.mark.parametrize(("fault", "milestone"), CASES)
async def test_killed_at_any_moment_nothing_stays_failed(tmp_path: Path, fault: str, milestone: Milestone) -> None:
    sandbox = sandbox_in(tmp_path)
    sandbox.kill_at(milestone)
    await assert_survives(sandbox, fault)


async def test_killed_while_it_recovers_the_next_recovery_completes_it(tmp_path: Path) -> None:
    sandbox = sandbox_in(tmp_path)
    before = sandbox.settings()
    sandbox.kill_at(Milestone.SWITCHED)
    with pytest.raises(Died):
        await sandbox.drill()
    later = sandbox.next_process()
    later.regions.dies_at = (len(later.regions.changes) + 1, "after")
    with pytest.raises(Died):
        await later.undo_log.undo_all(later.context, later.undo_log.pending())
    last = later.next_process()
    await last.undo_log.undo_all(last.context, last.undo_log.pending())
    last.assert_restored(before)


async def test_a_running_drill_is_not_reported_as_a_killed_one(tmp_path: Path) -> None:
    sandbox = sandbox_in(tmp_path)
    sandbox.undo_log.record("throttle", WEST, '{"functions": {}}', BY_DRILL)
    with lock.hold(tmp_path / "locks", sandbox.undo_log.scope, "drill run"):
        assert pending_notices(tmp_path, sandbox.journal) == []
    (line,) = pending_notices(tmp_path, sandbox.journal)
    assert "killed" in line
    assert "workshop drill recover --target local" in line


async def test_a_fault_set_by_hand_is_reported_with_the_command_that_reverts_it(tmp_path: Path) -> None:
    sandbox = sandbox_in(tmp_path)
    sandbox.undo_log.record("throttle", WEST, '{"functions": {}}', BY_HAND)
    (line,) = pending_notices(tmp_path, sandbox.journal)
    assert "by hand" in line
    assert "until: workshop drill recover" in line
