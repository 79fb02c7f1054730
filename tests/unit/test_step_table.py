"""`dynamodb.table` over a DynamoDB in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import EU, HOME, OURS, StepSandbox
from workshop.aws.errors import AwsError
from workshop.aws.resources.tables import list_tables
from workshop.errors import PartlyDoneError, WorkshopError
from workshop.steps.base import Phase, State
from workshop.steps.dynamodb.table import DynamoDBTable, TableParams
from workshop.waiting import WaitTimeout

KEYS = {"PK": "S", "SK": "S"}
PARAMS = TableParams(name="films", keys=KEYS)
STEP = DynamoDBTable()


@pytest.fixture
def sandbox() -> StepSandbox:
    return StepSandbox()


async def test_a_table_is_created_with_its_keys_and_tags_and_waited_for(sandbox):
    ctx = sandbox.context(PARAMS)
    assert (await STEP.observe(ctx)).state is State.ABSENT
    outputs = await STEP.create(ctx)
    table = sandbox.aws.dynamodb.find(HOME, "films")
    assert table.status == "ACTIVE" and table.keys == list(KEYS.items())
    assert table.tags == {"workshop": "films", "workshop:step": "step", "workshop:run": "run-2"}
    assert outputs == {"TableName": "films", "Arn": sandbox.aws.dynamodb.arn(HOME, "films")}
    assert any("ACTIVE" in reason for reason in sandbox.notes.waits)
    observed = await STEP.observe(ctx)
    assert observed.state is State.READY and observed.ours and observed.outputs == outputs


async def test_a_rerun_changes_nothing_and_keeps_the_creating_runs_tags(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    assert (await STEP.observe(sandbox.context(PARAMS))).state is State.READY
    await STEP.create(sandbox.context(PARAMS))
    assert sandbox.aws.made("create_table") == sandbox.aws.made("tag_resource") == []
    assert sandbox.aws.dynamodb.find(HOME, "films").tags == OURS


async def test_what_was_made_is_written_down_before_it_is_made(sandbox):
    noted = []
    sandbox.aws.watch = lambda call: noted.append(("table", "films", HOME) in sandbox.notes.made)
    await STEP.create(sandbox.context(PARAMS))
    assert noted[sandbox.aws.calls.index(sandbox.aws.made("create_table")[0])]


async def test_a_refused_table_is_not_ours_when_another_process_creates_it_later(sandbox):
    sandbox.aws.refuse("create_table", HOME, refusal("AccessDeniedException"))
    with pytest.raises(AwsError):
        await STEP.create(sandbox.context(PARAMS))
    sandbox.aws.dynamodb.put(HOME, "films")
    assert not (await STEP.observe(sandbox.context(PARAMS))).ours


async def test_a_table_of_a_quicker_process_stops_the_step_and_is_not_ours(sandbox):
    sandbox.aws.watch = lambda call: sandbox.aws.dynamodb.put(HOME, "films") if call.operation == "create_table" else None
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.context(PARAMS))
    assert caught.value.code == "Foreign" and "films exists in us-west-2" in caught.value.why
    observed = await STEP.observe(sandbox.context(PARAMS))
    assert observed.state is State.FOREIGN and not observed.ours
    assert sandbox.aws.dynamodb.find(HOME, "films").tags == {}


async def test_a_lost_answer_is_not_taken_for_a_foreign_table(sandbox):
    sandbox.aws.lose_answer("create_table")
    await STEP.create(sandbox.context(PARAMS))
    assert (await STEP.observe(sandbox.context(PARAMS))).ours


async def test_a_table_that_is_being_created_already_is_waited_for(sandbox):
    ctx = sandbox.context(PARAMS)
    first = asyncio.ensure_future(STEP.create(ctx))
    await asyncio.sleep(1)
    assert (await STEP.observe(ctx)).state is State.PARTIAL
    await asyncio.gather(first, STEP.create(ctx))
    assert len(sandbox.aws.made("create_table")) == 1


async def test_a_table_with_other_keys_is_foreign_and_named(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", {"id": "N"}, tags=dict(OURS))
    observed = await STEP.observe(sandbox.context(PARAMS))
    assert observed.state is State.FOREIGN and not observed.ours
    assert "id (N)" in observed.detail and "PK (S), SK (S)" in observed.detail
    assert "aws dynamodb delete-table" in observed.fix


@pytest.mark.parametrize("keys", [{"SK": "S", "PK": "S"}, {"PK": "S"}, {"PK": "S", "SK": "N"}])
async def test_other_roles_fewer_keys_and_other_types_are_other_keys(sandbox, keys):
    sandbox.aws.dynamodb.put(HOME, "films", keys)
    assert (await STEP.observe(sandbox.context(PARAMS))).state is State.FOREIGN


async def test_a_table_made_by_hand_is_foreign_and_is_neither_changed_nor_deleted(sandbox):
    table = sandbox.aws.dynamodb.put(HOME, "films", created=sandbox.clock.now())
    table.write({"PK": {"S": "theirs"}, "SK": {"S": "1"}})
    ctx = sandbox.context(PARAMS)
    observed = await STEP.observe(ctx)
    assert observed.state is State.FOREIGN and not observed.ours
    assert f"created {sandbox.clock.now():%Y-%m-%d %H:%M:%S} UTC, 1 item" in observed.detail
    assert "workshop setup --adopt" in observed.fix and "aws dynamodb delete-table" in observed.fix
    with pytest.raises(WorkshopError, match="did not make"):
        await STEP.create(ctx)
    await STEP.destroy(ctx)
    assert sandbox.aws.changes() == []
    (left,) = await STEP.leftovers(ctx)
    assert left.name == "films" and "not made by this workshop" in left.why


async def test_an_adopted_table_is_ours_with_its_items_and_says_since_when(sandbox):
    table = sandbox.aws.dynamodb.put(HOME, "films", tags={"owner": "alice"})
    table.write({"PK": {"S": "theirs"}, "SK": {"S": "1"}})
    ctx = sandbox.context(PARAMS)
    (foreign,) = (await STEP.observe(ctx)).foreign
    assert "deletes it with everything in it" in foreign.adoption
    await STEP.adopt(ctx, foreign)
    await asyncio.sleep(60)
    observed = await STEP.observe(ctx)
    assert (
        observed.state is State.READY
        and observed.ours
        and observed.adopted
        and f"adopted {observed.adopted[:10]}" in observed.detail
    )
    assert table.tags["owner"] == "alice" and len(table.items) == 1
    assert [(left.ours, left.adopted) for left in await STEP.leftovers(ctx)] == [(True, observed.adopted)]
    await STEP.destroy(ctx)
    assert sandbox.aws.dynamodb.find(HOME, "films") is None


async def test_what_a_foreign_table_holds_is_estimated_where_it_may_not_be_read(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films").record["ItemCount"] = 1_300
    sandbox.aws.refuse("scan", HOME, refusal("AccessDeniedException"))
    assert "about 1,300 items" in (await STEP.observe(sandbox.context(PARAMS))).detail


async def test_a_foreign_table_that_is_being_deleted_is_waited_out_and_never_reported_as_ours(sandbox):
    theirs = sandbox.aws.dynamodb.put(HOME, "films")
    await sandbox.aws.call("dynamodb", HOME, "delete_table", TableName="films")
    observed = await STEP.observe(sandbox.context(PARAMS))
    assert observed.state is State.ABSENT and not observed.ours
    assert [left.ours for left in await STEP.leftovers(sandbox.context(PARAMS))] == [False]
    await STEP.create(sandbox.context(PARAMS))
    assert sandbox.aws.dynamodb.find(HOME, "films").id != theirs.id


async def test_a_table_that_is_being_deleted_is_waited_out_and_created_again(sandbox):
    table = sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    await sandbox.aws.call("dynamodb", HOME, "delete_table", TableName="films")
    assert (await STEP.observe(sandbox.context(PARAMS))).state is State.PARTIAL
    await STEP.create(sandbox.context(PARAMS))
    fresh = sandbox.aws.dynamodb.find(HOME, "films")
    assert fresh.id != table.id and fresh.status == "ACTIVE"


@pytest.mark.parametrize("status", ["INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVING", "ARCHIVED"])
async def test_a_state_that_no_waiting_changes_is_reported(sandbox, status):
    sandbox.aws.dynamodb.put(HOME, "films", status=status, tags=dict(OURS))
    assert (await STEP.observe(sandbox.context(PARAMS))).state is State.BROKEN
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(sandbox.context(PARAMS))
    assert caught.value.code == status and asyncio.get_running_loop().time() < 1


async def test_tags_that_were_dropped_are_set_afterwards(sandbox):
    sandbox.aws.dynamodb.drops_tags = True
    await STEP.create(sandbox.context(PARAMS))
    await asyncio.sleep(5)
    assert sandbox.aws.dynamodb.find(HOME, "films").tags["workshop"] == "films"


async def test_a_table_that_never_becomes_active_is_given_up_with_a_reason(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", creating=100_000)
    with pytest.raises(WaitTimeout, match="films in us-west-2 to become ACTIVE"):
        await STEP.create(sandbox.context(PARAMS))


async def test_destroying_waits_until_the_region_does_not_know_the_table(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    await STEP.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.dynamodb.find(HOME, "films") is None
    assert await STEP.leftovers(sandbox.context(PARAMS)) == []
    await STEP.destroy(sandbox.context(PARAMS))
    assert len(sandbox.aws.made("delete_table")) == 1


async def test_a_table_that_lost_its_tags_is_ours_by_the_journal(sandbox):
    await STEP.create(sandbox.context(PARAMS))
    sandbox.aws.dynamodb.find(HOME, "films").untag()
    await asyncio.sleep(60)
    await STEP.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.dynamodb.find(HOME, "films") is None


async def test_a_table_of_ours_that_is_being_created_is_deleted_once_it_is_active(sandbox):
    creating = asyncio.ensure_future(STEP.create(sandbox.context(PARAMS)))
    await asyncio.sleep(1)
    creating.cancel()
    await STEP.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.dynamodb.find(HOME, "films") is None


async def test_a_table_that_is_being_changed_is_deleted_when_the_change_is_over(sandbox):
    table = sandbox.aws.dynamodb.put(HOME, "films", status="UPDATING", tags=dict(OURS))
    asyncio.get_running_loop().call_later(90, setattr, table, "status", "ACTIVE")
    await STEP.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.dynamodb.find(HOME, "films") is None
    assert 90 <= asyncio.get_running_loop().time() < 120


async def test_a_table_that_vanishes_meanwhile_is_deleted(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    sandbox.aws.refuse("delete_table", HOME, refusal("ResourceNotFoundException"))
    asyncio.get_running_loop().call_later(10, sandbox.aws.dynamodb.remove, HOME, "films")
    await STEP.destroy(sandbox.context(PARAMS))


async def test_deletion_protection_is_reported_with_the_command_and_not_undone(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS)).protect()
    with pytest.raises(WorkshopError) as caught:
        await STEP.destroy(sandbox.context(PARAMS))
    assert caught.value.code == "DeletionProtection" and "--no-deletion-protection-enabled" in caught.value.fix
    assert sandbox.aws.dynamodb.find(HOME, "films").protected


async def test_a_table_whose_replicas_no_step_removes_is_reported_and_kept_with_them(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    for region in (EU, "ap-south-1"):
        sandbox.aws.dynamodb.link(HOME, region, "films")
    sandbox.aws.dynamodb.remove_replica(HOME, "ap-south-1", "films")
    await asyncio.sleep(40)
    assert sandbox.aws.dynamodb.find(HOME, "films").replicas == {EU: "ACTIVE", "ap-south-1": "DELETING"}
    with pytest.raises(PartlyDoneError) as caught:
        await STEP.destroy(sandbox.context(PARAMS))
    assert caught.value.code == "Replicated" and EU in caught.value.what and "ap-south-1" not in caught.value.what
    assert f'"Delete": {{"RegionName": "{EU}"}}' in caught.value.fix and "workshop teardown" in caught.value.fix
    assert sandbox.aws.made("delete_table") == []
    (left,) = await STEP.leftovers(sandbox.context(PARAMS))
    assert left.copies == (EU,) and EU in left.why and left.fix.startswith("until aws dynamodb update-table")


async def test_the_source_region_rule_that_lifts_soon_is_waited_out(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    sandbox.aws.refuse_by_source_rule(until=150)
    await STEP.destroy(sandbox.context(PARAMS))
    assert sandbox.aws.dynamodb.find(HOME, "films") is None


async def test_a_replica_that_shows_while_the_deletion_is_refused_is_reported_and_not_waited_out(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    sandbox.aws.dynamodb.add_replica(HOME, EU, "films")
    with pytest.raises(PartlyDoneError) as caught:
        await STEP.destroy(sandbox.context(PARAMS))
    assert caught.value.code == "Replicated" and EU in caught.value.what
    assert asyncio.get_running_loop().time() < 60


async def test_a_replica_that_shows_after_the_source_region_rule_refused_is_reported(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    sandbox.aws.refuse_by_source_rule(until=86_400)
    asyncio.get_running_loop().call_later(20, sandbox.aws.dynamodb.link, HOME, EU, "films")
    with pytest.raises(PartlyDoneError) as caught:
        await STEP.destroy(sandbox.context(PARAMS))
    assert caught.value.code == "Replicated" and asyncio.get_running_loop().time() < 60


async def test_the_source_region_rule_that_stays_is_reported_with_the_earliest_time(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    sandbox.aws.refuse_by_source_rule(until=86_400)
    sandbox.notes.record("replica", "films", EU)
    with pytest.raises(PartlyDoneError) as caught:
        await STEP.destroy(sandbox.context(PARAMS))
    assert caught.value.exit_code == 5 and caught.value.code == "SourceRegionRule"
    assert "2026-03-02 09:00 UTC" in caught.value.why and "workshop teardown" in caught.value.fix
    assert 120 < asyncio.get_running_loop().time() < 900
    (left,) = await STEP.leftovers(sandbox.context(PARAMS))
    assert "24 hours" in left.why and left.earliest == "2026-03-02T09:00:00+00:00"
    assert left.fix == "aws dynamodb delete-table --region us-west-2 --table-name films"


async def test_a_denied_deletion_is_not_tried_again(sandbox):
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    sandbox.aws.refuse("delete_table", HOME, refusal("AccessDeniedException"))
    with pytest.raises(AwsError, match="AccessDenied"):
        await STEP.destroy(sandbox.context(PARAMS))
    assert len(sandbox.aws.made("delete_table")) == 1


async def test_all_tables_of_a_region_are_listed_over_several_pages(sandbox):
    for name in ("one", "two", "three", "four", "five"):
        sandbox.aws.dynamodb.put(HOME, name)
    sandbox.aws.dynamodb.put(EU, "elsewhere")
    assert sorted(await list_tables(sandbox.aws, HOME)) == ["five", "four", "one", "three", "two"]


def test_the_commands_are_what_a_person_would_type(sandbox):
    create, wait = STEP.commands(sandbox.context(TableParams(name="films", keys=KEYS, stream=True)))
    assert create.startswith("aws dynamodb create-table --region us-west-2 --table-name films ")
    assert "AttributeName=PK,KeyType=HASH AttributeName=SK,KeyType=RANGE" in create
    assert "StreamViewType=NEW_AND_OLD_IMAGES" in create and "table-exists" in wait


def test_the_permissions_name_this_table_alone(sandbox):
    found = STEP.permissions(sandbox.context(PARAMS))
    assert {p.resource for p in found} == {"arn:aws:dynamodb:us-west-2:111122223333:table/films"}
    assert {p.action for p in found if p.phase is Phase.TEARDOWN} >= {"dynamodb:DeleteTable", "dynamodb:DescribeTable"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "ab", "keys": KEYS},
        {"name": "fi lms", "keys": KEYS},
        {"name": "films", "keys": {}},
        {"name": "films", "keys": {"a": "S", "b": "S", "c": "S"}},
        {"name": "films", "keys": {"a": "BOOL"}},
        {"name": "films", "keys": KEYS, "streams": True},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        TableParams.model_validate(wrong)
