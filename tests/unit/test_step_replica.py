"""`dynamodb.replica` over a DynamoDB in virtual time that follows what was observed of the real one."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import DAY, EU, HOME, OURS, StepSandbox
from workshop.aws.errors import AwsError
from workshop.cloud.faults import CloudFault
from workshop.errors import PartlyDoneError, WorkshopError
from workshop.steps.base import Phase, State
from workshop.steps.dynamodb.replica import DynamoDBReplica, ReplicaParams
from workshop.waiting import WaitTimeout

PARAMS = ReplicaParams(table="films")
STEP = DynamoDBReplica()


@pytest.fixture
def sandbox() -> StepSandbox:
    """A home table of ours, without a replica."""
    sandbox = StepSandbox()
    sandbox.aws.dynamodb.put(HOME, "films", tags=dict(OURS))
    return sandbox


@pytest.fixture
def linked(sandbox) -> StepSandbox:
    """The same with a replica of ours."""
    sandbox.aws.dynamodb.link(HOME, EU, "films", tags=dict(OURS))
    return sandbox


def here(sandbox: StepSandbox, **more):
    return sandbox.context(PARAMS, region=EU, **more)


def requests(sandbox: StepSandbox, action: str) -> list[float]:
    """When a replica change was asked for."""
    return [c.at for c in sandbox.aws.made("update_table") if action in c.parameters["ReplicaUpdates"][0]]


async def test_a_replica_is_ready_when_both_regions_say_so(sandbox):
    assert (await STEP.observe(here(sandbox))).state is State.ABSENT
    outputs = await STEP.create(here(sandbox))
    home, local = sandbox.aws.dynamodb.find(HOME, "films"), sandbox.aws.dynamodb.find(EU, "films")
    assert (home.status, home.replicas, local.status) == ("ACTIVE", {EU: "ACTIVE"}, "ACTIVE")
    assert outputs == {"Arn": sandbox.aws.dynamodb.arn(EU, "films")}
    assert len(requests(sandbox, "Create")) == 1
    observed = await STEP.observe(here(sandbox))
    assert observed.state is State.READY and observed.ours


async def test_it_is_tagged_in_its_own_region(sandbox):
    await STEP.create(here(sandbox))
    assert sandbox.aws.dynamodb.find(EU, "films").tags["workshop:run"] == "run-2"
    assert {c.region for c in sandbox.aws.made("tag_resource")} == {EU}


async def test_an_entry_that_is_active_before_its_region_is_not_ready(sandbox):
    sandbox.aws.dynamodb.behind[EU] = 322
    creating = asyncio.ensure_future(STEP.create(here(sandbox)))
    await asyncio.sleep(100)
    assert sandbox.aws.dynamodb.find(HOME, "films").replicas == {EU: "ACTIVE"}
    assert (await STEP.observe(here(sandbox))).state is State.PARTIAL and not creating.done()
    await creating
    assert asyncio.get_running_loop().time() >= 322


async def test_a_table_with_items_takes_minutes_and_is_not_asked_twice(sandbox):
    sandbox.aws.dynamodb.find(HOME, "films").write({"PK": {"S": "x"}, "SK": {"S": "x"}})
    await STEP.create(here(sandbox))
    assert 640 <= asyncio.get_running_loop().time() < 680 and len(requests(sandbox, "Create")) == 1


async def test_a_replica_that_vanished_is_requested_again(sandbox):
    sandbox.aws.dynamodb.fault(CloudFault("replica-abort", region=EU, times=2))
    await STEP.create(here(sandbox))
    assert len(requests(sandbox, "Create")) == 3


async def test_a_replica_that_always_vanishes_is_given_up_with_the_likely_causes(sandbox):
    sandbox.aws.dynamodb.fault(CloudFault("replica-abort", region=EU))
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(here(sandbox))
    assert caught.value.code == "ReplicaVanished" and "5 times" in caught.value.what
    assert len(requests(sandbox, "Create")) == 5


async def test_another_change_in_flight_is_waited_for(sandbox):
    home = sandbox.aws.dynamodb.find(HOME, "films")
    home.status = "UPDATING"
    asyncio.get_running_loop().call_later(70, setattr, home, "status", "ACTIVE")
    await STEP.create(here(sandbox))
    assert requests(sandbox, "Create")[0] >= 70


async def test_a_refusal_because_of_another_change_waits_its_turn(sandbox):
    busy = refusal("ResourceInUseException", "The resource which you are attempting to change is in use.")
    adding = refusal("ValidationException", "Create/Update/Delete of replica is not allowed while the replica is being added")
    sandbox.aws.refuse("update_table", HOME, busy, adding, refusal("LimitExceededException", "Too many"), busy, busy, busy)
    await STEP.create(here(sandbox))
    assert len(requests(sandbox, "Create")) == 7


async def test_a_lost_answer_is_no_failure(sandbox):
    sandbox.aws.lose_answer("update_table")
    await STEP.create(here(sandbox))
    assert sandbox.aws.dynamodb.find(HOME, "films").replicas == {EU: "ACTIVE"}


async def test_a_second_region_waits_for_the_first(sandbox):
    regions = (HOME, EU, "ap-south-1")
    await asyncio.gather(
        STEP.create(here(sandbox, regions=regions)),
        STEP.create(sandbox.context(PARAMS, region="ap-south-1", regions=regions)),
    )
    assert sandbox.aws.dynamodb.find(HOME, "films").replicas == {EU: "ACTIVE", "ap-south-1": "ACTIVE"}
    assert all(len(c.parameters["ReplicaUpdates"]) == 1 for c in sandbox.aws.made("update_table"))


async def test_a_foreign_table_in_the_target_region_stops_with_advice(sandbox):
    sandbox.aws.dynamodb.put(EU, "films")
    observed = await STEP.observe(here(sandbox))
    assert observed.state is State.FOREIGN and "delete-table --region eu-west-1" in observed.fix
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(here(sandbox))
    assert caught.value.code == "Foreign" and requests(sandbox, "Create") == []


async def test_an_old_table_that_is_being_deleted_there_is_waited_out(sandbox):
    sandbox.aws.dynamodb.put(EU, "films")
    await sandbox.aws.call("dynamodb", EU, "delete_table", TableName="films")
    await STEP.create(here(sandbox))
    assert requests(sandbox, "Create")[0] >= 5


async def test_a_refusal_of_a_name_that_is_taken_for_a_moment_is_settled_by_looking_again(sandbox):
    taken = (
        "Failed to create a the new replica of table with name: ‘films’ because one or more replicas already existed as tables."
    )
    sandbox.aws.refuse("update_table", HOME, refusal("ValidationException", taken))
    await STEP.create(here(sandbox))
    assert len(requests(sandbox, "Create")) == 2


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("REGION_DISABLED", "region was disabled"),
        ("INACCESSIBLE_ENCRYPTION_CREDENTIALS", "encryption key cannot be used"),
        ("ARCHIVED", "was archived"),
        ("REPLICATION_NOT_AUTHORIZED", "policy forbids"),
    ],
)
async def test_a_state_of_failure_is_reported_with_its_meaning(sandbox, status, meaning):
    sandbox.aws.dynamodb.replica_fails = status
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(here(sandbox))
    assert caught.value.code == status and meaning in caught.value.why and "It could not be done." in caught.value.why
    assert asyncio.get_running_loop().time() < 60
    observed = await STEP.observe(here(sandbox))
    assert observed.state is State.BROKEN and meaning in observed.detail


async def test_a_creation_that_failed_is_removed_and_asked_for_again(sandbox):
    sandbox.aws.dynamodb.replica_fails = "CREATION_FAILED"
    creating = asyncio.ensure_future(STEP.create(here(sandbox)))
    await asyncio.sleep(30)
    assert (await STEP.observe(here(sandbox))).state is State.BROKEN
    sandbox.aws.dynamodb.replica_fails = ""
    await creating
    assert len(requests(sandbox, "Create")) == 2
    assert (await STEP.observe(here(sandbox))).state is State.READY


async def test_a_creation_that_fails_three_times_is_reported_with_its_meaning(sandbox):
    sandbox.aws.dynamodb.replica_fails = "CREATION_FAILED"
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(here(sandbox))
    assert caught.value.code == "CREATION_FAILED" and "could not create" in caught.value.why
    assert len(requests(sandbox, "Create")) == 3


async def test_a_home_table_that_became_unusable_is_a_failure(sandbox):
    sandbox.aws.dynamodb.find(HOME, "films").status = "ARCHIVED"
    with pytest.raises(WorkshopError, match="ARCHIVED"):
        await STEP.create(here(sandbox))


async def test_a_region_that_is_not_enabled_is_explained(sandbox):
    sandbox.aws.dynamodb.fault(CloudFault("region-disabled", region=EU))
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(here(sandbox))
    assert caught.value.code == "RegionDisabled" and "Enable the region eu-west-1" in caught.value.fix


async def test_a_home_table_that_is_gone_is_reported(sandbox):
    sandbox.aws.dynamodb.remove(HOME, "films")
    with pytest.raises(WorkshopError, match="is gone"):
        await STEP.create(here(sandbox))


async def test_a_denial_is_passed_on(sandbox):
    sandbox.aws.refuse("update_table", HOME, refusal("AccessDeniedException", "not authorized"))
    with pytest.raises(AwsError, match="AccessDenied"):
        await STEP.create(here(sandbox))


async def test_a_replica_that_never_comes_is_given_up_in_the_end(sandbox):
    sandbox.aws.dynamodb.find(HOME, "films").status = "UPDATING"
    with pytest.raises(WaitTimeout, match="replica of films in eu-west-1"):
        await STEP.create(here(sandbox))


async def test_a_ready_replica_without_our_tags_is_completed(linked):
    linked.aws.dynamodb.find(EU, "films").untag()
    assert (await STEP.observe(here(linked))).state is State.PARTIAL
    await STEP.create(here(linked))
    assert (await STEP.observe(here(linked))).state is State.READY
    assert requests(linked, "Create") == []


async def test_tags_wait_for_the_lock_of_another_tag_change(linked):
    local = linked.aws.dynamodb.find(EU, "films")
    local.untag(locked=10)
    await STEP.create(here(linked))
    assert local.tags["workshop"] == "films" and linked.aws.made("tag_resource")[-1].at >= 10


async def test_a_replica_of_a_table_made_by_hand_is_foreign_and_left_alone(sandbox):
    sandbox.aws.dynamodb.find(HOME, "films").untag()
    sandbox.aws.dynamodb.link(HOME, EU, "films")
    observed = await STEP.observe(here(sandbox))
    assert observed.state is State.FOREIGN and not observed.ours
    with pytest.raises(WorkshopError, match="in the way"):
        await STEP.create(here(sandbox))
    assert sandbox.aws.changes() == []


async def test_no_replica_is_added_to_a_table_made_by_hand(sandbox):
    sandbox.aws.dynamodb.find(HOME, "films").untag()
    with pytest.raises(WorkshopError, match="in the way"):
        await STEP.create(here(sandbox))
    assert sandbox.aws.changes() == []


async def test_a_removal_whose_response_was_lost_is_no_failure(linked):
    linked.aws.lose_answer("update_table")
    await STEP.destroy(here(linked))
    assert linked.aws.dynamodb.find(EU, "films") is None


async def test_an_entry_that_is_gone_when_its_removal_is_asked_for_again_counts_as_removed(linked):
    said = "Replica specified in the Replica Update or Replica Delete action of the request was not found."
    linked.aws.refuse("update_table", HOME, refusal("ValidationException", said))
    await STEP.destroy(here(linked))
    assert linked.aws.dynamodb.find(EU, "films") is None


async def test_deleting_waits_for_the_entry_and_then_for_the_table(linked):
    destroying = asyncio.ensure_future(STEP.destroy(here(linked)))
    await asyncio.sleep(135)
    assert linked.aws.dynamodb.find(HOME, "films").replicas == {}
    assert linked.aws.dynamodb.find(EU, "films") is not None and not destroying.done()
    await destroying
    assert linked.aws.dynamodb.find(EU, "films") is None
    assert len(requests(linked, "Delete")) == 1 and linked.aws.made("delete_table") == []


async def test_in_the_gap_between_entry_and_table_it_is_neither_ready_nor_foreign(linked):
    destroying = asyncio.ensure_future(STEP.destroy(here(linked)))
    await asyncio.sleep(135)
    assert (await STEP.observe(here(linked))).state is State.PARTIAL
    await destroying
    assert (await STEP.observe(here(linked))).state is State.ABSENT


async def test_what_is_gone_already_is_fine(sandbox):
    await STEP.destroy(here(sandbox))
    assert sandbox.aws.made("update_table") == [] and await STEP.leftovers(here(sandbox)) == []


async def test_a_deletion_waits_for_another_change_of_the_table(linked):
    busy = refusal("ResourceInUseException", "The resource which you are attempting to change is in use.")
    linked.aws.refuse("update_table", HOME, busy, busy)
    await STEP.destroy(here(linked))
    assert linked.aws.dynamodb.find(EU, "films") is None


async def test_a_replica_that_failed_to_be_created_is_deleted(sandbox):
    sandbox.aws.dynamodb.replica_fails = "CREATION_FAILED"
    with pytest.raises(WorkshopError):
        await STEP.create(here(sandbox))
    await STEP.destroy(here(sandbox))
    assert sandbox.aws.dynamodb.find(HOME, "films").replicas == {}


async def test_a_replica_that_is_still_being_created_is_deleted_after_that(sandbox):
    creating = asyncio.ensure_future(STEP.create(here(sandbox)))
    await asyncio.sleep(8)
    creating.cancel()
    await STEP.destroy(here(sandbox))
    assert sandbox.aws.dynamodb.find(EU, "films") is None
    assert requests(sandbox, "Delete")[0] >= 22


async def test_a_disassociated_replica_is_deleted_in_its_own_region(sandbox):
    sandbox.aws.dynamodb.put(EU, "films", tags=dict(OURS))
    observed = await STEP.observe(here(sandbox))
    assert observed.state is State.BROKEN and "by itself" in observed.detail
    await STEP.destroy(here(sandbox))
    assert sandbox.aws.dynamodb.find(EU, "films") is None and sandbox.aws.dynamodb.find(HOME, "films") is not None
    assert {c.region for c in sandbox.aws.made("delete_table")} == {EU}


async def test_a_replica_whose_home_table_is_gone_is_deleted_in_its_own_region(linked):
    await asyncio.sleep(DAY)
    linked.aws.dynamodb.remove(HOME, "films")
    await STEP.destroy(here(linked))
    assert linked.aws.dynamodb.find(EU, "films") is None


async def test_a_foreign_global_table_of_the_same_name_stops_setup_and_is_left_alone_by_teardown(sandbox):
    foreign = sandbox.aws.dynamodb.put(EU, "films")
    sandbox.aws.dynamodb.link(EU, "us-east-1", "films")
    assert (await STEP.observe(here(sandbox))).state is State.FOREIGN
    with pytest.raises(WorkshopError) as caught:
        await STEP.create(here(sandbox))
    assert caught.value.code == "Foreign"
    await STEP.destroy(here(sandbox))
    assert sandbox.aws.dynamodb.find(EU, "films").id == foreign.id and foreign.status == "ACTIVE"
    assert [r.ours for r in await STEP.leftovers(here(sandbox))] == [False]


async def test_a_foreign_table_in_the_region_is_left_alone(sandbox):
    sandbox.aws.dynamodb.put(EU, "films")
    await STEP.destroy(here(sandbox))
    assert sandbox.aws.dynamodb.find(EU, "films").status == "ACTIVE"
    (left,) = await STEP.leftovers(here(sandbox))
    assert "not made by this workshop" in left.why and "--region eu-west-1" in left.fix


async def stopped_after_the_request(sandbox: StepSandbox) -> None:
    """A setup is killed while the home table is UPDATING without an entry, and the replica's region knows nothing."""
    creating = asyncio.ensure_future(STEP.create(here(sandbox)))
    await asyncio.sleep(1)
    creating.cancel()
    home = sandbox.aws.dynamodb.find(HOME, "films")
    assert (home.status, home.replicas, sandbox.aws.dynamodb.find(EU, "films")) == ("UPDATING", {}, None)


