"""What survives: a stop, a kill, a damaged file."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually, free_port
from tests.virtual_cloud import item, where
from tests.warm import clouds
from workshop.cloud import daemon

VECTORS = Path(__file__).parents[1] / "vectors"


def kill(cloud: Cloud) -> None:
    pid = daemon.status(cloud.home).pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not daemon.status(cloud.home).running)


def saved(cloud: Cloud, words: str) -> bool:
    file = cloud.home / "cloud" / "state" / "cloud.json"
    return file.exists() and words in file.read_text()


def create_resources(cloud: Cloud) -> str:
    """A table with a replica and an item, a stack with an API and a throttled function, a bucket; returns the API's id."""
    cloud.table(Tags=[{"Key": "workshop", "Value": "yes"}])
    cloud.replica()
    cloud.client("dynamodb").put_item(TableName="things", Item=item("a", "1"))
    api = cloud.stack()
    cloud.client("lambda").put_function_concurrency(FunctionName="web", ReservedConcurrentExecutions=0)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="kept", Key="k", Body=b"content")
    return api


def assert_resources(cloud: Cloud, api: str) -> None:
    for region in ("us-west-2", "eu-west-1"):
        dynamodb = cloud.client("dynamodb", region)
        assert dynamodb.get_item(TableName="things", Key=where("a"))["Item"]["v"]["S"] == "1"
        assert len(dynamodb.describe_table(TableName="things")["Table"]["Replicas"]) == 1
    arn = cloud.client("dynamodb").describe_table(TableName="things")["Table"]["TableArn"]
    assert cloud.client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "workshop", "Value": "yes"}]
    assert cloud.client("cloudformation").describe_stacks(StackName="web")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert cloud.http(f"/_aws/execute-api/{api}/api/")[0] == 500
    assert cloud.client("lambda").get_function_concurrency(FunctionName="web")["ReservedConcurrentExecutions"] == 0
    cloud.client("lambda").delete_function_concurrency(FunctionName="web")
    assert cloud.http(f"/_aws/execute-api/{api}/api/")[0] == 200
    assert cloud.client("s3").get_object(Bucket="kept", Key="k")["Body"].read() == b"content"


def test_a_stop_and_a_start_lose_nothing(cloud: Cloud) -> None:
    api = create_resources(cloud)
    daemon.stop(cloud.home)
    daemon.start(cloud.home)
    assert_resources(cloud, api)


def test_a_kill_loses_nothing_that_is_older_than_a_second(cloud: Cloud) -> None:
    api = create_resources(cloud)
    written = time.monotonic()
    eventually(lambda: time.monotonic() - written > 1.0)
    kill(cloud)
    daemon.start(cloud.home)
    assert_resources(cloud, api)


def test_a_kill_during_a_stream_of_writes_loses_a_second_of_them_at_most(cloud: Cloud) -> None:
    cloud.table()
    dynamodb = cloud.client("dynamodb")
    acknowledged: list[float] = []
    end = time.monotonic() + 3
    while time.monotonic() < end:
        dynamodb.put_item(TableName="things", Item=item(str(len(acknowledged)), "1"))
        acknowledged.append(time.monotonic())
    kill(cloud)
    killed = acknowledged[-1]
    clouds.start(cloud.home)
    rows = [int(row["SK"]["S"]) for page in dynamodb.get_paginator("scan").paginate(TableName="things") for row in page["Items"]]
    assert sorted(rows) == list(range(len(rows)))
    lost = [moment for moment in acknowledged[len(rows) :] if killed - moment > 1.5]  # a second, and what a busy machine adds
    assert lost == []


def test_a_write_that_was_held_back_arrives_after_a_kill(cloud: Cloud) -> None:
    cloud.table()
    cloud.replica()
    cloud.control("POST", "faults", {"kind": "cut", "region": "eu-west-1"})
    cloud.client("dynamodb").put_item(TableName="things", Item=item("a", "1"))
    eventually(lambda: saved(cloud, "_workshop_stamps"))
    kill(cloud)
    clouds.start(cloud.home)
    eu = cloud.client("dynamodb", "eu-west-1")
    assert "Item" not in eu.get_item(TableName="things", Key=where("a"))
    cloud.control("DELETE", "faults")
    eventually(lambda: "Item" in eu.get_item(TableName="things", Key=where("a")))


