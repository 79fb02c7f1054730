"""DynamoDB's operations on one table and its replicas, as CloudFormation calls them: repeated while the table is busy.

In: the name of a table, in the request's account and region. Out: calls of MiniStack's DynamoDB with the rules of this room, each
followed by the wait for what it began (docs/aws-behaviours.md, sections 1.3, 1.4 and 1.7).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack import app as ministack
from ministack.core import responses
from ministack.services import dynamodb

from workshop.cloud.patches import require_attribute
from workshop.cloud.replicas import AUTOSCALED
from workshop.cloud.stack_types import failed
from workshop.cloud.stack_waits import StackWaits

__all__ = ["TableCalls", "check_attributes", "table_request"]

BUSY = ("ResourceInUseException", "LimitExceededException", "ThrottlingException")
"""Refusals that pass by themselves; CloudFormation repeats the call."""
GONE = "The table {table} in region {region} vanished."
COPIED = ("AttributeDefinitions", "KeySchema", "BillingMode", "LocalSecondaryIndexes")


def check_attributes() -> None:
    """Raises `PinnedVersionError` unless the calls can be made."""
    require_attribute(ministack, "call_service_handler_sync")
    require_attribute(dynamodb, "_tables")


def table_request(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The CreateTable call that the properties of a GlobalTable mean; settings of replicas are not part of it."""
    request: dict[str, Any] = {"TableName": name, **{member: properties[member] for member in COPIED if member in properties}}
    request.setdefault("BillingMode", "PROVISIONED")
    provisioned = request["BillingMode"] == "PROVISIONED"
    if provisioned:
        request["ProvisionedThroughput"] = _capacity(properties)
    indexes = []
    for index in properties.get("GlobalSecondaryIndexes") or ():
        kept = {member: index[member] for member in ("IndexName", "KeySchema", "Projection") if member in index}
        indexes.append({**kept, "ProvisionedThroughput": _capacity(index)} if provisioned else kept)
    if indexes:
        request["GlobalSecondaryIndexes"] = indexes
    encryption = properties.get("SSESpecification")
    if encryption:
        request["SSESpecification"] = {"Enabled": str(encryption.get("SSEEnabled")).lower() == "true"}
    stream = properties.get("StreamSpecification")
    if stream:
        request["StreamSpecification"] = {"StreamEnabled": True, **stream}
    return request


def _capacity(properties: Mapping[str, Any]) -> dict[str, int]:
    """The capacity that autoscaling begins with: its lowest."""
    write = (properties.get("WriteProvisionedThroughputSettings") or {}).get("WriteCapacityAutoScalingSettings") or {}
    read = (properties.get("ReadProvisionedThroughputSettings") or {}).get("ReadCapacityAutoScalingSettings") or {}
    return {"WriteCapacityUnits": int(write.get("MinCapacity", 5)), "ReadCapacityUnits": int(read.get("MinCapacity", 5))}


