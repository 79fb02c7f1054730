"""The failover of the drill's load, held to the vectors that hold the player in the browser too."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workshop.drill.failover import EventKind, FailoverEvent, remaining, start, step
from workshop.drill.settings import read_settings
from workshop.errors import DefinitionError

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "failover.json").read_text())
FILE = ROOT / "templates" / "global-serverless" / "web" / "failover-settings.js"
GIVEN = VECTORS["settings"]
SETTINGS = replace(
    read_settings(FILE),
    countdown_ms=GIVEN["countdownMs"],
    min_failures=GIVEN["minFailures"],
    recover_after=GIVEN["recoverAfter"],
    failback_after=GIVEN["failbackAfter"],
)


@pytest.mark.parametrize("scenario", VECTORS["scenarios"], ids=lambda scenario: scenario["name"])
def test_the_machine_follows_the_scenario(scenario: dict[str, Any]) -> None:
    state = start(tuple(scenario["regions"]), scenario["active"], scenario["preferred"])
    moves = [state.active]
    for number, wanted in enumerate(scenario["steps"]):
        before = repr(state)
        following = step(SETTINGS, state, FailoverEvent(EventKind(wanted["type"]), wanted["at"], wanted.get("region", "")))
        assert repr(state) == before, "a state is never changed in place"
        state = following
        moves.append(state.active)
        got = {"phase": state.phase.value, "active": state.active, "remaining": remaining(state, wanted["at"])}
        expected = {key: wanted[key] for key in ("phase", "active", "remaining") if key in wanted}
        assert {key: got[key] for key in expected} == expected, f"step {number}: {wanted}"
    assert state.switches == sum(a != b for a, b in itertools.pairwise(moves))


def test_the_file_of_the_player_is_read_under_the_same_names() -> None:
    text = FILE.read_text()
    assert read_settings(FILE).document() == json.loads(text.partition("=")[2].rpartition(";")[0])


@pytest.mark.parametrize("wrong", ["window.X = 3;", "window.X = {};", 'window.X = {"writeEveryMs": "1"};', "nothing", "= {,};"])
def test_a_file_that_is_wrong_is_named(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "failover-settings.js"
    file.write_text(wrong)
    with pytest.raises(DefinitionError, match=r"failover-settings\.js"):
        read_settings(file)


def test_a_setting_below_its_least_value_is_named(tmp_path: Path) -> None:
    file = tmp_path / "failover-settings.js"
    file.write_text(FILE.read_text().replace('"minFailures": 3', '"minFailures": 0'))
    with pytest.raises(DefinitionError, match="minFailures"):
        read_settings(file)
