"""AWS::DynamoDB::GlobalTable in stacks: its replicas come and go through the life cycle of UpdateTable, with its conflicts."""

from __future__ import annotations

from typing import Any

from tests.cloud_room.conftest import Cloud, eventually, refused
from tests.cloud_room.test_names_stacks import Resources, Stack, resource
from tests.warm import clouds
from workshop.cloud import daemon

HOME, OTHER, THIRD = "us-west-2", "eu-west-1", "ap-southeast-1"
KEY = {"PK": {"S": "p"}}


def replica(region: str, **more: Any) -> dict[str, Any]:
    return {"Region": region, **more}


def table(*replicas: dict[str, Any], **more: Any) -> Resources:
    properties = {
        "TableName": "orders",
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        "Replicas": list(replicas),
        **more,
    }
    return {"Table": resource("AWS::DynamoDB::GlobalTable", **properties)}


def shown(cloud: Cloud, region: str = HOME) -> dict[str, Any]:
    return dict(cloud.client("dynamodb", region).describe_table(TableName="orders")["Table"])


def regions(cloud: Cloud) -> dict[str, str]:
    return {each["RegionName"]: each["ReplicaStatus"] for each in shown(cloud).get("Replicas", [])}


def exists(cloud: Cloud, region: str) -> bool:
    return "orders" in cloud.client("dynamodb", region).list_tables()["TableNames"]


def test_a_stack_makes_a_table_with_replicas_that_replicate_both_ways(emptied: Cloud) -> None:
    stack = Stack(emptied, table(replica(HOME), replica(OTHER), replica(THIRD)), Arn={"Fn::GetAtt": ["Table", "Arn"]})
    assert stack.done() == "CREATE_COMPLETE"
    assert stack.outputs()["Arn"] == f"arn:aws:dynamodb:{HOME}:{daemon.ACCOUNT}:table/orders"
    assert regions(emptied) == {OTHER: "ACTIVE", THIRD: "ACTIVE"}
    assert shown(emptied)["GlobalTableVersion"] == "2019.11.21"
    for source, target in ((HOME, THIRD), (THIRD, OTHER)):
        item = {**KEY, "from": {"S": source}}
        emptied.client("dynamodb", source).put_item(TableName="orders", Item=item)
        there = emptied.client("dynamodb", target)
        eventually(lambda there=there, item=item: there.get_item(TableName="orders", Key=KEY).get("Item") == item)


def test_deleting_the_stack_deletes_every_replica(emptied: Cloud) -> None:
    """The source-region rule would refuse the table while a replica exists, so replicas go first."""
    stack = Stack(emptied, table(replica(HOME), replica(OTHER)))
    assert stack.done() == "CREATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"
    assert not exists(emptied, HOME) and not exists(emptied, OTHER)


def test_an_update_adds_and_removes_replicas_and_keeps_the_items(emptied: Cloud) -> None:
    stack = Stack(emptied, table(replica(HOME), replica(OTHER)))
    assert stack.done() == "CREATE_COMPLETE"
    emptied.client("dynamodb").put_item(TableName="orders", Item=KEY)
    before = shown(emptied)["TableId"]
    stack.update(table(replica(HOME), replica(THIRD)))
    assert stack.done() == "UPDATE_COMPLETE"
    assert regions(emptied) == {THIRD: "ACTIVE"} and not exists(emptied, OTHER)
    assert shown(emptied)["TableId"] == before
    assert emptied.client("dynamodb", THIRD).get_item(TableName="orders", Key=KEY)["Item"] == KEY


def test_each_region_has_its_own_tags_and_protection(emptied: Cloud) -> None:
    tagged = replica(OTHER, Tags=[{"Key": "where", "Value": "there"}], DeletionProtectionEnabled=True)
    stack = Stack(emptied, table(replica(HOME, Tags=[{"Key": "where", "Value": "home"}]), tagged))
    assert stack.done() == "CREATE_COMPLETE"

    def tags(region: str) -> dict[str, str]:
        arn = f"arn:aws:dynamodb:{region}:{daemon.ACCOUNT}:table/orders"
        found = emptied.client("dynamodb", region).list_tags_of_resource(ResourceArn=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found if not tag["Key"].startswith("aws:")}

    assert (tags(HOME), tags(OTHER)) == ({"where": "home"}, {"where": "there"})
    assert (shown(emptied)["DeletionProtectionEnabled"], shown(emptied, OTHER)["DeletionProtectionEnabled"]) == (False, True)
    assert stack.delete() == "DELETE_FAILED"
    assert "deletion protection" in stack.reasons()
    emptied.client("dynamodb", OTHER).update_table(TableName="orders", DeletionProtectionEnabled=False)
    assert stack.delete() == "DELETE_COMPLETE"


def test_an_update_changes_the_tags_and_the_protection_of_one_region(emptied: Cloud) -> None:
    tagged = replica(OTHER, Tags=[{"Key": "where", "Value": "there"}], DeletionProtectionEnabled=True)
    stack = Stack(emptied, table(replica(HOME), tagged))
    assert stack.done() == "CREATE_COMPLETE"
    stack.update(table(replica(HOME), replica(OTHER, Tags=[{"Key": "new", "Value": "1"}])))
    assert stack.done() == "UPDATE_COMPLETE"
    arn = f"arn:aws:dynamodb:{OTHER}:{daemon.ACCOUNT}:table/orders"
    assert emptied.client("dynamodb", OTHER).list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "new", "Value": "1"}]
    assert shown(emptied, OTHER)["DeletionProtectionEnabled"] is False
    assert stack.delete() == "DELETE_COMPLETE"


