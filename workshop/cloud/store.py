"""The regional tables of MiniStack's DynamoDB, as the rest of this room handles them.

In: account, region, table. Out: the record that MiniStack keeps, changed in place. It knows no rule and no time.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

from workshop.cloud.creation_times import milliseconds
from workshop.cloud.patches import require_attribute
from workshop.cloud.replication import STAMPS

__all__ = ["Store"]

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


class Store:
    """Built before any function of `dynamodb` is replaced: it keeps the originals, whose writes are not reported."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self._tables = require_attribute(dynamodb, "_tables")
        self._scope = require_attribute(dynamodb, "request_scope")
        self._put, self._take = require_attribute(dynamodb, "_set_item"), require_attribute(dynamodb, "_remove_item")
        self._remove_table = require_attribute(dynamodb, "_delete_table")
        self._emit, self._label = require_attribute(dynamodb, "_emit_stream_event"), require_attribute(dynamodb, "_stream_label")
        self._ttl = require_attribute(dynamodb, "_ttl_settings")
        self._index_members = require_attribute(dynamodb, "_INDEX_MEMBERS")

    def get(self, account: str, region: str, table: str) -> dict[str, Any] | None:
        """MiniStack's record of a table, or None."""
        found: dict[str, Any] | None = self._tables.get_scoped(account, region, table)
        return found

    def apply(self, account: str, region: str, table: str, key: tuple[str, str], item: dict[str, Any] | None) -> None:
        """A write that came from another region: stored, and shown in this region's stream."""
        record = self._tables.get_scoped(account, region, table)
        before = record["items"].get(key[0], {}).get(key[1])
        if item is None:
            self._take(record, *key)
        else:
            self._put(record, *key, item)
        if before is None and item is None:
            return
        event = "REMOVE" if item is None else ("MODIFY" if before else "INSERT")
        with self._scope(account, region):
            self._emit(table, event, before, item, replicate=False)

    def set_status(self, account: str, region: str, table: str, status: str) -> None:
        record = self.get(account, region, table)
        if record is not None:
            record["TableStatus"] = status

    def enable_stream(self, account: str, region: str, table: str) -> None:
        """A global table replicates through its stream: switch it on unless it is on, whatever its view type
        (docs/aws-behaviours.md, section 1.4)."""
        record = self.get(account, region, table)
        if record is not None and not (record.get("StreamSpecification") or {}).get("StreamEnabled"):
            record["StreamSpecification"] = dict(STREAM)
            record["LatestStreamLabel"] = label = self._label()
            record["LatestStreamArn"] = f"{record['TableArn']}/stream/{label}"

    def fill(self, account: str, source: str, target: str, table: str, created: float) -> None:
        """The regional table of a replica: the source's settings and items; its own identity; no tags, no protection
        (docs/aws-behaviours.md, section 1.9)."""
        origin = self._tables.get_scoped(account, source, table)
        record = self.outline(account, target, origin, created)
        record["items"] = defaultdict(dict, copy.deepcopy(dict(origin["items"])))
        record["ItemCount"], record["TableSizeBytes"] = origin["ItemCount"], origin["TableSizeBytes"]
        if STAMPS in origin:
            record[STAMPS] = copy.deepcopy(origin[STAMPS])
        self._tables.set_scoped(account, target, table, record)
        ttl = self._ttl.get_scoped(account, source, table)
        if ttl:
            self._ttl.set_scoped(account, target, table, copy.deepcopy(ttl))

    def outline(self, account: str, region: str, origin: dict[str, Any], created: float) -> dict[str, Any]:
        """An empty regional table with the settings of `origin`."""
        left = ("items", STAMPS, self._index_members, "_global_regions")
        record = copy.deepcopy({name: value for name, value in origin.items() if name not in left})
        arn = f"arn:aws:dynamodb:{region}:{account}:table/{origin['TableName']}"
        label = self._label()
        record.update(
            items=defaultdict(dict),
            ItemCount=0,
            TableSizeBytes=0,
            TableArn=arn,
            TableId=self._dynamodb.new_uuid(),
            CreationDateTime=milliseconds(created),
            TableStatus="ACTIVE",
            DeletionProtectionEnabled=False,
            LatestStreamLabel=label,
            LatestStreamArn=f"{arn}/stream/{label}",
        )
        for index in record.get("GlobalSecondaryIndexes", []) + record.get("LocalSecondaryIndexes", []):
            index["IndexArn"] = f"{arn}/index/{index['IndexName']}"
        return record

    def remove(self, account: str, region: str, table: str) -> None:
        """The regional table and what MiniStack keeps beside it."""
        record = self.get(account, region, table)
        if record is not None:
            record["DeletionProtectionEnabled"] = False
            with self._scope(account, region):
                self._remove_table({"TableName": table})
