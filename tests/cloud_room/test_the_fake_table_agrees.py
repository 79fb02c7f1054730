"""The replicated table that drills and browser tests use comes to the same items as the local cloud's DynamoDB."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.unit.fakes.workshop_api import ReplicatedTable
from tests.virtual_cloud import REGIONS, TABLE, VirtualCloud, item, where

SETTLED = 3600.0
"""Seconds after which every write has arrived."""


@pytest.fixture
def cloud() -> Iterator[VirtualCloud]:
    cloud = VirtualCloud()
    cloud.create()
    for region in REGIONS[1:]:
        cloud.advance(SETTLED)
        cloud.replicate("Create", region)
    cloud.advance(SETTLED)
    yield cloud
    cloud.close()


def fake_beside(cloud: VirtualCloud) -> ReplicatedTable:
    return ReplicatedTable(REGIONS, lambda: cloud.time, lag=1.0)


def write(cloud: VirtualCloud, fake: ReplicatedTable, region: str, key: str, value: str) -> None:
    """The same write to both; an empty value deletes."""
    if value:
        cloud.put(region, key, value)
        fake.put(region, "p", key, item(key, value))
    else:
        cloud.call(region, "DeleteItem", TableName=TABLE, Key=where(key))
        fake.put(region, "p", key, None)


def contents(fake: ReplicatedTable) -> dict[str, dict[str, str]]:
    return {region: {row["SK"]["S"]: row["v"]["S"] for row in fake.items(region)} for region in REGIONS}


def write_at_random(cloud: VirtualCloud, fake: ReplicatedTable, chance: random.Random, count: int) -> None:
    for number in range(count):
        region, key = chance.choice(REGIONS), chance.choice("abc")
        write(cloud, fake, region, key, chance.choice(["", f"{number}"]))
        cloud.advance(chance.choice([0.01, 0.4, 3.0]))


@pytest.mark.parametrize("seed", range(5))
def test_the_last_writer_wins_in_both(cloud: VirtualCloud, seed: int) -> None:
    fake, chance = fake_beside(cloud), random.Random(seed)
    write_at_random(cloud, fake, chance, 40)
    cloud.advance(SETTLED)
    assert contents(fake) == {region: cloud.content(region) for region in REGIONS}
    assert len({tuple(sorted(rows.items())) for rows in contents(fake).values()}) == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_region_whose_replication_is_paused_neither_sends_nor_receives_in_both(cloud: VirtualCloud, seed: int) -> None:
    fake, chance = fake_beside(cloud), random.Random(seed)
    write_at_random(cloud, fake, chance, 10)
    cloud.advance(SETTLED)
    cloud.cut(REGIONS[1])
    fake.pause(REGIONS[1])
    write_at_random(cloud, fake, chance, 20)
    cloud.advance(SETTLED)
    paused = {region: cloud.content(region) for region in REGIONS}
    assert contents(fake) == paused
    assert paused[REGIONS[0]] == paused[REGIONS[2]]
    cloud.heal()
    fake.resume(REGIONS[1])
    cloud.advance(SETTLED)
    assert contents(fake) == {region: cloud.content(region) for region in REGIONS}
    assert len({tuple(sorted(rows.items())) for rows in contents(fake).values()}) == 1
