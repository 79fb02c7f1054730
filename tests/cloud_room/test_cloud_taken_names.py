"""A stack that would create a resource under a name that exists already fails, and leaves that resource alone."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually
from tests.virtual_cloud import item, where

ROLE = "arn:aws:iam::000000000000:role/any"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
OTHER = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/other", "Type": "String", "Value": "1"}}


@dataclass(frozen=True)
class Foreign:
    """A resource made by hand, its equal in a template, the words of AWS, and what shows that it is untouched."""

    make: Callable[[Cloud], Any]
    resource: dict[str, Any]
    words: tuple[str, ...]
    look: Callable[[Cloud], Any]


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return 'theirs'")
    return packed.getvalue()


def _function(cloud: Cloud) -> None:
    cloud.client("lambda").create_function(
        FunctionName="taken",
        Runtime="python3.12",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": _zip()},
        Description="theirs",
    )


def _function_state(cloud: Cloud) -> Any:
    found = cloud.client("lambda").get_function(FunctionName="taken")["Configuration"]
    return found["Description"], found["CodeSha256"], found["RevisionId"]


def _table(cloud: Cloud) -> None:
    cloud.table("taken")
    cloud.client("dynamodb").put_item(TableName="taken", Item=item("theirs", "1"))


def _table_state(cloud: Cloud) -> Any:
    client = cloud.client("dynamodb")
    return client.describe_table(TableName="taken")["Table"]["TableId"], client.get_item(TableName="taken", Key=where("theirs"))[
        "Item"
    ]


def _bucket(cloud: Cloud) -> None:
    cloud.client("s3", "us-east-1").create_bucket(Bucket="taken-bucket")
    cloud.client("s3").put_object(Bucket="taken-bucket", Key="k", Body=b"theirs")


FOREIGN = {
    "function": Foreign(
        _function,
        {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                **{"FunctionName": "taken", "Runtime": "python3.12", "Role": ROLE, "Handler": "index.handler"},
                "Code": {"ZipFile": "def handler(event, context): return 'ours'"},
            },
        },
        ("Function already exist: taken", "HandlerErrorCode: AlreadyExists"),
        _function_state,
    ),
    "role": Foreign(
        lambda cloud: cloud.client("iam").create_role(RoleName="taken", AssumeRolePolicyDocument=json.dumps(TRUST)),
        {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "taken", "AssumeRolePolicyDocument": TRUST}},
        ("Role with name taken already exists", "HandlerErrorCode: AlreadyExists"),
        lambda cloud: cloud.client("iam").get_role(RoleName="taken")["Role"]["RoleId"],
    ),
    "table": Foreign(
        _table,
        {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "taken",
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
            },
        },
        ("'AWS::DynamoDB::Table' with identifier 'taken' already exists", "HandlerErrorCode: AlreadyExists"),
        _table_state,
    ),
    "log group": Foreign(
        lambda cloud: cloud.client("logs").create_log_group(logGroupName="taken", tags={"theirs": "yes"}),
        {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "taken"}},
        ("'AWS::Logs::LogGroup' with identifier 'taken' already exists", "HandlerErrorCode: AlreadyExists"),
        lambda cloud: cloud.client("logs").list_tags_log_group(logGroupName="taken")["tags"],
    ),
    "bucket": Foreign(
        _bucket,
        {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "taken-bucket"}},
        (),
        lambda cloud: cloud.client("s3").get_object(Bucket="taken-bucket", Key="k")["Body"].read(),
    ),
}


def template(**resources: dict[str, Any]) -> str:
    """Each resource after the one before it."""
    names = list(resources)
    after = {name: {"DependsOn": names[index - 1]} if index else {} for index, name in enumerate(names)}
    return json.dumps({"Resources": {name: {**resource, **after[name]} for name, resource in resources.items()}})


def ended(cloud: Cloud, status: str) -> None:
    shown = cloud.client("cloudformation").describe_stacks
    eventually(lambda: not shown(StackName="ours")["Stacks"][0]["StackStatus"].endswith("_IN_PROGRESS"))
    assert shown(StackName="ours")["Stacks"][0]["StackStatus"] == status


def reasons(cloud: Cloud) -> str:
    events = cloud.client("cloudformation").describe_stack_events(StackName="ours")["StackEvents"]
    return "\n".join(row.get("ResourceStatusReason", "") for row in events if row["ResourceStatus"].endswith("_FAILED"))


@pytest.mark.parametrize("timing", ["instant", "fast"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_creation_fails_and_its_rollback_leaves_the_foreign_resource_alone(emptied: Cloud, kind: str, timing: str) -> None:
    foreign, cloud = FOREIGN[kind], emptied
    foreign.make(cloud)
    before = foreign.look(cloud)
    cloud.control("PUT", "timing", {"timing": timing, "scale": 0.1})
    text = template(Other=OTHER, Taken=foreign.resource)
    cloud.client("cloudformation").create_stack(StackName="ours", TemplateBody=text, Capabilities=["CAPABILITY_NAMED_IAM"])
    ended(cloud, "ROLLBACK_COMPLETE")
    assert all(word in reasons(cloud) for word in foreign.words)
    cloud.client("cloudformation").delete_stack(StackName="ours")
    eventually(lambda: cloud.client("cloudformation").describe_stacks()["Stacks"] == [])
    assert foreign.look(cloud) == before
    assert cloud.client("ssm").describe_parameters()["Parameters"] == []


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_update_that_adds_it_is_rolled_back_and_leaves_it_alone(emptied: Cloud, kind: str) -> None:
    foreign, cloud, stacks = FOREIGN[kind], emptied, emptied.client("cloudformation")
    foreign.make(cloud)
    before = foreign.look(cloud)
    stacks.create_stack(StackName="ours", TemplateBody=template(Other=OTHER))
    ended(cloud, "CREATE_COMPLETE")
    text = template(Other=OTHER, Taken=foreign.resource)
    stacks.update_stack(StackName="ours", TemplateBody=text, Capabilities=["CAPABILITY_NAMED_IAM"])
    ended(cloud, "UPDATE_ROLLBACK_COMPLETE")
    assert all(word in reasons(cloud) for word in foreign.words)
    stacks.delete_stack(StackName="ours")
    eventually(lambda: stacks.describe_stacks()["Stacks"] == [])
    assert foreign.look(cloud) == before


def test_an_update_that_gives_a_function_a_taken_name_is_rolled_back(emptied: Cloud) -> None:
    _function(emptied)
    before = _function_state(emptied)
    resource = FOREIGN["function"].resource
    own = {**resource, "Properties": {**resource["Properties"], "FunctionName": "free"}}
    stacks = emptied.client("cloudformation")
    stacks.create_stack(StackName="ours", TemplateBody=template(Function=own))
    ended(emptied, "CREATE_COMPLETE")
    stacks.update_stack(StackName="ours", TemplateBody=template(Function=resource))
    ended(emptied, "UPDATE_ROLLBACK_COMPLETE")
    assert "Function already exist: taken" in reasons(emptied)
    assert _function_state(emptied) == before
    assert emptied.client("lambda").get_function(FunctionName="free")


def test_a_stack_updates_its_own_resources_under_their_names(emptied: Cloud) -> None:
    resources = {name.replace(" ", ""): foreign.resource for name, foreign in FOREIGN.items()}
    stacks = emptied.client("cloudformation")
    stacks.create_stack(StackName="ours", TemplateBody=template(**resources), Capabilities=["CAPABILITY_NAMED_IAM"])
    ended(emptied, "CREATE_COMPLETE")
    function = FOREIGN["function"].resource
    resources["function"] = {**function, "Properties": {**function["Properties"], "Description": "changed"}}
    stacks.update_stack(StackName="ours", TemplateBody=template(**resources), Capabilities=["CAPABILITY_NAMED_IAM"])
    ended(emptied, "UPDATE_COMPLETE")
    assert emptied.client("lambda").get_function(FunctionName="taken")["Configuration"]["Description"] == "changed"
