"""The API's function on its own: every route, what it answers to failures, and how it reads addresses.

The file is loaded as the runtime loads it; DynamoDB is a fake that is handed in, except where the function's own client
is what is tested.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

SOURCE = Path(__file__).parents[2] / "templates" / "global-serverless" / "api" / "app.py"
TABLE = "films"
COUNTER = {"PK": {"S": "user100"}, "SK": {"S": "AshlandValley"}, "Bookmark": {"N": "4"}}
FILM = {"PK": {"S": "library"}, "SK": {"S": "01"}, "title": {"S": "Zwölf Brücken"}}


def load(environment: pytest.MonkeyPatch) -> ModuleType:
    """The function's module, freshly imported as `index` would be."""
    environment.setenv("AWS_DEFAULT_REGION", "us-west-2")
    environment.setenv("AWS_ACCESS_KEY_ID", "test")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
    spec = importlib.util.spec_from_file_location("index", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def app() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as environment:
        yield load(environment)


class Table:
    """A DynamoDB client of one small table. Scan and query hand out `pages`, one a call; every request is noted."""

    def __init__(self, *pages: list[dict], item: dict | None = None, failure: Exception | None = None, endless: bool = False):
        self.pages, self.item, self.failure, self.endless = list(pages) or [[]], item, failure, endless
        self.requests: list[dict] = []

    def note(self, request: dict) -> None:
        self.requests.append(request)
        if self.failure:
            raise self.failure

    def scan(self, **request) -> dict:
        self.note(request)
        page = request.get("ExclusiveStartKey", {"page": 0})["page"]
        answer: dict = {"Items": self.pages[page % len(self.pages)]}
        if self.endless or page + 1 < len(self.pages):
            answer["LastEvaluatedKey"] = {"page": page + 1}
        return answer

    query = scan

    def get_item(self, **request) -> dict:
        self.note(request)
        return {"Item": self.item} if self.item else {}

    def update_item(self, **request) -> dict:
        self.note(request)
        return {"Attributes": {"Bookmark": {"N": "5"}}}


def event(resource: str, **parameters: str) -> dict:
    """What API Gateway sends for a request to `resource`: parameters still as they stand in the address."""
    path = resource.format(**parameters)
    return {"resource": resource, "path": path, "httpMethod": "GET", "pathParameters": parameters or None}


def body(answer: dict) -> dict:
    """The JSON document of an answer that went well, without its latency, which must be whole milliseconds."""
    assert answer["statusCode"] == 200
    document = json.loads(answer["body"])
    if "ping" not in document:
        latency = document.pop("Latency")
        assert isinstance(latency, int) and latency >= 0
    return document


def denied(message: str, operation: str = "GetItem") -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, operation)


def test_the_root_answers_ping_without_touching_the_table(app):
    table = Table()
    assert body(app.respond(event("/"), table, TABLE)) == {"ping": "ok"}
    assert table.requests == []


def test_an_empty_test_event_is_a_ping(app):
    assert body(app.handler({}, None)) == {"ping": "ok"}


def test_scan_returns_every_item_as_dynamodb_json(app):
    table = Table([COUNTER], [FILM])
    assert body(app.respond(event("/scan"), table, TABLE)) == {"Items": [COUNTER, FILM]}
    assert [request["TableName"] for request in table.requests] == [TABLE, TABLE]


def test_query_asks_for_one_partition_and_reads_on_to_its_end(app):
    table = Table([FILM], [], [FILM])
    assert body(app.respond(event("/query/{PK}", PK="library"), table, TABLE)) == {"Items": [FILM, FILM]}
    assert all(request["ExpressionAttributeValues"] == {":pk": {"S": "library"}} for request in table.requests)
    assert [request.get("ExclusiveStartKey") for request in table.requests] == [None, {"page": 1}, {"page": 2}]


