"""`dynamodb.items` over a DynamoDB in virtual time: written once, never overwritten, present everywhere."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import EU, HOME, OURS, StepSandbox
from workshop.aws.errors import AwsError
from workshop.cloud.faults import CloudFault
from workshop.errors import DefinitionError, UsageError, WorkshopError
from workshop.steps.base import State
from workshop.steps.dynamodb.items import DynamoDBItems, ItemsParams
from workshop.waiting import WaitTimeout

STEP = DynamoDBItems()
PARAMS = ItemsParams(table="films", file="data.json")


@pytest.fixture
def sandbox() -> StepSandbox:
    """A home table of ours with a replica, both empty."""
    sandbox = StepSandbox()
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    sandbox.aws.dynamodb.link(HOME, EU, "films", tags=dict(OURS))
    return sandbox


@pytest.fixture
def load(sandbox, tmp_path: Path):
    """Writes a data file of so many items and answers the step's context."""

    def written(count: int, table: str = "films", **more):
        items = [{"PK": {"S": "library"}, "SK": {"S": f"{n:04d}"}, "Title": {"S": f"Film {n}"}} for n in range(count)]
        (tmp_path / "data.json").write_text(json.dumps({table: [{"PutRequest": {"Item": item}} for item in items]}))
        return sandbox.context(PARAMS, folder=tmp_path, **more)

    return written


def writes(sandbox: StepSandbox) -> list[int]:
    """How many items each write call held."""
    return [len(c.parameters["RequestItems"]["films"]) for c in sandbox.aws.made("batch_write_item")]


def items(sandbox: StepSandbox, region: str) -> list[dict]:
    return sandbox.aws.dynamodb.items(region, "films")


async def clear(sandbox: StepSandbox) -> None:
    """Somebody removes the replica and the home table."""
    sandbox.aws.dynamodb.remove_replica(HOME, EU, "films")
    await asyncio.sleep(200)
    sandbox.aws.dynamodb.remove(HOME, "films")


async def test_every_item_is_written_and_then_seen_in_every_region(sandbox, load):
    ctx = load(13)
    assert (await STEP.observe(ctx)).state is State.ABSENT
    assert await STEP.create(ctx) == {"Items": "13"}
    assert len(items(sandbox, HOME)) == len(items(sandbox, EU)) == 13
    observed = await STEP.observe(ctx)
    assert observed.state is State.READY and observed.outputs == {"Items": "13"}


async def test_twenty_five_are_written_with_each_call(sandbox, load):
    await STEP.create(load(260))
    assert writes(sandbox) == [25] * 4 + [25] * 4 + [25, 25, 10]
    assert {len(c.parameters["RequestItems"]["films"]["Keys"]) for c in sandbox.aws.made("batch_get_item", HOME)} == {100, 60}


async def test_progress_is_told_for_long_files(sandbox, load):
    await STEP.create(load(1_200))
    assert sandbox.notes.lines[-1] == "1,200 of 1,200 items present, 1,200 written"
    assert len(sandbox.notes.lines) == 3


async def test_a_rerun_writes_only_what_is_missing_and_overwrites_nothing(sandbox, load):
    ctx = load(40)
    await STEP.create(ctx)
    changed = {**items(sandbox, HOME)[5], "Bookmark": {"N": "42"}}
    for region in (HOME, EU):
        sandbox.aws.dynamodb.find(region, "films").lose("library", "0003")
    sandbox.aws.dynamodb.find(HOME, "films").write(changed)
    observed = await STEP.observe(ctx)
    assert observed.state is State.PARTIAL and observed.detail == "39 of 40 items in us-west-2"
    sandbox.aws.calls.clear()
    await STEP.create(ctx)
    assert writes(sandbox) == [1]
    assert changed in items(sandbox, HOME) and len(items(sandbox, HOME)) == 40


async def test_a_rerun_of_a_whole_load_writes_nothing(sandbox, load):
    ctx = load(30)
    await STEP.create(ctx)
    sandbox.aws.calls.clear()
    await STEP.create(ctx)
    assert writes(sandbox) == []


