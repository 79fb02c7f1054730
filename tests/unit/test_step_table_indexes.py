"""Global secondary indexes: made with their table, waited for in every region, and named where they differ."""

from __future__ import annotations

import asyncio
import shlex

import pytest
from pydantic import ValidationError

from tests.unit.fakes.context import EU, HOME, OURS, StepSandbox
from workshop.errors import WorkshopError
from workshop.steps.base import State
from workshop.steps.dynamodb.replica import DynamoDBReplica, ReplicaParams
from workshop.steps.dynamodb.table import DynamoDBTable, TableParams

STEP, REPLICA = DynamoDBTable(), DynamoDBReplica()
NEWEST = {"newest": {"all": "S", "createdOn": "S"}}
PARAMS = TableParams(name="films", keys={"id": "S"}, indexes=NEWEST)


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


def index(sandbox, region=HOME):
    (found,) = sandbox.aws.dynamodb.find(region, "films").record["GlobalSecondaryIndexes"]
    return found


async def test_a_table_is_created_with_its_indexes_and_costs_nothing_while_it_is_not_used(sandbox):
    ctx = sandbox.context(PARAMS)
    await STEP.create(ctx)
    (call,) = sandbox.aws.made("create_table")
    assert call.parameters["GlobalSecondaryIndexes"] == [
        {
            "IndexName": "newest",
            "KeySchema": [{"AttributeName": "all", "KeyType": "HASH"}, {"AttributeName": "createdOn", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ]
    assert call.parameters["BillingMode"] == "PAY_PER_REQUEST"
    assert {each["AttributeName"] for each in call.parameters["AttributeDefinitions"]} == {"id", "all", "createdOn"}
    assert (await STEP.observe(ctx)).state is State.READY
    await STEP.create(ctx)
    assert len(sandbox.aws.made("create_table")) == 1


async def test_the_index_of_a_replica_is_read_in_its_own_region(sandbox):
    await STEP.create(sandbox.context(PARAMS))
    await REPLICA.create(sandbox.context(ReplicaParams(table="films"), region=EU))
    item = {"id": {"S": "1"}, "all": {"S": "ticket"}, "createdOn": {"S": "2026"}, "text": {"S": "x"}}
    sandbox.aws.dynamodb.find(HOME, "films").write(item)
    await sandbox.clock.sleep(5)
    values = {":all": {"S": "ticket"}}
    query = {
        "KeyConditionExpression": "#a = :all",
        "ExpressionAttributeNames": {"#a": "all"},
        "ExpressionAttributeValues": values,
    }
    for region in (HOME, EU):
        found = await sandbox.aws.call("dynamodb", region, "query", TableName="films", IndexName="newest", **query)
        assert found["Items"] == [item], region
    assert EU in index(sandbox, EU)["IndexArn"]


async def test_a_replica_is_ready_when_its_index_is(sandbox):
    await STEP.create(sandbox.context(PARAMS))
    ctx = sandbox.context(ReplicaParams(table="films"), region=EU)
    await REPLICA.create(ctx)
    index(sandbox, EU)["IndexStatus"] = "CREATING"
    observed = await REPLICA.observe(ctx)
    assert observed.state is State.PARTIAL and "index newest not ready" in observed.detail
    asked = len(sandbox.aws.calls)
    asyncio.get_running_loop().call_later(60, lambda: index(sandbox, EU).update(IndexStatus="ACTIVE"))
    await REPLICA.create(ctx)
    assert (await REPLICA.observe(ctx)).state is State.READY
    assert sandbox.aws.calls[-1].at - sandbox.aws.calls[asked].at >= 60 and len(sandbox.aws.made("update_table")) == 1


async def test_a_table_is_not_ready_while_its_index_is_created(sandbox):
    ctx = sandbox.context(PARAMS)
    await STEP.create(ctx)
    index(sandbox)["IndexStatus"] = "CREATING"
    observed = await STEP.observe(ctx)
    assert observed.state is State.PARTIAL and observed.detail == "its index newest is CREATING"
    asyncio.get_running_loop().call_later(30, lambda: index(sandbox).update(IndexStatus="ACTIVE"))
    before = sandbox.clock.monotonic()
    await STEP.create(ctx)
    assert sandbox.clock.monotonic() - before >= 30


@pytest.mark.parametrize(
    ("change", "words", "lines"),
    [
        (lambda record: record.pop("GlobalSecondaryIndexes"), "it has no index newest", 1),
        (
            lambda record: record["GlobalSecondaryIndexes"][0]["KeySchema"].pop(),
            "has the keys all (S), not all (S), createdOn",
            2,
        ),
        (
            lambda record: record["GlobalSecondaryIndexes"][0]["Projection"].update(ProjectionType="KEYS_ONLY"),
            "has not all attributes (KEYS_ONLY)",
            2,
        ),
    ],
)
async def test_an_index_that_differs_is_named_with_the_lines_that_change_it(sandbox, change, words, lines):
    ctx = sandbox.context(PARAMS)
    await STEP.create(ctx)
    change(sandbox.aws.dynamodb.find(HOME, "films").record)
    observed = await STEP.observe(ctx)
    assert observed.state is State.BROKEN and observed.ours and words in observed.detail
    assert len(observed.fix.split("; when that is done: ")) == lines
    with pytest.raises(WorkshopError, match="is not as it should be") as caught:
        await STEP.create(ctx)
    assert caught.value.code == "IndexDrift" and "Create" in caught.value.fix
    await STEP.destroy(ctx)
    assert sandbox.aws.dynamodb.tables() == []


async def test_an_index_that_another_hand_added_is_no_difference(sandbox):
    await STEP.create(sandbox.context(PARAMS))
    assert (await STEP.observe(sandbox.context(TableParams(name="films", keys={"id": "S"})))).state is State.READY


async def test_a_foreign_table_without_the_index_cannot_be_adopted(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", {"id": "S"})
    observed = await STEP.observe(sandbox.context(PARAMS))
    assert observed.state is State.FOREIGN and "It has no index newest." in observed.detail
    assert observed.foreign[0].adoption == "" and "--adopt" not in observed.fix
    plain = await STEP.observe(sandbox.context(TableParams(name="films", keys={"id": "S"})))
    assert plain.foreign[0].adoption != ""


async def test_its_line_makes_the_index_too(sandbox):
    words = shlex.split(STEP.commands(sandbox.context(PARAMS))[0])
    at = words.index("--global-secondary-indexes")
    assert '"IndexName": "newest"' in words[at + 1] and "AttributeName=createdOn,AttributeType=S" in words


@pytest.mark.parametrize(
    ("indexes", "words"),
    [
        ({"newest": {"id": "N"}}, "the key id of the index newest is N, and S elsewhere"),
        ({"newest": {"a": "S"}, "oldest": {"a": "N"}}, "the key a of the index oldest is N"),
        ({"newest": {}}, "one key"),
        ({"newest": {"a": "S", "b": "S", "c": "S"}}, "one key"),
        ({"x": {"a": "S"}}, "indexes.x"),
        ({f"index{n}": {"a": "S"} for n in range(21)}, "at most 20"),
    ],
)
def test_what_dynamodb_would_refuse_is_refused_beforehand(indexes, words):
    with pytest.raises(ValidationError) as caught:
        TableParams(name="films", keys={"id": "S"}, indexes=indexes)
    assert words in str(caught.value)


async def test_a_table_of_ours_keeps_its_tags_and_its_index_over_a_rerun(sandbox):
    ctx = sandbox.context(PARAMS)
    await STEP.create(ctx)
    sandbox.aws.dynamodb.find(HOME, "films").untag()
    await STEP.create(sandbox.context(PARAMS, run="run-3"))
    assert sandbox.aws.dynamodb.find(HOME, "films").tags["workshop"] == OURS["workshop"]
    assert index(sandbox)["IndexName"] == "newest"
