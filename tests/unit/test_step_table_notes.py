"""Whose a table is that carries none of our tags: ours is the one whose TableId the journal noted, whatever its name and age."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest

from tests.unit.fakes.context import DAY, EU, HOME, OURS, StepSandbox
from tests.unit.fakes.virtual_time import START
from workshop.errors import PartlyDoneError, WorkshopError
from workshop.steps.base import State
from workshop.steps.dynamodb.replica import DynamoDBReplica, ReplicaParams
from workshop.steps.dynamodb.table import DynamoDBTable, TableParams

KEYS = {"PK": "S", "SK": "S"}
TABLE_PARAMS = TableParams(name="films", keys=KEYS)
REPLICA_PARAMS = ReplicaParams(table="films")
TABLE, REPLICA = DynamoDBTable(), DynamoDBReplica()


def creation() -> dict[str, object]:
    """What CreateTable is asked for the table."""
    roles = zip(KEYS, ("HASH", "RANGE"), strict=True)
    return {
        "TableName": "films", "BillingMode": "PAY_PER_REQUEST", "Tags": [],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in KEYS.items()],
        "KeySchema": [{"AttributeName": name, "KeyType": role} for name, role in roles],
    }  # fmt: skip


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


@pytest.fixture
def standing(sandbox) -> StepSandbox:
    """A home table of ours, without a replica."""
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    return sandbox


def here(sandbox: StepSandbox):
    return sandbox.context(REPLICA_PARAMS, region=EU)


async def test_a_table_that_lost_its_tags_is_ours_by_the_id_that_the_journal_has(sandbox):
    sandbox.aws.dynamodb.drops_tags = True
    made = await sandbox.aws.call("dynamodb", HOME, "create_table", **creation())
    sandbox.notes.record("table", "films", HOME, made["TableDescription"]["TableId"])
    await asyncio.sleep(DAY)
    assert (await TABLE.observe(sandbox.context(TABLE_PARAMS))).ours
    await TABLE.destroy(sandbox.context(TABLE_PARAMS))
    assert sandbox.aws.dynamodb.find(HOME, "films") is None


@pytest.mark.parametrize("later", [timedelta(0), timedelta(seconds=30), timedelta(minutes=14), timedelta(days=-1)])
@pytest.mark.parametrize("noted", ["with the id of ours", "before the response"])
async def test_a_foreign_table_that_replaced_ours_is_neither_used_nor_deleted_however_soon_it_came(sandbox, later, noted):
    sandbox.notes.record("table", "films", HOME, "id-of-ours" if noted == "with the id of ours" else "")
    sandbox.aws.dynamodb.put(HOME, "films", created=sandbox.clock.now() + later)
    ctx = sandbox.context(TABLE_PARAMS)
    observed = await TABLE.observe(ctx)
    assert observed.state is State.FOREIGN and not observed.ours
    with pytest.raises(WorkshopError, match="did not make"):
        await TABLE.create(ctx)
    await TABLE.destroy(ctx)
    assert sandbox.aws.changes() == [] and sandbox.aws.dynamodb.find(HOME, "films").status == "ACTIVE"
    assert [left.ours for left in await TABLE.leftovers(ctx)] == [False]


@pytest.mark.parametrize("command", [TABLE.create, TABLE.destroy])
async def test_the_owner_of_a_table_that_is_being_created_is_decided_once_it_is_active(sandbox, command):
    sandbox.notes.record("table", "films", HOME)
    await asyncio.sleep(DAY)
    theirs = sandbox.aws.dynamodb.put(HOME, "films", creating=30)
    with contextlib.suppress(WorkshopError):
        await command(sandbox.context(TABLE_PARAMS))
    await asyncio.sleep(30)
    assert sandbox.aws.dynamodb.find(HOME, "films").id == theirs.id and theirs.status == "ACTIVE" and theirs.tags == {}
    assert sandbox.aws.changes() == []


@pytest.fixture
def replaced(sandbox) -> StepSandbox:
    """Ours, made with notes, was removed by hand."""
    sandbox.notes.made.update({("table", "films", HOME): START, ("replica", "films", EU): START})
    return sandbox


async def a_day_later(sandbox: StepSandbox, *regions: str) -> None:
    """Somebody makes tables of the same name."""
    await asyncio.sleep(DAY)
    for region in regions:
        sandbox.aws.dynamodb.put(region, "films")


async def test_a_table_created_after_our_replica_was_deleted_is_foreign_and_never_deleted(replaced):
    await a_day_later(replaced, HOME, EU)
    observed = await REPLICA.observe(here(replaced))
    assert observed.state is State.FOREIGN and not observed.ours
    await REPLICA.destroy(here(replaced))
    assert replaced.aws.changes() == [] and replaced.aws.dynamodb.find(EU, "films").status == "ACTIVE"
    assert [left.ours for left in await REPLICA.leftovers(here(replaced))] == [False]


async def test_a_foreign_global_table_created_after_ours_was_deleted_is_left_alone(replaced):
    await a_day_later(replaced, HOME)
    home, local = replaced.aws.dynamodb.find(HOME, "films"), replaced.aws.dynamodb.link(HOME, EU, "films")
    observed = await REPLICA.observe(here(replaced))
    assert observed.state is State.FOREIGN and not observed.ours
    with pytest.raises(WorkshopError, match="in the way"):
        await REPLICA.create(here(replaced))
    await REPLICA.destroy(here(replaced))
    assert replaced.aws.changes() == [] and (home.status, local.status) == ("ACTIVE", "ACTIVE")


async def test_a_replica_added_to_a_table_that_replaced_ours_is_left_alone(replaced):
    await a_day_later(replaced, HOME)
    replaced.aws.dynamodb.add_replica(HOME, EU, "films")
    await asyncio.sleep(7)
    assert replaced.aws.dynamodb.find(HOME, "films").replicas == {EU: "CREATING"}
    observed = await REPLICA.observe(here(replaced))
    assert observed.state is State.FOREIGN and not observed.ours
    await REPLICA.destroy(here(replaced))
    assert replaced.aws.changes() == []


async def test_a_foreign_table_being_created_where_our_replica_was_is_not_deleted_once_it_is_active(replaced):
    await a_day_later(replaced, HOME)
    theirs = replaced.aws.dynamodb.put(EU, "films", creating=20)
    await REPLICA.destroy(here(replaced))
    assert replaced.aws.changes() == [] and theirs.status == "ACTIVE"


async def test_a_replica_that_is_gone_is_forgotten_so_that_what_comes_later_is_not_ours(standing):
    await REPLICA.create(here(standing))
    await REPLICA.destroy(here(standing))
    standing.aws.dynamodb.put(EU, "films")
    assert not (await REPLICA.observe(here(standing))).ours
    await REPLICA.destroy(here(standing))
    assert standing.aws.dynamodb.find(EU, "films").status == "ACTIVE"


async def test_a_deleted_replica_still_determines_when_its_home_table_may_be_deleted(standing):
    await REPLICA.create(here(standing))
    await REPLICA.destroy(here(standing))
    standing.aws.refuse_by_source_rule(until=86_400)
    ctx = standing.context(TABLE_PARAMS)
    with pytest.raises(PartlyDoneError, match="2026-03-02 09:00 UTC"):
        await TABLE.destroy(ctx)
    assert [left.earliest for left in await TABLE.leftovers(ctx)] == ["2026-03-02T09:00:00+00:00"]


@pytest.mark.parametrize("home", ["ours", "not ours any more"])
async def test_a_replica_that_lost_its_tags_is_ours_by_its_home_table_or_by_its_noted_id(standing, home):
    await REPLICA.create(here(standing))
    await asyncio.sleep(24 * 3600)
    standing.aws.dynamodb.find(EU, "films").untag()
    if home == "not ours any more":
        standing.aws.dynamodb.find(HOME, "films").untag()
    observed = await REPLICA.observe(here(standing))
    assert observed.state is State.PARTIAL and observed.ours
    await REPLICA.destroy(here(standing))
    assert standing.aws.dynamodb.find(EU, "films") is None


async def test_a_change_of_a_foreign_table_is_not_waited_for(standing):
    home = standing.aws.dynamodb.find(HOME, "films")
    home.untag()
    home.status = "UPDATING"
    await REPLICA.destroy(here(standing))
    assert asyncio.get_running_loop().time() < 1
