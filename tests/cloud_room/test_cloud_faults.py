"""Faults on demand: each kind hits the calls that it names, no other, and ends."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.cloud_room.conftest import Cloud, eventually, refused
from tests.virtual_cloud import item, where
from tests.warm import clouds
from workshop.cloud import daemon
from workshop.cloud.events import EventBus
from workshop.cloud.fault_registry import FaultRegistry, ServiceCall
from workshop.cloud.faults import CloudFault, fault_add, fault_from, faults_clear, faults_list
from workshop.errors import UsageError, WorkshopError


@pytest.fixture
def made(shared: Cloud) -> Cloud:
    """The module's cloud with a table, and no fault in force."""
    faults_clear(shared.home)
    if "things" not in shared.client("dynamodb").list_tables()["TableNames"]:
        shared.table()
    return shared


def test_faults_are_listed_and_cleared(made: Cloud) -> None:
    first = fault_add(made.home, CloudFault("error", service="dynamodb", operation="PutItem"))
    second = fault_add(made.home, CloudFault("latency", service="s3", seconds=0.5))
    assert faults_list(made.home) == (first, second)
    assert faults_clear(made.home, (first.id,)) == 1
    assert faults_list(made.home) == (second,)
    assert faults_clear(made.home) == 1
    assert faults_list(made.home) == ()
    with pytest.raises(WorkshopError, match="no fault"):
        faults_clear(made.home, ("f99",))


def test_an_error_hits_its_operation_in_its_region_as_often_as_ordered(made: Cloud) -> None:
    order = CloudFault(
        "error",
        "dynamodb",
        "GetItem",
        "us-west-2",
        code="ProvisionedThroughputExceededException",
        message="Too much.",
        status=400,
        times=2,
    )
    fault_add(made.home, order)
    west = made.client("dynamodb")
    for _ in range(2):
        error = refused(lambda: west.get_item(TableName="things", Key=where("a")))
        assert error == ("ProvisionedThroughputExceededException", "Too much.")
    west.get_item(TableName="things", Key=where("a"))
    west.put_item(TableName="things", Item=item("a", "1"))
    assert faults_list(made.home) == ()


def test_a_fault_does_not_affect_other_regions_and_tables(made: Cloud) -> None:
    fault_add(made.home, CloudFault("error", "dynamodb", region="eu-west-1", table="others"))
    made.client("dynamodb").describe_table(TableName="things")
    assert (
        refused(lambda: made.client("dynamodb", "eu-west-1").describe_table(TableName="things"))[0] == "ResourceNotFoundException"
    )
    assert refused(lambda: made.client("dynamodb", "eu-west-1").describe_table(TableName="others"))[0] == "InternalServerError"


@pytest.mark.parametrize(
    ("service", "call", "operation"),
    [
        ("cloudformation", lambda c: c.describe_stacks(), "DescribeStacks"),
        ("iam", lambda c: c.list_roles(), "ListRoles"),
        ("lambda", lambda c: c.list_functions(), "ListFunctions"),
        ("lambda", lambda c: c.get_function(FunctionName="absent"), "GetFunction"),
        ("apigateway", lambda c: c.get_rest_apis(), "GetRestApis"),
        ("s3", lambda c: c.list_buckets(), "ListBuckets"),
        ("route53", lambda c: c.list_hosted_zones(), "ListHostedZones"),
        ("cloudwatch", lambda c: c.list_metrics(), "ListMetrics"),
        ("logs", lambda c: c.describe_log_groups(), "DescribeLogGroups"),
        ("sts", lambda c: c.get_caller_identity(), "GetCallerIdentity"),
    ],
)
def test_an_error_reaches_the_client_in_every_protocol(made: Cloud, service: str, call: Any, operation: str) -> None:
    client = made.client(service)
    fault_add(made.home, CloudFault("error", service, operation, code="ServiceUnavailable", message="Come back.", status=503))
    assert refused(lambda: call(client)) == ("ServiceUnavailable", "Come back.")
    faults_clear(made.home)
    if operation != "GetFunction":
        call(client)


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("dynamodb", lambda c: c.list_tables(), "ExpiredTokenException"),
        ("cloudformation", lambda c: c.describe_stacks(), "ExpiredToken"),
        ("s3", lambda c: c.list_buckets(), "ExpiredToken"),
    ],
)
def test_expired_credentials_have_the_code_of_their_protocol(made: Cloud, service: str, call: Any, code: str) -> None:
    fault_add(made.home, CloudFault("expired"))
    assert refused(lambda: call(made.client(service))) == (code, "The security token included in the request is expired")


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("dynamodb", lambda c: c.list_tables(), "UnrecognizedClientException"),
        ("cloudformation", lambda c: c.describe_stacks(), "InvalidClientTokenId"),
    ],
)
def test_a_disabled_region_responds_as_to_bad_credentials(made: Cloud, service: str, call: Any, code: str) -> None:
    fault_add(made.home, CloudFault("region-disabled", region="eu-west-1"))
    error = refused(lambda: call(made.client(service, "eu-west-1")))
    assert error == (code, "The security token included in the request is invalid.")
    call(made.client(service, "us-west-2"))