async def test_a_replica_that_was_asked_for_and_does_not_show_yet_is_not_absent(sandbox):
    await stopped_after_the_request(sandbox)
    observed = await STEP.observe(here(sandbox))
    assert observed.state is State.PARTIAL and observed.ours and "was asked for" in observed.detail
    assert (await STEP.observe(sandbox.context(PARAMS, region="ap-south-1"))).state is State.ABSENT
    await STEP.create(here(sandbox))
    assert len(requests(sandbox, "Create")) == 1


async def test_a_replica_of_ours_is_ours_in_every_second_of_its_creation_and_of_its_removal(sandbox):
    creating = asyncio.ensure_future(STEP.create(here(sandbox)))
    seen = []
    while not creating.done():
        await asyncio.sleep(1)
        seen.append(await STEP.observe(here(sandbox)))
    removing = asyncio.ensure_future(STEP.destroy(here(sandbox)))
    while not removing.done():
        await asyncio.sleep(1)
        seen.append(await STEP.observe(here(sandbox)))
    await asyncio.gather(creating, removing)
    assert all(each.ours for each in seen) and len(seen) > 20
    assert {State.PARTIAL, State.ABSENT} <= {each.state for each in seen} <= {State.PARTIAL, State.ABSENT, State.READY}


@pytest.mark.parametrize("notes", ["kept", "lost"])
async def test_a_replica_that_does_not_show_yet_is_waited_for_and_deleted(sandbox, notes):
    await stopped_after_the_request(sandbox)
    if notes == "lost":
        sandbox.notes.made.clear()
    await STEP.destroy(here(sandbox))
    assert len(requests(sandbox, "Delete")) == 1
    assert sandbox.aws.dynamodb.find(HOME, "films").replicas == {} and sandbox.aws.dynamodb.find(EU, "films") is None


