"""Every fault that AWS is known for, one at a time: what passes is waited out, what stays is said, and the next run finishes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.amount import few
from tests.cloud.shell import eventually
from tests.torture.cloud_sandbox import CloudSandbox, Inventory
from tests.torture.conftest import Tally
from tests.torture.faulty_clients import CreationFailed, DeleteFailedOnce, NeverProcessed, RoleNotAssumable, RolledBack
from tests.torture.worker import start
from workshop.cloud.faults import CloudFault

HOME, OTHER = "us-west-2", "eu-west-1"
TABLE = "small-table"
QUICKER = 400.0
"""For waits of minutes."""

PASSING = {
    "throttling bursts": CloudFault("error", code="ThrottlingException", message="Rate exceeded", status=400, times=7),
    "too many requests": CloudFault("error", code="TooManyRequestsException", message="Too Many Requests", status=429, times=6),
    "500": CloudFault("error", code="InternalServerError", status=500, times=6),
    "503": CloudFault("error", code="ServiceUnavailable", message="Service Unavailable", status=503, times=6),
    "dropped before the effect": CloudFault("drop-before", times=6),
    "dropped after the effect": CloudFault("drop-after", times=6),
    "slow answers": CloudFault("latency", seconds=0.4, times=20),
    "one replica vanishes": CloudFault("replica-abort", times=1),
    "three replicas vanish": CloudFault("replica-abort", times=3),
    "limit exceeded": CloudFault(
        "error", service="dynamodb", operation="UpdateTable", code="LimitExceededException", message="Subscriber limit exceeded",
        status=400, times=3,
    ),
    "table in use": CloudFault(
        "error", service="dynamodb", operation="DeleteTable", code="ResourceInUseException",
        message="Attempt to change a resource which is still in use", status=400, times=3,
    ),
    "source-region rule, for a while": CloudFault(
        "error", service="dynamodb", operation="DeleteTable", code="ValidationException",
        message="Table has acted as a source region for new replica(s) in the last 24 hours", status=400, times=4,
    ),
}  # fmt: skip
LOST = [
    ("dynamodb", "CreateTable"), ("dynamodb", "UpdateTable"), ("dynamodb", "TagResource"), ("dynamodb", "BatchWriteItem"),
    ("dynamodb", "DeleteTable"), ("cloudformation", "CreateStack"), ("cloudformation", "DeleteStack"),
    ("ssm", "PutParameter"), ("ssm", "DeleteParameter"),
]  # fmt: skip
DENIED = [
    ("setup", "dynamodb", "CreateTable"), ("setup", "dynamodb", "UpdateTable"), ("setup", "dynamodb", "BatchWriteItem"),
    ("setup", "dynamodb", "DescribeTable"), ("setup", "dynamodb", "TagResource"), ("setup", "cloudformation", "CreateStack"),
    ("setup", "cloudformation", "DescribeStackEvents"),
    ("teardown", "dynamodb", "DeleteTable"), ("teardown", "dynamodb", "UpdateTable"),
    ("teardown", "cloudformation", "DeleteStack"),
    ("teardown", "lambda", "GetFunction"), ("teardown", "iam", "ListRoles"), ("teardown", "logs", "DescribeLogGroups"),
    ("teardown", "apigateway", "GetRestApis"), ("teardown", "dynamodb", "ListTagsOfResource"),
]  # fmt: skip


@pytest.mark.parametrize("name", few(PASSING, 1))
def test_a_fault_that_passes_is_waited_out(sandbox: CloudSandbox, before: Inventory, tally: Tally, name: str) -> None:
    for verb in ("setup", "teardown"):
        placed = sandbox.fault(PASSING[name])
        ended = sandbox.run(verb, code=0)
        tally(name, sandbox.hits(placed))
        sandbox.clear_faults()
        assert not ended.errors()
    assert sandbox.inventory() == before


@pytest.mark.parametrize(("service", "operation"), few(LOST, 1))
def test_an_effect_whose_answer_was_lost_is_recognised(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, service: str, operation: str
) -> None:
    lost = sandbox.fault(CloudFault("drop-after", service=service, operation=operation, times=2))
    sandbox.ready()
    sandbox.empty(before)
    assert sandbox.hits(lost) > 0
    tally(f"the answer to {operation} is lost", sandbox.hits(lost))


@pytest.mark.parametrize(("verb", "service", "operation"), few(DENIED, 2))
def test_one_denied_action_is_named_and_the_rest_is_done(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, verb: str, service: str, operation: str
) -> None:
    if verb == "teardown":
        sandbox.ready()
    denied = CloudFault(
        "error", service=service, operation=operation, code="AccessDeniedException", message="is not authorized", status=400
    )
    with sandbox.faults(denied):
        ended = sandbox.run(verb)
    assert ended.code in (1, 5), ended.err
    assert operation in ended.out + ended.err
    assert "Ask for the permission" in ended.out + ended.err
    if verb == "setup":
        sandbox.ready()
    sandbox.empty(before)
    tally("one action is denied", 1)


@pytest.mark.parametrize("verb", few(["setup", "teardown"], 1))
def test_credentials_that_expire_in_the_middle_stop_the_run_at_once(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, verb: str
) -> None:
    if verb == "teardown":
        sandbox.ready()
    order = sandbox.order(verb, speed=4.0)
    process = start(order)
    eventually(lambda: sandbox.client("ssm").describe_parameters()["Parameters"])
    sandbox.fault(CloudFault("expired"))
    begun = time.monotonic()
    ended = sandbox.finish(order, process)
    sandbox.clear_faults()
    assert ended.code == 1, ended.err
    assert "fresh credentials" in ended.out + ended.err
    assert "goes on where it stopped" in ended.out + ended.err
    assert time.monotonic() - begun < 60  # no retry, no waiting for what cannot come true
    if verb == "setup":
        sandbox.ready()
    sandbox.empty(before)
    tally("credentials expire in the middle", 1)


@pytest.mark.parametrize("faulty_client", few([CreationFailed, RoleNotAssumable, DeleteFailedOnce], 1))
def test_a_failure_that_only_a_retry_overcomes_is_retried(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, faulty_client: Any
) -> None:
    sandbox.ready(faulty_client=faulty_client)
    sandbox.empty(before, faulty_client=faulty_client)
    tally(faulty_client.title, 1)


def test_items_that_are_never_processed_fail_the_load_and_a_later_run_loads_them(
    sandbox: CloudSandbox, before: Inventory, tally: Tally
) -> None:
    ended = sandbox.run("setup", code=1, faulty_client=NeverProcessed, speed=QUICKER)
    (error,) = ended.errors()
    assert "DynamoDB to take the rest of 3 items" in error["what"] and "run the same command again" in error["fix"].lower()
    assert sandbox.client("dynamodb").scan(TableName=TABLE, Select="COUNT")["Count"] == 0
    sandbox.ready()
    assert sandbox.client("dynamodb", OTHER).scan(TableName=TABLE, Select="COUNT")["Count"] == 3
    sandbox.empty(before)
    tally("UnprocessedItems for ever", 1)


@pytest.mark.parametrize("then", few(["setup", "teardown"], 1))
def test_a_stack_that_rolled_back_says_why_and_is_no_obstacle(
    sandbox: CloudSandbox, before: Inventory, tally: Tally, then: str
) -> None:
    ended = sandbox.run("setup", code=1, faulty_client=RolledBack)
    (error,) = ended.errors()
    assert error["code"] == "ROLLBACK_COMPLETE" and "run the same command again" in error["fix"], error
    if then == "setup":
        sandbox.ready()
    sandbox.empty(before)
    tally("a stack rolls back (ROLLBACK_COMPLETE)", 1)


def test_something_that_has_the_name_of_a_part_of_a_stack_stops_it_and_is_left_alone(
    sandbox: CloudSandbox, before: Inventory, tally: Tally
) -> None:
    name = "/aws/lambda/small-function"
    logs = sandbox.client("logs", OTHER)
    logs.create_log_group(logGroupName=name)
    held = sandbox.inventory()
    (error,) = sandbox.run("setup", code=1).errors()
    assert error["code"] == "Foreign" and name in error["why"] and f"--log-group-name {name}" in error["fix"]
    sandbox.run("teardown")
    assert sandbox.inventory() == held
    logs.delete_log_group(logGroupName=name)
    sandbox.empty(before)
    tally("a foreign part of a stack is in the way", 1)


def test_a_bucket_that_people_filled_is_emptied_and_goes_with_its_stack(
    sandbox: CloudSandbox, before: Inventory, tally: Tally
) -> None:
    sandbox.ready()
    s3 = sandbox.client("s3", OTHER)
    bucket = next(b["Name"] for b in s3.list_buckets()["Buckets"] if OTHER in b["Name"])
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        s3.put_object(Bucket=bucket, Key="note", Body=str(number).encode())
    s3.delete_object(Bucket=bucket, Key="note")
    s3.create_multipart_upload(Bucket=bucket, Key="half")
    sandbox.empty(before)
    tally("DELETE_FAILED of a bucket that is not empty", 1)


def test_deletion_protection_is_reported_with_the_command_and_never_undone(
    sandbox: CloudSandbox, before: Inventory, tally: Tally
) -> None:
    sandbox.ready()
    dynamodb = sandbox.client("dynamodb")
    dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=True)
    ended = sandbox.run("teardown", code=5)
    (left,) = ended.document["leftovers"]
    assert (left["kind"], left["name"], left["region"]) == ("table", TABLE, HOME)
    assert "deletion protection" in left["why"] and "--no-deletion-protection-enabled" in left["fix"]
    dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    sandbox.empty(before)
    tally("deletion protection", 1)


def test_the_source_region_rule_that_stays_gives_the_earliest_time(
    sandbox: CloudSandbox, before: Inventory, tally: Tally
) -> None:
    sandbox.ready()
    rule = CloudFault(
        "error", service="dynamodb", operation="DeleteTable", region=HOME, code="ValidationException", status=400,
        message="Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the table"
        " in the last 24 hours.",
    )  # fmt: skip
    with sandbox.faults(rule):
        ended = sandbox.run("teardown", code=5, speed=QUICKER)
    (left,) = ended.document["leftovers"]
    assert left["earliest"] and "24 hours" in left["why"]
    sandbox.empty(before)
    tally("source-region rule, for a day", 1)
