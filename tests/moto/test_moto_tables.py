"""Tables and items through the real client, as moto's DynamoDB sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.fakes.context import EU, HOME
from workshop.aws.errors import AwsError
from workshop.aws.resources.tables import list_tables
from workshop.errors import WorkshopError
from workshop.steps.base import State
from workshop.steps.dynamodb.items import DynamoDBItems, ItemsParams
from workshop.steps.dynamodb.table import DynamoDBTable, TableParams

SAMPLE = Path(__file__).parents[2] / "sample-data.json"
TABLE, ITEMS = DynamoDBTable(), DynamoDBItems()
PARAMS = TableParams(name="films", keys={"PK": "S", "SK": "S"}, stream=True)


async def test_a_table_is_made_found_again_and_removed(moto):
    ctx = moto.context(PARAMS)
    assert (await TABLE.observe(ctx)).state is State.ABSENT
    outputs = await TABLE.create(ctx)
    assert outputs["Arn"].endswith(":table/films")
    observed = await TABLE.observe(ctx)
    assert observed.state is State.READY and observed.ours and observed.outputs == outputs
    described = (await moto.ask("dynamodb", "describe_table", TableName="films"))["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described["StreamSpecification"]["StreamEnabled"]
    await TABLE.destroy(ctx)
    assert await TABLE.leftovers(ctx) == [] and await list_tables(moto.aws, HOME) == []


async def test_a_table_with_an_index_is_made_and_found_again(moto):
    ctx = moto.context(TableParams(name="films", keys={"PK": "S"}, indexes={"newest": {"all": "S", "at": "N"}}))
    await TABLE.create(ctx)
    assert (await TABLE.observe(ctx)).state is State.READY
    (index,) = (await moto.ask("dynamodb", "describe_table", TableName="films"))["Table"]["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "ALL"} and index["IndexStatus"] == "ACTIVE"
    other = moto.context(TableParams(name="films", keys={"PK": "S"}, indexes={"newest": {"all": "S"}}))
    assert "has the keys all (S), at (N), not all (S)" in (await TABLE.observe(other)).detail


async def test_its_tags_are_read_back_in_its_region_alone(moto):
    outputs = await TABLE.create(moto.context(PARAMS))
    tags = (await moto.ask("dynamodb", "list_tags_of_resource", ResourceArn=outputs["Arn"]))["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"workshop": "films", "workshop:step": "step", "workshop:run": "run-2"}
    assert (await TABLE.observe(moto.context(PARAMS, region=EU))).state is State.ABSENT


async def test_a_table_with_other_keys_is_foreign(moto):
    await TABLE.create(moto.context(TableParams(name="films", keys={"id": "N"})))
    observed = await TABLE.observe(moto.context(PARAMS))
    assert observed.state is State.FOREIGN and "id (N)" in observed.detail


async def made_by_hand(moto) -> None:
    """A table of the right name and keys, without our tags."""
    await moto.ask(
        "dynamodb",
        "create_table",
        TableName="films",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("SK", "PK")],
    )


async def test_a_table_made_by_hand_is_foreign_and_left_alone(moto):
    await made_by_hand(moto)
    ctx = moto.context(PARAMS)
    observed = await TABLE.observe(ctx)
    assert observed.state is State.FOREIGN and not observed.ours and "0 items" in observed.detail
    await TABLE.destroy(ctx)
    assert await list_tables(moto.aws, HOME) == ["films"]


async def test_an_adopted_table_is_ours(moto):
    await made_by_hand(moto)
    ctx = moto.context(PARAMS)
    (foreign,) = (await TABLE.observe(ctx)).foreign
    await TABLE.adopt(ctx, foreign)
    observed = await TABLE.observe(ctx)
    assert observed.state is State.READY and observed.ours and observed.adopted
    await TABLE.destroy(ctx)
    assert await list_tables(moto.aws, HOME) == []


async def test_deletion_protection_is_distinguished_from_other_refusals(moto):
    ctx = moto.context(PARAMS)
    await TABLE.create(ctx)
    await moto.ask("dynamodb", "update_table", TableName="films", DeletionProtectionEnabled=True)
    with pytest.raises(WorkshopError) as caught:
        await TABLE.destroy(ctx)
    assert caught.value.code == "DeletionProtection"


def sample(moto, tmp_path: Path):
    (tmp_path / "data.json").write_text(SAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    params = ItemsParams(table="films", file="data.json")
    return moto.context(params, folder=tmp_path, defaults={"table": "global-serverless", "file": "data.json"})


async def test_the_sample_data_is_loaded_once_and_never_overwritten(moto, tmp_path):
    await TABLE.create(moto.context(PARAMS))
    ctx = sample(moto, tmp_path)
    assert (await ITEMS.observe(ctx)).state is State.ABSENT
    assert await ITEMS.create(ctx) == {"Items": "13"}
    key = {"PK": {"S": "library"}, "SK": {"S": "01"}}
    await moto.ask("dynamodb", "put_item", TableName="films", Item={**key, "Mine": {"S": "kept"}})
    await moto.ask("dynamodb", "delete_item", TableName="films", Key={"PK": {"S": "library"}, "SK": {"S": "02"}})
    assert (await ITEMS.observe(ctx)).detail == "12 of 13 items in us-west-2"
    await ITEMS.create(ctx)
    assert (await moto.ask("dynamodb", "get_item", TableName="films", Key=key))["Item"]["Mine"] == {"S": "kept"}
    assert (await moto.ask("dynamodb", "scan", TableName="films", Select="COUNT"))["Count"] == 13


async def test_more_items_than_one_call_takes_of_every_type_are_loaded(moto, tmp_path):
    await TABLE.create(moto.context(TableParams(name="films", keys={"id": "N"})))
    values = {"B": {"B": "AAE="}, "M": {"M": {"L": {"L": [{"NULL": True}, {"BOOL": False}]}}}, "SS": {"SS": ["a", "b"]}}
    items = [{"id": {"N": f"{number}.0"}, **values} for number in range(130)]
    document = {"films": [{"PutRequest": {"Item": item}} for item in items]}
    (tmp_path / "data.json").write_text(json.dumps(document))
    ctx = moto.context(ItemsParams(table="films", file="data.json"), folder=tmp_path)
    await ITEMS.create(ctx)
    assert (await ITEMS.observe(ctx)).state is State.READY
    found = (await moto.ask("dynamodb", "get_item", TableName="films", Key={"id": {"N": "7"}}))["Item"]
    assert found["B"] == {"B": b"\x00\x01"} and found["M"] == values["M"]


async def test_a_table_that_is_not_there_is_an_error_with_its_code(moto):
    with pytest.raises(AwsError) as caught:
        await moto.ask("dynamodb", "scan", TableName="nothing")
    assert caught.value.code == "ResourceNotFoundException" and caught.value.status == 400


async def test_a_parameter_that_aws_does_not_know_is_found_before_it_is_sent(moto):
    with pytest.raises(AwsError) as caught:
        await moto.ask("dynamodb", "describe_table", Table="films")
    assert caught.value.code == "ParamValidationError" and not caught.value.transient
