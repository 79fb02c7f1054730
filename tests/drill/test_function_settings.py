"""The faults that change one setting of each function: what they say and remember, and that each function gets its own back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.drill.regions import WEST, Region, Regions, Stage
from workshop.drill.function_setting import FunctionSetting
from workshop.drill.registry import FAULTS
from workshop.errors import WorkshopError

SICK = {"STATUS": "400", "SECRET": "kept"}


class Stubborn(Regions):
    """Lambda accepts every change and makes none."""

    def _delete_function_concurrency(self, here: Region, region: str, FunctionName: str) -> dict[str, Any]:
        return {}

    def _update_function_configuration(self, here: Region, region: str, FunctionName: str, Environment: Any) -> dict[str, Any]:
        return {}


def fault(name: str) -> FunctionSetting:
    found = FAULTS[name]
    assert isinstance(found, FunctionSetting)
    return found


@pytest.mark.parametrize(
    ("name", "plan", "memory"),
    [
        (
            "throttle",
            "the reserved concurrency of fn from 37 to 0 and back, of fn-health from unreserved to 0 and back.",
            '{"functions":{"fn":37,"fn-health":null}}',
        ),
        ("health", "the variable STATUS of fn-health from 200 to 400 and back.", '{"functions":{"fn-health":"200"}}'),
    ],
)
async def test_the_setting_before_is_remembered_announced_and_put_back(tmp_path: Path, name: str, plan: str, memory: str) -> None:
    stage = Stage(tmp_path, Regions(health=True))
    stage.regions.state[WEST].reserved["fn"] = 37
    before, place = stage.settings(), stage.scene.place(WEST)
    known = await fault(name).remember(stage.means, stage.scene, place)
    assert known == memory and fault(name).plan(place, known) == f"In {WEST} {plan}"
    await fault(name).inject(stage.means, place, known)
    assert stage.settings() != before
    said = await fault(name).undo(stage.means, WEST, known)
    assert stage.settings() == before and said.startswith(f"{WEST}: the ") and said.endswith("again, read back.")
    assert await fault(name).undo(stage.means, WEST, known) == said, "safe to repeat"


@pytest.mark.parametrize(
    ("name", "said"),
    [("throttle", "reserved concurrency of fn-health was set to 9"), ("health", "STATUS of fn-health was set to 9")],
)
async def test_a_value_of_somebody_else_stays_and_is_told(tmp_path: Path, name: str, said: str) -> None:
    stage = Stage(tmp_path, Regions(health=True))
    known = await fault(name).remember(stage.means, stage.scene, stage.scene.place(WEST))
    here = stage.regions.state[WEST]
    here.reserved["fn-health"], here.variables = 9, {"STATUS": "9"}
    text = await fault(name).undo(stage.means, WEST, known)
    assert f"{said} by somebody else since, and stays so" in text
    assert here.reserved["fn-health"] == 9 and here.variables == {"STATUS": "9"}


@pytest.mark.parametrize("name", ["throttle", "health"])
async def test_a_setting_that_does_not_come_back_is_an_error_with_the_command_that_tries_again(tmp_path: Path, name: str) -> None:
    stage = Stage(tmp_path, Stubborn(health=True))
    known = await fault(name).remember(stage.means, stage.scene, stage.scene.place(WEST))
    here = stage.regions.state[WEST]
    here.reserved, here.variables = {"fn": 0, "fn-health": 0}, dict(SICK)
    with pytest.raises(WorkshopError, match="is not as it was") as caught:
        await fault(name).undo(stage.means, WEST, known)
    assert caught.value.code == "NotRestored" and "workshop drill recover" in caught.value.fix


@pytest.mark.parametrize("name", ["throttle", "health"])
async def test_functions_that_are_gone_do_not_keep_the_others_from_their_setting(tmp_path: Path, name: str) -> None:
    stage = Stage(tmp_path, Regions(health=True))
    known = (
        '{"functions": {"gone": null, "fn-health": null}}'
        if name == "throttle"
        else '{"functions": {"gone": "1", "fn-health": "200"}}'
    )
    here = stage.regions.state[WEST]
    here.reserved, here.variables = {"fn-health": 0}, dict(SICK)
    stage.regions.missing_function = "gone"
    text = await fault(name).undo(stage.means, WEST, known)
    assert "gone is gone" in text and "read back" in text
    assert here.reserved == ({} if name == "throttle" else {"fn-health": 0})
    assert here.variables["STATUS"] == ("400" if name == "throttle" else "200") and here.variables["SECRET"] == "kept"


@pytest.mark.parametrize("name", ["throttle", "health"])
async def test_a_function_that_fails_already_is_refused(tmp_path: Path, name: str) -> None:
    stage = Stage(tmp_path, Regions(health=True))
    here = stage.regions.state[WEST]
    here.reserved, here.variables = {"fn-health": 0}, dict(SICK)
    with pytest.raises(WorkshopError, match="failing already") as caught:
        await fault(name).remember(stage.means, stage.scene, stage.scene.place(WEST))
    assert "the journal knows of no drill" in caught.value.why and caught.value.fix
