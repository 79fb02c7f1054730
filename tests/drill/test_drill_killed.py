"""A drill is killed at every point: before and after each change, and at each moment. The next command puts everything back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.regions import WEST, Died, Regions, Stage
from tests.unit.fakes.virtual_time import run
from workshop.drill.pending import pending_notices
from workshop.drill.timeline import Mark
from workshop.engine import lock

FAULTS = ["throttle", "health", "bad-deploy", "replication"]
MARKS = [mark for mark in Mark if mark is not Mark.NOTE]


def staged(folder: Path) -> Stage:
    regions = Regions(health=True)
    regions.state[WEST].reserved["fn"] = 37
    return Stage(folder, regions)


async def survives(stage: Stage, fault: str) -> None:
    """Run the drill into its death, then recover as the next command would."""
    before = stage.settings()
    with pytest.raises(Died):
        await stage.drill(fault)
    later = stage.again()
    assert pending_notices(later.folder, later.journal), "the next command says what is left"
    await later.ledger.settle_all(later.means, later.ledger.pending())
    assert later.as_before(before)
    assert not later.ledger.pending() and not pending_notices(later.folder, later.journal)


def changes(folder: Path, fault: str) -> int:
    async def count() -> int:
        stage = staged(folder)
        await stage.drill(fault)
        return len(stage.regions.changes)

    return run(count())


@pytest.mark.parametrize("fault", FAULTS)
def test_killed_before_or_after_any_change_nothing_stays_failed(tmp_path: Path, fault: str) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    for number in range(1, changes(whole, fault) + 1):
        for when in ("before", "after"):
            folder = tmp_path / f"{number}-{when}"
            folder.mkdir()

            async def die(folder: Path = folder, at: tuple[int, str] = (number, when)) -> None:
                stage = staged(folder)
                stage.regions.dies_at = at
                await survives(stage, fault)

            run(die())


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mark", MARKS)
async def test_killed_at_any_moment_nothing_stays_failed(tmp_path: Path, fault: str, mark: Mark) -> None:
    stage = staged(tmp_path)
    if fault == "replication" and mark in (Mark.FIRST_FAILURE, Mark.SWITCHED, Mark.OFFERED, Mark.RETURNED):
        return  # nothing fails over, so there is no such moment
    stage.kill_at(mark)
    await survives(stage, fault)


async def test_killed_while_it_recovers_the_next_recovery_ends_it(tmp_path: Path) -> None:
    stage = staged(tmp_path)
    before = stage.settings()
    stage.kill_at(Mark.SWITCHED)
    with pytest.raises(Died):
        await stage.drill()
    later = stage.again()
    later.regions.dies_at = (len(later.regions.changes) + 1, "after")
    with pytest.raises(Died):
        await later.ledger.settle_all(later.means, later.ledger.pending())
    last = later.again()
    await last.ledger.settle_all(last.means, last.ledger.pending())
    assert last.as_before(before) and not last.ledger.pending()


async def test_a_drill_under_way_is_not_taken_for_a_killed_one(tmp_path: Path) -> None:
    stage = staged(tmp_path)
    stage.ledger.owe("throttle", WEST, '{"functions": {}}', "drill")
    with lock.hold(tmp_path / "locks", stage.ledger.scope, "drill run"):
        assert pending_notices(tmp_path, stage.journal) == []
    (line,) = pending_notices(tmp_path, stage.journal)
    assert "killed" in line and "workshop drill recover --target local" in line


async def test_a_fault_set_by_hand_is_shown_and_said_to_stay(tmp_path: Path) -> None:
    stage = staged(tmp_path)
    stage.ledger.owe("throttle", WEST, '{"functions": {}}', "hand")
    (line,) = pending_notices(tmp_path, stage.journal)
    assert "by hand" in line and "until: workshop drill recover" in line