def test_a_replica_that_was_being_created_is_finished_after_a_kill(cloud: Cloud) -> None:
    cloud.control("PUT", "timing", {"timing": "fast", "scale": 2.0})
    cloud.table()
    dynamodb = cloud.client("dynamodb")
    dynamodb.update_table(TableName="things", ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])
    eventually(lambda: saved(cloud, "create.active"))
    kill(cloud)
    clouds.start(cloud.home)
    eventually(lambda: dynamodb.describe_table(TableName="things")["Table"]["TableStatus"] == "ACTIVE")
    assert cloud.client("dynamodb", "eu-west-1").describe_table(TableName="things")["Table"]["TableStatus"] == "ACTIVE"


def test_a_stack_that_was_being_created_has_failed_after_a_kill_and_can_be_deleted(cloud: Cloud) -> None:
    cloud.control("PUT", "timing", {"timing": "fast", "scale": 10.0})
    cloudformation = cloud.client("cloudformation")
    text = (Path(__file__).parent / "stack.json").read_text().replace("@NAME@", "half")
    stack = cloudformation.create_stack(StackName="half", TemplateBody=text, Capabilities=["CAPABILITY_IAM"])["StackId"]
    eventually(lambda: saved(cloud, "/aws/lambda/half"))
    kill(cloud)
    clouds.start(cloud.home, timing="instant")
    row = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    assert row["StackStatus"] == "CREATE_FAILED" and "stopped" in row["StackStatusReason"]
    cloudformation.delete_stack(StackName="half")
    eventually(lambda: cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE")
    assert cloud.client("logs").describe_log_groups()["logGroups"] == []
    assert cloud.client("iam").list_roles()["Roles"] == []
    cloud.stack(name="half")


def test_any_text_that_was_accepted_can_be_saved(cloud: Cloud) -> None:
    cloud.table()
    cloud.client("dynamodb").put_item(TableName="things", Item=item("odd", "\x00 \u2028 \U0001f389 ü"))
    scope = "Credential=000000000000/20261121/us-west-2/dynamodb/aws4_request"
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.PutItem",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
    }
    body = b'{"TableName": "things", "Item": {"PK": {"S": "p"}, "SK": {"S": "half"}, "v": {"S": "\\ud800"}}}'
    cloud.http("/", method="POST", headers=headers, body=body)
    daemon.stop(cloud.home)
    clouds.start(cloud.home)
    found = cloud.client("dynamodb").get_item(TableName="things", Key=where("odd"))
    assert found["Item"]["v"]["S"] == "\x00 \u2028 \U0001f389 ü"


def test_a_reset_is_not_undone_by_what_was_being_written(cloud: Cloud) -> None:
    for _ in range(5):
        cloud.table()
        daemon.reset(cloud.home)
        kill(cloud)
        clouds.start(cloud.home)
        assert cloud.client("dynamodb").list_tables()["TableNames"] == []


def test_a_stop_does_not_wait_for_a_function_that_sleeps(cloud: Cloud) -> None:
    api = cloud.stack()
    cloud.client("lambda").update_function_configuration(FunctionName="web", Timeout=60)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(cloud.http, f"/_aws/execute-api/{api}/api/sleep")
        eventually(lambda: bool(list((cloud.home / "cloud" / "tmp").glob("ministack-lambda-web-*"))))
        assert daemon.stop(cloud.home)
        with pytest.raises(OSError):
            asked.result(20)
    clouds.start(cloud.home)
    assert cloud.http(f"/_aws/execute-api/{api}/api/")[0] == 200


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe\x00", b'{"services": 7}', b"[1, 2]", b'{"services": {"dynamodb": '])
def test_a_damaged_state_is_set_aside_with_a_message_and_the_cloud_starts(home: Path, damage: bytes) -> None:
    state = home / "cloud" / "state"
    state.mkdir(parents=True)
    (state / "cloud.json").write_bytes(damage)
    started = clouds.start(home, port=free_port())
    assert started.running
    assert len(started.notices) == 1 and "set aside" in started.notices[0]
    aside = list(state.glob("cloud.json.damaged-*"))
    assert [file.read_bytes() for file in aside] == [damage]
    assert str(aside[0]) in started.notices[0]


