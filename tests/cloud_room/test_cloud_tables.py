"""Tables and replicas pass through AWS's states at AWS's times, and AWS's refusals have AWS's texts.

The times are those of docs/aws-behaviours.md, sections 1.3 and 1.7, in the profile `realistic`; virtual time, no waiting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.virtual_cloud import ACCOUNT, REGIONS, TABLE, Refused, VirtualCloud, where
from workshop.cloud.faults import CloudFault

WEST, EU, SOUTH = REGIONS
IN_USE = "The resource which you are attempting to change is in use."
SOURCE_RULE = "acted as a source region for new replica(s) being added to the table in the last 24 hours."
HOUR = 3600.0


@pytest.fixture
def cloud() -> Iterator[VirtualCloud]:
    opened = VirtualCloud(profile="realistic")
    yield opened
    opened.close()


def refusal(cloud: VirtualCloud, region: str, operation: str, **data: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        cloud.call(region, operation, TableName=TABLE, **data)
    return caught.value.code, caught.value.message


def change(cloud: VirtualCloud, action: str, target: str, region: str = WEST) -> tuple[str, str]:
    return refusal(cloud, region, "UpdateTable", ReplicaUpdates=[{action: {"RegionName": target}}])


def active(cloud: VirtualCloud, *replicas: str) -> None:
    """A table, ACTIVE, with these replicas, ACTIVE."""
    cloud.create()
    cloud.advance(5)
    for region in replicas:
        cloud.replicate("Create", region)
        cloud.advance(30)


class TestCreating:
    """Section 1.3."""

    def test_a_new_table_is_creating_and_then_active(self, cloud: VirtualCloud) -> None:
        assert cloud.create()["TableDescription"]["TableStatus"] == "CREATING"
        assert cloud.shown(WEST) == ("CREATING", None)
        cloud.advance(3.9)
        assert cloud.shown(WEST) == ("CREATING", None)
        cloud.advance(0.2)
        assert cloud.shown(WEST) == ("ACTIVE", None)

    def test_an_index_makes_a_new_table_take_longer(self, cloud: VirtualCloud) -> None:
        index = {
            "IndexName": "by-sort",
            "KeySchema": [{"AttributeName": "SK", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        cloud.create(GlobalSecondaryIndexes=[index])
        cloud.advance(15)
        assert cloud.shown(WEST)[0] == "CREATING"
        cloud.advance(2)
        assert cloud.shown(WEST)[0] == "ACTIVE"

    @pytest.mark.parametrize(
        ("operation", "data"),
        [
            ("PutItem", {"Item": where("a")}),
            ("GetItem", {"Key": where("a")}),
            ("Scan", {}),
            ("UpdateTimeToLive", {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "t"}}),
            ("DescribeContinuousBackups", {}),
        ],
    )
    def test_a_table_that_is_creating_is_not_found_by_anything_else(
        self, cloud: VirtualCloud, operation: str, data: dict[str, Any]
    ) -> None:
        cloud.create()
        assert refusal(cloud, WEST, operation, **data)[0] == "ResourceNotFoundException"
        cloud.advance(5)
        cloud.call(WEST, operation, TableName=TABLE, **data)

    def test_batches_and_transactions_do_not_find_a_creating_table_either(self, cloud: VirtualCloud) -> None:
        cloud.create()
        for operation, data in (
            ("BatchWriteItem", {"RequestItems": {TABLE: [{"PutRequest": {"Item": where("a")}}]}}),
            ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": TABLE, "Item": where("a")}}]}),
        ):
            with pytest.raises(Refused, match="ResourceNotFoundException"):
                cloud.call(WEST, operation, **data)

    def test_tags_become_readable_together_with_active(self, cloud: VirtualCloud) -> None:
        arn = cloud.create(Tags=[{"Key": "k", "Value": "v"}])["TableDescription"]["TableArn"]
        with pytest.raises(Refused, match="ResourceNotFoundException"):
            cloud.call(WEST, "ListTagsOfResource", ResourceArn=arn)
        cloud.advance(5)
        assert cloud.call(WEST, "ListTagsOfResource", ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]

    def test_a_replica_of_an_empty_table_passes_through_its_states(self, cloud: VirtualCloud) -> None:
        active(cloud)
        changed = cloud.replicate("Create", EU)["TableDescription"]
        assert (changed["TableStatus"], changed["Replicas"], changed["GlobalTableVersion"]) == ("UPDATING", [], "2019.11.21")
        assert (cloud.shown(WEST), cloud.shown(EU)) == (("UPDATING", []), ("404", None))
        cloud.advance(6.5)
        assert (cloud.shown(WEST), cloud.shown(EU)) == (("UPDATING", [(EU, "CREATING")]), ("404", None))
        cloud.advance(4)
        assert cloud.shown(WEST) == ("UPDATING", [(EU, "CREATING")])
        assert cloud.shown(EU) == ("CREATING", [(WEST, "ACTIVE")])
        cloud.advance(12)
        assert (cloud.shown(WEST), cloud.shown(EU)) == (("ACTIVE", [(EU, "ACTIVE")]), ("ACTIVE", [(WEST, "ACTIVE")]))

    def test_a_replica_of_a_table_with_one_item_takes_the_slow_path(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.put(WEST, "a", "1")
        cloud.replicate("Create", EU)
        seen = []
        for moment in (1, 28, 66, 251, 639, 641):
            cloud.advance(moment - sum(m for m, *_ in seen[-1:]) if seen else moment)
            seen.append((moment, cloud.shown(WEST), cloud.shown(EU)))
        assert seen == [
            (1, ("UPDATING", []), ("404", None)),
            (28, ("ACTIVE", [(EU, "CREATING")]), ("404", None)),
            (66, ("ACTIVE", [(EU, "CREATING")]), ("CREATING", [(WEST, "ACTIVE")])),
            (251, ("UPDATING", [(EU, "CREATING")]), ("CREATING", [(WEST, "ACTIVE")])),
            (639, ("UPDATING", [(EU, "CREATING")]), ("CREATING", [(WEST, "ACTIVE")])),
            (641, ("ACTIVE", [(EU, "ACTIVE")]), ("ACTIVE", [(WEST, "ACTIVE")])),
        ]
        assert cloud.content(EU) == {"a": "1"}

    def test_a_table_that_was_emptied_is_fast_again(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.put(WEST, "a", "1")
        cloud.call(WEST, "DeleteItem", TableName=TABLE, Key=where("a"))
        cloud.replicate("Create", EU)
        cloud.advance(23)
        assert cloud.shown(EU)[0] == "ACTIVE"

    def test_items_written_while_a_replica_is_creating_arrive(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        for second in range(24):
            cloud.put(WEST, str(second), "1")
            cloud.advance(1)
        cloud.advance(10)
        assert len(cloud.content(EU)) == 24

    @pytest.mark.parametrize(
        ("operation", "data"),
        [
            ("PutItem", {"Item": where("a")}),
            ("GetItem", {"Key": where("a")}),
            ("UpdateTimeToLive", {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "t"}}),
            ("UpdateTable", {"BillingMode": "PAY_PER_REQUEST"}),
        ],
    )
    def test_in_the_region_of_a_creating_replica_only_describing_works(
        self, cloud: VirtualCloud, operation: str, data: dict[str, Any]
    ) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        cloud.advance(12)
        assert cloud.shown(EU)[0] == "CREATING"
        assert refusal(cloud, EU, operation, **data)[0] == "ResourceNotFoundException"

    def test_a_creating_replica_cannot_be_deleted_in_its_region_nor_its_name_taken(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        with pytest.raises(Refused) as taken:
            cloud.create(EU)
        assert (taken.value.code, taken.value.message) == ("ResourceInUseException", f"Table already exists: {TABLE}")
        cloud.advance(12)
        assert refusal(cloud, EU, "DeleteTable")[0] == "ResourceInUseException"

    def test_a_creation_may_vanish_without_an_error(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.faults.add(CloudFault("replica-abort", region=EU, times=1))
        cloud.replicate("Create", EU)
        cloud.advance(8)
        assert cloud.shown(WEST) == ("UPDATING", [(EU, "CREATING")])
        cloud.advance(20)
        assert (cloud.shown(WEST), cloud.shown(EU)) == (("ACTIVE", None), ("404", None))
        cloud.replicate("Create", EU)
        cloud.advance(23)
        assert cloud.shown(EU)[0] == "ACTIVE"

    def test_lists_are_in_the_order_of_creation_and_never_hold_the_region_itself(self, cloud: VirtualCloud) -> None:
        active(cloud, SOUTH, EU)
        assert cloud.shown(WEST)[1] == [(SOUTH, "ACTIVE"), (EU, "ACTIVE")]
        assert cloud.shown(EU)[1] == [(WEST, "ACTIVE"), (SOUTH, "ACTIVE")]

    def test_a_replica_starts_without_tags_protection_or_recovery(self, cloud: VirtualCloud) -> None:
        cloud.create(Tags=[{"Key": "k", "Value": "v"}], DeletionProtectionEnabled=True)
        cloud.advance(5)
        cloud.call(
            WEST,
            "UpdateContinuousBackups",
            TableName=TABLE,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        cloud.replicate("Create", EU)
        cloud.advance(30)
        table = cloud.call(EU, "DescribeTable", TableName=TABLE)["Table"]
        assert table["DeletionProtectionEnabled"] is False
        assert table["TableArn"] == f"arn:aws:dynamodb:{EU}:{ACCOUNT}:table/{TABLE}"
        assert cloud.call(EU, "ListTagsOfResource", ResourceArn=table["TableArn"])["Tags"] == []
        backups = cloud.call(EU, "DescribeContinuousBackups", TableName=TABLE)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"

    def test_expiry_and_indexes_are_shared_by_the_group(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.call(EU, "UpdateTimeToLive", TableName=TABLE, TimeToLiveSpecification={"Enabled": True, "AttributeName": "t"})
        assert cloud.call(WEST, "DescribeTimeToLive", TableName=TABLE)["TimeToLiveDescription"]["AttributeName"] == "t"
        index = {
            "IndexName": "by-sort",
            "KeySchema": [{"AttributeName": "SK", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        types = [{"AttributeName": "SK", "AttributeType": "S"}]
        cloud.call(
            WEST, "UpdateTable", TableName=TABLE, AttributeDefinitions=types, GlobalSecondaryIndexUpdates=[{"Create": index}]
        )
        shown = cloud.call(EU, "DescribeTable", TableName=TABLE)["Table"]["GlobalSecondaryIndexes"]
        assert [entry["IndexName"] for entry in shown] == ["by-sort"]


class TestOneCall:
    """Section 1.4."""

    def test_replica_updates_must_be_the_only_operation(self, cloud: VirtualCloud) -> None:
        active(cloud)
        create = [{"Create": {"RegionName": EU}}]
        code, message = refusal(cloud, WEST, "UpdateTable", ReplicaUpdates=create, BillingMode="PAY_PER_REQUEST")
        assert code == "ValidationException"
        assert (
            message == "One or more parameter values were invalid: Replica modification must be the only operation in the request"
        )

    def test_one_create_or_delete_per_call(self, cloud: VirtualCloud) -> None:
        active(cloud)
        two = [{"Create": {"RegionName": EU}}, {"Create": {"RegionName": SOUTH}}]
        code, message = refusal(cloud, WEST, "UpdateTable", ReplicaUpdates=two)
        assert code == "ValidationException"
        assert message == "Update table operation with more than one create or delete replica actions not allowed"

    def test_the_same_create_twice_counts_once(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.call(WEST, "UpdateTable", TableName=TABLE, ReplicaUpdates=[{"Create": {"RegionName": EU}}] * 2)
        cloud.advance(23)
        assert cloud.shown(EU)[0] == "ACTIVE"

    @pytest.mark.parametrize("second", [12.0, 0.1])
    def test_while_one_is_in_flight_nothing_else_may_change(self, cloud: VirtualCloud, second: float) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        cloud.advance(second)
        assert change(cloud, "Create", SOUTH) == ("ResourceInUseException", IN_USE)
        assert refusal(cloud, WEST, "UpdateTable", BillingMode="PAY_PER_REQUEST") == ("ResourceInUseException", IN_USE)
        cloud.advance(23)
        cloud.replicate("Create", SOUTH)

    def test_tags_and_recovery_may_change_while_a_replica_is_created(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        arn = cloud.call(WEST, "DescribeTable", TableName=TABLE)["Table"]["TableArn"]
        cloud.call(WEST, "TagResource", ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
        recovery = {"PointInTimeRecoveryEnabled": True}
        cloud.call(WEST, "UpdateContinuousBackups", TableName=TABLE, PointInTimeRecoverySpecification=recovery)

    def test_an_updating_table_accepts_reads_and_writes(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        assert cloud.shown(WEST)[0] == "UPDATING"
        cloud.put(WEST, "a", "1")
        assert cloud.get(WEST, "a") == "1"

    def test_a_create_cannot_be_taken_back(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        cloud.advance(7)
        assert change(cloud, "Delete", EU) == ("ResourceInUseException", IN_USE)

    def test_on_the_slow_path_the_source_is_active_and_still_busy(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.put(WEST, "a", "1")
        cloud.replicate("Create", EU)
        cloud.advance(100)
        assert cloud.shown(WEST)[0] == "ACTIVE"
        assert change(cloud, "Create", SOUTH) == ("ResourceInUseException", IN_USE)

    def test_expiry_may_change_only_before_the_entry_shows(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        spec = {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "t"}}
        cloud.call(WEST, "UpdateTimeToLive", TableName=TABLE, **spec)
        cloud.advance(8)
        code, message = refusal(cloud, WEST, "UpdateTimeToLive", **spec)
        assert code == "ValidationException"
        assert message == (
            "Create/Update/Delete of replica is not allowed while the replica is being added to table with name: "
            f"‘{TABLE}’ in region: ‘{EU}’."
        )

    def test_a_replica_switches_the_stream_on_and_it_stays(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        on = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        for region in (WEST, EU):
            assert cloud.call(region, "DescribeTable", TableName=TABLE)["Table"]["StreamSpecification"] == on
        cloud.replicate("Delete", EU)
        cloud.advance(200)
        assert cloud.call(WEST, "DescribeTable", TableName=TABLE)["Table"]["StreamSpecification"] == on

    def test_a_stream_of_another_kind_is_kept_and_copied(self, cloud: VirtualCloud) -> None:
        keys = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        cloud.create(StreamSpecification=keys)
        cloud.advance(5)
        cloud.replicate("Create", EU)
        cloud.advance(30)
        assert cloud.call(EU, "DescribeTable", TableName=TABLE)["Table"]["StreamSpecification"] == keys

    def test_with_replicas_the_stream_is_immutable(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        off = refusal(cloud, WEST, "UpdateTable", StreamSpecification={"StreamEnabled": False})
        assert off == ("ValidationException", "Disabling Stream is not allowed for a Global Table replica.")
        same = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        again = refusal(cloud, WEST, "UpdateTable", StreamSpecification=same)
        assert again == ("ValidationException", f"Table already has an enabled stream: TableName: {TABLE}")

    def test_provisioned_writes_cannot_be_replicated(self, cloud: VirtualCloud) -> None:
        cloud.create(BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
        cloud.advance(5)
        assert change(cloud, "Create", EU) == (
            "ValidationException",
            "Table write capacity should either be Pay-Per-Request or AutoScaled.",
        )

    def test_a_create_may_be_sent_to_any_member_which_becomes_its_source(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.replicate("Create", SOUTH, region=EU)
        cloud.advance(30)
        assert cloud.shown(WEST)[1] == [(EU, "ACTIVE"), (SOUTH, "ACTIVE")]
        assert SOURCE_RULE in change(cloud, "Delete", EU)[1]


class TestTexts:
    """Section 1.5."""

    FOREIGN = (
        f"Failed to create a the new replica of table with name: ‘{TABLE}’ "
        "because one or more replicas already existed as tables."
    )

    def test_a_region_that_is_a_member_already(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        assert change(cloud, "Create", EU) == ("ValidationException", self.FOREIGN)

    def test_a_foreign_table_in_the_region(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.create(EU)
        assert change(cloud, "Create", EU) == ("ValidationException", self.FOREIGN)

    def test_a_replica_that_is_still_deleting(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.replicate("Delete", EU)
        cloud.advance(126)
        assert (cloud.shown(WEST), cloud.shown(EU)[0]) == (("ACTIVE", None), "DELETING")
        assert change(cloud, "Create", EU) == ("ValidationException", self.FOREIGN)
        cloud.advance(20)
        cloud.replicate("Create", EU)

    def test_a_second_create_while_the_first_is_creating(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        code, message = change(cloud, "Create", EU)
        assert code == "ResourceInUseException"
        assert message == f"Global table with name: {TABLE} already exists with replicas in regions: [{WEST}, {EU}]"

    @pytest.mark.parametrize("action", ["Delete", "Update"])
    def test_a_region_that_is_no_member(self, cloud: VirtualCloud, action: str) -> None:
        active(cloud)
        wanted = (
            "Update global table operation failed because one or more replicas were not part of the global table. "
            f"Please retry the request without these replicas: [{EU}]."
        )
        assert change(cloud, action, EU) == ("ValidationException", wanted)

    def test_a_replica_that_is_not_listed_yet_is_no_member(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.replicate("Create", EU)
        assert change(cloud, "Delete", EU)[1].endswith(f"[{EU}].")

    def test_the_own_region(self, cloud: VirtualCloud) -> None:
        active(cloud)
        wanted = (
            "Cannot add or delete the local region through ReplicaUpdates. "
            "Use CreateTable, DeleteTable, or UpdateTable as required."
        )
        for action in ("Create", "Delete"):
            assert change(cloud, action, WEST) == ("ValidationException", wanted)

    @pytest.mark.parametrize("region", ["eu-wst-1", "EU-WEST-1", "moon"])
    def test_an_unknown_region(self, cloud: VirtualCloud, region: str) -> None:
        active(cloud)
        code, message = change(cloud, "Create", region)
        assert code == "ValidationException"
        assert message.startswith(
            f"Region {region} is not supported. "
            "The latest version of global tables are only supported in the following regions: ["
        )

    def test_a_region_that_is_not_enabled(self, cloud: VirtualCloud) -> None:
        active(cloud)
        text = "Failed to access the region: ‘{}’. User is missing the permissions since the region is disabled."
        assert change(cloud, "Create", "af-south-1") == ("ValidationException", text.format("af-south-1"))
        cloud.faults.add(CloudFault("region-disabled", region=EU))
        assert change(cloud, "Create", EU) == ("ValidationException", text.format(EU))

    def test_an_empty_region_name(self, cloud: VirtualCloud) -> None:
        active(cloud)
        code, message = change(cloud, "Create", "")
        assert code == "AccessDeniedException"
        assert "dynamodb:Scan" in message and "arn:aws:dynamodb::" in message

    @pytest.mark.parametrize(
        "updates", [[], [{}], [{"Create": {}, "Delete": {}}], ["x"], [{"Disassociate": {}}], "x", [{"Create": "x"}]]
    )
    def test_malformed_updates_are_refused(self, cloud: VirtualCloud, updates: Any) -> None:
        active(cloud)
        assert refusal(cloud, WEST, "UpdateTable", ReplicaUpdates=updates)[0] == "ValidationException"

    def test_a_protected_replica(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.call(EU, "UpdateTable", TableName=TABLE, DeletionProtectionEnabled=True)
        cloud.advance(40)
        wanted = (
            f"Cannot delete table {TABLE} in region {EU} because it has deletion protection enabled. "
            "Disable deletion protection first."
        )
        assert change(cloud, "Delete", EU) == ("ValidationException", wanted)

    def test_a_protected_table(self, cloud: VirtualCloud) -> None:
        cloud.create(DeletionProtectionEnabled=True)
        cloud.advance(5)
        wanted = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
        assert refusal(cloud, WEST, "DeleteTable") == ("ValidationException", wanted)

    @pytest.mark.parametrize("operation", ["DescribeTable", "UpdateTable", "DeleteTable"])
    def test_a_table_that_does_not_exist(self, cloud: VirtualCloud, operation: str) -> None:
        data = {"ReplicaUpdates": [{"Create": {"RegionName": EU}}]} if operation == "UpdateTable" else {}
        wanted = f"Requested resource not found: Table: {TABLE} not found"
        assert refusal(cloud, WEST, operation, **data) == ("ResourceNotFoundException", wanted)

    def test_a_table_that_exists_already(self, cloud: VirtualCloud) -> None:
        cloud.create()
        with pytest.raises(Refused) as caught:
            cloud.create()
        assert (caught.value.code, caught.value.message) == ("ResourceInUseException", f"Table already exists: {TABLE}")


class TestSourceRule:
    """Section 1.6."""

    def test_a_source_cannot_go_while_its_replica_is_there_or_deleting(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        code, message = refusal(cloud, WEST, "DeleteTable")
        assert code == "ValidationException"
        assert message == f"Replica cannot be deleted because it has {SOURCE_RULE}"
        cloud.replicate("Delete", EU)
        cloud.advance(60)
        assert cloud.shown(WEST) == ("ACTIVE", [(EU, "DELETING")])
        assert SOURCE_RULE in refusal(cloud, WEST, "DeleteTable")[1]
        cloud.advance(70)
        assert cloud.shown(WEST) == ("ACTIVE", None)
        cloud.call(WEST, "DeleteTable", TableName=TABLE)

    def test_the_same_rule_holds_for_removing_a_region_from_afar(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        assert SOURCE_RULE in change(cloud, "Delete", WEST, region=EU)[1]

    def test_leaf_first_works(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.replicate("Create", SOUTH, region=EU)
        cloud.advance(30)
        cloud.replicate("Delete", SOUTH)
        cloud.advance(150)
        cloud.replicate("Delete", EU)
        cloud.advance(150)
        assert cloud.shown(WEST) == ("ACTIVE", None)

    def test_after_a_day_the_rule_no_longer_holds(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.advance(23.9 * HOUR)
        assert SOURCE_RULE in refusal(cloud, WEST, "DeleteTable")[1]
        cloud.advance(HOUR)
        cloud.call(WEST, "DeleteTable", TableName=TABLE)


class TestDeleting:
    """Section 1.7."""

    def test_a_removed_replica_passes_through_its_states(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        changed = cloud.replicate("Delete", EU)["TableDescription"]
        assert (changed["TableStatus"], changed["Replicas"][0]["ReplicaStatus"]) == ("UPDATING", "ACTIVE")
        cloud.advance(35)
        assert cloud.shown(WEST) == ("UPDATING", [(EU, "ACTIVE")])
        cloud.advance(2)
        assert (cloud.shown(WEST), cloud.shown(EU)[0]) == (("ACTIVE", [(EU, "DELETING")]), "DELETING")
        cloud.advance(75)
        assert cloud.shown(WEST) == ("UPDATING", [(EU, "DELETING")])
        cloud.advance(14)
        assert (cloud.shown(WEST), cloud.shown(EU)[0]) == (("ACTIVE", None), "DELETING")
        cloud.advance(20)
        assert cloud.shown(EU) == ("404", None)

    def test_a_replica_that_was_filled_takes_longer(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.put(WEST, "a", "1")
        cloud.replicate("Create", EU)
        cloud.advance(700)
        cloud.replicate("Delete", EU)
        cloud.advance(190)
        assert cloud.shown(WEST)[1] == [(EU, "DELETING")]
        cloud.advance(15)
        assert cloud.shown(WEST) == ("ACTIVE", None)

    def test_after_the_last_replica_the_keys_are_absent(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.replicate("Delete", EU)
        cloud.advance(200)
        table = cloud.call(WEST, "DescribeTable", TableName=TABLE)["Table"]
        assert {"GlobalTableVersion", "Replicas", "GlobalTableSettingsReplicationMode"} & set(table) == set()

    def test_a_replica_may_be_deleted_in_its_own_region(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        assert cloud.call(EU, "DeleteTable", TableName=TABLE)["TableDescription"]["TableStatus"] == "DELETING"
        assert cloud.shown(WEST) == ("ACTIVE", [(EU, "DELETING")])
        cloud.advance(126)
        assert (cloud.shown(WEST), cloud.shown(EU)[0]) == (("ACTIVE", None), "DELETING")
        cloud.advance(20)
        assert cloud.shown(EU) == ("404", None)

    def test_protection_is_regional_and_blocks_both_ways(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.call(EU, "UpdateTable", TableName=TABLE, DeletionProtectionEnabled=True)
        cloud.advance(40)
        assert cloud.call(WEST, "DescribeTable", TableName=TABLE)["Table"]["DeletionProtectionEnabled"] is False
        assert "protected against deletion" in refusal(cloud, EU, "DeleteTable")[1]
        assert "has deletion protection enabled" in change(cloud, "Delete", EU)[1]

    def test_changing_protection_of_a_member_takes_its_time(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.call(WEST, "UpdateTable", TableName=TABLE, DeletionProtectionEnabled=True)
        cloud.advance(35)
        assert cloud.shown(WEST)[0] == "UPDATING"
        cloud.advance(2)
        assert cloud.shown(WEST)[0] == "ACTIVE"

    def test_a_second_change_of_protection_within_moments_is_throttled(self, cloud: VirtualCloud) -> None:
        active(cloud, EU)
        cloud.call(WEST, "UpdateTable", TableName=TABLE, DeletionProtectionEnabled=True)
        cloud.advance(14)
        assert refusal(cloud, WEST, "UpdateTable", DeletionProtectionEnabled=False)[0] == "ThrottlingException"
        cloud.advance(2)
        assert refusal(cloud, WEST, "UpdateTable", DeletionProtectionEnabled=False)[0] == "ResourceInUseException"
        cloud.advance(40)
        cloud.call(WEST, "UpdateTable", TableName=TABLE, DeletionProtectionEnabled=False)

    def test_delete_of_a_table_that_is_creating_or_updating_is_refused(self, cloud: VirtualCloud) -> None:
        cloud.create()
        assert refusal(cloud, WEST, "DeleteTable")[0] == "ResourceInUseException"
        cloud.advance(5)
        cloud.replicate("Create", EU)
        assert refusal(cloud, WEST, "DeleteTable")[0] == "ResourceInUseException"

    def test_delete_of_a_deleting_table_is_no_error_and_ends_in_not_found(self, cloud: VirtualCloud) -> None:
        active(cloud)
        for _ in range(2):
            assert cloud.call(WEST, "DeleteTable", TableName=TABLE)["TableDescription"]["TableStatus"] == "DELETING"
        cloud.advance(5)
        assert cloud.shown(WEST) == ("DELETING", None)
        cloud.advance(2)
        assert cloud.shown(WEST) == ("404", None)

    def test_a_deleting_table_can_be_read_and_its_name_is_taken(self, cloud: VirtualCloud) -> None:
        active(cloud)
        cloud.put(WEST, "a", "1")
        cloud.call(WEST, "DeleteTable", TableName=TABLE)
        assert cloud.get(WEST, "a") == "1"
        with pytest.raises(Refused, match="ResourceInUseException"):
            cloud.create()
        cloud.advance(7)
        cloud.create()
        cloud.advance(5)
        assert cloud.content(WEST) == {}

    def test_a_tag_write_locks_the_table_for_a_moment(self, cloud: VirtualCloud) -> None:
        active(cloud)
        arn = cloud.call(WEST, "DescribeTable", TableName=TABLE)["Table"]["TableArn"]
        cloud.call(WEST, "TagResource", ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
        with pytest.raises(Refused) as again:
            cloud.call(WEST, "UntagResource", ResourceArn=arn, TagKeys=["k"])
        assert (again.value.code, again.value.message) == ("LimitExceededException", "Table tags are being updated")
        assert refusal(cloud, WEST, "DeleteTable")[0] == "ResourceInUseException"
        cloud.advance(2)
        cloud.call(WEST, "UntagResource", ResourceArn=arn, TagKeys=["k"])
        cloud.advance(2)
        cloud.call(WEST, "DeleteTable", TableName=TABLE)


def test_the_saved_form_of_a_global_table_keeps_its_keys(cloud: VirtualCloud) -> None:
    """State files outlive the version of the code that wrote them."""
    active(cloud)
    cloud.faults.add(CloudFault("replica-abort", region=EU))
    cloud.replicate("Create", EU)
    now = cloud.time
    west = {"region": WEST, "status": "ACTIVE", "source": "", "added": now, "listed": True, "visible": True}
    eu = {"region": EU, "status": "CREATING", "source": WEST, "added": now, "listed": False, "visible": False}
    members = {WEST: {**west, "doomed": False, "filled": False}, EU: {**eu, "doomed": True, "filled": False}}
    place = {"account": ACCOUNT, "table": TABLE, "region": WEST, "peer": EU}
    steps = [("create.listed", 6.0), ("create.visible", 10.0), ("create.active", 22.0)]
    assert cloud.multi_region.document() == {
        "groups": [{"account": ACCOUNT, "table": TABLE, "members": members, "changing": True}],
        "steps": [{"at": now + seconds, "name": name, **place} for name, seconds in steps],
        "orphans": [],
    }


def test_a_life_cycle_continues_after_a_restart(cloud: VirtualCloud) -> None:
    active(cloud)
    cloud.replicate("Create", EU)
    cloud.advance(8)
    cloud.restart()
    assert (cloud.shown(WEST), cloud.shown(EU)) == (("UPDATING", [(EU, "CREATING")]), ("404", None))
    cloud.advance(15)
    assert (cloud.shown(WEST), cloud.shown(EU)) == (("ACTIVE", [(EU, "ACTIVE")]), ("ACTIVE", [(WEST, "ACTIVE")]))


@pytest.mark.parametrize(
    ("profile", "scale", "limit"), [("instant", 1.0, 0.0), ("fast", 1.0, 4.0), ("fast", 0.1, 0.4), ("realistic", 0.1, 2.4)]
)
def test_a_profile_and_its_scale_set_how_long_a_replica_takes(profile: str, scale: float, limit: float) -> None:
    cloud = VirtualCloud(profile=profile)
    try:
        cloud.timing.change(profile, scale)
        cloud.create()
        cloud.advance(5)
        cloud.replicate("Create", EU)
        cloud.advance(limit)
        assert cloud.shown(EU)[0] == "ACTIVE"
    finally:
        cloud.close()
