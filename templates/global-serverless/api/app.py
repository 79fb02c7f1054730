"""The workshop's API: a Lambda function behind a REST API, in front of one DynamoDB table.

In: a REST proxy event, and the table's name in the environment variable TABLE. Out: a proxy answer,
items as DynamoDB JSON, always with CORS headers. It keeps nothing between calls.
Inlined into a stack this file becomes index.py (handler `index.handler`); keep it below 4,096 bytes.
"""

import base64
import json
import logging
import os
import re
import time
from urllib.parse import unquote

import boto3
from botocore.config import Config

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET,OPTIONS",
    "Cache-Control": "no-store",
    "Content-Type": "application/json",
}
NAMES = ("PK", "SK", "VAL", "THUMB")
PAGE, PAGES = 1000, 4  # a page is at most 1 MB, and Lambda answers with at most 6 MB


def pages(read, **request):
    items, start = [], {}
    for _ in range(PAGES):
        page = read(Limit=PAGE, **start, **request)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return {"Items": items}
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return {"Items": items, "Truncated": True}


def scan(client, table):
    return pages(client.scan, TableName=table)


def query(client, table, pk):
    values = {":pk": {"S": pk}}
    return pages(client.query, TableName=table, KeyConditionExpression="PK = :pk", ExpressionAttributeValues=values)


def get(client, table, pk, sk):
    found = client.get_item(TableName=table, Key={"PK": {"S": pk}, "SK": {"S": sk}})
    return {"Item": found.get("Item")}


def update(client, table, pk, sk, val, thumb=None):
    if thumb is None:  # the counter of the test harness: Bookmark, a number
        change, values = "ADD Bookmark :v", {":v": {"N": val}}
    else:  # how far a viewer has come: bookmark, a text
        change, values = "SET bookmark = :v, thumb = :t", {":v": {"S": val}, ":t": {"S": thumb}}
    done = client.update_item(
        TableName=table,
        Key={"PK": {"S": pk}, "SK": {"S": sk}},
        UpdateExpression=change,
        ExpressionAttributeValues=values,
        ReturnValues="UPDATED_NEW",
    )
    return {"Attributes": done.get("Attributes", {}), "PK": pk, "SK": sk}


ROUTES = {("scan", 0): scan, ("query", 1): query, ("get", 2): get, ("update", 3): update, ("update", 4): update}


def answer(status, body):
    text = json.dumps(body, ensure_ascii=False, default=lambda raw: base64.b64encode(raw).decode())
    return {"statusCode": status, "headers": HEADERS, "body": text}


def respond(event, client, table):
    """Answer one event; whatever fails becomes a 500 with {"Error": text}."""
    path = (event.get("path") or "/").strip("/")
    name, *rest = (event.get("resource") or path).strip("/").split("/", 4)
    given = event.get("pathParameters") or dict(zip(NAMES, rest, strict=False))
    values = [unquote(given[key]) for key in NAMES if key in given]  # leaves the + of base64 alone
    if not name:
        return answer(200, {"ping": "ok"})
    route = ROUTES.get((name, len(values)))
    if not route:
        return answer(404, {"Error": f"No route for /{path}"})
    try:
        started = time.perf_counter()
        body = route(client, table, *values)
        return answer(200, body | {"Latency": round((time.perf_counter() - started) * 1000)})
    except Exception as error:  # pages must see every failure; the trace goes to the log only
        logging.exception("%s failed", name)
        return answer(500, {"Error": re.sub(r"arn:\S+", "(arn)", str(error)) or type(error).__name__})


# Two short attempts, so that a region in trouble shows as a failure at once.
LIMITS = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"})
DYNAMODB = boto3.client("dynamodb", config=LIMITS)


def handler(event, context):
    return respond(event, DYNAMODB, os.environ.get("TABLE", ""))
