"""Whole drills in virtual time: what they measure, what they find, and that everything is as it was afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.drill.regions import EAST, SETTINGS, WEST, Regions, Stage
from workshop.drill.durations import seconds_of
from workshop.drill.measure import bound
from workshop.drill.run import Patience, undisturbed
from workshop.drill.timeline import Mark, Moment, Use
from workshop.drill.verdict import Targets, judge
from workshop.engine.undos import BY_HAND
from workshop.errors import PartlyDoneError, UsageError, WorkshopError

FAULTS = ["throttle", "health", "bad-deploy", "replication"]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, Regions())


@pytest.mark.parametrize("reserved", [None, 37, 5])
async def test_a_drill_measures_the_failover_and_restores_what_was_reserved(stage: Stage, reserved: int | None) -> None:
    if reserved is not None:
        stage.regions.state[WEST].reserved["fn"] = reserved
    before = stage.settings()
    drilled = await stage.drill()
    outage = drilled.figures.outage
    assert outage.rto is not None and SETTINGS.countdown_ms / 1000 < outage.rto <= outage.bound
    assert drilled.undone and stage.as_before(before) and not stage.ledger.pending()
    assert drilled.figures.failed > 0 and drilled.figures.recovery.acknowledged > 20 and not drilled.figures.recovery.lost
    assert judge(drilled, Targets()).ok


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_strikes_and_is_taken_back(tmp_path: Path, fault: str) -> None:
    stage = Stage(tmp_path, Regions(health=True))
    before = stage.settings()
    struck: list[bool] = []
    stage.heard = lambda moment: struck.append(stage.settings() != before) if moment.mark is Mark.FIRST_FAILURE else None
    drilled = await stage.drill(fault)
    assert drilled.undone and stage.as_before(before)
    assert struck == ([] if fault == "replication" else [True])
    assert (drilled.figures.outage.rto is None) == (fault == "replication")
    assert judge(drilled, Targets()).ok
    assert stage.regions.state[WEST].variables["SECRET"] == "kept"


async def test_the_writes_go_back_after_the_region_has_proved_itself(stage: Stage) -> None:
    drilled = await stage.drill()
    order = [m.mark for m in drilled.moments if m.mark is not Mark.NOTE]
    assert order == [
        Mark.LOAD, Mark.STRUCK, Mark.FIRST_FAILURE, Mark.SWITCHED, Mark.MENDED, Mark.OFFERED, Mark.RETURNED, Mark.STOPPED,
        Mark.CONVERGED,
    ]  # fmt: skip
    takers = [write.region for write in drilled.acknowledged]
    assert takers[0] == WEST and EAST in takers and takers[-1] == WEST
    assert [write.number for write in drilled.acknowledged] == list(range(1, len(takers) + 1))


async def test_the_region_that_is_failed_is_the_one_that_the_writes_prefer(stage: Stage) -> None:
    drilled = await stage.drill(region=EAST)
    assert drilled.acknowledged[0].region == EAST and drilled.figures.outage.rto is not None
    assert all("us-west-2 put" not in change for change in stage.regions.changes)


@pytest.mark.parametrize("threshold", [1, 3, 10])
async def test_without_a_countdown_the_threshold_decides(stage: Stage, threshold: int) -> None:
    settings = replace(SETTINGS, min_failures=threshold, countdown_ms=0)
    drilled = await stage.drill(settings=settings)
    outage = drilled.figures.outage
    assert outage.rto is not None and (threshold - 1) * settings.write_every_ms / 1000 <= outage.rto <= outage.bound


async def test_a_region_that_hangs_is_left_within_its_bound(stage: Stage) -> None:
    def hang(moment: Moment) -> None:
        if moment.mark is Mark.STRUCK:
            stage.regions.state[WEST].slow = 60.0
        if moment.mark is Mark.MENDED:
            stage.regions.state[WEST].slow = 0.01

    stage.heard = hang
    drilled = await stage.drill()
    rto = drilled.figures.outage.rto
    assert rto is not None and rto <= bound(SETTINGS, SETTINGS.write_timeout_ms / 1000)


async def test_one_failed_request_moves_nothing(stage: Stage) -> None:
    def blip(moment: Moment) -> None:
        if moment.mark is Mark.STRUCK:
            stage.regions.heeds_throttle = False
            stage.regions.state[WEST].down = "status 502"
        if moment.mark is Mark.FIRST_FAILURE:
            stage.regions.state[WEST].down = ""

    stage.heard = blip
    drilled = await stage.drill(patience=Patience(margin=5))
    assert all(write.region == WEST for write in drilled.acknowledged)
    verdict = judge(drilled, Targets())
    assert not verdict.ok and "did not fail over" in verdict.reasons[0] and drilled.undone


async def test_a_write_that_never_arrives_is_counted_as_lost(stage: Stage) -> None:
    stage.regions.forgets = {"000003", "000005"}
    drilled = await stage.drill(patience=Patience(converge=5))
    recovery = drilled.figures.recovery
    assert [write.number for write in recovery.lost] == [3, 5]
    assert recovery.lost_seconds == pytest.approx(1.0, abs=0.1)
    assert not judge(drilled, Targets(rpo=0.5)).ok and judge(drilled, Targets(rpo=60)).ok
    assert drilled.undone


async def test_a_late_attempt_at_a_write_that_was_taken_elsewhere_loses_nothing(stage: Stage) -> None:
    """An attempt that the client gave up may still take effect, after another region took the same write."""

    def late(moment: Moment) -> None:
        if moment.mark is Mark.FIRST_FAILURE:
            stage.regions.late = True
        if moment.mark is Mark.MENDED:
            stage.regions.late = False

    stage.heard = late
    drilled = await stage.drill()
    assert stage.regions.came_late > 0 and not drilled.figures.recovery.lost


async def test_what_the_other_region_lacks_at_the_switch_is_told(tmp_path: Path) -> None:
    drilled = await Stage(tmp_path, Regions(lag=30.0)).drill()
    assert len(drilled.figures.recovery.behind) >= 8 and not drilled.figures.recovery.lost


async def test_a_replication_that_stands_still_shows_as_lag_and_loses_nothing(tmp_path: Path) -> None:
    drilled = await Stage(tmp_path, Regions()).drill("replication")
    lag = drilled.figures.lag
    assert lag["before"].most is not None and lag["before"].most < 2
    assert lag["during"].most is not None and lag["during"].most > 5
    assert drilled.figures.failed == 0 and drilled.figures.recovery.behind and not drilled.figures.recovery.lost


async def test_without_a_region_to_go_to_there_is_no_rto_and_all_is_put_back(stage: Stage) -> None:
    before = stage.settings()

    def both(moment: Moment) -> None:
        if moment.mark is Mark.STRUCK:
            stage.regions.state[EAST].down = "status 500"

    stage.heard = both
    drilled = await stage.drill(patience=Patience(margin=5, converge=5))
    assert drilled.figures.outage.rto is None and not judge(drilled, Targets()).ok
    assert drilled.undone and stage.settings() == before


async def test_a_fault_without_effect_is_said(stage: Stage) -> None:
    stage.regions.heeds_throttle = False
    drilled = await stage.drill(patience=Patience(effect=5))
    assert any("no effect" in moment.text for moment in drilled.moments)
    assert not judge(drilled, Targets()).ok


async def test_a_long_wait_gives_signs_of_life(stage: Stage) -> None:
    stage.regions.heeds_throttle = False
    drilled = await stage.drill(patience=Patience(effect=90))
    assert [m.text for m in drilled.moments if "still waiting" in m.text] == [
        f"still waiting for the fault to show, {seconds} s" for seconds in (20, 40, 60, 80)
    ]


async def test_a_missed_target_is_missed(stage: Stage) -> None:
    verdict = judge(await stage.drill(), Targets(rto=5))
    assert not verdict.rto_met and verdict.rpo_met and "RTO was 10" in verdict.reasons[0]


@pytest.mark.parametrize(
    "mark", [Mark.LOAD, Mark.STRUCK, Mark.FIRST_FAILURE, Mark.SWITCHED, Mark.MENDED, Mark.RETURNED, Mark.STOPPED]
)
async def test_an_interrupted_drill_puts_everything_back(stage: Stage, mark: Mark) -> None:
    before = stage.settings()
    drill = asyncio.ensure_future(stage.drill())
    stage.heard = lambda moment: drill.cancel() if moment.mark is mark else None
    with pytest.raises(asyncio.CancelledError):
        await drill
    assert stage.as_before(before) and not stage.ledger.pending()


async def test_a_second_interruption_while_things_are_put_back_changes_nothing(stage: Stage) -> None:
    before = stage.settings()
    drill = asyncio.ensure_future(stage.drill())

    def again_and_again(moment: Moment) -> None:
        if moment.mark is Mark.SWITCHED:
            for number in range(20):
                asyncio.get_running_loop().call_later(number / 20, drill.cancel)

    stage.heard = again_and_again
    with pytest.raises(asyncio.CancelledError):
        await drill
    assert stage.as_before(before) and not stage.ledger.pending()


async def test_work_that_must_not_be_disturbed_is_finished_under_a_hail_of_interruptions() -> None:
    done: list[int] = []

    async def work() -> None:
        for number in range(5):
            await asyncio.sleep(1)
            done.append(number)

    task = asyncio.ensure_future(undisturbed(work()))
    for _ in range(3):
        await asyncio.sleep(1)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [0, 1, 2, 3, 4]


async def test_a_region_that_fails_already_is_refused_before_anything_is_changed(stage: Stage) -> None:
    stage.regions.state[EAST].down = "status 500"
    with pytest.raises(WorkshopError, match="failing already"):
        await stage.drill()
    assert not stage.regions.changes and not stage.ledger.pending()


async def test_a_function_that_somebody_throttled_is_refused(stage: Stage) -> None:
    stage.regions.heeds_throttle = False
    stage.regions.state[WEST].reserved["fn"] = 0
    with pytest.raises(WorkshopError, match="failing already") as caught:
        await stage.drill()
    assert "delete-function-concurrency" in caught.value.fix


@pytest.mark.parametrize(("fault", "why"), [("health", "STATUS"), ("bad-deploy", "/health")])
async def test_a_fault_that_the_workshop_has_nothing_for_is_refused_with_the_reason(stage: Stage, fault: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        await stage.drill(fault)
    assert why in caught.value.why and not stage.regions.changes and not stage.ledger.pending()


async def test_replication_cannot_be_paused_on_aws(stage: Stage) -> None:
    stage.can_cut = False
    with pytest.raises(UsageError, match="not possible") as caught:
        await stage.drill("replication")
    assert "no switch" in caught.value.why


async def test_what_somebody_else_set_meanwhile_is_left_alone(stage: Stage) -> None:
    def meddle(moment: Moment) -> None:
        if moment.mark is Mark.SWITCHED:
            stage.regions.state[WEST].reserved["fn"] = 12

    stage.heard = meddle
    drilled = await stage.drill()
    assert stage.regions.state[WEST].reserved == {"fn": 12}
    assert "stays so" in drilled.settled[0].text


async def test_an_undo_that_fails_stays_pending_and_can_be_done_later(stage: Stage) -> None:
    before = stage.settings()

    def deny(moment: Moment) -> None:
        if moment.mark is Mark.SWITCHED:
            stage.regions.refuse = "delete_function"

    stage.heard = deny
    with pytest.raises(WorkshopError):
        await stage.drill()
    assert [undo.kind for undo in stage.ledger.pending()] == ["throttle"]
    stage.regions.refuse = ""
    later = stage.again()
    await later.ledger.settle_all(later.means, later.ledger.pending())
    assert later.as_before(before) and not later.ledger.pending()


async def test_all_other_undos_are_done_when_one_fails(stage: Stage) -> None:
    for region in (WEST, EAST):
        stage.regions.state[region].reserved["fn"] = 0
        stage.ledger.owe("throttle", region, '{"functions": {"fn": null}}', BY_HAND)
    stage.ledger.owe("health", EAST, '{"functions": {"gone": "200"}}', BY_HAND)
    stage.regions.refuse = "get_function_configuration"
    with pytest.raises(PartlyDoneError):
        await stage.ledger.settle_all(stage.means, stage.ledger.pending())
    assert [undo.kind for undo in stage.ledger.pending()] == ["health"]
    assert all(not region.reserved for region in stage.regions.state.values())


async def test_a_function_that_is_gone_needs_no_undo(stage: Stage) -> None:
    stage.ledger.owe("throttle", WEST, '{"functions": {"fn": 5}}', BY_HAND)
    stage.regions.missing_function = "fn"
    (settled,) = await stage.ledger.settle_all(stage.means, stage.ledger.pending())
    assert "gone" in settled.text and not stage.ledger.pending()


async def test_with_three_regions_every_table_is_compared(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Regions(names=(WEST, EAST, "ap-northeast-1")))
    before = stage.settings()
    drilled = await stage.drill()
    assert {lag.region for lag in drilled.lags} == {WEST, EAST, "ap-northeast-1"}
    assert stage.as_before(before) and drilled.figures.outage.rto is not None


async def test_where_there_is_a_health_route_it_is_asked_before_each_write(tmp_path: Path) -> None:
    drilled = await Stage(tmp_path, Regions(health=True)).drill("health")
    failed = [request for request in drilled.requests if not request.ok]
    assert failed and {request.use for request in failed} == {Use.HEALTH}


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("2.5", 2.5)])
def test_lengths_of_time_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1s", "1 week", "1s2"])
def test_other_texts_are_no_lengths_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="not a length of time"):
        seconds_of(text)
