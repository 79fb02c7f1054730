"""When a read counts as stale: the harness's own judgement, run in node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.unit.fakes.node import node

WEB = Path(__file__).resolve().parents[2] / "templates" / "global-serverless" / "web"

RUN = """
globalThis.window = globalThis;
require(process.argv[1] + "/scripts/ledger.js");
const ledger = globalThis.Workshop.ledger.create(["a", "b"]);
const steps = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(steps.map(([what, ...values]) => ledger[what](...values) ?? null)));
"""


def judged(*steps: tuple[Any, ...]) -> list[Any]:
    """Play ("wrote", region, value, at) and ("read", region, value, sent, answered); times in milliseconds."""
    done = subprocess.run(
        [node(), "-e", RUN, str(WEB)], check=False, input=json.dumps(steps), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def kinds(*steps: tuple[Any, ...]) -> list[str]:
    """What the reads among the steps were judged to be."""
    return [answer["kind"] for step, answer in zip(steps, judged(*steps), strict=True) if step[0] == "read"]


BOTH_FOUR = (("read", "a", 4, 0, 1), ("read", "b", 4, 0, 1))


def test_the_old_value_after_a_write_elsewhere_is_stale_until_the_new_one_arrives() -> None:
    steps = (
        *BOTH_FOUR,
        ("wrote", "a", 5, 10),
        ("read", "b", 4, 20, 30),
        ("read", "b", 5, 900, 1000),
        ("read", "b", 5, 1100, 1110),
    )
    assert kinds(*steps) == ["current", "current", "stale", "current", "current"]


def test_a_stale_read_names_the_write_that_it_is_behind() -> None:
    stale = judged(*BOTH_FOUR, ("wrote", "a", 5, 10), ("read", "b", 4, 20, 30))[-1]
    assert stale["behind"] == {"id": "a", "value": 5, "at": 10, "agoMs": 20}


def test_the_lag_is_measured_once_at_the_first_read_that_has_the_write() -> None:
    answers = judged(*BOTH_FOUR, ("wrote", "a", 5, 10), ("read", "b", 5, 900, 1000), ("read", "b", 5, 1100, 1110))
    assert [answer["lagMs"] for answer in answers[-2:]] == [990, None]


def test_a_read_sent_before_the_write_was_acknowledged_proves_nothing() -> None:
    assert kinds(*BOTH_FOUR, ("wrote", "a", 5, 10), ("read", "b", 4, 5, 30))[-1] == "current"


def test_a_value_that_was_not_written_here_was_written_by_another_client() -> None:
    assert kinds(*BOTH_FOUR, ("wrote", "a", 5, 10), ("read", "b", 77, 20, 30), ("read", "a", 77, 40, 50))[2:] == [
        "changed",
        "current",
    ]


def test_after_a_conflict_the_losers_region_is_stale_until_the_winner_is_replicated() -> None:
    steps = (*BOTH_FOUR, ("wrote", "a", 5, 10), ("wrote", "b", 3, 20), ("read", "a", 5, 30, 40), ("read", "a", 3, 900, 910))
    assert kinds(*steps)[2:] == ["stale", "current"]


def test_when_the_earlier_write_wins_the_later_writers_own_region_reports_it() -> None:
    steps = (*BOTH_FOUR, ("wrote", "a", 5, 10), ("wrote", "b", 3, 20), ("read", "b", 5, 900, 910), ("read", "a", 5, 920, 930))
    assert kinds(*steps)[2:] == ["changed", "current"]


def test_going_back_to_an_earlier_value_is_no_reason_to_call_it_stale() -> None:
    steps = (*BOTH_FOUR, ("wrote", "a", 5, 10), ("read", "b", 5, 900, 910), ("wrote", "a", 4, 1000), ("read", "b", 5, 1010, 1020))
    assert kinds(*steps)[-1] == "stale"
    assert kinds(*steps, ("read", "b", 4, 1900, 1910))[-1] == "current"


def test_the_regions_that_still_wait_for_a_write_are_known() -> None:
    waiting = ("waitingFor",)
    answers = judged(*BOTH_FOUR, waiting, ("wrote", "a", 5, 10), waiting, ("read", "b", 5, 900, 910), waiting)
    assert [answers[2], answers[4], answers[6]] == [[], ["b"], []]
