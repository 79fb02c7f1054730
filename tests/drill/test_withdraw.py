"""The planned evacuation: which health check it inverts, which it refuses, and what its undo leaves as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.drill.named_regions import NamedRegions, NamedSandbox
from tests.drill.regions import WEST
from workshop.drill.registry import fault_named
from workshop.errors import WorkshopError

FAULT = fault_named("withdraw")


@pytest.fixture
def sandbox(tmp_path: Path) -> NamedSandbox:
    return NamedSandbox(tmp_path, NamedRegions())


async def snapshot_of(sandbox: NamedSandbox) -> str:
    deployment = sandbox.deployment
    return await FAULT.snapshot(sandbox.context, deployment, deployment.in_region(WEST))


async def injected(sandbox: NamedSandbox) -> str:
    snapshot = await snapshot_of(sandbox)
    await FAULT.inject(sandbox.context, sandbox.deployment.in_region(WEST), snapshot)
    assert sandbox.regions.inverted[WEST]
    return snapshot


async def test_the_check_of_the_region_is_inverted_and_set_back(sandbox: NamedSandbox) -> None:
    before = sandbox.settings()
    snapshot = await injected(sandbox)
    plan = FAULT.plan(sandbox.deployment.in_region(WEST), snapshot)
    assert plan == "The health check check-us-west-2 of us-west-2 is inverted and set back."
    text = await FAULT.undo(sandbox.context, WEST, snapshot)
    assert text == "us-west-2: the health check check-us-west-2 is not inverted any more, read back."
    assert sandbox.settings() == before


async def test_a_check_that_is_inverted_already_is_refused(sandbox: NamedSandbox) -> None:
    sandbox.regions.inverted[WEST] = True
    with pytest.raises(WorkshopError, match="failing already") as caught:
        await snapshot_of(sandbox)
    assert "--no-inverted" in caught.value.fix


async def test_a_check_of_others_is_refused(sandbox: NamedSandbox) -> None:
    sandbox.regions.tag = "another"
    with pytest.raises(WorkshopError, match="not possible") as caught:
        await snapshot_of(sandbox)
    assert "does not carry the tag workshop=global-serverless" in caught.value.why


async def test_a_region_without_a_check_is_refused(sandbox: NamedSandbox) -> None:
    deployment = sandbox.deployment
    with pytest.raises(WorkshopError, match="not possible"):
        await FAULT.snapshot(sandbox.context, deployment, replace(deployment.in_region(WEST), check=""))
    sandbox.regions.gone = {f"check-{WEST}"}
    with pytest.raises(WorkshopError, match="not possible"):
        await snapshot_of(sandbox)


async def test_what_others_have_set_back_or_deleted_meanwhile_needs_no_change(sandbox: NamedSandbox) -> None:
    snapshot = await injected(sandbox)
    sandbox.regions.inverted[WEST] = False
    changes = len(sandbox.regions.changes)
    await FAULT.undo(sandbox.context, WEST, snapshot)
    sandbox.regions.gone = {f"check-{WEST}"}
    assert "no longer exists" in await FAULT.undo(sandbox.context, WEST, snapshot)
    assert len(sandbox.regions.changes) == changes


async def test_a_check_that_stays_inverted_is_an_error_and_stays_pending(sandbox: NamedSandbox) -> None:
    snapshot = await injected(sandbox)
    sandbox.regions.keeps_inverted = True
    with pytest.raises(WorkshopError, match="still inverted") as caught:
        await FAULT.undo(sandbox.context, WEST, snapshot)
    assert "drill recover" in caught.value.fix