async def test_a_replica_that_vanishes_after_the_request_is_gone_when_the_home_table_has_settled(sandbox):
    sandbox.aws.dynamodb.fault(CloudFault("replica-abort", region=EU, times=1))
    await stopped_after_the_request(sandbox)
    await STEP.destroy(here(sandbox))
    assert sandbox.aws.dynamodb.find(HOME, "films").status == "ACTIVE" and requests(sandbox, "Delete") == []


@pytest.mark.parametrize("home", ["standing", "gone"])
async def test_deletion_protection_of_a_replica_is_reported_with_its_region(linked, home):
    local = linked.aws.dynamodb.find(EU, "films")
    local.protect()
    if home == "gone":
        await asyncio.sleep(DAY)
        linked.aws.dynamodb.remove(HOME, "films")
    with pytest.raises(WorkshopError) as caught:
        await STEP.destroy(here(linked))
    assert caught.value.code == "DeletionProtection" and "--region eu-west-1" in caught.value.fix


async def test_the_source_region_rule_on_a_replica_is_waited_out_and_then_reported(linked):
    rule = "Replica cannot be deleted because it has acted as a source region for new replica(s) in the last 24 hours."
    linked.notes.record("replica", "films", EU)
    linked.aws.refuse("update_table", HOME, *[refusal("ValidationException", rule)] * 500)
    with pytest.raises(PartlyDoneError) as caught:
        await STEP.destroy(here(linked))
    assert "2026-03-02 09:00 UTC" in caught.value.why
    assert 200 < asyncio.get_running_loop().time() < 900


async def test_a_leftover_replica_of_ours_is_named_in_its_region(linked):
    (left,) = await STEP.leftovers(here(linked))
    assert (left.kind, left.name, left.region, left.why) == ("table", "films", EU, "")


def test_the_commands_create_and_then_wait_for_both_regions(sandbox):
    create, *waits = STEP.commands(here(sandbox))
    assert '\'[{"Create": {"RegionName": "eu-west-1"}}]\'' in create and "--region us-west-2" in create
    assert len(waits) == 3 and "--region eu-west-1" in waits[-1]


def test_the_permissions_cover_what_aws_checks_in_the_other_region(sandbox):
    found = STEP.permissions(here(sandbox))
    there = {p.action for p in found if p.region == EU and p.phase is Phase.SETUP}
    assert {"dynamodb:CreateTableReplica", "dynamodb:Scan", "dynamodb:BatchWriteItem"} <= there
    assert "dynamodb:DeleteTableReplica" in {p.action for p in found if p.phase is Phase.TEARDOWN}
    assert "iam:CreateServiceLinkedRole" in {p.action for p in found}
