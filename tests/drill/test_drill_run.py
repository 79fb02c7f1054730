"""Whole drills in virtual time: what they measure, what they find, and that everything is restored afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.drill.regions import EAST, SETTINGS, WEST, DrillSandbox, Regions
from workshop.drill.measure import rto_bound
from workshop.drill.registry import FAULTS
from workshop.drill.report import Targets, judge
from workshop.drill.run import Timeouts
from workshop.drill.shielding import shielded
from workshop.drill.timeline import Milestone, Moment, RequestKind
from workshop.engine.undos import BY_HAND
from workshop.errors import PartlyDoneError, UsageError, WorkshopError


@pytest.fixture
def sandbox(tmp_path: Path) -> DrillSandbox:
    return DrillSandbox(tmp_path, Regions())


@pytest.mark.parametrize("reserved", [None, 37, 5])
async def test_a_drill_measures_the_failover_and_restores_what_was_reserved(sandbox: DrillSandbox, reserved: int | None) -> None:
    if reserved is not None:
        sandbox.regions.state[WEST].reserved["fn"] = reserved
    before = sandbox.settings()
    result = await sandbox.drill()
    outage, recovery = result.figures.outage, result.figures.recovery
    assert outage.rto is not None
    assert SETTINGS.countdown_ms / 1000 < outage.rto <= outage.bound
    assert result.undone
    sandbox.assert_restored(before)
    assert result.figures.failed > 0
    assert recovery.acknowledged > 20
    assert recovery.lost == ()
    assert judge(result, Targets()).ok


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "withdraw"])
async def test_every_fault_is_injected_and_reverted(tmp_path: Path, fault: str) -> None:
    sandbox = DrillSandbox(tmp_path, Regions(health=True))
    before = sandbox.settings()
    changed: list[bool] = []

    def look(moment: Moment) -> None:
        if moment.milestone is Milestone.FIRST_FAILURE:
            changed.append(sandbox.settings() != before)

    sandbox.on_moment = look
    result = await sandbox.drill(fault)
    assert result.undone
    sandbox.assert_restored(before)
    assert changed == ([] if fault == "replication" else [True])
    assert (result.figures.outage.rto is None) == (fault == "replication")
    assert judge(result, Targets()).ok
    assert sandbox.regions.state[WEST].variables["SECRET"] == "kept"


async def test_the_writes_go_back_when_the_region_is_healthy_again(sandbox: DrillSandbox) -> None:
    result = await sandbox.drill()
    assert [m.milestone for m in result.moments if m.milestone is not Milestone.NOTE] == [
        Milestone.LOAD,
        Milestone.INJECTED,
        Milestone.FIRST_FAILURE,
        Milestone.SWITCHED,
        Milestone.REVERTED,
        Milestone.OFFERED,
        Milestone.RETURNED,
        Milestone.STOPPED,
        Milestone.CONVERGED,
    ]
    regions = [write.region for write in result.acknowledged]
    assert (regions[0], regions[-1]) == (WEST, WEST)
    assert EAST in regions
    assert [write.number for write in result.acknowledged] == list(range(1, len(regions) + 1))


async def test_the_region_that_is_failed_is_the_one_that_the_writes_prefer(sandbox: DrillSandbox) -> None:
    result = await sandbox.drill(region=EAST)
    assert result.acknowledged[0].region == EAST
    assert result.figures.outage.rto is not None
    assert [change for change in sandbox.regions.changes if change.startswith(f"{WEST} put")] == []


@pytest.mark.parametrize("threshold", [1, 3, 10])
async def test_without_a_countdown_the_threshold_decides(sandbox: DrillSandbox, threshold: int) -> None:
    settings = replace(SETTINGS, min_failures=threshold, countdown_ms=0)
    result = await sandbox.drill(settings=settings)
    outage = result.figures.outage
    assert outage.rto is not None
    assert (threshold - 1) * settings.write_every_ms / 1000 <= outage.rto <= outage.bound


async def test_a_region_that_hangs_is_left_within_its_bound(sandbox: DrillSandbox) -> None:
    def hang(moment: Moment) -> None:
        if moment.milestone is Milestone.INJECTED:
            sandbox.regions.state[WEST].slow = 60.0
        if moment.milestone is Milestone.REVERTED:
            sandbox.regions.state[WEST].slow = 0.01

    sandbox.on_moment = hang
    result = await sandbox.drill()
    rto = result.figures.outage.rto
    assert rto is not None
    assert rto <= rto_bound(SETTINGS, SETTINGS.write_timeout_ms / 1000)


async def test_one_failed_request_moves_nothing(sandbox: DrillSandbox) -> None:
    def hiccup(moment: Moment) -> None:
        if moment.milestone is Milestone.INJECTED:
            sandbox.regions.heeds_throttle = False
            sandbox.regions.state[WEST].down = "status 502"
        if moment.milestone is Milestone.FIRST_FAILURE:
            sandbox.regions.state[WEST].down = ""

    sandbox.on_moment = hiccup
    result = await sandbox.drill(timeouts=Timeouts(margin=5))
    assert {write.region for write in result.acknowledged} == {WEST}
    verdict = judge(result, Targets())
    assert not verdict.ok
    assert "did not fail over" in verdict.reasons[0]
    assert result.undone


async def test_a_write_that_never_arrives_is_counted_as_lost(sandbox: DrillSandbox) -> None:
    sandbox.regions.table.undelivered = {"000003", "000005"}
    result = await sandbox.drill(timeouts=Timeouts(converge=5))
    recovery = result.figures.recovery
    assert [write.number for write in recovery.lost] == [3, 5]
    assert recovery.lost_seconds == pytest.approx(1.0, abs=0.1)
    assert not judge(result, Targets(rpo=0.5)).ok
    assert judge(result, Targets(rpo=60)).ok
    assert result.undone


async def test_a_late_attempt_at_a_write_that_was_taken_elsewhere_loses_nothing(sandbox: DrillSandbox) -> None:
    """An attempt that the client gave up may still take effect, after another region took the same write."""

    def late(moment: Moment) -> None:
        if moment.milestone is Milestone.FIRST_FAILURE:
            sandbox.regions.late = True
        if moment.milestone is Milestone.REVERTED:
            sandbox.regions.late = False

    sandbox.on_moment = late
    result = await sandbox.drill()
    assert sandbox.regions.came_late > 0
    assert result.figures.recovery.lost == ()


async def test_writes_that_the_other_region_lacks_at_the_switch_are_counted(tmp_path: Path) -> None:
    recovery = (await DrillSandbox(tmp_path, Regions(lag=30.0)).drill()).figures.recovery
    assert len(recovery.behind) >= 8
    assert recovery.lost == ()


async def test_a_measurement_that_fails_is_a_note_and_not_the_end_of_the_drill(tmp_path: Path) -> None:
    sandbox = DrillSandbox(tmp_path, Regions(lag=30.0))
    before = sandbox.settings()

    def deny(moment: Moment) -> None:
        if moment.milestone is Milestone.SWITCHED:
            sandbox.regions.refuse = "query"
        if "not everything was measured" in moment.text:
            sandbox.regions.refuse = ""

    sandbox.on_moment = deny
    result = await sandbox.drill()
    assert len([moment for moment in result.moments if "not everything was measured" in moment.text]) == 1
    assert result.figures.recovery.behind == ()
    assert result.figures.outage.rto is not None
    sandbox.assert_restored(before)


async def test_paused_replication_shows_as_lag_and_loses_nothing(tmp_path: Path) -> None:
    result = await DrillSandbox(tmp_path, Regions()).drill("replication")
    before, during = result.figures.lag["before"].most, result.figures.lag["during"].most
    assert before is not None
    assert before < 2
    assert during is not None
    assert during > 5
    assert result.figures.failed == 0
    assert result.figures.recovery.behind != ()
    assert result.figures.recovery.lost == ()


async def test_without_a_region_to_go_to_there_is_no_rto_and_all_is_restored(sandbox: DrillSandbox) -> None:
    before = sandbox.settings()

    def fail_the_other(moment: Moment) -> None:
        if moment.milestone is Milestone.INJECTED:
            sandbox.regions.state[EAST].down = "status 500"

    sandbox.on_moment = fail_the_other
    result = await sandbox.drill(timeouts=Timeouts(margin=5, converge=5))
    assert result.figures.outage.rto is None
    assert not judge(result, Targets()).ok
    assert result.undone
    sandbox.assert_restored(before)


async def test_a_fault_without_effect_is_a_note_and_a_missed_target(sandbox: DrillSandbox) -> None:
    sandbox.regions.heeds_throttle = False
    result = await sandbox.drill(timeouts=Timeouts(effect=5))
    assert "the fault had no effect within 5 s" in [moment.text for moment in result.moments]
    assert not judge(result, Targets()).ok


async def test_a_long_wait_is_reported_every_twenty_seconds(sandbox: DrillSandbox) -> None:
    sandbox.regions.heeds_throttle = False
    result = await sandbox.drill(timeouts=Timeouts(effect=90))
    assert [m.text for m in result.moments if "still waiting" in m.text] == [
        f"still waiting for the fault to show, {seconds} s" for seconds in (20, 40, 60, 80)
    ]


async def test_a_missed_target_is_named(sandbox: DrillSandbox) -> None:
    verdict = judge(await sandbox.drill(), Targets(rto=5))
    assert (verdict.rto_met, verdict.rpo_met) == (False, True)
    assert "RTO was 10" in verdict.reasons[0]


@pytest.mark.parametrize(
    "milestone",
    [
        Milestone.LOAD,
        Milestone.INJECTED,
        Milestone.FIRST_FAILURE,
        Milestone.SWITCHED,
        Milestone.REVERTED,
        Milestone.RETURNED,
        Milestone.STOPPED,
    ],
)
async def test_an_interrupted_drill_restores_everything(sandbox: DrillSandbox, milestone: Milestone) -> None:
    before = sandbox.settings()
    drill = asyncio.ensure_future(sandbox.drill())
    sandbox.on_moment = lambda moment: drill.cancel() if moment.milestone is milestone else None
    with pytest.raises(asyncio.CancelledError):
        await drill
    sandbox.assert_restored(before)


async def test_a_second_interruption_while_everything_is_restored_changes_nothing(sandbox: DrillSandbox) -> None:
    before = sandbox.settings()
    drill = asyncio.ensure_future(sandbox.drill())

    def again_and_again(moment: Moment) -> None:
        if moment.milestone is Milestone.SWITCHED:
            for number in range(20):
                asyncio.get_running_loop().call_later(number / 20, drill.cancel)

    sandbox.on_moment = again_and_again
    with pytest.raises(asyncio.CancelledError):
        await drill
    sandbox.assert_restored(before)


async def test_shielded_work_is_finished_whatever_interruptions_come() -> None:
    done: list[int] = []

    async def work() -> None:
        for number in range(5):
            await asyncio.sleep(1)
            done.append(number)

    task = asyncio.ensure_future(shielded(work()))
    for _ in range(3):
        await asyncio.sleep(1)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [0, 1, 2, 3, 4]


async def test_a_region_that_fails_already_is_refused_before_anything_is_changed(sandbox: DrillSandbox) -> None:
    sandbox.regions.state[EAST].down = "status 500"
    with pytest.raises(WorkshopError, match="failing already"):
        await sandbox.drill()
    assert sandbox.regions.changes == []
    assert sandbox.undo_log.pending() == []


async def test_a_function_that_is_throttled_already_is_refused(sandbox: DrillSandbox) -> None:
    sandbox.regions.heeds_throttle = False
    sandbox.regions.state[WEST].reserved["fn"] = 0
    with pytest.raises(WorkshopError, match="failing already") as caught:
        await sandbox.drill()
    assert "delete-function-concurrency" in caught.value.fix


@pytest.mark.parametrize(("fault", "why"), [("health", "STATUS"), ("bad-deploy", "/health"), ("withdraw", "health check")])
async def test_a_fault_that_has_nothing_to_act_on_is_refused_with_the_reason(sandbox: DrillSandbox, fault: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        await sandbox.drill(fault)
    assert why in caught.value.why
    assert sandbox.regions.changes == []
    assert sandbox.undo_log.pending() == []


@pytest.mark.parametrize("fault", ["replication", "gateway-down"])
async def test_what_only_the_local_cloud_can_do_is_refused_on_aws(sandbox: DrillSandbox, fault: str) -> None:
    sandbox.is_local = False
    with pytest.raises(UsageError, match="not possible") as caught:
        await sandbox.drill(fault)
    assert "no switch" in caught.value.why


async def test_a_setting_that_others_change_meanwhile_is_left_as_it_is(sandbox: DrillSandbox) -> None:
    def change(moment: Moment) -> None:
        if moment.milestone is Milestone.SWITCHED:
            sandbox.regions.state[WEST].reserved["fn"] = 12

    sandbox.on_moment = change
    result = await sandbox.drill()
    assert sandbox.regions.state[WEST].reserved == {"fn": 12}
    assert "is left as it is" in result.restored[0].text


async def test_an_undo_that_fails_stays_pending_and_can_be_done_later(sandbox: DrillSandbox) -> None:
    before = sandbox.settings()

    def deny(moment: Moment) -> None:
        if moment.milestone is Milestone.SWITCHED:
            sandbox.regions.refuse = "delete_function"

    sandbox.on_moment = deny
    with pytest.raises(WorkshopError):
        await sandbox.drill()
    assert [undo.kind for undo in sandbox.undo_log.pending()] == ["throttle"]
    sandbox.regions.refuse = ""
    later = sandbox.next_process()
    await later.undo_log.undo_all(later.context, later.undo_log.pending())
    later.assert_restored(before)


async def test_all_other_undos_are_done_when_one_fails(sandbox: DrillSandbox) -> None:
    for region in (WEST, EAST):
        sandbox.regions.state[region].reserved["fn"] = 0
        sandbox.undo_log.record("throttle", region, '{"functions": {"fn": null}}', BY_HAND)
    sandbox.undo_log.record("health", EAST, '{"functions": {"gone": "200"}}', BY_HAND)
    sandbox.regions.refuse = "get_function_configuration"
    with pytest.raises(PartlyDoneError):
        await sandbox.undo_log.undo_all(sandbox.context, sandbox.undo_log.pending())
    assert [undo.kind for undo in sandbox.undo_log.pending()] == ["health"]
    assert [region.reserved for region in sandbox.regions.state.values()] == [{}, {}]


async def test_a_function_that_no_longer_exists_needs_no_undo(sandbox: DrillSandbox) -> None:
    sandbox.undo_log.record("throttle", WEST, '{"functions": {"fn": 5}}', BY_HAND)
    sandbox.regions.missing_function = "fn"
    (undone,) = await sandbox.undo_log.undo_all(sandbox.context, sandbox.undo_log.pending())
    assert "fn no longer exists" in undone.text
    assert sandbox.undo_log.pending() == []


async def test_with_three_regions_every_table_is_compared(tmp_path: Path) -> None:
    sandbox = DrillSandbox(tmp_path, Regions(names=(WEST, EAST, "ap-northeast-1")))
    before = sandbox.settings()
    result = await sandbox.drill()
    assert {lag.region for lag in result.lags} == {WEST, EAST, "ap-northeast-1"}
    assert result.figures.outage.rto is not None
    sandbox.assert_restored(before)


async def test_a_health_route_is_called_before_each_write(tmp_path: Path) -> None:
    result = await DrillSandbox(tmp_path, Regions(health=True)).drill("health")
    assert {request.kind for request in result.requests if not request.ok} == {RequestKind.HEALTH}
