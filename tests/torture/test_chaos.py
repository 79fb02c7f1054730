"""The command line through a network that fails in every way: setups become ready, teardowns leave nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.amount import long
from tests.cloud.shell import Shell
from tests.torture.chaos_proxy import ChaosProxy
from tests.torture.cloud_sandbox import CloudSandbox, Inventory
from tests.torture.conftest import Tally
from tests.warm import commands
from workshop.cloud import daemon

SPEED = 10.0
RATES = (0.1, 0.2, 0.3) if long() else (0.3,)
RUNS = 30 if long() else 1
TRIES = 4


def attempt(shell: Shell, command: str) -> int:
    """The exit code of a command that ended by itself: what failed is named, and none of it is a defect."""
    words = (command, "--target", "aws", "--yes", "--json")
    code, out, err = commands.run(words, cwd=shell.work, environment=shell.environment, text="", timeout=240, speed=SPEED)
    assert code in (0, 1, 5), f"exit {code}\n{err}"
    assert not any(word in out + err for word in ("Defect", "Traceback")), out + err
    document = json.loads(out)
    assert document["ok"] is (code == 0)
    if code:
        errors = [step["error"]["what"] for step in document.get("steps", []) if step["error"]]
        assert errors or document.get("error") or document.get("leftovers"), out
    return code


@pytest.mark.parametrize("rate", RATES)
def test_through_a_failing_network_setups_become_ready_and_teardowns_leave_nothing(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, tmp_path: Path, rate: float
) -> None:
    assert sandbox.state.port
    at_once = {"setup": 0, "teardown": 0}
    failed = 0
    for seed in range(RUNS):
        with ChaosProxy(sandbox.state.port, rate, seed) as proxy:
            settings = {"AWS_ENDPOINT_URL": proxy.url, "AWS_ACCESS_KEY_ID": daemon.ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x"}
            shell = Shell(tmp_path / str(seed), more=settings)
            setups = [attempt(shell, "setup")]
            while setups[-1] and len(setups) < TRIES:
                setups.append(attempt(shell, "setup"))
            assert setups[-1] == 0, f"seed {seed}: {setups}"
            assert {name for _, kind, name in sandbox.inventory() if kind == "table"} == {"global-serverless"}
            teardowns = [attempt(shell, "teardown")]
            if teardowns[-1]:
                teardowns.append(attempt(shell, "teardown"))
            assert teardowns[-1] == 0, f"seed {seed}: {teardowns}"
            assert sandbox.inventory() == before, f"seed {seed}"
        assert sum(proxy.struck.values()) > 0.5 * rate * proxy.calls
        failed += sum(proxy.struck.values())
        at_once["setup"] += setups == [0]
        at_once["teardown"] += teardowns == [0]
    share = f"{rate:.0%} of calls through a proxy fail:"
    tally(f"{share} setup and teardown", RUNS)
    tally(f"{share} calls", failed)
    tally(f"{share} setup ready at once", at_once["setup"])
    tally(f"{share} teardown 0 at once", at_once["teardown"])
