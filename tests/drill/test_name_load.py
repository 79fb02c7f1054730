"""The load through a name, in virtual time: what it records of where it was led, and what is in the journal before a write."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.drill.named_regions import NamedRegions, NamedSandbox, load_through_name
from tests.drill.regions import EAST, WEST
from workshop.definition.drill_model import LoadSpec
from workshop.drill.api_client import ApiResponse
from workshop.drill.load import LoadParts
from workshop.drill.load_requests import LoadRequests
from workshop.drill.name_load import CACHED, NameLoad
from workshop.drill.timeline import RequestKind


async def run_for(load: NameLoad, seconds: float) -> None:
    load.start()
    await asyncio.sleep(seconds)
    await load.stop()


async def test_each_write_is_in_the_journal_before_it_is_sent(tmp_path: Path) -> None:
    covered: list[int] = []

    class Watched(NamedRegions):
        async def __call__(self, url: str, deadline: float, *, body: Mapping[str, Any] | None = None, **more: Any) -> ApiResponse:
            if body is not None:
                assert int(body["item_id"].rpartition("-")[2]) in covered
            return await super().__call__(url, deadline, body=body, **more)

    regions = Watched()
    load = NameLoad(
        NamedSandbox(tmp_path, regions).routed, LoadParts(load_through_name(), regions, lambda _: None, covered.append)
    )
    await run_for(load, 10)
    numbers = sorted(write.number for write in load.acknowledged)
    assert numbers == sorted(covered)[: len(numbers)]
    assert len(set(covered)) == len(covered) > 20, "clients share no number"


async def test_a_write_that_failed_is_sent_again_under_its_number_with_its_value(tmp_path: Path) -> None:
    regions = NamedRegions(interval=2.0, ttl=6)
    load = NameLoad(
        NamedSandbox(tmp_path, regions).routed, LoadParts(load_through_name(), regions, lambda _: None, lambda _: None)
    )
    regions.state[WEST].reserved["fn-post"] = 0
    regions.state[EAST].reserved["fn-post"] = 0
    load.start()
    await asyncio.sleep(5)
    assert load.acknowledged == []
    for state in regions.state.values():
        state.reserved.clear()
    await asyncio.sleep(3)
    await load.stop()
    assert {write.number for write in load.acknowledged} >= set(range(1, 8)), "seven clients, each with the number that it had"
    assert all(float(write.value) < 2 for write in load.acknowledged if write.number <= 7)


async def test_the_region_is_the_one_that_responds_when_that_is_not_the_one_that_was_named(tmp_path: Path) -> None:
    regions = NamedRegions()
    doors = {name: replace(door, url=f"http://{EAST}/") for name, door in NamedSandbox(tmp_path, regions).routed.doors.items()}
    routed = replace(NamedSandbox(tmp_path, regions).routed, doors=doors)
    load = NameLoad(routed, LoadParts(load_through_name(), regions, lambda _: None, lambda _: None))
    await run_for(load, 5)
    assert {each.region for each in load.answers} == {WEST, EAST}
    assert {request.region for request in load.requests} == {EAST}


async def test_no_request_begins_with_an_answer_that_is_older_than_its_ttl(tmp_path: Path) -> None:
    regions = NamedRegions(ttl=4)
    for state in regions.state.values():
        state.slow = 5.0  # so that every answer ends between the two requests of a round
    load = NameLoad(
        NamedSandbox(tmp_path, regions).routed, LoadParts(load_through_name(), regions, lambda _: None, lambda _: None)
    )
    await run_for(load, 120)
    for client in CACHED:
        asked = [each.at for each in load.answers if each.client == client]
        sent = [request.sent for request in load.requests if request.client == client]
        assert sent
        assert max(at - max(answer for answer in asked if answer <= at) for at in sent) < 4
    assert len(load.acknowledged) > 15, "it is sent where the new answer leads to the same region"


async def test_a_response_without_the_id_that_the_api_chooses_is_a_failure(tmp_path: Path) -> None:
    spec = LoadSpec.model_validate(
        {
            "write": {"id": "{{ response.id }}", "body": {"item_id": "x", "note": "{{ run }}"}},
            "read": {"path": "{{ id }}"},
            "rows": {"table": "t", "key": {"id": "{{ id }}"}, "holds": {"note": "{{ run }}"}},
        }
    )
    regions = NamedRegions()
    requests = LoadRequests(spec, {"home": WEST}, "r1")
    load = NameLoad(NamedSandbox(tmp_path, regions).routed, LoadParts(requests, regions, lambda _: None, lambda _: None))
    await run_for(load, 3)
    assert load.acknowledged == []
    assert {r.why for r in load.requests if r.kind is RequestKind.WRITE} == {"its response has no id"}


@pytest.mark.parametrize("turns", range(4))
async def test_a_load_can_be_stopped_in_any_turn_of_the_loop(tmp_path: Path, turns: int) -> None:
    regions = NamedRegions()
    load = NameLoad(
        NamedSandbox(tmp_path, regions).routed, LoadParts(load_through_name(), regions, lambda _: None, lambda _: None)
    )
    load.start()
    await asyncio.sleep(2)
    for _ in range(turns):
        await asyncio.sleep(0)
    await load.stop()
    count = len(load.requests)
    await asyncio.sleep(30)
    assert len(load.requests) == count