def test_reading_stops_at_a_bound_and_reports_that_there_is_more(app):
    table = Table([FILM], endless=True)
    document = body(app.respond(event("/scan"), table, TABLE))
    assert document["Truncated"] is True
    assert len(document["Items"]) == len(table.requests) == app.PAGES
    assert {request["Limit"] for request in table.requests} == {app.PAGE}


def test_get_returns_the_item_with_its_letters_intact(app):
    table = Table(item=FILM)
    answer = app.respond(event("/get/{PK}/{SK}", PK="library", SK="01"), table, TABLE)
    assert body(answer) == {"Item": FILM}
    assert "Zwölf" in answer["body"]
    assert table.requests == [{"TableName": TABLE, "Key": {"PK": {"S": "library"}, "SK": {"S": "01"}}}]


def test_get_returns_null_for_an_item_that_does_not_exist(app):
    assert body(app.respond(event("/get/{PK}/{SK}", PK="library", SK="99"), Table(), TABLE)) == {"Item": None}


def test_a_binary_attribute_is_answered_as_base64(app):
    table = Table(item={"PK": {"S": "a"}, "SK": {"S": "b"}, "raw": {"B": b"\x00\xff"}, "set": {"BS": [b"\x01"]}})
    item = body(app.respond(event("/get/{PK}/{SK}", PK="a", SK="b"), table, TABLE))["Item"]
    assert (item["raw"], item["set"]) == ({"B": "AP8="}, {"BS": ["AQ=="]})


@pytest.mark.parametrize("step", ["1", "-1", "2.5"])
def test_update_with_a_value_adds_it_to_the_counter(app, step):
    table = Table()
    asked = event("/update/{PK}/{SK}/{VAL}", PK="user100", SK="AshlandValley", VAL=step)
    expected = {"Attributes": {"Bookmark": {"N": "5"}}, "PK": "user100", "SK": "AshlandValley"}
    assert body(app.respond(asked, table, TABLE)) == expected
    (request,) = table.requests
    assert request["UpdateExpression"] == "ADD Bookmark :v"
    assert request["ExpressionAttributeValues"] == {":v": {"N": step}}


def test_update_with_a_thumbnail_sets_the_text_bookmark_and_leaves_the_counter_alone(app):
    table = Table()
    asked = event("/update/{PK}/{SK}/{VAL}/{THUMB}", PK="user10", SK="01", VAL="0.125", THUMB="bWVkaWE=")
    document = body(app.respond(asked, table, TABLE))
    assert (document["PK"], document["SK"]) == ("user10", "01")
    (request,) = table.requests
    assert request["UpdateExpression"] == "SET bookmark = :v, thumb = :t"
    assert request["ExpressionAttributeValues"] == {":v": {"S": "0.125"}, ":t": {"S": "bWVkaWE="}}


@pytest.mark.parametrize("encode", [lambda text: quote(text, safe=""), lambda text: text], ids=["encoded", "plain"])
@pytest.mark.parametrize("shape", ["pathParameters", "path alone"])
def test_base64_text_survives_the_address_with_its_plus_slash_and_equals_signs(app, encode, shape):
    thumb = base64.b64encode("media/>>>?ÿÿ".encode()).decode()
    assert {"+", "/", "="} <= set(thumb)
    table = Table()
    asked = event("/update/{PK}/{SK}/{VAL}/{THUMB}", PK="user10", SK="01", VAL="0.5", THUMB=encode(thumb))
    if shape == "path alone":
        asked = {"path": asked["path"]}
    body(app.respond(asked, table, TABLE))
    assert table.requests[0]["ExpressionAttributeValues"][":t"] == {"S": thumb}


def test_keys_are_decoded_once(app):
    table = Table()
    body(app.respond(event("/get/{PK}/{SK}", PK="a%20b%2Fc", SK="50%2525+%C3%BC"), table, TABLE))
    assert table.requests[0]["Key"] == {"PK": {"S": "a b/c"}, "SK": {"S": "50%25+ü"}}


