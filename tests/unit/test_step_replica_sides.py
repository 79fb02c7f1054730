"""A replica seen from both of its regions: what the home table and the regional one mean together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.fakes.context import EU, HOME
from workshop.aws.resources.tables import Replica, Table
from workshop.steps.dynamodb.sides import Sides

LOCAL = Table("films", EU, "arn:eu", "ACTIVE", (("id", "S"),), (Replica(HOME, "ACTIVE"),), protected=False, created=None)
TABLE = replace(LOCAL, region=HOME, arn="arn:home", replicas=(Replica(EU, "ACTIVE"),))
ALONE = replace(LOCAL, replicas=())


def sides(home: Table | None = TABLE, local: Table | None = LOCAL) -> Sides:
    return Sides(home, local, HOME, EU)


def listed(status: str) -> Table:
    """The home table with an entry in this status."""
    return replace(TABLE, replicas=(Replica(EU, status),))


def test_a_replica_is_settled_when_the_source_its_entry_and_its_region_are_active() -> None:
    assert sides().settled == LOCAL
    assert sides(home=replace(TABLE, status="UPDATING")).settled is None
    assert sides(home=listed("CREATING")).settled is None
    assert sides(local=replace(LOCAL, status="CREATING")).settled is None
    assert sides(local=None).settled is None


def test_a_table_by_itself_is_separate_until_it_is_listed_or_deleted() -> None:
    home = replace(TABLE, replicas=())
    assert sides(home=home, local=ALONE).separate == ALONE
    assert sides(home=home).separate is None
    assert sides(home=home, local=replace(ALONE, status="DELETING")).separate is None
    assert sides(local=ALONE).separate is None


def test_a_disassociated_table_and_one_without_its_home_are_deleted_in_their_own_region() -> None:
    home = replace(TABLE, replicas=())
    assert sides(home=home, local=ALONE).abandoned == ALONE
    assert sides(home=None).abandoned == LOCAL
    assert sides(home=home).abandoned is None
    assert sides(home=None, local=replace(LOCAL, status="DELETING")).abandoned is None


@pytest.mark.parametrize(("status", "removable"), [("ACTIVE", True), ("CREATION_FAILED", True), ("DELETING", False)])
def test_the_home_table_takes_a_removal_while_it_is_active_and_the_entry_is_not_leaving(status: str, removable: bool) -> None:
    assert sides(home=listed(status)).is_removable is removable
    assert not sides(home=replace(listed(status), status="UPDATING")).is_removable


def test_both_tables_must_list_each_other_unless_the_regional_one_comes_or_goes() -> None:
    assert sides().is_linked
    assert not sides(local=ALONE).is_linked
    assert sides(local=replace(ALONE, status="CREATING")).is_linked
    assert sides(local=None).is_linked


def test_a_failure_of_the_whole_table_is_one_of_the_replica() -> None:
    assert sides(home=listed("REGION_DISABLED")).failure == "REGION_DISABLED"
    assert sides(home=replace(TABLE, status="ARCHIVED")).failure == "ARCHIVED"
    assert sides().failure == sides(home=None).failure == ""


def test_the_summary_names_every_status() -> None:
    assert sides(home=None, local=None).summary == "source no table, entry not listed, region no table"
    assert sides(home=listed("CREATING")).summary == "source ACTIVE, entry CREATING, region ACTIVE"