def test_latency_is_added(made: Cloud) -> None:
    west = made.client("dynamodb")
    west.list_tables()
    fault_add(made.home, CloudFault("latency", "dynamodb", "ListTables", seconds=0.4))
    began = time.monotonic()
    west.list_tables()
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize(("kind", "there"), [("drop-before", False), ("drop-after", True)])
def test_a_dropped_connection_loses_the_call_or_only_its_response(made: Cloud, kind: str, there: bool) -> None:
    west = made.client("dynamodb")
    fault_add(made.home, CloudFault(kind, "dynamodb", "PutItem", times=1))
    with pytest.raises(ConnectionClosedError):
        west.put_item(TableName="things", Item=item(kind, "1"))
    assert ("Item" in west.get_item(TableName="things", Key=where(kind))) is there


def test_a_fault_may_hit_calls_of_an_api(made: Cloud) -> None:
    api = made.stack(name="faulty")
    url = f"/_aws/execute-api/{api}/api/"
    fault_add(made.home, CloudFault("error", "execute-api", "GET", "us-west-2", status=503, times=1))
    assert made.http(url)[0] == 503
    assert made.http(url)[0] == 200
    fault_add(made.home, CloudFault("error", "execute-api", region="eu-west-1"))
    assert made.http(url)[0] == 200
    fault_add(made.home, CloudFault("drop-after", "execute-api", times=1))
    with pytest.raises(OSError):
        made.http(url)
    assert made.http(url)[0] == 200


def test_a_share_of_the_calls_is_hit(made: Cloud) -> None:
    fault_add(made.home, CloudFault("error", "sts", "GetCallerIdentity", status=400, probability=0.5))
    outcomes = set()
    for _ in range(60):
        try:
            made.client("sts").get_caller_identity()
            outcomes.add(True)
        except made.client("sts").exceptions.ClientError:
            outcomes.add(False)
    assert outcomes == {True, False}
    assert 0 < faults_list(made.home)[0].hits < 60


def test_a_cut_region_falls_behind_and_catches_up(cloud: Cloud) -> None:
    cloud.table()
    cloud.replica()
    west, eu = cloud.client("dynamodb"), cloud.client("dynamodb", "eu-west-1")
    fault_add(cloud.home, CloudFault("cut", region="eu-west-1", direction="to"))
    west.put_item(TableName="things", Item=item("west", "1"))
    eu.put_item(TableName="things", Item=item("eu", "1"))
    assert "Item" in west.get_item(TableName="things", Key=where("eu"))
    assert "Item" not in eu.get_item(TableName="things", Key=where("west"))
    held = cloud.control("GET", "replication")[1]["held"]
    assert held == [{"account": daemon.ACCOUNT, "table": "things", "from": "us-west-2", "to": "eu-west-1", "writes": 1}]
    faults_clear(cloud.home)
    eventually(lambda: "Item" in eu.get_item(TableName="things", Key=where("west")))


def test_faults_survive_a_restart_and_end_with_a_reset(cloud: Cloud) -> None:
    added = fault_add(cloud.home, CloudFault("latency", "dynamodb", seconds=0.01))
    daemon.stop(cloud.home)
    clouds.start(cloud.home)
    assert faults_list(cloud.home) == (added,)
    daemon.reset(cloud.home)
    assert faults_list(cloud.home) == ()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "earthquake"},
        {"kind": "error", "servce": "dynamodb"},
        {"kind": "error", "id": "f1"},
        {"kind": "error", "service": 7},
        {"kind": "error", "status": 200},
        {"kind": "error", "status": True},
        {"kind": "error", "times": -1},
        {"kind": "error", "probability": 0},
        {"kind": "error", "probability": 1.5},
        {"kind": "latency", "seconds": 1e9},
        {"kind": "latency", "seconds": "1"},
        {"kind": "cut"},
        {"kind": "cut", "region": "eu-west-1", "direction": "sideways"},
        {"kind": "region-disabled"},
        {"kind": "small-account", "limit": 0},
    ],
)
def test_a_malformed_fault_is_refused_by_the_client_and_by_the_server(made: Cloud, document: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        fault_from(document)
    status, error = made.control("POST", "faults", document)
    assert status == 400
    assert error["__type"] == "Fault"
    assert error["message"]
    assert faults_list(made.home) == ()


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (CloudFault("error", service="dynamo"), "dynamo"),
        (CloudFault("error", service="dynamodb", operation="PutItm"), "PutItm"),
        (CloudFault("error", operation="PutItem"), "service"),
        (CloudFault("error", region="eu-wst-1"), "eu-wst-1"),
    ],
)
def test_a_fault_that_could_never_hit_a_call_is_refused(made: Cloud, fault: CloudFault, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        fault_add(made.home, fault)
    assert faults_list(made.home) == ()


def test_a_malformed_fault_is_refused_before_a_cloud_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="status"):
        fault_add(tmp_path, CloudFault("error", status=200))


def test_a_refusal_names_the_allowed_range(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="400 to 599"):
        fault_add(tmp_path, CloudFault("error", status=200))
    with pytest.raises(UsageError, match="both, to, from"):
        fault_add(tmp_path, CloudFault("cut", region="eu-west-1", direction="sideways"))


def test_a_fault_that_is_cleared_while_another_delays_a_call_stays_cleared() -> None:
    registry = FaultRegistry(lambda name: name, lambda _: [], random.Random(0), EventBus())
    for kind in ("latency", "error"):
        registry.add(CloudFault(kind))
    matching = registry.matching(ServiceCall("dynamodb", "ListTables", "us-west-2", "json"))
    assert next(matching).kind == "latency"
    registry.clear()
    assert list(matching) == []
    assert len(registry) == 0


def test_a_stopped_cloud_has_no_faults_to_order(tmp_path: Path) -> None:
    with pytest.raises(WorkshopError, match="is not running"):
        faults_list(tmp_path)
