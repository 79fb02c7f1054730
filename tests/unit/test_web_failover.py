"""The failover of the player, decided without a browser: the page's own script runs in node against shared test vectors."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.fakes.node import node

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "templates" / "global-serverless" / "web"
SHARED = ROOT / "templates" / "_shared" / "web"
VECTORS = json.loads((ROOT / "tests" / "vectors" / "failover.json").read_text())

RUN = """
globalThis.window = globalThis;
require(process.argv[1] + "/failover-settings.js");
require(process.argv[2] + "/scripts/failover.js");
const { settings, scenarios } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { start, step, remaining } = globalThis.Workshop.failover;
const isObject = (value) => value && typeof value === "object";
const freeze = (value) => { Object.values(value).filter(isObject).forEach(freeze); return Object.freeze(value); };
const shown = scenarios.map(({ regions, active, preferred, steps }) => {
  let state = freeze(start(regions, active, preferred));
  return steps.map(({ at, type, region }) => {
    state = freeze(step(settings, state, { at, type, region }));
    return { phase: state.phase, active: state.active, remaining: remaining(state, at), switches: state.switches };
  });
});
console.log(JSON.stringify({ shown, settings: globalThis.WORKSHOP_FAILOVER }));
"""


@pytest.fixture(scope="module")
def played() -> dict[str, Any]:
    done = subprocess.run(
        [node(), "-e", RUN, str(WEB), str(SHARED)],
        check=False,
        input=json.dumps(VECTORS),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("index", range(len(VECTORS["scenarios"])), ids=[s["name"] for s in VECTORS["scenarios"]])
def test_the_machine_follows_the_scenario(played: dict[str, Any], index: int) -> None:
    for number, (wanted, got) in enumerate(zip(VECTORS["scenarios"][index]["steps"], played["shown"][index], strict=True)):
        expected = {key: wanted[key] for key in ("phase", "active", "remaining") if key in wanted}
        assert {key: got[key] for key in expected} == expected, f"step {number}: {wanted}"


def test_switches_are_counted_once_each(played: dict[str, Any]) -> None:
    for scenario, steps in zip(VECTORS["scenarios"], played["shown"], strict=True):
        moves = [scenario["active"], *(step["active"] for step in steps)]
        assert steps[-1]["switches"] == sum(a != b for a, b in itertools.pairwise(moves)), scenario["name"]


def test_the_settings_file_is_json_after_its_equals_sign_and_agrees_with_the_vectors(played: dict[str, Any]) -> None:
    text = (WEB / "failover-settings.js").read_text()
    settings = json.loads(text.partition("=")[2].rpartition(";")[0])
    assert settings == played["settings"]
    assert {key: settings[key] for key in VECTORS["settings"]} == VECTORS["settings"]


def test_a_failover_takes_less_than_twenty_seconds_even_when_writes_hang(played: dict[str, Any]) -> None:
    settings = played["settings"]
    slowest_first_failure = settings["writeEveryMs"] + settings["writeTimeoutMs"]
    enough_failures = settings["minFailures"] * (settings["writeTimeoutMs"] + settings["writeEveryMs"])
    assert max(slowest_first_failure + settings["countdownMs"], enough_failures) + settings["writeTimeoutMs"] < 20_000