def test_the_generation_before_a_damaged_one_is_used(cloud: Cloud) -> None:
    cloud.table("older")
    eventually(lambda: saved(cloud, "older"))
    cloud.table("newer")
    eventually(lambda: saved(cloud, "newer"))
    daemon.stop(cloud.home)
    file = cloud.home / "cloud" / "state" / "cloud.json"
    file.write_text(file.read_text()[:-100])
    state = clouds.start(cloud.home)
    assert "older" in cloud.client("dynamodb").list_tables()["TableNames"]
    assert len(state.notices) == 1


def test_a_service_whose_state_is_nonsense_starts_empty_and_the_others_do_not(cloud: Cloud) -> None:
    cloud.table()
    cloud.client("ssm").put_parameter(Name="/a", Value="1", Type="String")
    daemon.stop(cloud.home)
    file = cloud.home / "cloud" / "state" / "cloud.json"
    document: dict[str, Any] = json.loads(file.read_text())
    document["services"]["ssm"] = {"parameters": 7}
    file.write_text(json.dumps(document))
    clouds.start(cloud.home)
    assert cloud.client("dynamodb").list_tables()["TableNames"] == ["things"]


@pytest.mark.parametrize("names", [7, {"health": 7}, {"route53": 7}])
def test_health_checks_whose_saved_state_is_nonsense_begin_anew(cloud: Cloud, names: Any) -> None:
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": "a.example", "RequestInterval": 30}
    cloud.client("route53").create_health_check(CallerReference="x", HealthCheckConfig=config)
    daemon.stop(cloud.home)
    file = cloud.home / "cloud" / "state" / "cloud.json"
    document: dict[str, Any] = json.loads(file.read_text())
    document["services"]["workshop"]["names"] = names
    file.write_text(json.dumps(document))
    clouds.start(cloud.home)
    (check,) = cloud.control("GET", "dns")[1]["checks"]
    assert check["host"] == "a.example"


def test_clients_that_write_the_same_items_in_two_regions_lose_nothing(cloud: Cloud) -> None:
    cloud.table()
    cloud.replica()
    cloud.control("PUT", "timing", {"timing": "fast", "scale": 0.05})
    clients = [cloud.client("dynamodb", region) for region in ("us-west-2", "eu-west-1")]

    def write(worker: int) -> None:
        for number in range(40):
            text = f"{worker}-{number}"
            clients[worker % 2].put_item(TableName="things", Item=item(str(number % 5), text))
            clients[worker % 2].put_item(TableName="things", Item=item(f"own-{worker}-{number}", text))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    def content(client: Any) -> dict[str, str]:
        pages = client.get_paginator("scan").paginate(TableName="things")
        return {row["SK"]["S"]: row["v"]["S"] for page in pages for row in page["Items"]}

    eventually(lambda: content(clients[0]) == content(clients[1]))
    assert len(content(clients[0])) == 8 * 40 + 5
    assert cloud.control("GET", "replication")[1]["held"] == []


def test_replication_latency_is_measured_in_the_region_that_wrote(cloud: Cloud) -> None:
    cloud.table()
    cloud.replica()
    cloud.control("PUT", "timing", {"timing": "fast", "scale": 0.2})
    cloud.client("dynamodb").put_item(TableName="things", Item=item("a", "1"))
    wanted: dict[str, Any] = {
        "Namespace": "AWS/DynamoDB",
        "MetricName": "ReplicationLatency",
        "Dimensions": [{"Name": "TableName", "Value": "things"}, {"Name": "ReceivingRegion", "Value": "eu-west-1"}],
        "StartTime": time.time() - 300,
        "EndTime": time.time() + 300,
        "Period": 60,
        "Statistics": ["Average", "Minimum", "Maximum", "SampleCount"],
    }
    west, eu = cloud.client("cloudwatch"), cloud.client("cloudwatch", "eu-west-1")
    eventually(lambda: bool(west.get_metric_statistics(**wanted)["Datapoints"]))
    shown = west.get_metric_statistics(**wanted)["Datapoints"][0]
    assert shown["Unit"] == "Milliseconds" and shown["SampleCount"] == 1
    assert 100 <= shown["Minimum"] == shown["Average"] == shown["Maximum"] < 5000
    assert eu.get_metric_statistics(**wanted)["Datapoints"] == []


