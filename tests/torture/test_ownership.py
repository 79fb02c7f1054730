"""Other people's things with names and tags like ours: after a setup and a teardown beside them, all are as they were."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.cloud.shell import eventually
from tests.torture.cloud_sandbox import REGIONS, CloudSandbox, Inventory
from tests.torture.conftest import Tally

FOREIGN = 50
KINDS = ("table", "stack", "role", "log-group", "function", "rest-api", "bucket", "parameter")
WORDS = ("2", "old", "dev", "ana", "test")
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def tags(chance: random.Random) -> dict[str, str]:
    """Tags that are not ours, or ours on things that no step of ours has the name of."""
    return chance.choice([{}, {"workshop": "smal"}, {"Workshop": "small"}, {"workshop": "small "}, {"workshop": "small"}])


def plant(sandbox: CloudSandbox, chance: random.Random, number: int) -> None:
    region, kind, word = chance.choice(REGIONS), KINDS[number % len(KINDS)], f"{chance.choice(WORDS)}{number}"
    given = tags(chance)
    pairs = [{"Key": key, "Value": value} for key, value in given.items()]
    match kind:
        case "table":
            dynamodb, name = sandbox.client("dynamodb", region), f"small-table-{word}"
            dynamodb.create_table(
                TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}], Tags=pairs,
            )  # fmt: skip
            eventually(lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE")
            dynamodb.put_item(TableName=name, Item={"PK": {"S": word}})
        case "stack":
            body = {"Resources": {"Topic": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/stack/{word}"}}}}
            cloudformation = sandbox.client("cloudformation", region)
            cloudformation.create_stack(StackName=f"small-stack-{word}", TemplateBody=json.dumps(body), Tags=pairs)
            eventually(lambda: status(cloudformation, f"small-stack-{word}") == "CREATE_COMPLETE")
        case "role":
            sandbox.client("iam").create_role(RoleName=f"small-stackRole-{word}", AssumeRolePolicyDocument=TRUST, Tags=pairs)
        case "log-group":
            name = chance.choice([f"/aws/lambda/small-function-{word}", f"/aws/lambda/small-{word}", f"small-function{word}"])
            sandbox.client("logs", region).create_log_group(logGroupName=name, tags=given)
        case "function":
            sandbox.client("lambda", region).create_function(
                FunctionName=f"small-function-{word}", Runtime="python3.13", Handler="index.handler",
                Role="arn:aws:iam::000000000000:role/somebody", Code={"ZipFile": b"PK\x05\x06" + b"\0" * 18}, Tags=given,
            )  # fmt: skip
        case "rest-api":
            given = {} if given.get("workshop") == "small" else given
            name = chance.choice(["small-function", f"small-function-{word}"])  # names of APIs are not unique
            sandbox.client("apigateway", region).create_rest_api(name=name, description=word, tags=given)
        case "bucket":
            sandbox.client("s3", "us-east-1").create_bucket(Bucket=f"small-stack-{word}")
            sandbox.client("s3").put_object(Bucket=f"small-stack-{word}", Key="theirs", Body=word.encode())
        case "parameter":
            name = chance.choice([f"/workshop/small/claim-{word}", f"/workshop/{word}/claim"])
            sandbox.client("ssm", region).put_parameter(Name=name, Value=word, Type="String", Tags=pairs)


def status(cloudformation: Any, name: str) -> str:
    return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


def closely(sandbox: CloudSandbox) -> list[str]:
    """What stands, with what is in it: ids, tags, items, objects, values."""
    rows: list[Any] = []
    for region in REGIONS:
        ask = lambda service, region=region: sandbox.client(service, region)  # noqa: E731
        for name in ask("dynamodb").list_tables()["TableNames"]:
            table = ask("dynamodb").describe_table(TableName=name)["Table"]
            own = ask("dynamodb").list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
            rows.append((region, name, table["TableId"], own, ask("dynamodb").scan(TableName=name)["Items"]))
        rows += [
            (region, s["StackId"], s["StackStatus"], s.get("Tags")) for s in ask("cloudformation").describe_stacks()["Stacks"]
        ]
        rows += [(region, a["id"], a["name"], a.get("tags")) for a in ask("apigateway").get_rest_apis(limit=500)["items"]]
        for function in ask("lambda").list_functions()["Functions"]:
            rows.append((region, function["FunctionName"], function["CodeSha256"], function["LastModified"]))
        rows += [(region, g["logGroupName"], g["creationTime"]) for g in ask("logs").describe_log_groups()["logGroups"]]
        for parameter in ask("ssm").describe_parameters()["Parameters"]:
            rows.append((region, parameter["Name"], ask("ssm").get_parameter(Name=parameter["Name"])["Parameter"]["Value"]))
    rows += [(r["RoleName"], r["RoleId"]) for r in sandbox.client("iam").list_roles()["Roles"]]
    for bucket in sandbox.client("s3").list_buckets()["Buckets"]:
        objects = sandbox.client("s3").list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])
        rows.append((bucket["Name"], [(o["Key"], o["ETag"]) for o in objects]))
    return sorted(map(repr, rows))


def test_fifty_foreign_things_are_untouched(sandbox: CloudSandbox, before: Inventory, tally: Tally) -> None:
    chance = random.Random(50)
    for number in range(FOREIGN):
        plant(sandbox, chance, number)
    theirs, counted = closely(sandbox), sandbox.inventory()
    assert len(counted) - len(before) >= FOREIGN
    sandbox.ready()
    ended = sandbox.run("teardown")
    assert all(not left["ours"] for left in ended.document["leftovers"])
    assert ended.code == (5 if ended.document["leftovers"] else 0)
    assert closely(sandbox) == theirs
    assert sandbox.inventory() == counted
    tally("foreign things beside a setup and a teardown", FOREIGN)


def test_a_table_of_our_name_with_other_keys_stops_setup_and_stays(sandbox: CloudSandbox) -> None:
    dynamodb = sandbox.client("dynamodb", "eu-west-1")
    dynamodb.create_table(
        TableName="small-table", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
    )  # fmt: skip
    theirs = closely(sandbox)
    assert sandbox.run("setup", code=1).errors()[0]["code"] == "Foreign"
    sandbox.run("teardown")
    assert closely(sandbox) == theirs
    dynamodb.delete_table(TableName="small-table")
