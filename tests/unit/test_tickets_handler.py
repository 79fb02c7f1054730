"""The four functions of wild-rydes on their own: what they store, list and refuse, and how they fail.

The file is loaded as the runtime loads it; its client calls the local cloud's DynamoDB in this process.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ministack.services import dynamodb

from tests.cloud_room.in_process import client, emptied

SOURCE = Path(__file__).parents[2] / "templates" / "wild-rydes" / "api" / "app.py"
TABLE, REGION, SITE = "SXRTickets", "eu-west-1", "https://d111.cloudfront.net"
TICKET = {"description": "My unicorn lost its horn", "assigned": "juan", "priority": "high", "status": "open"}
CLAIMS = {"claims": {"username": "ana", "client_id": "c1", "scope": "tickets/read"}}
TEXT = {"AttributeType": "S"}


@pytest.fixture(scope="module")
def app() -> Iterator[ModuleType]:
    """The functions' module, freshly imported as `index` would be."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("ORIGIN", SITE), ("TABLE", TABLE)):
            environment.setenv(name, value)
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            environment.setenv(name, REGION)
        spec = importlib.util.spec_from_file_location("index", SOURCE)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture
def table(app: ModuleType) -> Iterator[Any]:
    """The table with its index, empty; a client of it, which is the functions' own."""
    with emptied(dynamodb):
        found = client("dynamodb", dynamodb, REGION)
        key = [{"AttributeName": "all", "KeyType": "HASH"}, {"AttributeName": "createdOn", "KeyType": "RANGE"}]
        found.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": name, **TEXT} for name in ("id", "all", "createdOn")],
            GlobalSecondaryIndexes=[{"IndexName": "newest", "KeySchema": key, "Projection": {"ProjectionType": "ALL"}}],
            BillingMode="PAY_PER_REQUEST",
        )
        app.DYNAMODB = found
        yield found


def event(authorizer: Any = CLAIMS, **more: Any) -> dict[str, Any]:
    return {"requestContext": {"authorizer": authorizer}, **more}


def sent(body: Any, **more: Any) -> dict[str, Any]:
    return event(body=body if isinstance(body, str) else json.dumps(body), **more)


def outcome(response: dict[str, Any]) -> tuple[int, Any]:
    return response["statusCode"], json.loads(response["body"])


def create(app: ModuleType, **more: Any) -> dict[str, Any]:
    status, ticket = outcome(app.post(sent({**TICKET, **more}), None))
    assert status == 201
    return dict(ticket)


def listed(app: ModuleType, **query: str) -> tuple[int, Any]:
    return outcome(app.query(event(queryStringParameters=query or None), None))


@pytest.mark.usefixtures("table")
def test_a_ticket_is_stored_whole_and_read_back_with_the_region_that_read_it(app: ModuleType) -> None:
    made = create(app)
    assert {name: made[name] for name in TICKET} == TICKET
    assert (made["createdBy"], made["region"]) == ("ana", REGION)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["createdOn"])
    assert outcome(app.get(event(pathParameters={"id": made["id"]}), None)) == (200, {**made, "read_in": REGION})


@pytest.mark.usefixtures("table")
def test_id_time_creator_and_region_are_the_servers_own_whatever_the_body_holds(app: ModuleType) -> None:
    forged = {"id": "mine", "createdBy": "mallory", "createdOn": "1999", "region": "mars", "all": "other", "more": 1}
    made = create(app, **forged)
    assert made["createdBy"] == "ana" and made["region"] == REGION and made["id"] != "mine" and made["createdOn"] > "2"
    assert set(made) == {*TICKET, "id", "createdBy", "createdOn", "region"}
    assert listed(app)[1]["tickets"] == [made]


@pytest.mark.usefixtures("table")
def test_ids_are_uuids_of_version_7_that_sort_by_time_and_never_collide(app: ModuleType) -> None:
    made = [create(app) for _ in range(40)]
    ids = [uuid.UUID(ticket["id"]) for ticket in made]
    assert {(each.version, each.variant) for each in ids} == {(7, uuid.RFC_4122)} and len(set(ids)) == 40
    moments = [each.int >> 80 for each in ids]
    assert moments == sorted(moments) and moments[0] > 1_700_000_000_000


@pytest.mark.parametrize(
    ("authorizer", "name"),
    [
        (CLAIMS, "ana"),
        ({"claims": {"client_id": "machine"}}, "machine"),
        ({"principalId": "s", "username": "ana", "client_id": "c1", "scope": "x"}, "ana"),
        ({"principalId": "s", "username": "", "client_id": "machine"}, "machine"),
    ],
)
@pytest.mark.usefixtures("table")
def test_the_creator_is_whom_the_pool_or_the_function_admitted(app: ModuleType, authorizer: Any, name: str) -> None:
    status, ticket = outcome(app.post({**sent(TICKET), **event(authorizer)}, None))
    assert (status, ticket["createdBy"]) == (201, name)


