"""The AWS CLI beside the tool: what `explain` prints runs as it is, and what was made by hand that way is known for ours."""

from __future__ import annotations

import json

import pytest

from tests.cloud.shell import HOME_REGION, REGIONS, TABLE

pytestmark = pytest.mark.cloud

PUBLISHED = """
aws dynamodb create-table --table-name global-serverless --attribute-definitions AttributeName=PK,AttributeType=S \
    AttributeName=SK,AttributeType=S --key-schema AttributeName=PK,KeyType=HASH AttributeName=SK,KeyType=RANGE \
    --billing-mode PAY_PER_REQUEST --region us-west-2
aws dynamodb wait table-exists --table-name global-serverless --region us-west-2
aws dynamodb update-table --table-name global-serverless --region us-west-2 --cli-input-json \
    '{"ReplicaUpdates": [{"Create": {"RegionName": "eu-west-1"}}]}'
until [ "$(aws dynamodb describe-table --table-name global-serverless --region eu-west-1 --query Table.TableStatus \
    --output text 2>/dev/null)" = ACTIVE ]; do sleep 0.2; done
aws dynamodb batch-write-item --region us-west-2 --request-items "file://$DATA"
aws dynamodb get-item --table-name global-serverless --region us-west-2 --key '{"PK": {"S": "library"}, "SK": {"S": "01"}}'
"""
QUERY = """
aws dynamodb query --table-name global-serverless --region eu-west-1 \
    --key-condition-expression "PK = :pk" --expression-attribute-values '{":pk": {"S": "library"}}' --select COUNT
"""


def at_the_cloud(script: str) -> str:
    """The script with the variables that point the AWS CLI at the local cloud."""
    return f'eval "$(workshop cloud env)"\nexport AWS_PAGER=\n{script}'


@pytest.fixture(scope="module")
def explained(shell):
    """The lines of table, replica and data, typed on an empty cloud."""
    lines = "\n".join(
        line
        for step in ("table", "replica", "data")
        for entry in shell.document("explain", step)["steps"]
        for line in entry["commands"]
    )
    return shell.bash(at_the_cloud(lines)).out


def test_the_explained_lines_run_as_they_are(shell, explained):
    assert [shell.count(region) for region in REGIONS] == [13, 13]
    assert explained.split()[-2:] == ["13", "13"]


def test_setup_finds_what_was_made_with_the_explained_lines_and_finishes_it(shell, explained):
    outcomes = {step["id"]: step["outcome"] for step in shell.document("setup")["steps"] if step["region"] == HOME_REGION}
    assert outcomes["table"] == outcomes["data"] == "unchanged"
    assert outcomes["api"] == "created"
    assert {step["state"] for step in shell.document("status")["steps"]} == {"ready"}


def test_the_lines_of_the_other_steps_run_too(shell, explained):
    shell.run("setup")
    steps = shell.document("explain")["steps"]
    lines = "\n".join(line for step in steps if step["id"] not in ("table", "replica", "data") for line in step["commands"])
    out = shell.bash(at_the_cloud(lines)).out
    assert out.count('{"ping": "ok"}') == len(REGIONS)
    assert {step["outcome"] for step in shell.document("setup")["steps"]} == {"unchanged"}


def test_teardown_removes_what_was_made_with_the_explained_lines(shell, explained):
    assert shell.document("teardown")["leftovers"] == []
    assert shell.inventory() == []


def test_the_published_lines_of_the_workshop_run(clean):
    done = clean.bash(f"DATA={clean.work}/sample-data.json\ncp {sample()} $DATA\n{at_the_cloud(PUBLISHED)}{QUERY}")
    assert '"UnprocessedItems": {}' in done.out
    assert json.loads(done.out[done.out.rindex('{\n    "Count"') :])["Count"] == 12


def test_a_table_made_by_the_published_lines_is_the_attendees_own_until_it_is_adopted(clean):
    """They set no tags: setup stops in front of it, and teardown names it and leaves it."""
    clean.table()
    clean.run("setup", code=1)
    assert clean.count(HOME_REGION) == 0
    before = clean.client("dynamodb").describe_table(TableName=TABLE)["Table"]["TableId"]
    teardown = clean.document("teardown", code=5)
    assert teardown["ok"] is False
    (left,) = teardown["leftovers"]
    assert (left["kind"], left["name"], left["region"]) == ("table", TABLE, HOME_REGION)
    assert left["why"] == "not made by this workshop: left alone"
    assert left["fix"] == "aws dynamodb delete-table --region us-west-2 --table-name global-serverless"
    assert clean.inventory() == [(HOME_REGION, "table", TABLE)]
    assert clean.client("dynamodb").describe_table(TableName=TABLE)["Table"]["TableId"] == before
    clean.run("setup", "--adopt", "--yes")
    assert all(clean.count(region) == 13 for region in REGIONS)
    assert clean.document("teardown")["leftovers"] == [] and clean.inventory() == []


def sample():
    from tests.cloud.shell import ROOT

    return ROOT / "sample-data.json"
