"""Whole drills through a name, in virtual time: what they measure, within which bound, and that everything is restored."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from tests.drill.named_regions import NAME, NamedRegions, NamedSandbox
from tests.drill.regions import EAST, WEST, Died
from workshop.drill.name_load import CACHED, DIRECT
from workshop.drill.report import Targets, judge
from workshop.drill.run import Timeouts
from workshop.drill.timeline import Milestone, Moment
from workshop.errors import UsageError, WorkshopError

FAULTS = ("throttle", "health", "bad-deploy", "withdraw", "gateway-down")
QUICK = {"interval": 2.0, "ttl": 6}
"""A pace at which a drill takes a minute of virtual time."""
ALL = [
    Milestone.LOAD,
    Milestone.INJECTED,
    Milestone.FIRST_FAILURE,
    Milestone.SEEN,
    Milestone.DNS,
    Milestone.PEOPLE,
    Milestone.REVERTED,
    Milestone.OFFERED,
    Milestone.RETURNED,
    Milestone.STOPPED,
    Milestone.CONVERGED,
]

LIKE_OTHERS = (Milestone.DNS, Milestone.FIRST_FAILURE, Milestone.OFFERED, Milestone.CONVERGED)
"""Moments at which an interruption finds what it finds at the one before."""


@pytest.fixture
def sandbox(tmp_path: Path) -> NamedSandbox:
    return NamedSandbox(tmp_path, NamedRegions(**QUICK))


@pytest.mark.parametrize("policy", ["weighted", "failover"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_leads_the_last_client_away_within_the_bound(tmp_path: Path, fault: str, policy: str) -> None:
    sandbox = NamedSandbox(tmp_path, NamedRegions(policy=policy, **QUICK))
    before = sandbox.settings()
    result = await sandbox.through_name(fault)
    sandbox.assert_restored(before)
    outage, recovery, found = result.figures.outage, result.figures.recovery, result.name
    assert outage.rto
    assert outage.direct is not None
    assert outage.detected is not None
    assert found is not None
    assert 0 < outage.direct <= outage.rto <= outage.bound == found.bound.seconds
    assert found.mismatches == ()
    assert (result.figures.failed > 0) == (fault != "withdraw")
    assert recovery.acknowledged > 20
    assert recovery.lost == ()
    assert result.undone
    assert judge(result, Targets()).ok


async def test_the_figures_of_the_real_pace_are_those_of_route_53(tmp_path: Path) -> None:
    result = await NamedSandbox(tmp_path, NamedRegions(interval=10.0, threshold=3, ttl=60)).through_name()
    outage = result.figures.outage
    assert outage.bound == 10 * 3 + 10 + 6 + 60
    assert outage.detected == pytest.approx(2.0), "checkers are looked at every 2 s; their check turns after 30 s"
    assert outage.direct == pytest.approx(31, abs=3)
    assert outage.rto is not None
    assert outage.direct + 10 < outage.rto < outage.direct + 62, "six answers that end at different times: the last one decides"


async def test_the_marks_follow_each_other_and_are_in_the_order_of_their_time(sandbox: NamedSandbox) -> None:
    result = await sandbox.through_name()
    marks = [moment.milestone for moment in result.moments if moment.milestone is not Milestone.NOTE]
    assert sorted(marks) == sorted(ALL)
    assert [moment.at for moment in result.moments] == sorted(moment.at for moment in result.moments)
    found = result.name
    assert found is not None
    times = found.marks
    assert times.effect and times.seen and times.dns and times.people and times.recovered and times.back
    assert times.struck <= times.effect < times.seen
    assert times.effect < times.dns <= times.people < times.recovered < times.back


async def test_the_bound_is_announced_before_anything_is_changed(sandbox: NamedSandbox) -> None:
    await sandbox.through_name()
    texts = [moment.text for moment in sandbox.moments]
    announced = next(number for number, text in enumerate(texts) if "led away within 20 s: 2 s x 3 + 2 s until" in text)
    assert announced < [moment.milestone for moment in sandbox.moments].index(Milestone.INJECTED)


async def test_a_client_keeps_an_answer_for_its_ttl_and_the_direct_one_keeps_none(sandbox: NamedSandbox) -> None:
    result = await sandbox.through_name()
    assert result.name is not None
    asked = {client: [each.at for each in result.name.answers if each.client == client] for client in (DIRECT, *CACHED)}
    assert len(asked[DIRECT]) == len([r for r in result.requests if r.client == DIRECT and r.kind == "health"])
    for client in CACHED:
        gaps = [later - earlier for earlier, later in pairwise(asked[client][1:])]
        assert min(gaps) > 5.99, "the first answer is kept for a part of its TTL, so that not all ask at once"
        assert max(gaps) <= 7.1
    ends = sorted(asked[client][1] % 6 for client in CACHED)
    assert max(later - earlier for earlier, later in pairwise(ends)) < 3


@pytest.mark.parametrize("fault", ["health", "throttle", "bad-deploy", "gateway-down"])
async def test_the_same_load_fails_over_by_itself_without_the_name(sandbox: NamedSandbox, fault: str) -> None:
    before = sandbox.settings()
    result = await sandbox.through_name(fault, directly=True)
    sandbox.assert_restored(before)
    outage = result.figures.outage
    assert result.name is None
    assert outage.rto is not None
    assert 0 < outage.rto <= outage.bound
    assert result.figures.recovery.lost == ()
    assert judge(result, Targets()).ok


async def test_an_item_that_replication_has_not_delivered_is_no_failure(tmp_path: Path) -> None:
    result = await NamedSandbox(tmp_path, NamedRegions(lag=5.0, **QUICK)).through_name("withdraw")
    assert 404 in {request.status for request in result.requests}
    assert result.figures.failed == 0
    assert result.figures.recovery.lost == ()


async def test_a_write_that_never_arrives_is_counted_as_lost(sandbox: NamedSandbox) -> None:
    sandbox.regions.table.undelivered = {""}
    result = await sandbox.through_name(timeouts=Timeouts(converge=5))
    assert len(result.figures.recovery.lost) == result.figures.recovery.acknowledged
    assert not judge(result, Targets(rpo=0.5)).ok


async def test_crossed_checks_withdraw_the_healthy_region_and_the_failure_shows_it(sandbox: NamedSandbox) -> None:
    sandbox.regions.crossed = True
    before = sandbox.settings()
    result = await sandbox.through_name(timeouts=Timeouts(margin=5))
    sandbox.assert_restored(before)
    assert result.name is not None
    texts = " ".join(each.text for each in result.name.mismatches)
    assert f"{WEST}: it was broken, and DNS went on to name it." in texts
    assert f"{EAST}: DNS does not name it any more, while {WEST} alone was broken." in texts
    assert result.figures.outage.rto is None
    verdict = judge(result, Targets())
    assert not verdict.ok
    assert "Clients did not leave the region" in verdict.reasons[0]


async def test_a_check_that_turns_for_another_region_is_a_note(sandbox: NamedSandbox) -> None:
    def both(moment: Moment) -> None:
        if moment.milestone is Milestone.SEEN:
            sandbox.regions.inverted[EAST] = True
        if moment.milestone is Milestone.REVERTED:
            sandbox.regions.inverted[EAST] = False

    sandbox.on_moment = both
    result = await sandbox.through_name(timeouts=Timeouts(margin=5))
    assert result.name is not None
    assert f"{EAST}: its health check check-{EAST} turned, while {WEST} alone was broken." in [
        each.text for each in result.name.mismatches
    ]


async def test_a_check_that_fails_for_a_moment_has_not_turned(sandbox: NamedSandbox) -> None:
    def hiccup(moment: Moment) -> None:
        if moment.milestone is Milestone.SEEN:
            sandbox.regions.inverted[EAST] = True
            asyncio.get_running_loop().call_later(3.0, sandbox.regions.inverted.update, {EAST: False})

    sandbox.on_moment = hiccup
    result = await sandbox.through_name()
    assert result.name is not None
    assert result.name.mismatches == (), "its threshold takes 4 s"


async def test_a_fault_without_effect_is_a_note_and_a_missed_target(sandbox: NamedSandbox) -> None:
    def heal(moment: Moment) -> None:
        if moment.milestone is Milestone.INJECTED:
            asyncio.get_running_loop().call_soon(sandbox.regions.gateways_down.clear)

    sandbox.on_moment = heal
    result = await sandbox.through_name("gateway-down", timeouts=Timeouts(effect=5))
    assert "the fault had no effect within 5 s" in [moment.text for moment in result.moments]
    assert not judge(result, Targets()).ok


async def test_a_region_to_which_dns_leads_no_one_is_refused_before_it_is_changed(tmp_path: Path) -> None:
    sandbox = NamedSandbox(tmp_path, NamedRegions(policy="failover", **QUICK))
    before = sandbox.settings()
    with pytest.raises(UsageError) as caught:
        await sandbox.through_name(region=EAST)
    assert f"leads no client from here to it, only to {WEST}" in caught.value.why
    assert caught.value.fix.endswith(f"--region {WEST}")
    sandbox.assert_restored(before)
    assert sandbox.regions.changes == []


async def test_a_name_that_dns_does_not_know_is_refused(sandbox: NamedSandbox) -> None:
    before = sandbox.settings()
    sandbox.regions.silent_dns = True
    with pytest.raises(WorkshopError) as caught:
        await sandbox.through_name(timeouts=Timeouts(effect=5))
    assert caught.value.what == f"{NAME} is failing already."
    assert "DNS: no answer (SERVFAIL)" in caught.value.why
    sandbox.assert_restored(before)


@pytest.mark.parametrize("milestone", [m for m in ALL if m not in LIKE_OTHERS])
async def test_an_interrupted_drill_restores_everything(sandbox: NamedSandbox, milestone: Milestone) -> None:
    before = sandbox.settings()
    drill = asyncio.ensure_future(sandbox.through_name("withdraw" if milestone is Milestone.SEEN else "health"))
    sandbox.on_moment = lambda moment: drill.cancel() if moment.milestone is milestone else None
    with pytest.raises(asyncio.CancelledError):
        await drill
    sandbox.assert_restored(before)


@pytest.mark.parametrize("fault", ["health", "withdraw", "gateway-down"])
@pytest.mark.parametrize("milestone", [Milestone.INJECTED, Milestone.PEOPLE, Milestone.STOPPED])
async def test_what_a_killed_drill_left_is_restored_by_the_next_process(
    sandbox: NamedSandbox, fault: str, milestone: Milestone
) -> None:
    before = sandbox.settings()
    sandbox.kill_at(milestone)
    with pytest.raises(Died):
        await sandbox.through_name(fault)
    later = sandbox.next_process()
    assert later.undo_log.pending()
    await later.undo_log.undo_all(later.context, later.undo_log.pending())
    later.assert_restored(before)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", [1, 2, 3])
async def test_a_drill_that_is_killed_at_any_change_is_restored(sandbox: NamedSandbox, change: int, when: str) -> None:
    before = sandbox.settings()
    sandbox.regions.dies_at = (change, when)
    with pytest.raises(Died):
        await sandbox.through_name("withdraw")
    later = sandbox.next_process()
    await later.undo_log.undo_all(later.context, later.undo_log.pending())
    later.assert_restored(before)
