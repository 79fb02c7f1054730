"""The three functions of one region's API: `post` stores an item, `get` reads one, `health` reports the region's health.

In: a REST proxy event; the variables TABLE and STATUS, the number that /health returns. Out: a proxy response, JSON with CORS
headers. It keeps nothing between calls. Inlined into a stack this file becomes index.py; keep it below 4,096 bytes.
"""

import base64
import json
import logging
import os
import re
from urllib.parse import unquote

import boto3
from botocore.config import Config

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET,POST,OPTIONS",
    "Cache-Control": "no-store",
    "Content-Type": "application/json",
}
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")  # what a path can hold as it is
ROUTES = ("health",)  # paths that are no items
LONGEST = 1000  # characters of a comment

# Two short attempts, so that a region in trouble shows as a failure at once.
LIMITS = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"})
DYNAMODB = boto3.client("dynamodb", config=LIMITS)


class Refused(Exception):
    """What the caller sent cannot be used, because of `field`."""

    def __init__(self, field, why, status=400):
        super().__init__(f"{field} {why}")
        self.field, self.status = field, status


def response(status, body):
    return {"statusCode": status, "headers": HEADERS, "body": json.dumps(body, ensure_ascii=False)}


def region():
    return os.environ.get("AWS_REGION", "")


def respond(work, *given):
    """The response of `work`: its own, a refusal that names the field, or a 500."""
    try:
        return response(200, work(*given))
    except Refused as error:
        return response(error.status, {"Error": str(error), "field": error.field})
    except Exception as error:  # pages see every failure, the trace goes to the log only
        logging.exception("failed")
        return response(500, {"Error": re.sub(r"arn:\S+", "(arn)", str(error)) or type(error).__name__})


def document(event):
    try:
        text = event.get("body") or ""
        body = json.loads(base64.b64decode(text) if event.get("isBase64Encoded") else text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused("body", "must be a JSON object")
    return body


def item_id(value):
    if not isinstance(value, str) or not ID.fullmatch(value) or value in ROUTES:
        raise Refused("item_id", "must be 1 to 200 letters, digits and _ . : - and no name of a route")
    return value


def store(event, client, table):
    body = document(event)
    comment = body.get("session_comment")
    item = {"item_id": item_id(body.get("item_id")), "session_comment": comment, "region": region()}
    if not isinstance(comment, str) or not 0 < len(comment) <= LONGEST:
        raise Refused("session_comment", f"must be a text of 1 to {LONGEST} characters")
    client.put_item(TableName=table, Item={name: {"S": value} for name, value in item.items()})
    return item


def read(event, client, table):
    wanted = item_id(unquote((event.get("pathParameters") or {}).get("item_id", "")))
    found = client.get_item(TableName=table, Key={"item_id": {"S": wanted}}).get("Item")
    if found is None:
        raise Refused("item_id", f"{wanted} is not in {region()}", 404)
    return {name: next(iter(value.values())) for name, value in found.items()} | {"read_in": region()}


def post(event, context):
    return respond(store, event, DYNAMODB, os.environ.get("TABLE", ""))


def get(event, context):
    return respond(read, event, DYNAMODB, os.environ.get("TABLE", ""))


def health(event, context):
    """STATUS is 200 on a good day; a facilitator breaks the region by changing it."""
    given = os.environ.get("STATUS", "200")
    status = int(given) if re.fullmatch("[2-5][0-9]{2}", given) else 500
    return response(status, {"region": region(), "status": "ok" if status < 400 else "failing"})
