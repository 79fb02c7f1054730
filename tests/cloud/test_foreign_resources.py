"""Things with our names that are not ours stop a setup before they are touched, and outlive a teardown."""

from __future__ import annotations

import json

import pytest

from tests.cloud.shell import HOME_REGION, OTHER_REGION, TABLE, eventually

pytestmark = pytest.mark.cloud

FOREIGN_STACK = json.dumps({"Resources": {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/theirs"}}}})


def failed(document):
    """The one error of a setup, by step."""
    (step,) = (step for step in document["steps"] if step["error"])
    return step["id"], step["region"], step["error"]


def test_a_table_of_the_same_name_with_other_keys_stops_the_setup(clean):
    clean.table(keys=("id",))
    step, region, error = failed(clean.document("setup", code=1))
    assert (step, region, error["code"]) == ("table", HOME_REGION, "Foreign")
    assert "has the keys id (S), not PK (S), SK (S)" in error["why"]
    assert "aws dynamodb delete-table --region us-west-2 --table-name global-serverless" in error["fix"]
    assert clean.count(HOME_REGION) == 0
    states = {(s["id"], s["region"]): s["state"] for s in clean.document("status")["steps"]}
    assert states["table", HOME_REGION] == "foreign"
    assert states["replica", OTHER_REGION] == "absent"
    teardown = clean.document("teardown", code=5)
    assert [(left["kind"], left["region"]) for left in teardown["leftovers"]] == [("table", HOME_REGION)]
    assert clean.inventory() == [(HOME_REGION, "table", TABLE)]


def test_a_foreign_table_in_the_other_region_stops_the_replica_with_advice(clean):
    clean.table(region=OTHER_REGION, keys=("id",))
    step, region, error = failed(clean.document("setup", code=1))
    assert (step, region, error["code"]) == ("replica", OTHER_REGION, "Foreign")
    assert "A table global-serverless exists in eu-west-1" in error["why"] and "It is not a replica" in error["why"]
    assert "--param table=NAME" in error["fix"]
    assert clean.count(OTHER_REGION) == 0
    shown = clean.run("status").out
    assert "foreign" in shown
    assert "aws dynamodb delete-table --region eu-west-1" in shown
    teardown = clean.document("teardown", code=5)
    assert [(left["kind"], left["name"], left["region"]) for left in teardown["leftovers"]] == [("table", TABLE, OTHER_REGION)]
    assert clean.inventory() == [(OTHER_REGION, "table", TABLE)]


def test_a_foreign_stack_stops_its_step_and_is_left_alone(clean):
    cloudformation = clean.client("cloudformation", OTHER_REGION)
    cloudformation.create_stack(StackName="global-serverless-api", TemplateBody=FOREIGN_STACK)
    eventually(lambda: cloudformation.describe_stacks()["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
    before = clean.inventory()
    step, region, error = failed(clean.document("setup", code=1))
    assert (step, region, error["code"]) == ("api", OTHER_REGION, "Foreign")
    assert "--param stack=NAME" in error["fix"]
    assert [s["StackStatus"] for s in cloudformation.describe_stacks()["Stacks"]] == ["CREATE_COMPLETE"]
    teardown = clean.document("teardown", code=5)
    assert [(left["kind"], left["region"]) for left in teardown["leftovers"]] == [("stack", OTHER_REGION)]
    assert clean.inventory() == before


def test_failures_are_told_on_stderr_with_what_why_and_what_to_run(clean):
    clean.table(keys=("id",))
    done = clean.run("setup", code=1)
    assert "✗ table (us-west-2): something that this workshop did not make is in the way." in done.err
    assert "→ If it is not needed: aws dynamodb delete-table" in done.err
    assert "global-serverless is not ready on local" in done.out
    assert "go on with: workshop setup" in done.out


def test_a_setup_under_another_name_leaves_foreign_resources_alone_and_is_remembered(clean):
    clean.table(keys=("id",))
    before = clean.inventory()
    setup = clean.document("setup", "--through", "backend", "--param", "table=other")
    assert setup["ok"] is True
    assert clean.count(OTHER_REGION, "other") == 13
    assert {step["outcome"] for step in clean.document("setup", "--through", "backend")["steps"]} == {"unchanged"}
    refused = clean.document("setup", "--param", "table=third", code=2)["error"]
    assert refused["what"] == "global-serverless is already deployed with another table."
    assert refused["fix"] == "Remove it first: workshop teardown --target local"
    assert clean.document("teardown")["leftovers"] == []
    assert clean.inventory() == before


def removed_by_hand(shell) -> None:
    """The replica and then the home table go, past the tool."""
    home, other = (shell.client("dynamodb", region) for region in (HOME_REGION, OTHER_REGION))
    home.update_table(TableName=TABLE, ReplicaUpdates=[{"Delete": {"RegionName": OTHER_REGION}}])
    eventually(lambda: TABLE not in other.list_tables()["TableNames"])
    eventually(lambda: home.describe_table(TableName=TABLE)["Table"]["TableStatus"] == "ACTIVE")
    home.delete_table(TableName=TABLE)
    eventually(lambda: TABLE not in home.list_tables()["TableNames"])


def test_tables_that_a_colleague_made_after_ours_were_removed_by_hand_outlive_the_teardown(clean):
    clean.run("setup", "--through", "backend")
    removed_by_hand(clean)
    item = {"PK": {"S": "theirs"}, "SK": {"S": "1"}}
    for region in (HOME_REGION, OTHER_REGION):
        clean.table(region=region)
        clean.client("dynamodb", region).put_item(TableName=TABLE, Item=item)
    states = {(s["id"], s["region"]): (s["state"], s["detail"]) for s in clean.document("status")["steps"]}
    assert (
        states["table", HOME_REGION][0] == "foreign"
        and "1 item) that this workshop did not make" in states["table", HOME_REGION][1]
    )
    assert states["replica", OTHER_REGION][0] == "foreign"
    teardown = clean.document("teardown", code=5)
    assert {(left["kind"], left["region"], left["ours"]) for left in teardown["leftovers"]} == {
        ("table", HOME_REGION, False), ("table", OTHER_REGION, False),
    }  # fmt: skip
    assert [clean.count(region) for region in (HOME_REGION, OTHER_REGION)] == [1, 1]


def test_a_table_where_our_replica_was_outlives_the_teardown_that_finishes_an_earlier_one(clean):
    clean.run("setup", "--through", "backend")
    clean.client("dynamodb").update_table(TableName=TABLE, DeletionProtectionEnabled=True)
    clean.run("teardown", code=5)
    clean.table(region=OTHER_REGION)
    clean.client("dynamodb").update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    teardown = clean.document("teardown", code=5)
    assert [(left["kind"], left["region"], left["ours"]) for left in teardown["leftovers"]] == [("table", OTHER_REGION, False)]
    assert clean.inventory() == [(OTHER_REGION, "table", TABLE)]


def test_a_table_that_lost_its_tags_is_still_ours(clean):
    clean.run("setup", "--through", "backend")
    for region in (HOME_REGION, OTHER_REGION):
        dynamodb = clean.client("dynamodb", region)
        arn = dynamodb.describe_table(TableName=TABLE)["Table"]["TableArn"]
        dynamodb.untag_resource(ResourceArn=arn, TagKeys=list(clean.tags(region)))
        assert clean.tags(region) == {}
    assert clean.document("teardown")["leftovers"] == []
    assert clean.inventory() == []


def test_other_regions_are_remembered_until_the_teardown(clean):
    regions = ("ap-southeast-2", "eu-central-1")
    setup = clean.document("setup", "--region", regions[0], "--region", regions[1])
    assert setup["regions"] == list(regions)
    assert {region for region, _, _ in clean.inventory()} <= {"global"}
    assert (regions[0], "table", TABLE) in clean.inventory(*regions)
    assert {step["state"] for step in clean.document("status")["steps"]} == {"ready"}
    refused = clean.document("setup", "--region", "us-west-2", "--region", "eu-west-1", code=2)["error"]
    assert refused["what"] == "global-serverless is already deployed with another home region."
    teardown = clean.document("teardown")
    assert teardown["regions"] == list(regions)
    assert clean.inventory(*regions) == []
    assert clean.document("status")["regions"] == [HOME_REGION, OTHER_REGION]


def test_a_third_region_can_join_a_deployed_workshop(clean):
    clean.run("setup", "--through", "backend")
    three = ("--region", HOME_REGION, "--region", OTHER_REGION, "--region", "ap-south-1")
    joined = clean.document("setup", "--through", "backend", *three)
    made = {(step["id"], step["region"]) for step in joined["steps"] if step["outcome"] == "created"}
    assert {("replica", "ap-south-1"), ("api", "ap-south-1")} <= made
    assert clean.count("ap-south-1") == 13
    assert clean.document("teardown")["leftovers"] == []
    assert clean.inventory(HOME_REGION, OTHER_REGION, "ap-south-1") == []


KEEPING = """\
name: keeping
title: A stack that keeps something
regions: [us-west-2, eu-west-1]
modules:
  - name: all
    title: All of it
    steps:
      - {id: kept, kind: cloudformation.stack, in: home, with: {name: keeping-stack, template: stack.yaml.j2}}
"""
RETAINED = """\
Resources:
  Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: {BucketName: keeping-bucket}}
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /keeping}}
"""
STACK_FILE = "stack.yaml.j2"


@pytest.fixture
def keeping(clean):
    """A workshop of one's own whose stack keeps a bucket and a table."""
    folder = clean.work / "keeping"
    folder.mkdir(exist_ok=True)
    (folder / "workshop.yaml").write_text(KEEPING)
    (folder / STACK_FILE).write_text(RETAINED)
    return folder


def test_what_a_stack_keeps_is_named_until_it_is_removed(clean, keeping):
    clean.run("setup", "--workshop", str(keeping), "--yes")
    for _ in range(2):
        left = clean.document("teardown", "--workshop", str(keeping), code=5)["leftovers"]
        assert sorted(each["kind"] for each in left) == ["bucket", "table"]
        assert {"aws s3 rb s3://keeping-bucket --force --region us-west-2"} <= {each["fix"] for each in left}
    clean.client("s3").delete_bucket(Bucket="keeping-bucket")
    (table,) = (each["name"] for each in left if each["kind"] == "table")
    clean.client("dynamodb").delete_table(TableName=table)
    assert clean.document("teardown", "--workshop", str(keeping))["leftovers"] == []


def test_a_machine_without_a_journal_names_what_a_stack_keeps(clean, keeping):
    clean.run("setup", "--workshop", str(keeping), "--yes")
    clean.lose_the_journal()
    left = clean.document("teardown", "--workshop", str(keeping), code=5)["leftovers"]
    assert sorted(each["kind"] for each in left) == ["bucket", "table"]


@pytest.mark.parametrize("edited", ["Resources: {{ unfinished }}", "Resources: {", "{% if %}"])
def test_a_template_that_is_being_edited_keeps_no_stack_from_its_teardown(clean, keeping, edited):
    clean.run("setup", "--workshop", str(keeping), "--yes")
    (keeping / STACK_FILE).write_text(edited)
    gone = clean.document("teardown", "--workshop", str(keeping), code=5)
    assert [step["outcome"] for step in gone["steps"]] == ["removed"]
    assert {"unknown"} < {left["kind"] for left in gone["leftovers"]}, "and the table, which its tags tell"
    assert clean.client("cloudformation").describe_stacks()["Stacks"] == []


def test_log_groups_created_by_hand_after_a_denied_setup_are_left_alone(clean):
    clean.run(
        "cloud", "fault", "add", "error", "--service", "cloudformation", "--operation", "CreateStack",
        "--code", "AccessDenied", "--message", "not authorized", "--status", "403",
    )  # fmt: skip
    clean.run("setup", "--through", "backend", code=1)
    clean.run("cloud", "fault", "clear")
    for region in (HOME_REGION, OTHER_REGION):
        clean.client("logs", region).create_log_group(logGroupName="/aws/lambda/global-serverless-dev")
    for _ in range(2):
        left = clean.document("teardown", code=5)["leftovers"]
        assert {(each["kind"], each["ours"]) for each in left} == {("log-group", False)}
    clean.run("setup", code=1)
    assert [kind for _, kind, name in clean.inventory() if name.startswith("/aws/lambda/")] == ["log-group"] * 2
