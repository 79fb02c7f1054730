"""AWS::DynamoDB::GlobalTable in stacks: a table and its replicas, through the same life cycle, lag and conflicts as UpdateTable.

In: the properties of the type. Out: calls of DynamoDB's own operations, one replica at a time, each repeated while the table is
busy and waited for; what they refuse fails the resource (docs/aws-behaviours.md, sections 1.3 to 1.7 and 3.8).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ministack import app as ministack
from ministack.core import responses
from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

from workshop.cloud.patches import require_attribute
from workshop.cloud.replicas import AUTOSCALED
from workshop.cloud.stack_types import Properties, StackWaits, beginning, failed, handled, is_being_deleted, register, tags_of

__all__ = ["GlobalTableStacks"]

KIND = "AWS::DynamoDB::GlobalTable"
NO_HOME = "Invalid request provided: The Replicas section must contain an entry for the current region"
BUSY = ("ResourceInUseException", "LimitExceededException", "ThrottlingException")
"""Refusals that pass by themselves; CloudFormation repeats the call."""
COPIED = ("AttributeDefinitions", "KeySchema", "BillingMode", "LocalSecondaryIndexes")


class GlobalTableStacks:
    """The handlers of the type."""

    def __init__(self, waits: StackWaits) -> None:
        self._waits = waits

    def apply(self) -> None:
        """Register the type."""
        require_attribute(ministack, "call_service_handler_sync")
        require_attribute(dynamodb, "_tables")
        self._name = require_attribute(provisioners, "_physical_name")
        self._update_original = handled(KIND, "update")
        register(KIND, create=self._create, update=self._update, delete=self._delete, waits=True)

    def _create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        home, replicas = responses.get_region(), _replicas(properties)
        if home not in replicas:
            raise ValueError(NO_HOME)
        table = _Table(properties.get("TableName") or str(self._name(stack, logical_id, max_len=255)), self._waits)
        table.create(_table_request(table.name, properties))

        def undo() -> None:
            """What cannot go now stays."""
            if not is_being_deleted(stack):
                with contextlib.suppress(ValueError):
                    table.remove_all()

        with beginning(stack, logical_id, KIND, table.name, properties, undo=undo):
            table.await_active(home)
            table.set_ttl([home], properties.get("TimeToLiveSpecification"))
            self._bring(stack, table, {home: {}}, replicas)
        return table.name, table.attributes()

    def _update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> tuple[str, Properties]:
        """Replicas that are no longer named go first, then the table changes, then new replicas come, one after the other."""
        home, before, after = responses.get_region(), _replicas(old), _replicas(new)
        if home not in after:
            raise ValueError(NO_HOME)
        if new.get("TableName") not in (None, physical_id):
            return self._create(logical_id or physical_id, new, stack)
        table = _Table(physical_id, self._waits)
        for region in reversed([region for region in before if region not in after]):
            table.remove_replica(region)
        table.await_active(home)
        self._update_original(physical_id, old, new, stack)
        table.await_active(home)
        self._bring(stack, table, before, after)
        if old.get("TimeToLiveSpecification") != new.get("TimeToLiveSpecification"):
            table.set_ttl(after, new.get("TimeToLiveSpecification"))
        return physical_id, table.attributes()

    def _bring(self, stack: str, table: _Table, before: Mapping[str, Properties], after: Mapping[str, Properties]) -> None:
        """Give each region its settings, after a replica if it has none; those that exist come first."""
        for region in sorted(after, key=lambda each: each not in before):
            if is_being_deleted(stack):
                raise ValueError("Resource creation cancelled")
            if region not in before:
                table.add_replica(region)
            table.set_up(region, before.get(region, {}), after[region])

    def _delete(self, name: str, _: Properties) -> None:
        """Every replica goes, then the table: the source-region rule allows no other order (section 1.6)."""
        table = _Table(name, self._waits)
        if table.status(responses.get_region()):
            table.remove_all()


class _Table:
    """DynamoDB's operations on one table and its replicas. Its home is the region of the request that made this."""

    def __init__(self, name: str, waits: StackWaits) -> None:
        self.name, self._waits = name, waits
        self._account, self._home = responses.get_account_id(), responses.get_region()

    def create(self, request: Mapping[str, Any]) -> None:
        """CreateTable. A name that is taken is no state that passes."""
        status, response = self._call(self._home, "CreateTable", request)
        if status >= 400:
            raise _failure(response)
        if request["BillingMode"] == "PROVISIONED":
            dynamodb._tables.get_scoped(self._account, self._home, self.name)[AUTOSCALED] = True

    def status(self, region: str) -> str:
        """The table's status in a region, "" where it is not."""
        return str(self._described(region).get("TableStatus", ""))

    def await_active(self, region: str) -> None:
        """Wait until the table is ACTIVE in a region."""
        self._await(lambda: self.status(region) == "ACTIVE", lambda: not self.status(region), region)

    def add_replica(self, region: str) -> None:
        """Add a replica and wait until both regions call it ACTIVE."""
        self._repeat(self._home, "UpdateTable", {"ReplicaUpdates": [{"Create": {"RegionName": region}}]})

        self._await(
            lambda: self._replicas().get(region) == "ACTIVE" == self.status(self._home) == self.status(region),
            lambda: self.status(self._home) in ("", "ACTIVE") and region not in self._replicas(),
            region,
        )

    def remove_replica(self, region: str) -> None:
        """Remove a replica and wait until its region does not have the table any more."""
        if region in self._replicas():
            self._repeat(self._home, "UpdateTable", {"ReplicaUpdates": [{"Delete": {"RegionName": region}}]})
            self._waits.until(lambda: region not in self._replicas() and not self.status(region))

    def remove_all(self) -> None:
        """Remove every replica, those added last first, then the table, and wait until nothing is left."""
        self.await_active(self._home)
        for region in reversed(self._replicas()):
            self.remove_replica(region)
        self.await_active(self._home)
        self._repeat(self._home, "DeleteTable", {})
        self._waits.until(lambda: not self.status(self._home))

    def set_up(self, region: str, before: Properties, after: Properties) -> None:
        """What each region has for itself: tags, deletion protection and recovery (section 1.9)."""
        arn, old, new = f"arn:aws:dynamodb:{region}:{self._account}:table/{self.name}", tags_of(before), tags_of(after)
        gone = [key for key in old if key not in new]
        added = [{"Key": key, "Value": value} for key, value in new.items() if old.get(key) != value]
        if gone:
            self._repeat(region, "UntagResource", {"ResourceArn": arn, "TagKeys": gone})
        if added:
            self._repeat(region, "TagResource", {"ResourceArn": arn, "Tags": added})
        protected, recovery = bool(after.get("DeletionProtectionEnabled")), "PointInTimeRecoverySpecification"
        if protected != bool(before.get("DeletionProtectionEnabled")):
            self._repeat(region, "UpdateTable", {"DeletionProtectionEnabled": protected})
            self.await_active(region)
        if after.get(recovery) != before.get(recovery):
            wanted = {"PointInTimeRecoveryEnabled": False, **(after.get(recovery) or {})}
            self._repeat(region, "UpdateContinuousBackups", {recovery: wanted})

    def set_ttl(self, regions: Iterable[str], specification: Mapping[str, Any] | None) -> None:
        """The regional tables' time to live; a replica begins with that of its source."""
        for region in regions if specification else ():
            self._repeat(region, "UpdateTimeToLive", {"TimeToLiveSpecification": specification})

    def attributes(self) -> dict[str, str]:
        """What a template can read of the table."""
        table = self._described(self._home)
        found = {"Arn": table["TableArn"], "TableId": table.get("TableId", "")}
        return {**found, "StreamArn": table["LatestStreamArn"]} if table.get("LatestStreamArn") else found

    def _described(self, region: str) -> dict[str, Any]:
        status, response = self._call(region, "DescribeTable", {"TableName": self.name})
        return dict(response["Table"]) if status < 400 else {}

    def _replicas(self) -> dict[str, str]:
        """The status of each other region, in the order in which they were added."""
        return {each["RegionName"]: each["ReplicaStatus"] for each in self._described(self._home).get("Replicas") or ()}

    def _await(self, reached: Callable[[], bool], vanished: Callable[[], bool], region: str) -> None:
        def condition() -> bool:
            if vanished():
                raise failed("DynamoDb", f"The table {self.name} in region {region} vanished.")
            return reached()

        self._waits.until(condition)

    def _repeat(self, region: str, operation: str, members: Mapping[str, Any]) -> None:
        """Call until the table is free. Raises what CloudFormation shows of any other refusal."""
        request = members if "ResourceArn" in members else {"TableName": self.name, **members}

        def accepted() -> bool:
            status, response = self._call(region, operation, request)
            if status >= 400 and _code(response) not in BUSY:
                raise _failure(response)
            return status < 400

        self._waits.until(accepted)

    def _call(self, region: str, operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Made on the server's own thread, where every other call of the service is made: nothing changes during it."""
        call = require_attribute(ministack, "call_service_handler_sync")
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
        with responses.request_scope(self._account, region):
            status, _, body = call(dynamodb.handle_request, "POST", "/", headers, json.dumps(request).encode(), {})
        return status, json.loads(body) if body else {}


def _table_request(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The CreateTable call that the properties of a GlobalTable mean; settings of replicas are not part of it."""
    request: dict[str, Any] = {"TableName": name, **{member: properties[member] for member in COPIED if member in properties}}
    provisioned = request.setdefault("BillingMode", "PROVISIONED") == "PROVISIONED"
    if provisioned:
        request["ProvisionedThroughput"] = _capacity(properties)
    for index in properties.get("GlobalSecondaryIndexes") or ():
        kept = {member: index[member] for member in ("IndexName", "KeySchema", "Projection") if member in index}
        capacity = {"ProvisionedThroughput": _capacity(index)} if provisioned else {}
        request.setdefault("GlobalSecondaryIndexes", []).append({**kept, **capacity})
    if encryption := properties.get("SSESpecification"):
        request["SSESpecification"] = {"Enabled": str(encryption.get("SSEEnabled")).lower() == "true"}
    if stream := properties.get("StreamSpecification"):
        request["StreamSpecification"] = {"StreamEnabled": True, **stream}
    return request


def _capacity(properties: Mapping[str, Any]) -> dict[str, int]:
    """The capacity that autoscaling begins with: its lowest."""
    found = {}
    for kind in ("Write", "Read"):
        settings = properties.get(f"{kind}ProvisionedThroughputSettings") or {}
        found[f"{kind}CapacityUnits"] = int((settings.get(f"{kind}CapacityAutoScalingSettings") or {}).get("MinCapacity", 5))
    return found


def _replicas(properties: Mapping[str, Any]) -> dict[str, Properties]:
    """The settings of each region, in the template's order."""
    return {str(replica["Region"]): dict(replica) for replica in properties.get("Replicas") or ()}


def _code(response: Mapping[str, Any]) -> str:
    return str(response.get("__type", "")).rpartition("#")[2]


def _failure(response: Mapping[str, Any]) -> ValueError:
    return failed("DynamoDb", str(response.get("message") or response.get("Message") or _code(response)))