def test_every_region_has_the_time_to_live_and_its_own_recovery(emptied: Cloud) -> None:
    recovered = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    ttl = {"AttributeName": "expires", "Enabled": True}
    stack = Stack(emptied, table(replica(HOME), replica(OTHER, **recovered), TimeToLiveSpecification=ttl))
    assert stack.done() == "CREATE_COMPLETE"

    def described(region: str) -> tuple[str, str]:
        client = emptied.client("dynamodb", region)
        found = client.describe_time_to_live(TableName="orders")["TimeToLiveDescription"].get("AttributeName", "")
        backups = client.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
        return found, backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]

    assert (described(HOME), described(OTHER)) == (("expires", "DISABLED"), ("expires", "ENABLED"))


def test_a_stack_that_is_deleted_while_it_adds_replicas_leaves_nothing(emptied: Cloud) -> None:
    clouds.start(emptied.home, timing="fast", scale=0.3)
    stack = Stack(emptied, table(replica(HOME), replica(OTHER), replica(THIRD)))
    eventually(lambda: exists(emptied, HOME) and regions(emptied) == {OTHER: "CREATING"})
    assert stack.delete() == "DELETE_COMPLETE"
    for region in (HOME, OTHER, THIRD):
        assert not exists(emptied, region)
    assert "does not exist" in refused(stack.shown)[1]


def test_the_stacks_own_region_has_to_be_a_replica(emptied: Cloud) -> None:
    stack = Stack(emptied, table(replica(OTHER)))
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "must contain an entry for the current region" in stack.reasons()
    assert not exists(emptied, HOME)


def test_a_table_of_that_name_in_a_replicas_region_fails_the_stack_and_is_left_alone(emptied: Cloud) -> None:
    emptied.table("orders", OTHER)
    foreign = shown(emptied, OTHER)["TableId"]
    stack = Stack(emptied, table(replica(HOME), replica(OTHER)))
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "already existed as tables" in stack.reasons()
    assert not exists(emptied, HOME) and shown(emptied, OTHER)["TableId"] == foreign


def test_a_table_of_that_name_at_home_fails_the_stack_and_is_left_alone(emptied: Cloud) -> None:
    emptied.table("orders")
    foreign = shown(emptied)["TableId"]
    stack = Stack(emptied, table(replica(HOME), replica(OTHER)))
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "already exists" in stack.reasons()
    assert shown(emptied)["TableId"] == foreign


def test_a_region_that_is_not_enabled_fails_the_stack_and_leaves_nothing(emptied: Cloud) -> None:
    stack = Stack(emptied, table(replica(HOME), replica(OTHER), replica("af-south-1")))
    assert stack.done() == "ROLLBACK_COMPLETE"
    assert "Failed to access the region" in stack.reasons()
    assert not exists(emptied, HOME) and not exists(emptied, OTHER)


def test_a_provisioned_table_with_autoscaling_may_have_replicas(emptied: Cloud) -> None:
    scaling = {"MinCapacity": 3, "MaxCapacity": 9, "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70}}
    capacity = {"WriteProvisionedThroughputSettings": {"WriteCapacityAutoScalingSettings": scaling}}
    stack = Stack(emptied, table(replica(HOME), replica(OTHER), BillingMode="PROVISIONED", **capacity))
    assert stack.done() == "CREATE_COMPLETE"
    assert shown(emptied)["ProvisionedThroughput"]["WriteCapacityUnits"] == 3
    assert regions(emptied) == {OTHER: "ACTIVE"}


def test_the_states_on_the_way_are_those_of_an_update_by_hand(emptied: Cloud) -> None:
    clouds.start(emptied.home, timing="fast", scale=0.5)
    stack = Stack(emptied, table(replica(HOME), replica(OTHER)))
    eventually(lambda: exists(emptied, HOME) and regions(emptied) == {OTHER: "CREATING"})
    assert shown(emptied)["TableStatus"] == "UPDATING"
    create = [{"Create": {"RegionName": THIRD}}]
    client = emptied.client("dynamodb")
    assert refused(lambda: client.update_table(TableName="orders", ReplicaUpdates=create))[0] == "ResourceInUseException"
    assert stack.shown()["StackStatus"] == "CREATE_IN_PROGRESS"
    assert stack.done() == "CREATE_COMPLETE"
    assert regions(emptied) == {OTHER: "ACTIVE"} and shown(emptied, OTHER)["TableStatus"] == "ACTIVE"
    assert stack.delete() == "DELETE_COMPLETE"
    assert not exists(emptied, OTHER)


def test_a_stack_that_is_interrupted_while_a_replica_is_added_can_be_deleted(cloud: Cloud) -> None:
    clouds.start(cloud.home, timing="fast", scale=1.0)
    stack = Stack(cloud, table(replica(HOME), replica(OTHER)))
    eventually(lambda: exists(cloud, HOME) and regions(cloud) == {OTHER: "CREATING"})
    daemon.stop(cloud.home)
    clouds.start(cloud.home, timing="fast", scale=0.1)
    assert stack.shown()["StackStatus"] == "CREATE_FAILED"
    assert stack.delete() == "DELETE_COMPLETE"
    assert not exists(cloud, HOME) and not exists(cloud, OTHER)
