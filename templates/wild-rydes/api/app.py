"""The functions of one region's tickets: `query` lists the newest, `post` creates one, `get` reads one, `health` tries the table.

In: a REST proxy event that an authorizer admitted; the variables TABLE and ORIGIN, the site whose pages may call. Out: a proxy
response in JSON, with CORS. A stack has this file four times, as index.py, within its 51,200 bytes.
"""

import base64
import json
import logging
import os
import re
import secrets
import uuid
from datetime import UTC, datetime

import boto3
from botocore.config import Config

CHOICES = {
    "assigned": ("juan", "derek", "steven"),
    "priority": ("low", "medium", "high"),
    "status": ("open", "assigned", "closed"),
}
SENT = ("description", *CHOICES)
MOST = 32768  # bytes of a request: 2,000 characters, each escaped as two of six bytes, and the rest
ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
CURSOR = re.compile(f"([0-9TZ:.-]{{24}}) ({ID})")
TABLE, ORIGIN, REGION = (os.environ.get(name, "") for name in ("TABLE", "ORIGIN", "AWS_REGION"))
# Two short attempts, so that a region in trouble shows as a failure at once.
LIMITS = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"})
DYNAMODB = boto3.client("dynamodb", config=LIMITS)


class Refused(Exception):
    """`fields` has a reason for each that is wrong."""

    def __init__(self, status, message, fields=None):
        self.status, self.body = status, {"message": message} | ({"fields": fields} if fields else {})


def response(status, body, origin=ORIGIN):
    headers = {"Access-Control-Allow-Origin": origin, "Cache-Control": "no-store", "Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def respond(status, work, event):
    """The response of `work` for a caller who is signed in, a refusal, or a 500 whose reason is in the log alone."""
    try:
        return response(status, work(event, caller(event)))
    except Refused as error:
        return response(error.status, error.body)
    except Exception:
        logging.exception("failed")
        return response(500, {"message": "This region failed.", "region": REGION})


def caller(event):
    """The user or the machine whom the authorizer admitted: claims of a user pool, or the context of a function."""
    found = (event.get("requestContext") or {}).get("authorizer") or {}
    claims = found.get("claims") or found
    if name := claims.get("username") or claims.get("client_id"):
        return name
    raise Refused(401, "Unauthorized")


def document(event):
    text = event.get("body") or ""
    if len(text) > MOST:
        raise Refused(413, f"A ticket has at most {MOST} bytes.")
    try:
        body = json.loads(base64.b64decode(text) if event.get("isBase64Encoded") else text)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    raise Refused(400, "The body must be a JSON object.")


def why_wrong(name, value):
    """What is wrong with a field, or nothing."""
    if value is None:
        return "is missing"
    if name in CHOICES:
        return "" if value in CHOICES[name] else f"must be one of {', '.join(CHOICES[name])}"
    fits = isinstance(value, str) and len(value.strip()) >= 10 and len(value) <= 2000
    whole = fits and not re.search("[\ud800-\udfff]", value)  # no table stores half a character
    return "" if whole else "must be a text of 10 to 2000 characters"


def create(event, user):
    """Id, time and creator are the server's own, whatever the body holds."""
    given = document(event)
    if wrong := {name: why for name in SENT if (why := why_wrong(name, given.get(name)))}:
        raise Refused(400, "Fields are missing or wrong.", wrong)
    now = datetime.now(UTC)
    on = now.isoformat(timespec="milliseconds")[:-6] + "Z"
    ticket = {name: given[name] for name in SENT} | {"id": uuid7(now), "createdBy": user, "createdOn": on, "region": REGION}
    DYNAMODB.put_item(TableName=TABLE, Item={name: {"S": value} for name, value in {**ticket, "all": "ticket"}.items()})
    return ticket


def uuid7(now):
    """Sorts by time: 48 bits of milliseconds, the rest by chance (RFC 9562, section 5.7)."""
    number = int(now.timestamp() * 1000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=number))


def newest(event, user):
    """A page of the list; `after` is the `next` of the page before, of whichever region."""
    given = event.get("queryStringParameters") or {}
    limit = given.get("limit", "50")
    if not re.fullmatch("[1-9][0-9]?|100", limit):
        raise Refused(400, "The query is wrong.", {"limit": "must be a number from 1 to 100"})
    found = DYNAMODB.query(
        TableName=TABLE,
        IndexName="newest",
        KeyConditionExpression="#all = :all",
        ExpressionAttributeNames={"#all": "all"},
        ExpressionAttributeValues={":all": {"S": "ticket"}},
        ScanIndexForward=False,
        Limit=int(limit),
        **beginning(given.get("after")),
    )
    last = found.get("LastEvaluatedKey")
    after = last and base64.urlsafe_b64encode(f"{last['createdOn']['S']} {last['id']['S']}".encode()).decode()[:-2]
    return {"tickets": [shown(item) for item in found["Items"]], "next": after or None, "region": REGION}


def beginning(after):
    if after is None:
        return {}
    try:
        found = CURSOR.fullmatch(base64.b64decode(f"{after}==", b"-_", validate=True).decode())
    except ValueError:
        found = None
    if found:
        return {"ExclusiveStartKey": {"all": {"S": "ticket"}, "createdOn": {"S": found[1]}, "id": {"S": found[2]}}}
    raise Refused(400, "The query is wrong.", {"after": "must be the `next` of another page"})


def read(event, user):
    wanted = (event.get("pathParameters") or {}).get("id", "")
    found = re.fullmatch(ID, wanted) and DYNAMODB.get_item(TableName=TABLE, Key={"id": {"S": wanted}}).get("Item")
    if found:
        return shown(found) | {"read_in": REGION}
    raise Refused(404, f"There is no such ticket in {REGION}.")


def shown(item):
    return {name: value["S"] for name, value in item.items() if name != "all"}


def query(event, context):
    return respond(200, newest, event)


def post(event, context):
    return respond(201, create, event)


def get(event, context):
    return respond(200, read, event)


def health(event, context):
    """A full round trip to the table, so that a region which cannot read is withdrawn."""
    status, word, message = 200, "ok", "The table responded."
    try:
        DYNAMODB.get_item(TableName=TABLE, Key={"id": {"S": "health"}})  # no ticket has this id
    except Exception:
        logging.exception("unhealthy")
        status, word, message = 500, "failing", "The table did not respond."
    return response(status, {"region": REGION, "message": message, "status": word}, "*")