async def test_items_that_are_slow_to_arrive_are_waited_for(sandbox, load):
    sandbox.aws.dynamodb.fault(CloudFault("cut", region=EU))
    asyncio.get_running_loop().call_later(40, sandbox.aws.dynamodb.heal)
    await STEP.create(load(13))
    assert len(items(sandbox, EU)) == 13 and asyncio.get_running_loop().time() >= 40
    assert any("eu-west-1" in reason for reason in sandbox.notes.waits)


async def test_items_that_never_arrive_are_reported(sandbox, load):
    sandbox.aws.dynamodb.fault(CloudFault("cut", region=EU))
    with pytest.raises(WaitTimeout, match="13 items to reach eu-west-1"):
        await STEP.create(load(13))


async def test_items_that_are_missing_in_a_replica_are_no_ready(sandbox, load):
    ctx = load(13)
    await STEP.create(ctx)
    sandbox.aws.dynamodb.find(EU, "films").lose("library", "0012")
    observed = await STEP.observe(ctx)
    assert observed.state is State.PARTIAL and observed.detail == "12 of 13 items in eu-west-1"


async def test_what_is_left_unprocessed_is_sent_again_with_growing_pauses(sandbox, load):
    sandbox.aws.dynamodb.takes = lambda offered: 5
    await STEP.create(load(25))
    assert writes(sandbox) == [25, 20, 15, 10, 5]
    times = [c.at for c in sandbox.aws.made("batch_write_item")]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(pause > 0 for pause in pauses) and pauses[-1] > pauses[0]


async def test_a_batch_that_is_not_taken_for_a_while_goes_through_in_the_end(sandbox, load):
    loop = asyncio.get_running_loop()
    sandbox.aws.dynamodb.takes = lambda offered: offered if loop.time() > 100 else 0
    await STEP.create(load(25))
    assert len(items(sandbox, HOME)) == 25
    assert len(writes(sandbox)) < 40


async def test_a_batch_that_is_never_taken_is_given_up_with_advice(sandbox, load):
    sandbox.aws.dynamodb.takes = lambda offered: 0
    with pytest.raises(WaitTimeout) as caught:
        await STEP.create(load(25))
    assert "same command again" in caught.value.fix
    assert 60 < asyncio.get_running_loop().time() < 1200


async def test_a_write_that_is_throttled_as_a_whole_is_sent_again(sandbox, load):
    throttled = refusal("ProvisionedThroughputExceededException")
    sandbox.aws.refuse("batch_write_item", HOME, throttled, throttled)
    await STEP.create(load(3))
    assert writes(sandbox) == [3, 3, 3]


async def test_a_write_that_is_refused_is_not_sent_again(sandbox, load):
    sandbox.aws.refuse("batch_write_item", HOME, refusal("AccessDeniedException"))
    with pytest.raises(AwsError):
        await STEP.create(load(3))
    assert writes(sandbox) == [3]


async def test_keys_that_were_not_read_are_asked_for_again(sandbox, load):
    ctx = load(40)
    await STEP.create(ctx)
    sandbox.aws.dynamodb.reads = lambda offered: 7
    assert (await STEP.observe(ctx)).state is State.READY


async def test_keys_that_are_never_read_are_given_up(sandbox, load):
    sandbox.aws.dynamodb.reads = lambda offered: 0
    with pytest.raises(WaitTimeout):
        await STEP.observe(load(3))


async def test_a_replica_that_does_not_serve_yet_is_waited_for(sandbox, load):
    missing = refusal("ResourceNotFoundException", "Requested resource not found")
    sandbox.aws.refuse("batch_get_item", EU, missing, missing)
    await STEP.create(load(3))
    assert len(items(sandbox, EU)) == 3


async def test_nothing_is_written_when_a_later_item_is_wrong(sandbox, load, tmp_path):
    ctx = load(60)
    document = json.loads((tmp_path / "data.json").read_text())
    document["films"].append(document["films"][7])
    (tmp_path / "data.json").write_text(json.dumps(document))
    with pytest.raises(UsageError, match=r"Item 61 .* same key as item 8"):
        await STEP.create(ctx)
    assert writes(sandbox) == []


