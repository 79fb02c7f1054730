"""A setup and a teardown ended by kill -9 at every boundary of a step and on both sides of every changing call."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.amount import few, long
from tests.torture.cloud_sandbox import REGIONS, CloudSandbox, Inventory
from tests.torture.conftest import Tally
from tests.torture.worker import Place

SHORT = 1
"""Places of each command that a short run tries, drawn with a fixed seed from boundaries and changes: their number does not
depend on how often something was polled."""


def places(passed: dict[str, int], every_call: bool) -> list[Place]:
    """Every boundary, and before and after every change; with `every_call` every call that only reads, too."""
    found = [Place("boundary", number) for number in range(1, passed["boundary"] + 1)]
    kinds = ("change", "call") if every_call else ("change",)
    return found + [Place(k, n, after) for k in kinds for n in range(1, passed[k] + 1) for after in (False, True)]


def tried(all_places: list[Place]) -> list[Place]:
    return all_places if long() else random.Random(20).sample(all_places, min(SHORT, len(all_places)))


@pytest.mark.parametrize("verb", ["setup", "teardown"])
def test_a_command_killed_anywhere_is_finished_by_the_next_one(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, verb: str
) -> None:
    measured = sandbox.ready()
    if verb == "teardown":
        measured = sandbox.empty(before)
    else:
        sandbox.empty(before)
    passed = {kind: measured.passed(kind) for kind in ("boundary", "change", "call")}
    chosen, killed = tried(places(passed, every_call=verb == "setup" and long())), 0
    for number, place in enumerate(chosen):
        if verb == "teardown":
            sandbox.ready()
        ended = sandbox.run(verb, place)
        killed += ended.killed
        assert ended.killed or ended.code == 0, f"{place}: {ended.code}\n{ended.err}"
        if verb == "setup" or number % 2:
            sandbox.ready()
        sandbox.empty(before)
    tally(f"kill -9 at each boundary and call of {verb}", killed)
    assert killed >= len(chosen) * 0.8


@pytest.mark.parametrize("verb", few(["teardown", "setup"], 1))
def test_what_a_killed_command_left_is_found_and_removed_by_a_machine_that_knows_nothing(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, tmp_path: Path, verb: str
) -> None:
    away = {"regions": ("eu-central-1", "ap-southeast-2")}  # not where the definition would have it
    searched = (*REGIONS, *away["regions"])
    everywhere = sandbox.inventory(searched)
    measured = sandbox.ready(**away)
    ended = sandbox.run("teardown", code=0, **away)
    measured = measured if verb == "setup" else ended
    killed = 0
    for number, place in enumerate(tried(places({k: measured.passed(k) for k in ("boundary", "change")}, every_call=False))):
        if verb == "teardown":
            sandbox.ready(**away)
        killed += sandbox.run(verb, place, **away).killed
        swept = sandbox.run("sweep", machine=tmp_path / f"stranger-{number}", searched=searched)
        assert swept.document["leftovers"] == [] and swept.code == 0, f"{place}: {swept.out}\n{swept.err}"
        assert sandbox.inventory(searched) == everywhere, f"{place}: {swept.err}"
    tally(f"{verb} killed, then swept without a journal", killed)
    assert killed > 0
