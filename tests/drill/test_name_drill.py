"""Whole drills through a name, in virtual time: what they measure, within which bound, and that everything is restored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.named_regions import NamedRegions, NamedSandbox
from workshop.drill.report import Targets, judge

FAULTS = ("throttle", "health", "bad-deploy", "withdraw", "gateway-down")


@pytest.fixture
def sandbox(tmp_path: Path) -> NamedSandbox:
    return NamedSandbox(tmp_path, NamedRegions())


@pytest.mark.parametrize("policy", ["weighted", "failover"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_leads_the_last_client_away_within_the_bound(tmp_path: Path, fault: str, policy: str) -> None:
    sandbox = NamedSandbox(tmp_path, NamedRegions(policy=policy))
    before = sandbox.settings()
    result = await sandbox.through_name(fault)
    sandbox.assert_restored(before)
    outage, recovery, found = result.figures.outage, result.figures.recovery, result.name
    assert outage.rto
    assert outage.direct is not None
    assert outage.detected is not None
    assert found is not None
    assert 0 <= outage.direct <= outage.rto <= outage.bound == found.bound.seconds
    assert found.mismatches == ()
    assert (result.figures.failed > 0) == (fault != "withdraw")
    assert recovery.acknowledged > 20
    assert recovery.lost == ()
    assert result.undone
    assert judge(result, Targets()).ok
