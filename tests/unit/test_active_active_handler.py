"""The three functions of multi-region-backend on their own: what they store and return, what they refuse, how they fail.

The file is loaded as the runtime loads it; DynamoDB is a fake that is handed in.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

SOURCE = Path(__file__).parents[2] / "templates" / "multi-region-backend" / "api" / "app.py"
TABLE, REGION = "items", "us-west-2"
ITEM = {"item_id": "a-1", "session_comment": "Zwölf Brücken"}


@pytest.fixture(scope="module")
def app() -> Iterator[ModuleType]:
    """The function's module, freshly imported as `index` would be."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (("AWS_DEFAULT_REGION", REGION), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")):
            environment.setenv(name, value)
        environment.setenv("AWS_REGION", REGION)
        spec = importlib.util.spec_from_file_location("index", SOURCE)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


class Table:
    """A DynamoDB client of one table."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.failure = failure

    def put_item(self, TableName: str, Item: dict[str, Any]) -> dict[str, Any]:
        if self.failure:
            raise self.failure
        assert TableName == TABLE
        self.items[Item["item_id"]["S"]] = Item
        return {}

    def get_item(self, TableName: str, Key: dict[str, Any]) -> dict[str, Any]:
        if self.failure:
            raise self.failure
        found = self.items.get(Key["item_id"]["S"])
        return {"Item": found} if found else {}


def sent(body: Any, **more: Any) -> dict[str, Any]:
    return {"resource": "/", "httpMethod": "POST", "body": body if isinstance(body, str) else json.dumps(body), **more}


def asked(identity: str) -> dict[str, Any]:
    return {"resource": "/{item_id}", "httpMethod": "GET", "pathParameters": {"item_id": identity}}


def store(app: ModuleType, event: dict[str, Any], table: Table) -> dict[str, Any]:
    return dict(app.respond(app.store, event, table, TABLE))


def read(app: ModuleType, event: dict[str, Any], table: Table) -> dict[str, Any]:
    return dict(app.respond(app.read, event, table, TABLE))


def test_an_item_is_stored_with_the_region_that_took_it_and_read_back(app: ModuleType) -> None:
    table = Table()
    stored = store(app, sent(ITEM), table)
    assert (stored["statusCode"], json.loads(stored["body"])) == (200, {**ITEM, "region": REGION})
    assert table.items["a-1"] == {"item_id": {"S": "a-1"}, "session_comment": {"S": "Zwölf Brücken"}, "region": {"S": REGION}}
    found = read(app, asked("a-1"), table)
    assert json.loads(found["body"]) == {**ITEM, "region": REGION, "read_in": REGION}


def test_a_region_that_the_caller_claims_is_not_stored(app: ModuleType) -> None:
    table = Table()
    store(app, sent({**ITEM, "region": "mars", "more": 1}), table)
    assert table.items["a-1"]["region"] == {"S": REGION} and set(table.items["a-1"]) == {"item_id", "session_comment", "region"}


def test_a_body_may_arrive_as_base64(app: ModuleType) -> None:
    event = sent(base64.b64encode(json.dumps(ITEM).encode()).decode(), isBase64Encoded=True)
    assert store(app, event, Table())["statusCode"] == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "body"),
        ("no json", "body"),
        ("[1]", "body"),
        ({"session_comment": "x"}, "item_id"),
        ({"item_id": 5, "session_comment": "x"}, "item_id"),
        ({"item_id": "", "session_comment": "x"}, "item_id"),
        ({"item_id": "a/b", "session_comment": "x"}, "item_id"),
        ({"item_id": "..", "session_comment": "x"}, "item_id"),
        ({"item_id": "health", "session_comment": "x"}, "item_id"),
        ({"item_id": "a" * 201, "session_comment": "x"}, "item_id"),
        ({"item_id": "a\n", "session_comment": "x"}, "item_id"),
        ({"item_id": "a"}, "session_comment"),
        ({"item_id": "a", "session_comment": ["x"]}, "session_comment"),
        ({"item_id": "a", "session_comment": ""}, "session_comment"),
        ({"item_id": "a", "session_comment": "x" * 1001}, "session_comment"),
    ],
)
def test_what_cannot_be_stored_is_refused_and_the_field_named(app: ModuleType, body: Any, field: str) -> None:
    table = Table()
    refused = store(app, sent(body), table)
    document = json.loads(refused["body"])
    assert (refused["statusCode"], document["field"]) == (400, field) and document["Error"].startswith(field)
    assert table.items == {}


def test_a_call_without_a_body_is_refused_as_a_bad_deployment_of_the_health_route_needs_it(app: ModuleType) -> None:
    """The drill's fault `bad-deploy` points /health at another function of the stack: checkers have to see 4xx."""
    assert store(app, {"resource": "/health", "body": None}, Table())["statusCode"] == 400
    assert read(app, {"resource": "/health", "pathParameters": None}, Table())["statusCode"] == 400


def test_an_item_that_is_not_here_is_a_404_that_names_the_region(app: ModuleType) -> None:
    found = read(app, asked("b-2"), Table())
    assert found["statusCode"] == 404 and REGION in json.loads(found["body"])["Error"]


def test_an_id_is_decoded_once(app: ModuleType) -> None:
    table = Table()
    store(app, sent({**ITEM, "item_id": "a:b"}), table)
    assert read(app, asked("a%3Ab"), table)["statusCode"] == 200


@pytest.mark.parametrize(
    ("value", "status", "word"),
    [("200", 200, "ok"), ("302", 302, "ok"), ("400", 400, "failing"), ("503", 503, "failing"), ("broken", 500, "failing"),
     ("", 500, "failing"), ("999", 500, "failing")],
)  # fmt: skip
def test_health_returns_the_number_of_its_environment(
    app: ModuleType, monkeypatch: pytest.MonkeyPatch, value: str, status: int, word: str
) -> None:
    monkeypatch.setenv("STATUS", value)
    monkeypatch.setenv("AWS_REGION", REGION)
    shown = app.health({}, None)
    assert (shown["statusCode"], json.loads(shown["body"])) == (status, {"region": REGION, "status": word})


def test_a_failure_is_a_500_that_a_page_may_read_and_gives_nothing_away(
    app: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/secret-role/session"
    failure = ClientError({"Error": {"Code": "AccessDeniedException", "Message": f"User: {arn} may not"}}, "PutItem")
    for response in (store(app, sent(ITEM), Table(failure)), read(app, asked("a"), Table(failure))):
        assert response["statusCode"] == 500 and response["headers"]["Access-Control-Allow-Origin"] == "*"
        text = json.loads(response["body"])["Error"]
        assert "AccessDenied" in text
        assert not any(hidden in text for hidden in ("123456789012", "secret-role", "Traceback", "app.py"))
    assert "secret-role" in caplog.text, "the log, which only the account's owner reads, has the whole story"


def test_every_response_carries_cors_and_is_never_cached(app: ModuleType) -> None:
    for response in (store(app, sent(ITEM), Table()), store(app, sent(""), Table()), app.health({}, None)):
        assert response["headers"]["Access-Control-Allow-Origin"] == "*"
        assert (response["headers"]["Content-Type"], response["headers"]["Cache-Control"]) == ("application/json", "no-store")


def test_the_source_fits_into_a_stack_and_needs_only_what_the_runtime_has() -> None:
    assert len(SOURCE.read_bytes()) < 4096
    imported = set(re.findall(r"^(?:import|from) (\w+)", SOURCE.read_text(encoding="utf-8"), re.MULTILINE))
    assert imported == {"base64", "boto3", "botocore", "json", "logging", "os", "re", "urllib"}
