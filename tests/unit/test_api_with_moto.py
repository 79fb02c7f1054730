"""The API's function against moto's DynamoDB: the expressions mean what the routes promise on the sample data."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "templates" / "global-serverless" / "api" / "app.py"
TABLE = "global-serverless"

Ask = Callable[[str], tuple[int, dict]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Asks the deployed function for a path; answers status and document."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("TABLE", TABLE)
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-west-2")
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("PK", "SK")],
        )
        dynamodb.batch_write_item(RequestItems=json.loads((ROOT / "sample-data.json").read_text()))
        spec = importlib.util.spec_from_file_location("index", SOURCE)
        assert spec is not None and spec.loader is not None
        app = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(app)

        def asked(path: str) -> tuple[int, dict]:
            answer = app.handler({"path": path}, None)
            return answer["statusCode"], json.loads(answer["body"])

        yield asked


def test_the_library_is_answered_in_order(ask):
    status, document = ask("/query/library")
    assert status == 200
    assert [item["SK"]["S"] for item in document["Items"]] == [f"{number:02d}" for number in range(1, 13)]


def test_a_scan_returns_all_thirteen_items(ask):
    assert len(ask("/scan")[1]["Items"]) == 13


def test_plus_and_minus_move_the_counter_and_get_reads_it(ask):
    assert ask("/update/user100/AshlandValley/1")[1]["Attributes"] == {"Bookmark": {"N": "1"}}
    assert ask("/update/user100/AshlandValley/-3")[1]["Attributes"] == {"Bookmark": {"N": "-2"}}
    assert ask("/get/user100/AshlandValley")[1]["Item"]["Bookmark"] == {"N": "-2"}


def test_a_counter_that_does_not_exist_yet_starts_at_the_value(ask):
    assert ask("/update/user7/Somewhere/2")[1]["Attributes"]["Bookmark"] == {"N": "2"}
    assert ask("/get/user7/Somewhere")[1]["Item"]["Bookmark"] == {"N": "2"}


def test_a_viewers_bookmark_is_a_text_of_its_own_beside_the_counter(ask):
    ask("/update/user10/01/1")
    written = ask("/update/user10/01/0.125/bWVkaWE%3D")[1]["Attributes"]
    assert written == {"bookmark": {"S": "0.125"}, "thumb": {"S": "bWVkaWE="}}
    item = ask("/get/user10/01")[1]["Item"]
    assert (item["Bookmark"], item["bookmark"]) == ({"N": "1"}, {"S": "0.125"})


def test_a_table_that_is_gone_is_an_error_with_dynamodbs_own_reason(ask, monkeypatch):
    monkeypatch.setenv("TABLE", "deleted-long-ago")
    status, document = ask("/get/library/01")
    assert status == 500
    assert "ResourceNotFoundException" in document["Error"]
