"""Calls that fail at random, and storms of throttling: setups and teardowns finish, and nobody calls AWS more than it takes."""

from __future__ import annotations

import pytest

from tests.amount import few, long, only_long
from tests.torture.cloud_sandbox import CloudSandbox, Inventory
from tests.torture.conftest import Tally
from workshop.cloud.faults import CloudFault

EACH = 0.026
"""The share of calls that each of the four faults strikes: together 10 %."""
RANDOM = (
    CloudFault("error", code="InternalServerError", status=500, probability=EACH),
    CloudFault("error", code="ThrottlingException", message="Rate exceeded", status=400, probability=EACH),
    CloudFault("drop-before", probability=EACH),
    CloudFault("drop-after", probability=EACH),
)
QUICKER = 100.0
MOST = 3
"""Calls under 50 % throttling, as a multiple of the calls of a clean run."""


@only_long  # `test_chaos` is the case of a plain run
@pytest.mark.parametrize(("workshop", "short", "full"), few([("small", 1, 80), ("global-serverless", 1, 20)], 1))
def test_setups_and_teardowns_finish_while_a_tenth_of_all_calls_fails(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, workshop: str, short: int, full: int
) -> None:
    source = {} if workshop == "small" else {"workshop": workshop}
    struck = 0
    for _ in range(full if long() else short):
        placed = [sandbox.fault(fault) for fault in RANDOM]
        sandbox.ready(**source)
        ended = sandbox.run("teardown", code=0, **source)
        struck += sum(map(sandbox.hits, placed))
        sandbox.clear_faults()
        assert ended.document["leftovers"] == []
        assert sandbox.inventory() == before
    tally("setup and teardown with 10 % of calls failing", full if long() else short)
    tally("calls that failed in them", struck)


@only_long
def test_half_of_all_calls_throttled_make_no_storm(sandbox: CloudSandbox, before: Inventory, tally: Tally) -> None:
    counted: dict[str, int] = {}
    for name, probability in (("clean", 0.0), ("throttled", 0.5)):
        counter = sandbox.fault(CloudFault("latency", seconds=0.0))  # strikes every call and changes nothing: it only counts
        if probability:
            sandbox.fault(
                CloudFault("error", code="ThrottlingException", message="Rate exceeded", status=400, probability=probability)
            )
        sandbox.ready(speed=QUICKER)
        sandbox.run("teardown", code=0, speed=QUICKER)
        counted[name] = sandbox.hits(counter)
        sandbox.clear_faults()
        assert sandbox.inventory() == before
    tally(f"50 % throttled: {counted['throttled'] / counted['clean']:.2f} times the calls", 1)
    assert counted["clean"] < counted["throttled"] < MOST * counted["clean"]