async def test_the_file_keeps_the_default_name_of_a_table_that_was_renamed(sandbox, load, tmp_path):
    sandbox.aws.dynamodb.put(HOME, "mine", tags=dict(OURS))
    load(3, table="films")
    ctx = sandbox.context(
        ItemsParams(table="mine", file="data.json"), folder=tmp_path, defaults={"table": "films", "file": "data.json"}
    )
    await STEP.create(ctx)
    assert len(sandbox.aws.dynamodb.items(HOME, "mine")) == 3
    show, write, *_ = STEP.commands(ctx)
    assert show == "workshop step show step --file > step-mine.json"
    assert write == "aws dynamodb batch-write-item --region us-west-2 --request-items file://step-mine.json"


def test_the_request_file_names_the_table_of_the_run_and_is_the_same_otherwise(sandbox, tmp_path):
    attributes = {
        "PK": {"S": "it's \x9b \U0001f600"},
        "SK": {"N": "1.50"},
        "blob": {"B": "AAH/"},
        "list": {"L": [{"BS": ["AA=="]}]},
    }
    items_of_file = [{"PutRequest": {"Item": attributes}}, {"PutRequest": {"Item": {"PK": {"S": "b"}}}}]
    (tmp_path / "data.json").write_text(json.dumps({"films": items_of_file}))
    ctx = sandbox.context(ItemsParams(table="mine", file="data.json"), folder=tmp_path, defaults={"table": "films"})
    text = STEP.rendered("file", ctx)
    assert text is not None
    assert json.loads(text) == {"mine": items_of_file} and text.isascii()


def test_a_default_that_is_no_name_of_a_table_is_refused_though_another_name_was_given(load, sandbox, tmp_path):
    load(1)
    ctx = sandbox.context(ItemsParams(table="mine", file="data.json"), folder=tmp_path, defaults={"table": 'x"/y/;1e touch P #'})
    with pytest.raises(DefinitionError, match=r"step\.table"):
        STEP.commands(ctx)


async def test_a_file_for_another_table_is_refused(sandbox, load):
    with pytest.raises(UsageError, match="'other', not 'films'"):
        await STEP.create(load(3, table="other"))


def test_the_file_is_checked_against_the_tables_keys_before_anything_is_made(load, tmp_path):
    ctx = load(3, others={"dynamodb.table": [{"name": "films", "keys": {"id": "S"}}]})
    with pytest.raises(UsageError, match=r"Item 1 .* no key attribute id of type S"):
        STEP.check_files(ctx)
    STEP.check_files(load(3, others={"dynamodb.table": [{"name": "films", "keys": {"PK": "S", "SK": "S"}}]}))
    STEP.check_files(load(3, others={"dynamodb.table": [{"name": "another", "keys": {"id": "S"}}]}))


@pytest.mark.parametrize("status", [None, "CREATING", "DELETING"])
async def test_without_a_table_there_are_no_items(sandbox, load, status):
    if status is None:
        await clear(sandbox)
    else:
        sandbox.aws.dynamodb.find(HOME, "films").status = status
    assert (await STEP.observe(load(3))).state is State.ABSENT


async def test_a_table_that_is_gone_when_the_load_begins_is_reported(sandbox, load):
    await clear(sandbox)
    with pytest.raises(WorkshopError, match="is gone"):
        await STEP.create(load(3))


async def test_a_table_with_other_keys_holds_none_of_the_items(sandbox, load):
    await clear(sandbox)
    sandbox.aws.dynamodb.put(HOME, "films", {"id": "S"})
    observed = await STEP.observe(load(3))
    assert observed.state is State.ABSENT and "other keys" in observed.detail


async def test_the_items_go_with_their_table(sandbox, load):
    ctx = load(3)
    await STEP.create(ctx)
    sandbox.aws.calls.clear()
    await STEP.destroy(ctx)
    assert sandbox.aws.calls == [] and await STEP.leftovers(ctx) == []


def test_the_command_is_what_a_person_would_type(load, tmp_path):
    write, *counts = STEP.commands(load(3))
    assert write == (f"aws dynamodb batch-write-item --region us-west-2 --request-items file://{tmp_path / 'data.json'}")
    assert [c.rpartition(" ")[2] for c in counts] == [HOME, EU]


def test_the_permissions_are_to_write_at_home_and_read_everywhere(load):
    found = {(p.action, p.region) for p in STEP.permissions(load(3))}
    assert ("dynamodb:BatchWriteItem", HOME) in found and ("dynamodb:BatchWriteItem", EU) not in found
    assert ("dynamodb:BatchGetItem", EU) in found
