"""The faults that change one setting of each function: the plan, the snapshot, and that each function gets its own value back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.drill.regions import WEST, DrillSandbox, Region, Regions
from workshop.drill.registry import fault_named
from workshop.errors import WorkshopError

FAILED = {"STATUS": "400", "SECRET": "kept"}


class Unchanging(Regions):
    """Lambda accepts every change and makes none."""

    def _delete_function_concurrency(self, here: Region, region: str, FunctionName: str) -> dict[str, Any]:
        return {}

    def _update_function_configuration(self, here: Region, region: str, FunctionName: str, Environment: Any) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("name", "plan", "expected"),
    [
        (
            "throttle",
            "the reserved concurrency of fn from 37 to 0 and back, of fn-health from unreserved to 0 and back.",
            '{"functions":{"fn":37,"fn-health":null}}',
        ),
        ("health", "the variable STATUS of fn-health from 200 to 400 and back.", '{"functions":{"fn-health":"200"}}'),
    ],
)
async def test_the_setting_before_is_recorded_announced_and_restored(tmp_path: Path, name: str, plan: str, expected: str) -> None:
    sandbox, fault = DrillSandbox(tmp_path, Regions(health=True)), fault_named(name)
    sandbox.regions.state[WEST].reserved["fn"] = 37
    before, regional = sandbox.settings(), sandbox.deployment.in_region(WEST)
    snapshot = await fault.snapshot(sandbox.context, sandbox.deployment, regional)
    assert snapshot == expected
    assert fault.plan(regional, snapshot) == f"In {WEST} {plan}"
    await fault.inject(sandbox.context, regional, snapshot)
    assert sandbox.settings() != before
    text = await fault.undo(sandbox.context, WEST, snapshot)
    assert sandbox.settings() == before
    assert text.startswith(f"{WEST}: the ")
    assert text.endswith("again, read back.")
    assert await fault.undo(sandbox.context, WEST, snapshot) == text, "safe to repeat"


@pytest.mark.parametrize(
    ("name", "words"),
    [("throttle", "reserved concurrency of fn-health was changed to 9"), ("health", "STATUS of fn-health was changed to 9")],
)
async def test_a_value_that_others_set_meanwhile_is_left_and_reported(tmp_path: Path, name: str, words: str) -> None:
    sandbox, fault = DrillSandbox(tmp_path, Regions(health=True)), fault_named(name)
    snapshot = await fault.snapshot(sandbox.context, sandbox.deployment, sandbox.deployment.in_region(WEST))
    here = sandbox.regions.state[WEST]
    here.reserved["fn-health"], here.variables = 9, {"STATUS": "9"}
    text = await fault.undo(sandbox.context, WEST, snapshot)
    assert f"{words} meanwhile and is left as it is" in text
    assert here.reserved["fn-health"] == 9
    assert here.variables == {"STATUS": "9"}


@pytest.mark.parametrize("name", ["throttle", "health"])
async def test_a_setting_that_is_not_restored_is_an_error_with_the_command_that_tries_again(tmp_path: Path, name: str) -> None:
    sandbox, fault = DrillSandbox(tmp_path, Unchanging(health=True)), fault_named(name)
    snapshot = await fault.snapshot(sandbox.context, sandbox.deployment, sandbox.deployment.in_region(WEST))
    here = sandbox.regions.state[WEST]
    here.reserved, here.variables = {"fn": 0, "fn-health": 0}, dict(FAILED)
    with pytest.raises(WorkshopError, match="is not restored") as caught:
        await fault.undo(sandbox.context, WEST, snapshot)
    assert caught.value.code == "NotRestored"
    assert "workshop drill recover" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "snapshot", "reserved", "status"),
    [
        ("throttle", '{"functions": {"gone": null, "fn-health": null}}', {}, "400"),
        ("health", '{"functions": {"gone": "1", "fn-health": "200"}}', {"fn-health": 0}, "200"),
    ],
)
async def test_a_function_that_no_longer_exists_does_not_stop_the_others_from_being_restored(
    tmp_path: Path, name: str, snapshot: str, reserved: dict[str, int], status: str
) -> None:
    sandbox = DrillSandbox(tmp_path, Regions(health=True))
    here = sandbox.regions.state[WEST]
    here.reserved, here.variables = {"fn-health": 0}, dict(FAILED)
    sandbox.regions.missing_function = "gone"
    text = await fault_named(name).undo(sandbox.context, WEST, snapshot)
    assert "gone no longer exists" in text
    assert "read back" in text
    assert here.reserved == reserved
    assert here.variables == {"STATUS": status, "SECRET": "kept"}


@pytest.mark.parametrize("name", ["throttle", "health"])
async def test_a_function_that_fails_already_is_refused(tmp_path: Path, name: str) -> None:
    sandbox = DrillSandbox(tmp_path, Regions(health=True))
    here = sandbox.regions.state[WEST]
    here.reserved, here.variables = {"fn-health": 0}, dict(FAILED)
    with pytest.raises(WorkshopError, match="failing already") as caught:
        await fault_named(name).snapshot(sandbox.context, sandbox.deployment, sandbox.deployment.in_region(WEST))
    assert "the journal has no drill" in caught.value.why
    assert caught.value.fix
