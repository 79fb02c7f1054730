"""Replication: later, last writer wins, nothing lost, everything equal in the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ministack.core import responses
from ministack.services import dynamodb

from tests.virtual_cloud import ACCOUNT, REGIONS, TABLE, Refused, VirtualCloud, item, where
from workshop.cloud.write_log import LoggedWrite

WEST, EU, SOUTH = REGIONS
LATER = 10.0


def three_regions(seed: int = 0) -> VirtualCloud:
    cloud = VirtualCloud(seed)
    cloud.create()
    cloud.replicate("Create", EU)
    cloud.replicate("Create", SOUTH)
    cloud.timing.change("fast", 1.0)
    return cloud


@pytest.fixture
def cloud() -> Iterator[VirtualCloud]:
    opened = three_regions()
    yield opened
    opened.close()


def test_a_write_arrives_later_in_every_other_region(cloud: VirtualCloud) -> None:
    cloud.put(WEST, "a", "1")
    assert [cloud.get(region, "a") for region in REGIONS] == ["1", None, None]
    cloud.advance(0.5)
    assert [cloud.get(region, "a") for region in REGIONS] == ["1", None, None]
    cloud.advance(LATER)
    assert [cloud.get(region, "a") for region in REGIONS] == ["1", "1", "1"]
    assert all(0.7 <= lag <= 1.3 for _, _, lag in cloud.lags)
    assert len({lag for _, _, lag in cloud.lags}) == 2


def test_every_region_accepts_writes(cloud: VirtualCloud) -> None:
    for region in REGIONS:
        cloud.put(region, region, "1")
    cloud.advance(LATER)
    assert cloud.content(WEST) == cloud.content(EU) == cloud.content(SOUTH) == dict.fromkeys(REGIONS, "1")


def test_the_later_write_wins_whichever_arrives_first(cloud: VirtualCloud) -> None:
    cloud.put(WEST, "a", "first")
    cloud.advance(0.1)
    cloud.put(EU, "a", "second")
    assert (cloud.get(WEST, "a"), cloud.get(EU, "a")) == ("first", "second")
    cloud.advance(LATER)
    assert {cloud.get(region, "a") for region in REGIONS} == {"second"}


def test_a_delete_replicates_and_an_older_write_does_not_undo_it(cloud: VirtualCloud) -> None:
    held = cloud.cut(WEST, "from")
    cloud.put(WEST, "a", "old")
    cloud.put(EU, "a", "newer")
    cloud.call(EU, "DeleteItem", TableName=TABLE, Key=where("a"))
    cloud.advance(LATER)
    cloud.heal(held)
    cloud.advance(LATER)
    assert [cloud.get(region, "a") for region in REGIONS] == [None, None, None]


def test_a_condition_is_evaluated_on_the_items_of_its_own_region(cloud: VirtualCloud) -> None:
    only_new = {"ConditionExpression": "attribute_not_exists(PK)"}
    cloud.put(WEST, "a", "west", **only_new)
    cloud.put(EU, "a", "eu", **only_new)
    cloud.advance(LATER)
    assert {cloud.get(region, "a") for region in REGIONS} == {"eu"}
    with pytest.raises(Refused, match="ConditionalCheckFailedException"):
        cloud.put(SOUTH, "a", "south", **only_new)


def test_a_transaction_is_whole_in_its_own_region_only(cloud: VirtualCloud) -> None:
    puts = [{"Put": {"TableName": TABLE, "Item": item(key, "1")}} for key in ("a", "b")]
    cloud.call(WEST, "TransactWriteItems", TransactItems=puts)
    assert cloud.content(WEST) == {"a": "1", "b": "1"}
    seen = set()
    for _ in range(200):
        cloud.advance(0.01)
        seen.add(len(cloud.content(EU)))
    assert seen == {0, 1, 2}


def test_a_cancelled_statement_transaction_is_not_replicated(cloud: VirtualCloud) -> None:
    statements = [
        {"Statement": f"INSERT INTO \"{TABLE}\" VALUE {{'PK': 'p', 'SK': 'a', 'v': '1'}}"},
        {"Statement": "UPDATE things SET v='2' WHERE PK='p' AND SK='absent'"},
    ]
    with pytest.raises(Refused):
        cloud.call(WEST, "ExecuteTransaction", TransactStatements=statements)
    cloud.advance(LATER)
    assert [cloud.content(region) for region in REGIONS] == [{}, {}, {}]


def test_a_statement_replicates_like_any_write(cloud: VirtualCloud) -> None:
    cloud.call(WEST, "ExecuteStatement", Statement=f"INSERT INTO \"{TABLE}\" VALUE {{'PK': 'p', 'SK': 'a', 'v': '1'}}")
    cloud.advance(LATER)
    assert cloud.content(EU) == {"a": "1"}


def test_an_expired_item_is_deleted_everywhere(cloud: VirtualCloud) -> None:
    cloud.put(WEST, "a", "1")
    cloud.advance(LATER)
    dynamodb._remove_item(dynamodb._tables.get_scoped(ACCOUNT, WEST, TABLE), "p", "a")  # as MiniStack's expiry does it
    cloud.advance(LATER)
    assert cloud.content(SOUTH) == {}


def test_a_batch_replicates(cloud: VirtualCloud) -> None:
    cloud.call(EU, "BatchWriteItem", RequestItems={TABLE: [{"PutRequest": {"Item": item(str(n), "1")}} for n in range(25)]})
    cloud.advance(LATER)
    assert len(cloud.content(WEST)) == len(cloud.content(SOUTH)) == 25


def test_a_replicated_write_appears_once_in_the_other_regions_stream(cloud: VirtualCloud) -> None:
    cloud.put(WEST, "a", "1")
    cloud.advance(LATER)
    cloud.restart()
    cloud.advance(LATER)
    with responses.request_scope(ACCOUNT, EU):
        assert [record["eventName"] for record in dynamodb.stream_live_records(TABLE)] == []
    cloud.put(WEST, "a", "2")
    cloud.advance(LATER)
    with responses.request_scope(ACCOUNT, EU):
        assert [record["eventName"] for record in dynamodb.stream_live_records(TABLE)] == ["MODIFY"]


@pytest.mark.parametrize(
    ("direction", "arrived"),
    [
        ("both", {"west": {WEST, SOUTH}, "eu": {EU}}),
        ("to", {"west": {WEST, SOUTH}, "eu": set(REGIONS)}),
        ("from", {"west": set(REGIONS), "eu": {EU}}),
    ],
)
def test_a_cut_holds_back_and_its_end_delivers(cloud: VirtualCloud, direction: str, arrived: dict[str, set[str]]) -> None:
    cloud.cut(EU, direction)
    cloud.put(WEST, "west", "1")
    cloud.put(EU, "eu", "1")
    cloud.advance(3600)
    for key, regions in arrived.items():
        assert {region for region in REGIONS if cloud.get(region, key)} == regions
    assert sum(row["writes"] for row in cloud.multi_region.replication.backlog()) == sum(3 - len(r) for r in arrived.values())
    cloud.heal()
    assert cloud.content(WEST) == cloud.content(EU) == cloud.content(SOUTH) == {"west": "1", "eu": "1"}
    assert cloud.multi_region.replication.backlog() == []


def test_a_cut_of_one_table_does_not_affect_the_others(cloud: VirtualCloud) -> None:
    cloud.faults.restore([{"kind": "cut", "region": EU, "table": "others", "id": "f1"}])
    cloud.put(WEST, "a", "1")
    cloud.advance(LATER)
    assert cloud.get(EU, "a") == "1"


def test_accounts_do_not_see_each_other(cloud: VirtualCloud) -> None:
    cloud.timing.change("instant", 1.0)
    other = "123456789012"
    keys = {"KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]}
    types = [{"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": "S"}]
    cloud.call(WEST, "CreateTable", other, TableName=TABLE, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST", **keys)
    cloud.call(WEST, "UpdateTable", other, TableName=TABLE, ReplicaUpdates=[{"Create": {"RegionName": EU}}])
    cloud.call(WEST, "PutItem", other, TableName=TABLE, Item=item("theirs", "1"))
    cloud.put(WEST, "ours", "1")
    assert cloud.content(EU) == {"ours": "1"}
    assert cloud.call(EU, "Scan", other, TableName=TABLE)["Count"] == 1


def test_a_table_of_the_same_name_gets_no_write_that_was_in_flight_to_the_old_one(cloud: VirtualCloud) -> None:
    held = cloud.cut(EU)
    cloud.put(WEST, "old", "1")
    cloud.advance(LATER)
    cloud.timing.change("instant", 1.0)
    cloud.replicate("Delete", EU)
    cloud.replicate("Delete", SOUTH)
    cloud.call(WEST, "DeleteTable", TableName=TABLE)
    cloud.create()
    cloud.replicate("Create", EU)
    cloud.heal(held)
    cloud.advance(LATER)
    assert cloud.content(EU) == cloud.content(WEST) == {}


def test_a_region_that_joins_gets_what_the_others_have_in_flight(cloud: VirtualCloud) -> None:
    cloud.replicate("Delete", SOUTH)
    cloud.advance(LATER)
    held = cloud.cut(EU, "from")
    cloud.put(EU, "a", "1")
    cloud.replicate("Create", SOUTH)
    cloud.advance(LATER)
    assert cloud.shown(SOUTH)[0] == "ACTIVE" and cloud.content(SOUTH) == {}
    cloud.heal(held)
    cloud.advance(LATER)
    assert cloud.content(SOUTH) == {"a": "1"}


# One step of a random history: what, where, which item, which value or how long.
REGION, KEY = st.sampled_from(REGIONS), st.sampled_from("abcd")
STEP = st.one_of(
    st.tuples(st.sampled_from(["put", "put", "put", "delete", "add", "new", "batch"]), REGION, KEY),
    st.tuples(st.just("advance"), st.floats(0.0, 6.0), KEY),
    st.tuples(st.just("cut"), REGION, st.sampled_from(["both", "to", "from"])),
    st.tuples(st.sampled_from(["heal", "restart", "leave", "join"]), st.just(SOUTH), KEY),
)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=5, max_size=60), seed=st.integers(0, 1000))
def test_no_write_is_lost_and_all_regions_end_equal(steps: list[tuple[str, str, str]], seed: int) -> None:
    """Writers in three regions, regions cut off and rejoined, one leaving and joining, restarts in between: in the end all
    regions hold the same, and of every item exactly what was acknowledged last."""
    cloud = three_regions(seed)
    try:
        expected = _play(cloud, steps)
        cloud.heal()
        cloud.advance(60)
        members = [WEST, *(region for region, status in cloud.shown(WEST)[1] or [] if status == "ACTIVE")]
        for region in members:
            assert cloud.content(region) == expected, region
        assert cloud.multi_region.replication.backlog() == []
        assert all("_workshop_stamps" not in record for _, record in dynamodb._tables.all_items())
    finally:
        cloud.close()


def _play(cloud: VirtualCloud, steps: list[tuple[str, str, str]]) -> dict[str, str]:
    expected: dict[str, str] = {}
    for number, (what, where_, key) in enumerate(steps):
        try:
            if what == "advance":
                cloud.advance(float(where_))
            elif what == "cut":
                cloud.cut(where_, key)
            elif what == "heal":
                cloud.heal()
            elif what == "restart":
                cloud.restart()
            elif what in ("leave", "join"):
                cloud.replicate("Delete" if what == "leave" else "Create", SOUTH)
            else:
                _write(cloud, what, where_, key, str(number), expected)
        except Refused as refused:
            assert refused.code in ("ResourceNotFoundException", "ResourceInUseException", "ValidationException"), refused
            assert refused.code == "ResourceNotFoundException" or what in ("leave", "join"), refused
    return expected


def _write(cloud: VirtualCloud, what: str, region: str, key: str, value: str, expected: dict[str, str]) -> None:
    if region == SOUTH and SOUTH not in [r for r, status in cloud.shown(WEST)[1] or [] if status == "ACTIVE"]:
        return  # what a region accepts while it leaves goes with it
    if what == "put":
        cloud.put(region, key, value)
        expected[key] = value
    elif what == "delete":
        if cloud.get(region, key) is not None:
            cloud.call(region, "DeleteItem", TableName=TABLE, Key=where(key))
            expected.pop(key, None)
    elif what == "batch":
        cloud.call(region, "BatchWriteItem", RequestItems={TABLE: [{"PutRequest": {"Item": item(k, value)}} for k in "ab"]})
        expected.update(a=value, b=value)
    elif what == "new":
        try:
            cloud.put(region, key, value, ConditionExpression="attribute_not_exists(PK)")
        except Refused as refused:
            if refused.code != "ConditionalCheckFailedException":
                raise
        else:
            expected[key] = value
    else:
        key = f"{key}{key}"
        update = {"UpdateExpression": "ADD v :n", "ExpressionAttributeValues": {":n": {"N": "1"}}, "ReturnValues": "ALL_NEW"}
        response = cloud.call(region, "UpdateItem", TableName=TABLE, Key=where(key), **update)
        expected[key] = response["Attributes"]["v"]["N"]


def test_a_restart_without_lag_keeps_the_later_write_of_every_item(cloud: VirtualCloud) -> None:
    """The first thing to arrive again must not end the memory of which write of the other items is later."""
    keys = [str(number) for number in range(20)]
    for key in keys:
        cloud.put(EU, key, "first")
    cloud.advance(1.0)
    arrived = [cloud.get(WEST, key) for key in keys]
    assert "first" in arrived and None in arrived
    for key in keys:
        cloud.put(EU, key, "second")
    cloud.timing.change("instant", 1.0)
    cloud.restart()
    assert cloud.content(WEST) == cloud.content(EU) == cloud.content(SOUTH) == dict.fromkeys(keys, "second")


def test_a_deletion_from_the_log_wins_over_the_write_that_is_on_its_way_again(cloud: VirtualCloud) -> None:
    cloud.put(WEST, "a", "1")
    cloud.restart()
    record = cloud.record(EU, TABLE)
    assert record is not None and cloud.get(EU, "a") is None
    cloud.multi_region.replay([LoggedWrite(ACCOUNT, EU, TABLE, record["TableId"], ("p", "a"), None)])
    cloud.advance(LATER)
    assert [cloud.get(region, "a") for region in REGIONS] == [None, None, None]