class TableCalls:
    """Calls about one table. Its home is the region of the request that made this."""

    def __init__(self, name: str, waits: StackWaits) -> None:
        self._name, self._waits = name, waits
        self._account, self._home = responses.get_account_id(), responses.get_region()

    def create(self, request: Mapping[str, Any]) -> None:
        """CreateTable. A name that is taken is no state that passes."""
        status, response = self._call(self._home, "CreateTable", request)
        if status >= 400:
            raise self._failure(response)
        if request["BillingMode"] == "PROVISIONED":
            self._record(self._home)[AUTOSCALED] = True

    def status(self, region: str) -> str:
        """The table's status in a region, "" where it is not."""
        status, response = self._call(region, "DescribeTable", {"TableName": self._name})
        return str(response["Table"]["TableStatus"]) if status < 400 else ""

    def await_active(self, region: str) -> None:
        """Wait until the table is ACTIVE in a region."""

        def active() -> bool:
            status = self.status(region)
            if not status:
                raise failed("DynamoDb", GONE.format(table=self._name, region=region))
            return status == "ACTIVE"

        self._waits.until(active)

    def add_replica(self, region: str) -> None:
        """Add a replica and wait until both regions call it ACTIVE."""
        self._change(self._home, {"ReplicaUpdates": [{"Create": {"RegionName": region}}]})

        def added() -> bool:
            replicas, status = self._replicas(), self.status(self._home)
            if status in ("", "ACTIVE") and region not in replicas:
                raise failed("DynamoDb", GONE.format(table=self._name, region=region))
            return replicas.get(region) == "ACTIVE" and status == self.status(region) == "ACTIVE"

        self._waits.until(added)

    def remove_replica(self, region: str) -> None:
        """Remove a replica and wait until its region does not have the table any more."""
        if region not in self._replicas():
            return
        self._change(self._home, {"ReplicaUpdates": [{"Delete": {"RegionName": region}}]})
        self._waits.until(lambda: region not in self._replicas() and not self.status(region))

    def remove_all(self) -> None:
        """Remove every replica, those added last first, then the table, and wait until nothing is left."""
        self.await_active(self._home)
        for region in reversed(self._replicas()):
            self.remove_replica(region)
        self.await_active(self._home)
        self._repeat(self._home, "DeleteTable", {"TableName": self._name})
        self._waits.until(lambda: not self.status(self._home))

    def set_tags(self, region: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Give the regional table these tags instead of those."""
        arn = f"arn:aws:dynamodb:{region}:{self._account}:table/{self._name}"
        gone = [key for key in before if key not in after]
        new = [{"Key": key, "Value": value} for key, value in after.items() if before.get(key) != value]
        if gone:
            self._repeat(region, "UntagResource", {"ResourceArn": arn, "TagKeys": gone})
        if new:
            self._repeat(region, "TagResource", {"ResourceArn": arn, "Tags": new})

    def set_protection(self, region: str, protected: bool) -> None:
        """Switch the regional table's deletion protection."""
        self._change(region, {"DeletionProtectionEnabled": protected})
        self.await_active(region)

    def set_recovery(self, region: str, enabled: bool) -> None:
        """Switch the regional table's point-in-time recovery."""
        wanted = {"PointInTimeRecoveryEnabled": enabled}
        request = {"TableName": self._name, "PointInTimeRecoverySpecification": wanted}
        self._repeat(region, "UpdateContinuousBackups", request)

    def set_ttl(self, region: str, specification: Mapping[str, Any] | None) -> None:
        """The regional table's time to live; a replica begins with that of its source."""
        if specification:
            request = {"TableName": self._name, "TimeToLiveSpecification": dict(specification)}
            self._repeat(region, "UpdateTimeToLive", request)

    def attributes(self) -> dict[str, str]:
        """What a template can read of the table."""
        table = self._call(self._home, "DescribeTable", {"TableName": self._name})[1]["Table"]
        found = {"Arn": table["TableArn"], "TableId": table.get("TableId", "")}
        return {**found, "StreamArn": table["LatestStreamArn"]} if table.get("LatestStreamArn") else found

    def _replicas(self) -> dict[str, str]:
        """The status of each other region, in the order in which they were added."""
        status, response = self._call(self._home, "DescribeTable", {"TableName": self._name})
        listed = response["Table"].get("Replicas") or () if status < 400 else ()
        return {replica["RegionName"]: replica["ReplicaStatus"] for replica in listed}

    def _change(self, region: str, members: Mapping[str, Any]) -> None:
        self._repeat(region, "UpdateTable", {"TableName": self._name, **members})

    def _repeat(self, region: str, operation: str, request: Mapping[str, Any]) -> None:
        """Call until the table is free. Raises what CloudFormation shows of any other refusal."""

        def accepted() -> bool:
            status, response = self._call(region, operation, request)
            if status < 400:
                return True
            if _code(response) not in BUSY:
                raise self._failure(response)
            return False

        self._waits.until(accepted)

    def _call(self, region: str, operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Made on the server's own thread, where every other call of the service is made: nothing changes during it."""
        call = require_attribute(ministack, "call_service_handler_sync")
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
        with responses.request_scope(self._account, region):
            status, _, body = call(dynamodb.handle_request, "POST", "/", headers, json.dumps(request).encode(), {})
        return status, json.loads(body) if body else {}

    def _record(self, region: str) -> dict[str, Any]:
        found: dict[str, Any] = dynamodb._tables.get_scoped(self._account, region, self._name)
        return found

    def _failure(self, response: Mapping[str, Any]) -> ValueError:
        return failed("DynamoDb", str(response.get("message") or response.get("Message") or _code(response)))


def _code(response: Mapping[str, Any]) -> str:
    return str(response.get("__type", "")).rpartition("#")[2]