def _with_state(home: Path, state: dict[str, Any]) -> Cloud:
    """A cloud that starts from a saved state."""
    folder = home / "cloud" / "state"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "cloud.json").write_text(json.dumps(state))
    return Cloud(home, clouds.start(home, port=free_port(), timing="instant"))


def test_what_an_older_version_saved_is_read(home: Path) -> None:
    """The file was written by version 0.1.0 before its connections were looked at."""
    cloud = _with_state(home, json.loads((VECTORS / "cloud-state-0.1.json").read_text()))
    assert cloud.state.notices == ()
    for region in ("us-west-2", "eu-west-1"):
        dynamodb = cloud.client("dynamodb", region)
        assert dynamodb.get_item(TableName="things", Key={"PK": {"S": "a"}, "SK": {"S": "1"}})["Item"]["v"] == {"N": "7"}
        assert [r["ReplicaStatus"] for r in dynamodb.describe_table(TableName="things")["Table"]["Replicas"]] == ["ACTIVE"]
    cloud.client("dynamodb").put_item(TableName="things", Item=item("b", "2"))
    eventually(lambda: "Item" in cloud.client("dynamodb", "eu-west-1").get_item(TableName="things", Key=where("b")))
    assert cloud.client("ssm").get_parameter(Name="/x")["Parameter"]["Value"] == "y"


def test_a_state_of_another_format_is_set_aside_and_named(home: Path) -> None:
    cloud = _with_state(home, {"format": 2, "services": {"dynamodb": "unknown"}})
    (notice,) = cloud.state.notices
    (aside,) = (home / "cloud" / "state").glob("cloud.json.damaged-*")
    assert str(aside) in notice and "format 2" in notice
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []


def test_every_acknowledged_write_survives_a_kill_right_after_it(cloud: Cloud) -> None:
    cloud.table()
    cloud.replica()
    eventually(lambda: saved(cloud, "things"))
    dynamodb = cloud.client("dynamodb")
    for number in range(40):
        dynamodb.put_item(TableName="things", Item=item(f"k{number}", str(number)))
    dynamodb.delete_item(TableName="things", Key=where("k0"))
    kill(cloud)
    again = Cloud(cloud.home, clouds.start(cloud.home, timing="instant"))
    for region in ("us-west-2", "eu-west-1"):
        found = again.client("dynamodb", region).scan(TableName="things")["Items"]
        assert {row["SK"]["S"]: row["v"]["S"] for row in found} == {f"k{number}": str(number) for number in range(1, 40)}


def test_a_write_to_a_table_that_was_never_saved_survives_with_its_table(cloud: Cloud) -> None:
    cloud.table("fresh")
    cloud.client("dynamodb").put_item(TableName="fresh", Item=item("a", "1"))
    kill(cloud)
    again = Cloud(cloud.home, clouds.start(cloud.home, timing="instant"))
    assert again.client("dynamodb").get_item(TableName="fresh", Key=where("a"))["Item"]["v"] == {"S": "1"}


def test_writes_in_two_regions_come_back_in_the_order_in_which_they_were_made(cloud: Cloud) -> None:
    cloud.table()
    cloud.replica()
    clouds.start(cloud.home, timing="fast")  # now writes need about a second to the other region
    for region, value in (("us-west-2", "first"), ("eu-west-1", "second"), ("us-west-2", "third")):
        cloud.client("dynamodb", region).put_item(TableName="things", Item=item("c", value))
    kill(cloud)
    again = Cloud(cloud.home, clouds.start(cloud.home, timing="instant"))
    for region in ("us-west-2", "eu-west-1"):
        assert again.client("dynamodb", region).get_item(TableName="things", Key=where("c"))["Item"]["v"] == {"S": "third"}


def test_a_log_group_that_is_gone_is_gone_after_a_kill_although_logs_are_saved_rarely(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/came-and-went")
    eventually(lambda: saved(cloud, "came-and-went"))
    logs.delete_log_group(logGroupName="/aws/lambda/came-and-went")
    cloud.client("ssm").put_parameter(Name="/after", Value="it", Type="String")
    eventually(lambda: saved(cloud, "/after"))
    kill(cloud)
    again = Cloud(cloud.home, clouds.start(cloud.home, timing="instant"))
    assert again.client("logs").describe_log_groups()["logGroups"] == []
