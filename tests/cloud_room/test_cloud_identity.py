"""What tells one incarnation of a resource from the next: ids and times, which a restart keeps; and the tags of stacks."""

from __future__ import annotations

import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually
from tests.warm import clouds
from workshop.cloud import daemon

KEYS: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
}


def table(cloud: Cloud, region: str = "us-west-2", name: str = "things") -> tuple[str, datetime]:
    found = cloud.client("dynamodb", region).describe_table(TableName=name)["Table"]
    return found["TableId"], found["CreationDateTime"]


def function(cloud: Cloud) -> tuple[str, int]:
    found = cloud.client("lambda").get_function(FunctionName="web")["Configuration"]
    return found["LastModified"], found["CodeSize"]


def stack(cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = cloud.client("cloudformation").describe_stacks(StackName="web")["Stacks"][0]
    return found


def group(cloud: Cloud) -> tuple[int, int]:
    (found,) = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/web")["logGroups"]
    return found["creationTime"], found["storedBytes"]


def restart(cloud: Cloud) -> None:
    daemon.stop(cloud.home)
    clouds.start(cloud.home)


def kill(cloud: Cloud) -> None:
    os.kill(daemon.status(cloud.home).pid or 0, signal.SIGKILL)
    eventually(lambda: not daemon.status(cloud.home).running)
    clouds.start(cloud.home)


def remove_table(cloud: Cloud) -> None:
    home, there = cloud.client("dynamodb"), cloud.client("dynamodb", "eu-west-1")
    home.update_table(TableName="things", ReplicaUpdates=[{"Delete": {"RegionName": "eu-west-1"}}])
    eventually(lambda: there.list_tables()["TableNames"] == [])
    eventually(lambda: home.describe_table(TableName="things")["Table"].get("Replicas", []) == [])
    home.delete_table(TableName="things")
    eventually(lambda: home.list_tables()["TableNames"] == [])


def test_every_table_and_replica_has_an_id_of_its_own_and_the_next_of_its_name_another(emptied: Cloud) -> None:
    ids = set()
    for _ in range(2):
        emptied.table()
        emptied.replica()
        ids |= {table(emptied)[0], table(emptied, "eu-west-1")[0]}
        remove_table(emptied)
    assert len(ids) == 4


def test_a_creation_returns_the_id_and_the_time_that_are_shown_later(emptied: Cloud) -> None:
    before = time.time()
    made = emptied.client("dynamodb").create_table(TableName="things", **KEYS)["TableDescription"]
    after = time.time()
    assert (made["TableId"], made["CreationDateTime"]) == table(emptied)
    assert before - 0.001 <= made["CreationDateTime"].timestamp() <= after + 0.001, "a time that was rounded down lies before"


def test_what_a_stack_makes_has_times_between_the_call_and_its_completion(emptied: Cloud) -> None:
    before = time.time()
    emptied.client("cloudformation").create_stack(
        StackName="table",
        TemplateBody=json.dumps(
            {"Resources": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "made", **KEYS}}}}
        ),
    )
    emptied.stack()
    after = time.time()
    modified, size = function(emptied)
    shown = [
        table(emptied, name="made")[1].timestamp(),
        datetime.strptime(modified, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp(),
        stack(emptied)["CreationTime"].timestamp(),
        group(emptied)[0] / 1000,
    ]
    assert all(before - 0.001 <= moment <= after + 0.001 for moment in shown)
    assert modified.endswith("+0000"), "AWS writes the offset, not Z"
    assert size > 0


@pytest.mark.parametrize("again", [restart, kill])
def test_ids_and_times_are_the_same_after_a_restart(cloud: Cloud, again: Callable[[Cloud], None]) -> None:
    cloud.table()
    cloud.replica()
    cloud.stack()

    def shown() -> list[Any]:
        found = stack(cloud)
        return [table(cloud), table(cloud, "eu-west-1"), function(cloud), found["StackId"], found["CreationTime"], group(cloud)]

    before = shown()
    file = cloud.home / "cloud" / "state" / "cloud.json"
    eventually(lambda: file.exists() and "CREATE_COMPLETE" in file.read_text() and before[3] in file.read_text())
    again(cloud)
    assert shown() == before


def test_stored_bytes_and_code_size_are_those_of_what_is_stored(cloud: Cloud) -> None:
    cloud.stack()
    logs, functions = cloud.client("logs"), cloud.client("lambda")
    empty = group(cloud)[1]
    logs.create_log_stream(logGroupName="/aws/lambda/web", logStreamName="s")
    event = {"timestamp": int(time.time() * 1000), "message": "x" * 100}
    logs.put_log_events(logGroupName="/aws/lambda/web", logStreamName="s", logEvents=[event])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return 1")
    functions.update_function_code(FunctionName="web", ZipFile=packed.getvalue())
    assert (group(cloud)[1] - empty >= 100, function(cloud)[1]) == (True, len(packed.getvalue()))
    before = group(cloud), function(cloud)
    restart(cloud)
    assert (group(cloud), function(cloud)) == before


def own_tags(tags: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


def function_tags(cloud: Cloud) -> dict[str, str]:
    functions = cloud.client("lambda")
    arn = functions.get_function(FunctionName="web")["Configuration"]["FunctionArn"]
    return own_tags(functions.list_tags(Resource=arn)["Tags"])


def updated(cloud: Cloud) -> None:
    eventually(lambda: stack(cloud)["StackStatus"] == "UPDATE_COMPLETE")


def _update(cloud: Cloud, tags: list[dict[str, str]]) -> None:
    cloud.client("cloudformation").update_stack(
        StackName="web", UsePreviousTemplate=True, Tags=tags, Capabilities=["CAPABILITY_IAM"]
    )


def _change_set(cloud: Cloud, tags: list[dict[str, str]]) -> None:
    stacks = cloud.client("cloudformation")
    name = f"tags-{len(tags)}-{time.monotonic_ns()}"
    made = stacks.create_change_set(
        StackName="web", ChangeSetName=name, UsePreviousTemplate=True, Tags=tags, Capabilities=["CAPABILITY_IAM"]
    )
    eventually(lambda: stacks.describe_change_set(ChangeSetName=made["Id"])["Status"] == "CREATE_COMPLETE")
    stacks.execute_change_set(ChangeSetName=made["Id"])


@pytest.mark.parametrize("timing", ["instant", "fast"])
@pytest.mark.parametrize("change", [_update, _change_set])
def test_tags_alone_change_a_stack_and_reach_what_it_made(
    emptied: Cloud, change: Callable[[Cloud, list[dict[str, str]]], None], timing: str
) -> None:
    emptied.stack()
    before = function(emptied)[1], stack(emptied)["StackId"]
    emptied.control("PUT", "timing", {"timing": timing, "scale": 0.05})
    role = next(
        row["PhysicalResourceId"]
        for row in emptied.client("cloudformation").describe_stack_resources(StackName="web")["StackResources"]
        if row["ResourceType"] == "AWS::IAM::Role"
    )
    for tags in ({"team": "a"}, {"team": "b", "seat": "7"}, {}):
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        change(emptied, listed)
        eventually(lambda: {row["Key"]: row["Value"] for row in stack(emptied)["Tags"]} == tags)  # noqa: B023 - at once
        updated(emptied)
        assert function_tags(emptied) == tags
        listed_role = emptied.client("iam").list_role_tags(RoleName=role)["Tags"]
        assert own_tags({row["Key"]: row["Value"] for row in listed_role}) == tags
        assert own_tags(emptied.client("logs").list_tags_log_group(logGroupName="/aws/lambda/web")["tags"]) == tags
    assert (function(emptied)[1], stack(emptied)["StackId"]) == before
