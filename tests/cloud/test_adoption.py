"""`workshop setup --adopt`: what another hand made under our names becomes ours after a yes to each, and never without."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC

import pytest

from tests.cloud.shell import HOME_REGION, OTHER_REGION, REGIONS, TABLE, Shell

pytestmark = pytest.mark.cloud
THEIRS = {"PK": {"S": "theirs"}, "SK": {"S": "1"}}
FUNCTION, STACK = "global-serverless-dev", "global-serverless-api"


@pytest.fixture
def by_hand(clean: Shell) -> Shell:
    """An account in which an attendee made the table with one item, without our tags."""
    clean.table()
    clean.client("dynamodb").put_item(TableName=TABLE, Item=THEIRS)
    return clean


def foreign_function(shell: Shell, name: str) -> None:
    """A function of another hand."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return 'theirs'\n")
    role = shell.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    shell.client("lambda").create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="index.handler", Code={"ZipFile": code.getvalue()}
    )


def test_the_plan_names_a_foreign_table_with_its_age_and_items_and_setup_stops(by_hand):
    (table,) = [step for step in by_hand.document("setup", "--plan")["steps"] if step["id"] == "table"]
    assert table["state"] == "foreign" and table["action"] == "stop: in the way"
    (found,) = table["foreign"]
    assert (found["kind"], found["name"], found["region"], found["size"]) == ("table", TABLE, HOME_REGION, "1 item")
    created = by_hand.client("dynamodb").describe_table(TableName=TABLE)["Table"]["CreationDateTime"]
    assert found["created"][:16] == created.astimezone(UTC).isoformat()[:16]
    shown = by_hand.run("setup", "--plan").out
    assert f"A table {TABLE} exists in {HOME_REGION}" in shown and "1 item" in shown
    before = by_hand.client("dynamodb").describe_table(TableName=TABLE)["Table"]
    refused = by_hand.run("setup", "--yes", code=1)
    assert "setup --adopt" in refused.err
    assert by_hand.client("dynamodb").describe_table(TableName=TABLE)["Table"] == before and by_hand.tags(HOME_REGION) == {}


def test_an_adopted_table_is_completed_called_adopted_and_removed_with_its_contents(by_hand):
    planned = by_hand.document("setup", "--adopt", "--plan")["steps"]
    assert [step["action"] for step in planned if step["id"] == "table"] == ["adopt"]
    assert by_hand.tags(HOME_REGION) == {}
    outcomes = {step["id"]: step["outcome"] for step in by_hand.document("setup", "--adopt", "--yes")["steps"]}
    assert outcomes["table"] == "updated" and [by_hand.count(region) for region in REGIONS] == [14, 14]
    assert by_hand.tags(HOME_REGION)["workshop"] == "global-serverless"
    details = {step["id"]: step["detail"] for step in by_hand.document("status")["steps"]}
    assert details["table"].startswith("adopted 20")
    planned = by_hand.run("teardown", "--plan").out
    assert "goes with 14 items, adopted 20" in planned
    done = by_hand.document("teardown")
    assert done["leftovers"] == [] and by_hand.inventory() == []
    page = (by_hand.state / "receipts").glob("*.html")
    assert "adopted 20" in next(page).read_text()


def test_adoption_asks_for_each_thing_by_its_name_and_a_no_changes_nothing(by_hand):
    without = by_hand.run("setup", "--adopt", code=2)
    assert f"Adopt the table {TABLE} in {HOME_REGION}" in without.err and "--yes" in without.err
    assert by_hand.tags(HOME_REGION) == {} and by_hand.count(HOME_REGION) == 1


def test_a_foreign_function_is_refused_before_the_stack_and_replaced_once_it_is_adopted(clean):
    foreign_function(clean, FUNCTION)
    try:
        setup = clean.document("setup", code=1)
        (failed,) = [step for step in setup["steps"] if step["error"]]
        assert (failed["id"], failed["region"], failed["error"]["code"]) == ("api", HOME_REGION, "Foreign")
        assert f"function {FUNCTION} exists in {HOME_REGION}" in failed["error"]["why"]
        assert clean.client("cloudformation").describe_stacks()["Stacks"] == []
        assert clean.client("lambda").get_function(FunctionName=FUNCTION)["Configuration"]["Handler"] == "index.handler"
        clean.run("setup", "--adopt", "--yes")
        tags = clean.client("lambda").get_function(FunctionName=FUNCTION)["Tags"]
        assert (tags["workshop"] == "global-serverless" and "aws:cloudformation:stack-name" in tags) or "workshop:step" in tags
        assert clean.document("teardown")["leftovers"] == []
    finally:
        clean.client("iam").delete_role(RoleName="theirs")
    assert clean.inventory() == []


def test_an_adopted_stack_gets_the_template_of_the_workshop_and_our_tags(clean):
    body = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    cloudformation = clean.client("cloudformation", OTHER_REGION)
    cloudformation.create_stack(StackName=STACK, TemplateBody=body, Tags=[{"Key": "owner", "Value": "alice"}])
    assert clean.document("setup", code=1)["ok"] is False
    assert [s["StackName"] for s in cloudformation.describe_stacks()["Stacks"]] == [STACK]
    clean.run("setup", "--adopt", "--yes")
    (stack,) = cloudformation.describe_stacks()["Stacks"]
    tags = {tag["Key"]: tag["Value"] for tag in stack["Tags"]}
    assert tags["owner"] == "alice" and tags["workshop"] == "global-serverless" and tags["workshop:adopted"]
    assert clean.document("teardown")["leftovers"] == [] and clean.inventory() == []


def test_what_cannot_be_adopted_stays_in_the_way(clean):
    clean.table(keys=("id",))
    refused = clean.run("setup", "--adopt", "--yes", code=1)
    assert "It has the keys id (S), not PK (S), SK (S)" in refused.err and "--adopt" not in refused.err
    assert clean.tags(HOME_REGION) == {}
