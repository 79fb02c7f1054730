"""MiniStack's DynamoDB with our extensions in this process, in virtual time: every request is one call, time moves on command.

In: requests as method calls. Out: the response's content, or `Refused`.
"""

from __future__ import annotations

import json
import random
import time
import types
from dataclasses import dataclass
from typing import Any

from ministack.core import persistence, responses
from ministack.services import dynamodb

from workshop.cloud.events import EventBus, WriteReplicated
from workshop.cloud.fault_registry import FaultRegistry
from workshop.cloud.faults import CloudFault
from workshop.cloud.multi_region import MultiRegionDynamoDB
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.timing import Timing

ACCOUNT = "000000000000"
TABLE = "things"
REGIONS = ("us-west-2", "eu-west-1", "ap-south-1")


@dataclass
class Refused(Exception):
    """The error that the service returned."""

    code: str
    message: str


class VirtualCloud:
    """One DynamoDB in virtual time, which begins at `start`. `close` restores MiniStack's module: there is one at a time."""

    def __init__(self, seed: int = 0, profile: str = "instant", start: float = 1_000_000.0) -> None:
        self.time = start
        self._original = dict(vars(dynamodb))
        self._seed = seed
        self.timing = Timing(profile, 1.0)
        self.lags: list[tuple[str, str, float]] = []
        self._build([], None)

    def _build(self, faults: list[dict[str, Any]], tables: dict[str, Any] | None) -> None:
        dynamodb.time = types.SimpleNamespace(**{**vars(time), "time": lambda: self.time})
        self.scheduler = Scheduler(lambda: self.time)
        events = EventBus()
        events.subscribe(WriteReplicated, lambda write: self.lags.append((write.source, write.target, write.lag)))
        self.faults = FaultRegistry(lambda name: name, lambda _: [], random.Random(self._seed), events)
        self.faults.restore(faults)
        self.multi_region = MultiRegionDynamoDB(
            dynamodb,
            self.scheduler,
            self.timing,
            self.faults,
            events=events,
            defer=lambda _: False,
            chance=random.Random(self._seed),
        )
        if tables is not None:
            self.multi_region.restore(tables)

    def close(self) -> None:
        dynamodb.reset()
        self._restore_module()

    def _restore_module(self) -> None:
        for name, value in self._original.items():
            setattr(dynamodb, name, value)

    def restart(self) -> None:
        """Restart a killed process: it finds what was saved, and nothing else."""
        state, own, faults = dynamodb.get_state(), self.multi_region.document(), self.faults.document()
        text = json.dumps([state, own, faults], default=persistence._json_default)
        dynamodb.reset()
        self._restore_module()
        state, own, faults = json.loads(text, object_hook=persistence._json_object_hook)
        dynamodb.load_persisted_state(state)
        self._build(faults, own)

    def advance(self, seconds: float) -> None:
        """Let time pass; everything that is due on the way happens at its own time."""
        self.advance_to(self.time + seconds)

    def advance_to(self, end: float) -> None:
        """Let time pass until `end`; a moment that has passed already changes nothing."""
        if end < self.time:
            return
        while (due := self.scheduler.run_due()) is not None and due <= end:
            self.time = max(self.time, due)
        self.time = end
        self.scheduler.run_due()

    def record(self, region: str, table: str, account: str = ACCOUNT) -> dict[str, Any] | None:
        """What MiniStack itself keeps of a table, to be read or written over; None when it has none."""
        found: dict[str, Any] | None = dynamodb._tables.get_scoped(account, region, table)
        return found

    def tables(self, account: str = ACCOUNT) -> list[tuple[str, str]]:
        """The region and the name of every table of an account."""
        return sorted((region, name) for (owner, region, name), _ in dynamodb._tables.all_items() if owner == account)

    def call(self, region: str, operation: str, account: str = ACCOUNT, **data: Any) -> dict[str, Any]:
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
        with responses.request_scope(account, region):
            request = dynamodb.handle_request("POST", "/", headers, json.dumps(data).encode(), {})
            try:
                request.send(None)
            except StopIteration as done:
                status, _, body = done.value
            else:
                raise AssertionError("a request waited")
        content: dict[str, Any] = json.loads(body)
        if status != 200:
            raise Refused(content["__type"].rpartition("#")[2], content.get("message", content.get("Message", "")))
        return content

    def create(self, region: str = REGIONS[0], table: str = TABLE, **more: Any) -> dict[str, Any]:
        keys = {"KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]}
        types = [{"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": "S"}]
        more = {"BillingMode": "PAY_PER_REQUEST", **more}
        return self.call(region, "CreateTable", TableName=table, AttributeDefinitions=types, **keys, **more)

    def replicate(self, action: str, target: str, region: str = REGIONS[0], table: str = TABLE) -> dict[str, Any]:
        return self.call(region, "UpdateTable", TableName=table, ReplicaUpdates=[{action: {"RegionName": target}}])

    def shown(self, region: str, table: str = TABLE) -> tuple[str, list[tuple[str, str]] | None]:
        """Status and replica list as the region shows them; ("404", None) when it shows nothing."""
        try:
            described = self.call(region, "DescribeTable", TableName=table)["Table"]
        except Refused as refused:
            assert refused.code == "ResourceNotFoundException"
            return "404", None
        replicas = described.get("Replicas")
        return described["TableStatus"], None if replicas is None else [(r["RegionName"], r["ReplicaStatus"]) for r in replicas]

    def put(self, region: str, key: str, value: str, **more: Any) -> None:
        self.call(region, "PutItem", TableName=TABLE, Item=item(key, value), **more)

    def get(self, region: str, key: str) -> str | None:
        found = self.call(region, "GetItem", TableName=TABLE, Key=where(key)).get("Item")
        return None if found is None else str(next(iter(found["v"].values())))

    def content(self, region: str) -> dict[str, str]:
        rows = self.call(region, "Scan", TableName=TABLE)["Items"]
        return {row["SK"]["S"]: str(next(iter(row["v"].values()))) for row in rows}

    def cut(self, region: str, direction: str = "both") -> str:
        return self.faults.add(CloudFault("cut", region=region, direction=direction)).id

    def heal(self, name: str | None = None) -> None:
        self.faults.clear(name)
        self.multi_region.replication.healed()


def where(key: str) -> dict[str, dict[str, str]]:
    return {"PK": {"S": "p"}, "SK": {"S": key}}


def item(key: str, value: str) -> dict[str, dict[str, str]]:
    return {**where(key), "v": {"S": value}}
