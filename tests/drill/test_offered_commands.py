"""The commands that a drill offers mean the same workshop in the same place, and are words of a shell, whatever is in them."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.shell import Shell
from tests.drill.regions import EAST, WEST, DrillSandbox, Regions
from workshop.drill.commands import Commands
from workshop.engine.undos import BY_DRILL
from workshop.errors import PartlyDoneError

HOSTILE = "$(touch pwned); it's"
GIVEN = ("--workshop", "./mine", "--target", "aws", "--param", f"note={HOSTILE}")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Shell]:
    """An installation with a local cloud in which nothing is deployed."""
    shell = Shell(tmp_path).cloud("fast")
    yield shell
    shell.leave()


def test_every_command_carries_the_given_options() -> None:
    commands = Commands(GIVEN, (WEST, EAST))
    where = ["--region", WEST, "--region", EAST]
    assert shlex.split(commands.recover) == ["workshop", "drill", "recover", *GIVEN]
    assert shlex.split(commands.setup) == ["workshop", "setup", *where, *GIVEN]
    assert shlex.split(commands.status) == ["workshop", "status", *where, *GIVEN]
    assert shlex.split(commands.setup_in_two(WEST)) == ["workshop", "setup", *where, *GIVEN]
    assert shlex.split(commands.throttle(EAST))[2:] == ["run", "--fault", "throttle", "--region", EAST, *GIVEN]


async def test_an_undo_that_fails_offers_to_recover_the_workshop_that_it_belongs_to(tmp_path: Path) -> None:
    sandbox = DrillSandbox(tmp_path, Regions())
    undo_log = dataclasses.replace(sandbox.undo_log, source=f"./{HOSTILE}", profile="me")
    undo_log.record("throttle", WEST, '{"functions": {"fn": 1}}', BY_DRILL)
    sandbox.regions.refuse = "get_function"
    with pytest.raises(PartlyDoneError) as caught:
        await undo_log.undo_all(sandbox.context, undo_log.pending())
    words = shlex.split(caught.value.fix.partition("Try again: ")[2])
    assert words == ["workshop", "drill", "recover", "--workshop", f"./{HOSTILE}", "--target", "local", "--profile", "me"]


def test_a_drill_and_an_experiment_of_what_is_not_deployed_offer_the_setup_that_was_meant(empty: Shell) -> None:
    given = ("--target", "local", "--param", "table=mine")
    for words in (("drill", "run", "--region", EAST), ("drill", "fail"), ("observe", "conflict")):
        refused = empty.document(*words, *given, code=1)
        offered = shlex.split(refused["error"]["fix"].partition("first: ")[2])
        assert offered == ["workshop", "setup", *given], "--region names the region to fail, not those to set up"


def test_a_region_failed_by_hand_is_recovered_by_the_line_that_is_printed(empty: Shell) -> None:
    empty.run("setup", "--param", "table=mine")
    given = ("--target", "local", "--param", "table=mine")
    printed = empty.run("drill", "fail", "--region", EAST, *given).out
    line = printed.partition("until: ")[2].strip()
    assert shlex.split(line) == ["workshop", "drill", "recover", *given]
    empty.run(*shlex.split(line)[1:])
    assert empty.document("status")["failed_regions"] == []


def test_a_drill_that_is_not_granted_offers_itself_as_it_was_typed(empty: Shell) -> None:
    empty.run("definition", "new", "mine", "--from", "global-serverless")
    typed = ("drill", "run", "--region", EAST, "--fault", "health", "--rto", "30s", "--failures", "2", "--workshop", "./mine")
    refused = empty.document(*typed, code=2)["error"]
    assert refused["code"] == "NotGranted"
    assert shlex.split(refused["fix"].partition("give --yes: ")[2]) == ["workshop", *typed, "--yes"]