def test_an_event_without_path_parameters_is_read_from_its_path(app):
    table = Table(item=FILM)
    assert body(app.respond({"path": "/get/library/01/"}, table, TABLE)) == {"Item": FILM}
    assert table.requests[0]["Key"] == {"PK": {"S": "library"}, "SK": {"S": "01"}}


def test_a_custom_domain_with_a_base_path_reaches_the_same_route(app):
    asked = {"resource": "/scan", "path": "/v1/scan", "pathParameters": None}
    assert body(app.respond(asked, Table([FILM]), TABLE)) == {"Items": [FILM]}


@pytest.mark.parametrize("path", ["/nowhere", "/get/library", "/query", "/scan/library", "/update/a/b"])
def test_an_address_without_a_route_is_reported_and_changes_nothing(app, path):
    table = Table()
    answer = app.respond({"path": path}, table, TABLE)
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"]) == {"Error": f"No route for {path}"}
    assert table.requests == []


ROUTES = [
    event("/scan"),
    event("/query/{PK}", PK="a"),
    event("/get/{PK}/{SK}", PK="a", SK="b"),
    event("/update/{PK}/{SK}/{VAL}", PK="a", SK="b", VAL="1"),
    event("/update/{PK}/{SK}/{VAL}/{THUMB}", PK="a", SK="b", VAL="1", THUMB="t"),
]


@pytest.mark.parametrize("asked", ROUTES, ids=lambda asked: asked["resource"])
def test_a_failure_on_any_route_is_a_500_that_a_page_may_read(app, asked):
    answer = app.respond(asked, Table(failure=denied("no")), TABLE)
    assert answer["statusCode"] == 500
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"
    document = json.loads(answer["body"])
    assert list(document) == ["Error"]
    assert "AccessDeniedException" in document["Error"]


@pytest.mark.parametrize("asked", [event("/"), *ROUTES, {"path": "/nowhere"}], ids=lambda asked: asked["path"])
def test_every_answer_carries_cors_and_is_never_cached(app, asked):
    headers = app.respond(asked, Table(), TABLE)["headers"]
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"


def test_an_error_names_neither_the_account_nor_the_role_nor_a_line_of_code(app, caplog):
    arn = "arn:aws:sts::123456789012:assumed-role/secret-role/session"
    failure = denied(f"User: {arn} is not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:r:1:x")
    answer = app.respond(event("/get/{PK}/{SK}", PK="a", SK="b"), Table(failure=failure), TABLE)
    text = json.loads(answer["body"])["Error"]
    assert "dynamodb:GetItem" in text
    for hidden in ("123456789012", "secret-role", "Traceback", "app.py"):
        assert hidden not in text
    assert "secret-role" in caplog.text, "the log, which only the account's owner reads, has the whole story"


def test_an_error_without_a_text_is_named_by_its_kind(app):
    answer = app.respond(event("/scan"), Table(failure=TimeoutError()), TABLE)
    assert json.loads(answer["body"]) == {"Error": "TimeoutError"}


def test_a_database_that_cannot_be_reached_is_answered_as_an_error(monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and never listening: connections are refused
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setenv("TABLE", TABLE)
        answer = load(monkeypatch).handler(event("/scan"), None)
    assert answer["statusCode"] == 500
    assert "Could not connect" in json.loads(answer["body"])["Error"]


def test_a_function_without_its_table_variable_returns_an_error_instead_of_crashing(app, monkeypatch):
    monkeypatch.delenv("TABLE", raising=False)
    answer = app.handler(event("/scan"), None)
    assert answer["statusCode"] == 500
    assert "TableName" in json.loads(answer["body"])["Error"]


def test_the_source_fits_into_a_stack_and_needs_only_what_the_runtime_has():
    assert len(SOURCE.read_bytes()) < 4096
    imported = set(re.findall(r"^(?:import|from) (\w+)", SOURCE.read_text(encoding="utf-8"), re.MULTILINE))
    assert imported == {"base64", "boto3", "botocore", "json", "logging", "os", "re", "time", "urllib"}
