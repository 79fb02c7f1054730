"""The exchange of two health checks, its undo, and the drill around it, over the cloud's own Route 53 in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.fakes.context import EU, HOME
from tests.unit.fakes.dns import FakeInternet
from tests.unit.fakes.route53 import close_route53
from tests.unit.kills import Killed, killed_at
from tests.unit.test_step_wiring import APIS, NAME, Sandbox
from workshop.aws.dns import Dns
from workshop.aws.resources.route53 import find_zone, records_at
from workshop.aws.target import Target
from workshop.drill.api_client import ApiResponse
from workshop.drill.base import FaultContext, RegionFault
from workshop.drill.deployment import Deployment, RegionDeployment
from workshop.drill.faults.crossed_checks import UNDO, crossed_snapshot, inject_crossed
from workshop.drill.registry import FAULTS
from workshop.drill.undo_log import UndoLog
from workshop.drill.wiring import WiringDrill, WiringResult, run_wiring
from workshop.engine.journal import Journal
from workshop.engine.scope import Scope
from workshop.errors import WorkshopError


class Sick(RegionFault):
    """The check that watches the region fails, and so does every call."""

    name = "sick"
    summary = "nothing works"

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def snapshot(self, context: FaultContext, deployment: Deployment, regional: RegionDeployment) -> str:
        return regional.region

    def plan(self, regional: RegionDeployment, snapshot: str) -> str:
        return f"{regional.region} is made sick."

    async def inject(self, context: FaultContext, regional: RegionDeployment, snapshot: str) -> None:
        self.sandbox.route53.health.sick.add(self.sandbox.checks[snapshot])

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        self.sandbox.route53.health.sick.discard(self.sandbox.checks[snapshot])
        return f"{region} is well again."


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    yield Sandbox()
    close_route53()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "runs.db")
    yield found
    found.close()


def undo_log(journal: Journal, run: str = "run-1") -> UndoLog:
    return UndoLog(journal.undos, Scope("films", "local", "111122223333"), "films", "", run)


async def wires(sandbox: Sandbox) -> dict[str, str]:
    return {each.set_identifier: each.health_check for each in await records_at(sandbox.aws, sandbox.zone, NAME)}


async def crossing(sandbox: Sandbox) -> str:
    one, two = await records_at(sandbox.aws, sandbox.zone, NAME)
    return crossed_snapshot(sandbox.zone, NAME, (one, two))


async def test_an_exchange_is_taken_back_from_its_snapshot_alone(sandbox: Sandbox) -> None:
    before, snapshot = await wires(sandbox), await crossing(sandbox)
    context = FaultContext(sandbox.aws, None)
    await inject_crossed(context, snapshot)
    crossed = await wires(sandbox)
    assert set(crossed.values()) == set(before.values()) and all(crossed[name] != before[name] for name in before)
    assert "each record carries its own health check again" in await UNDO.undo(context, HOME, snapshot)
    assert await wires(sandbox) == before
    await UNDO.undo(context, HOME, snapshot)
    assert await wires(sandbox) == before


async def test_a_check_that_others_set_meanwhile_is_left(sandbox: Sandbox) -> None:
    snapshot, context = await crossing(sandbox), FaultContext(sandbox.aws, None)
    before = await wires(sandbox)
    await inject_crossed(context, snapshot)
    one, two = await records_at(sandbox.aws, sandbox.zone, NAME)
    theirs = {key: value for key, value in one.raw.items() if key != "HealthCheckId"}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": theirs}]}
    sandbox.route53.call("us-east-1", "change_resource_record_sets", HostedZoneId=sandbox.zone, ChangeBatch=batch)
    text = await UNDO.undo(context, HOME, snapshot)
    assert f"left as others have set it: {one.set_identifier}" in text
    assert await wires(sandbox) == {one.set_identifier: "", two.set_identifier: before[two.set_identifier]}


async def test_records_that_are_gone_are_no_error(sandbox: Sandbox) -> None:
    snapshot, context = await crossing(sandbox), FaultContext(sandbox.aws, None)
    await inject_crossed(context, snapshot)
    records = await records_at(sandbox.aws, sandbox.zone, NAME)
    changes = [{"Action": "DELETE", "ResourceRecordSet": dict(each.raw)} for each in records]
    sandbox.route53.call("us-east-1", "change_resource_record_sets", HostedZoneId=sandbox.zone, ChangeBatch={"Changes": changes})
    await UNDO.undo(context, HOME, snapshot)
    assert await wires(sandbox) == {}


class Drilled:
    """A drill that can begin: regions of which the sick one fails every call."""

    def __init__(self, sandbox: Sandbox, journal: Journal) -> None:
        self.sandbox, self.log, self.notices = sandbox, undo_log(journal), list[str]()
        internet = FakeInternet(own=sandbox.route53.respond)
        self.target = Target("aws", SimpleNamespace(), dns=Dns(internet))  # type: ignore[arg-type]
        self.context = FaultContext(sandbox.aws, None)

    async def run(self, region: str = HOME) -> WiringResult:
        zone = await find_zone(self.sandbox.aws, self.sandbox.zone)
        assert zone is not None
        regional = tuple(RegionDeployment(r, "s", ("f",), api, "prod", f"http://{r}/") for r, api in APIS.items())
        deployment = Deployment("films", "t", "aws", regional)
        drill = WiringDrill(zone, NAME, self.target.authority(zone.servers), deployment, region, Sick(self.sandbox), queries=12)
        return await run_wiring(drill, self.context, self.target, self.call, self.log, self.notices.append)

    async def call(self, url: str, deadline: float) -> ApiResponse:
        region = url.partition("//")[2].partition("/")[0]
        sick = self.sandbox.checks[region] in self.sandbox.route53.health.sick
        return ApiResponse("status 400", 400) if sick else ApiResponse(status=200)


@pytest.fixture
def drilled(sandbox: Sandbox, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Drilled:
    monkeypatch.setitem(FAULTS, "sick", __name__)
    monkeypatch.setattr(f"{__name__}.FAULT", Sick(sandbox), raising=False)
    return Drilled(sandbox, journal)


async def test_the_drill_shows_the_talks_failure_and_takes_everything_back(drilled: Drilled) -> None:
    before = await wires(drilled.sandbox)
    result = await drilled.run()
    assert result.shown and result.undone
    assert result.answers == {HOME: 12} and result.failed == 12
    assert any("carry each other's health check" in each.text for each in result.found)
    assert [each.undo.kind for each in result.restored] == ["sick", "crossed-checks"]
    assert await wires(drilled.sandbox) == before and drilled.sandbox.route53.health.sick == set()
    assert drilled.log.pending() == [] and any("are exchanged" in line for line in drilled.notices)


async def test_another_region_can_be_broken(drilled: Drilled) -> None:
    assert (await drilled.run(EU)).answers == {EU: 12}


async def test_a_wiring_that_is_wrong_before_is_refused_and_stays(drilled: Drilled) -> None:
    drilled.sandbox.cross()
    crossed = await wires(drilled.sandbox)
    with pytest.raises(WorkshopError) as caught:
        await drilled.run()
    assert caught.value.code == "Wiring" and await wires(drilled.sandbox) == crossed and drilled.log.pending() == []


async def test_records_without_checks_cannot_be_exchanged(drilled: Drilled) -> None:
    one, _ = await records_at(drilled.sandbox.aws, drilled.sandbox.zone, NAME)
    kept = {key: value for key, value in one.raw.items() if key not in ("HealthCheckId", "Weight")}
    other = (await records_at(drilled.sandbox.aws, drilled.sandbox.zone, NAME))[1]
    primary = {key: value for key, value in other.raw.items() if key != "Weight"}
    changes = [
        {"Action": "DELETE", "ResourceRecordSet": dict(one.raw)},
        {"Action": "DELETE", "ResourceRecordSet": dict(other.raw)},
        {"Action": "CREATE", "ResourceRecordSet": {**kept, "Failover": "SECONDARY"}},
        {"Action": "CREATE", "ResourceRecordSet": {**primary, "Failover": "PRIMARY"}},
    ]
    drilled.sandbox.route53.call(
        "us-east-1", "change_resource_record_sets", HostedZoneId=drilled.sandbox.zone, ChangeBatch={"Changes": changes}
    )
    with pytest.raises(WorkshopError, match="cannot be exchanged"):
        await drilled.run()


async def test_a_drill_that_was_killed_anywhere_is_taken_back_by_the_next_command(drilled: Drilled, journal: Journal) -> None:
    sandbox, before = drilled.sandbox, await wires(drilled.sandbox)
    sandbox.route53.parts.timing.change("fast", 1.0)
    kills, number, ended = 0, 0, False
    while not ended:
        number += 3  # every third call: the exchange, its wait, the region's failure and the undo are all among them
        for after in (False, True):
            try:
                with killed_at(sandbox.aws, number, after=after):
                    ended = False
                    await drilled.run()
                    ended = True
            except Killed:
                kills += 1
            later = undo_log(journal, "run-2")
            await later.undo_all(drilled.context, later.pending())
            assert await wires(sandbox) == before and sandbox.route53.health.sick == set(), f"call {number}, after: {after}"
    assert kills >= 6 and undo_log(journal).pending() == []


async def test_a_drill_that_is_cancelled_takes_everything_back(drilled: Drilled) -> None:
    before = await wires(drilled.sandbox)

    def stop(call: Any) -> None:
        if call.operation == "get_health_check_status":
            raise WorkshopError("Something else.")

    drilled.sandbox.aws.watch = stop
    with pytest.raises(WorkshopError, match="Something else"):
        await drilled.run()
    assert await wires(drilled.sandbox) == before and drilled.log.pending() == []
