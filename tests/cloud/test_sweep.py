"""`workshop teardown --sweep`: without a journal, in every region."""

from __future__ import annotations

import json

import pytest

from tests.cloud.shell import OTHER_REGION, REGIONS, TABLE, Shell, eventually

pytestmark = pytest.mark.cloud
ALL = (*REGIONS, "eu-central-1", "ap-southeast-2")
CLAIM = "/workshop/global-serverless/claim"


def copied_by_hand(shell: Shell, region: str) -> None:
    """One more replica of our table, without our tags."""
    dynamodb = shell.client("dynamodb")
    dynamodb.update_table(TableName=TABLE, ReplicaUpdates=[{"Create": {"RegionName": region}}])
    eventually(lambda: dynamodb.describe_table(TableName=TABLE)["Table"]["Replicas"][-1]["ReplicaStatus"] == "ACTIVE")


def held_claim(until: str) -> str:
    """What another machine wrote when it began a setup."""
    return json.dumps({
        "token": "t", "machine": "elsewhere", "host": "their-laptop", "user": "ana", "pid": 1, "command": "setup",
        "since": "2026-01-01T09:00:00+00:00", "until": until,
    })  # fmt: skip


def test_a_machine_without_a_record_searches_every_region_and_leaves_nothing_of_another_home(clean):
    before = clean.inventory(*ALL)
    clean.run("setup", "--through", "backend", "--region", "eu-central-1", "--region", "ap-southeast-2")
    clean.lose_the_journal()
    done = clean.run("teardown")
    assert "No setup is recorded here." in done.err and "The home region is eu-central-1" in done.err
    assert "nothing left in any of" in done.out and clean.inventory(*ALL) == before


@pytest.mark.parametrize("lost", [False, True])
def test_a_replica_that_was_added_by_hand_goes_before_the_table_that_it_copies(clean, lost):
    before = clean.inventory(*ALL)
    clean.run("setup", "--through", "backend")
    copied_by_hand(clean, "ap-southeast-2")
    if lost:
        clean.lose_the_journal()
    if not lost:
        assert "ap-southeast-2" in clean.run("teardown", "--plan").out
    done = clean.run("teardown", "--json", *(["--sweep"] if lost else []))
    assert "is deployed in ap-southeast-2, too" in done.err
    (copy,) = (s for s in done.document["steps"] if s["kind"] == "dynamodb.replica" and s["region"] == "ap-southeast-2")
    assert copy["outcome"] == "removed" and done.document["leftovers"] == []
    assert clean.inventory(*ALL) == before


def test_what_a_teardown_left_in_a_region_that_the_workshop_does_not_use_is_asked_again(clean):
    clean.run("setup", "--through", "backend")
    elsewhere = clean.client("dynamodb", "ap-southeast-2")
    elsewhere.create_table(
        TableName="renamed", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        Tags=[{"Key": "workshop", "Value": "global-serverless"}],
    )  # fmt: skip
    for command in (("teardown", "--sweep"), ("teardown",)):
        (left,) = clean.document(*command, code=5)["leftovers"]
        assert (left["name"], left["region"]) == ("renamed", "ap-southeast-2")


def test_a_claim_that_a_dead_run_left_in_another_region_is_removed_and_one_that_is_held_is_named(clean):
    dead, held = clean.client("ssm", "eu-central-1"), clean.client("ssm", "ap-southeast-2")
    dead.put_parameter(Name=CLAIM, Value=held_claim("2026-01-01T09:10:00+00:00"), Type="String")
    held.put_parameter(Name=CLAIM, Value=held_claim("2999-01-01T09:10:00+00:00"), Type="String")
    (left,) = clean.run("teardown", "--sweep", "--json", code=5).document["leftovers"]
    assert (left["kind"], left["name"], left["region"]) == ("parameter", CLAIM, "ap-southeast-2")
    assert "ana@their-laptop is running workshop setup" in left["why"] and not left["ours"]
    assert dead.describe_parameters()["Parameters"] == []
    assert [found["Name"] for found in held.describe_parameters()["Parameters"]] == [CLAIM]


def test_what_was_set_up_under_other_names_is_found_by_its_tags_and_named(clean):
    clean.run("setup", "--through", "backend", "--param", "table=other-table", "--param", "stack=other-stack",
              "--param", "function=other-function")  # fmt: skip
    clean.lose_the_journal()
    swept = clean.run("teardown", "--sweep", "--json", code=5).document
    left = {(r["kind"], r["name"], r["region"]) for r in swept["leftovers"]}
    assert {("table", "other-table", "us-west-2"), ("table", "other-table", OTHER_REGION)} <= left
    assert {("stack", "other-stack", "us-west-2"), ("stack", "other-stack", OTHER_REGION)} <= left
    assert all("does not use now" in r["why"] and r["fix"] for r in swept["leftovers"])
    (table,) = [r for r in swept["leftovers"] if (r["kind"], r["region"]) == ("table", "us-west-2")]
    assert (
        f"created {table['created'][:10]} {table['created'][11:19]} UTC, about" in table["why"]
        and "Tags can be set by anybody" in table["why"]
    )
    assert {*ALL} <= {*swept["searched"]}
    again = clean.run("teardown", "--param", "table=other-table", "--param", "stack=other-stack", "--param",
                      "function=other-function", "--json").document  # fmt: skip
    assert again["leftovers"] == []