@pytest.mark.parametrize("authorizer", [None, {}, {"claims": {}}])
@pytest.mark.parametrize("name", ["query", "post", "get"])
def test_a_call_that_no_authorizer_admitted_is_refused_before_anything_is_read(
    app: ModuleType, authorizer: Any, name: str, table: Any
) -> None:
    """As behind a method whose authorizer was forgotten, and when a drill points /health to this function."""
    assert outcome(getattr(app, name)({**sent(TICKET), **event(authorizer)}, None)) == (401, {"message": "Unauthorized"})
    assert outcome(getattr(app, name)({"body": None}, None))[0] == 401
    assert table.scan(TableName=TABLE)["Count"] == 0


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"description": ""}, {"description"}),
        ({"description": "too short"}, {"description"}),
        ({"description": " " * 12}, {"description"}),
        ({"description": "x" * 2001}, {"description"}),
        ({"description": ["a list of words"]}, {"description"}),
        ({"description": "half a character \ud800"}, {"description"}),
        ({"assigned": "ana"}, {"assigned"}),
        ({"assigned": ["juan"]}, {"assigned"}),
        ({"priority": "urgent", "status": 1}, {"priority", "status"}),
        ({"description": None, "assigned": None, "priority": None, "status": None}, set(TICKET)),
    ],
)
def test_every_field_that_is_missing_or_wrong_is_named(app: ModuleType, wrong: Any, names: set[str], table: Any) -> None:
    status, body = outcome(app.post(sent({**TICKET, **wrong}), None))
    assert status == 400 and set(body["fields"]) == names and body["message"]
    assert all(reason.startswith(("is missing", "must be")) for reason in body["fields"].values())
    assert table.scan(TableName=TABLE)["Count"] == 0


@pytest.mark.usefixtures("table")
def test_a_description_has_10_to_2000_characters_of_any_script(app: ModuleType) -> None:
    for text in ("0123456789", "z" * 2000, "\U0001f984" * 2000, "<img src=x onerror=alert(1)>"):
        assert create(app, description=text)["description"] == text


@pytest.mark.parametrize("body", ["", "no json", "[1]", '"text"', "[" * 20_000, "\x00", "null"])
def test_what_is_no_object_is_refused(app: ModuleType, body: str, table: Any) -> None:
    assert outcome(app.post(sent(body), None))[0] == 400
    assert outcome(app.post(event(body=None), None))[0] == 400
    assert table.scan(TableName=TABLE)["Count"] == 0


@pytest.mark.usefixtures("table")
def test_a_body_is_bounded_and_may_arrive_as_base64(app: ModuleType) -> None:
    assert outcome(app.post(sent({**TICKET, "more": "x" * 32_768}), None))[0] == 413
    encoded = base64.b64encode(json.dumps(TICKET).encode()).decode()
    assert outcome(app.post(sent(encoded, isBase64Encoded=True), None))[0] == 201
    assert outcome(app.post(sent("%%%", isBase64Encoded=True), None))[0] == 400


@pytest.mark.usefixtures("table")
def test_the_list_is_newest_first_and_its_pages_hold_every_ticket_once(app: ModuleType) -> None:
    made = [create(app)["id"] for _ in range(7)]
    seen: list[str] = []
    query: dict[str, str] = {"limit": "3"}
    for _ in range(9):
        status, page = listed(app, **query)
        assert status == 200 and page["region"] == REGION and len(page["tickets"]) <= 3
        seen += [ticket["id"] for ticket in page["tickets"]]
        if page["next"] is None:
            break
        assert re.fullmatch(r"[\w-]+", page["next"]), "it stays whole in a query, also where it is not escaped"
        query["after"] = page["next"]
    assert sorted(seen) == sorted(made) and len(seen) == 7
    times = [ticket["createdOn"] for ticket in listed(app)[1]["tickets"]]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(({"limit": value}, "limit") for value in ("0", "101", "-1", "1.5", "x", "", "١", "1\n")),
        *(({"after": value}, "after") for value in ("", "x", "!", "====", "AAAA", "é", "a" * 5000)),
        ({"after": base64.urlsafe_b64encode(b"2026-01-01T00:00:00.000Z ../../etc").decode()}, "after"),
    ],
)
@pytest.mark.usefixtures("table")
def test_a_limit_or_a_cursor_that_is_none_is_refused_by_name(app: ModuleType, query: dict[str, str], field: str) -> None:
    status, body = listed(app, **query)
    assert (status, set(body["fields"])) == (400, {field})


@pytest.mark.parametrize("name", ["health", "nope", "", "../x", "0" * 36, "01a20114-196a-73a8-85b5-1f788673b467"])
def test_what_is_no_ticket_is_not_found(app: ModuleType, name: str, table: Any) -> None:
    table.put_item(TableName=TABLE, Item={"id": {"S": "health"}})
    status, body = outcome(app.get(event(pathParameters={"id": name}), None))
    assert status == 404 and REGION in body["message"]
    assert outcome(app.get(event(pathParameters=None), None))[0] == 404


def test_health_is_a_round_trip_to_the_table(app: ModuleType, table: Any) -> None:
    status, body = outcome(app.health({}, None))
    assert (status, body["region"], body["status"]) == (200, REGION, "ok") and body["message"]
    table.delete_table(TableName=TABLE)
    status, body = outcome(app.health({}, None))
    assert (status, body["region"], body["status"]) == (500, REGION, "failing") and body["message"]


def test_a_failure_names_the_region_and_nothing_of_the_account(app: ModuleType, table: Any, caplog: Any) -> None:
    table.delete_table(TableName=TABLE)
    for response in (app.query(event(), None), app.post(sent(TICKET), None)):
        assert outcome(response) == (500, {"message": "This region failed.", "region": REGION})
    assert "ResourceNotFoundException" in caplog.text


@pytest.mark.usefixtures("table")
def test_pages_of_the_site_alone_may_read_tickets_and_every_page_the_health(app: ModuleType) -> None:
    for response in (app.query(event(), None), app.post(sent(""), None), app.get(event(None), None)):
        assert response["headers"]["Access-Control-Allow-Origin"] == SITE
    assert app.health({}, None)["headers"]["Access-Control-Allow-Origin"] == "*"
