"""DynamoDB's table operations with AWS's rules: what may be called when, and what a table shows of itself.

In: MiniStack's operations by name. Out: the same operations, which refuse what AWS refuses and hand the rest to `lifecycle`.
Items are not its concern.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from workshop.cloud.creation_times import milliseconds
from workshop.cloud.global_tables import GlobalTable, GlobalTables
from workshop.cloud.lifecycle import Lifecycle
from workshop.cloud.patches import patch, patch_around, require_attribute
from workshop.cloud.replicas import SOURCE_RULE, Refusal, ReplicaRules, in_use
from workshop.cloud.scheduler import Scheduler
from workshop.cloud.store import Store
from workshop.cloud.timing import Timing, Wait

__all__ = ["TableRules"]

Operation = Callable[[dict[str, Any]], Any]
MISSING = "Requested resource not found"
PROTECTED = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
STREAM_OFF = "Disabling Stream is not allowed for a Global Table replica."
STREAM_ON = "Table already has an enabled stream: TableName: {table}"
TTL = (
    "Create/Update/Delete of replica is not allowed while the replica is being added to table with name: ‘{table}’ in region: "
    "‘{region}’."
)
# Served while a table is CREATING; everything else finds no table (docs/aws-behaviours.md, section 1.3).
EARLY = ("CreateTable", "DescribeTable", "DeleteTable", "UpdateTable", "ListTables", "DescribeLimits", "DescribeEndpoints")
# Settings that all regions of a global table share (docs/aws-behaviours.md, section 1.9).
SHARED = ("BillingMode", "ProvisionedThroughput", "GlobalSecondaryIndexUpdates", "AttributeDefinitions", "SSESpecification")


@dataclass(frozen=True, slots=True)
class _Target:
    """The table that a request names, in the request's account and region; `record` is None when there is none there."""

    account: str
    region: str
    name: str
    record: dict[str, Any] | None
    global_table: GlobalTable | None


class TableRules:
    """Our operations around MiniStack's; each gets the original first and may raise `Refusal`."""

    def __init__(
        self,
        dynamodb: Any,
        global_tables: GlobalTables,
        store: Store,
        lifecycle: Lifecycle,
        replicas: ReplicaRules,
        scheduler: Scheduler,
        timing: Timing,
    ) -> None:
        self._dynamodb, self._global_tables, self._store = dynamodb, global_tables, store
        self._lifecycle, self._replicas, self._scheduler, self._timing = lifecycle, replicas, scheduler, timing
        self._locked: dict[str, float] = {}
        self._describe = require_attribute(dynamodb, "_table_description")

    def apply(self) -> None:
        """Patch MiniStack's table operations."""
        dynamodb = self._dynamodb
        patch(dynamodb, "_table_description", lambda _: self._description)
        for name, operation in {
            "_create_table": self._create,
            "_describe_table": self._describe_creating,
            "_update_table": self._update,
            "_delete_table": self._delete,
            "_tag_resource": self._tag,
            "_untag_resource": self._tag,
            "_update_ttl": self._update_ttl,
        }.items():
            patch_around(dynamodb, name, functools.partial(self._refusing, operation))
        patch_around(dynamodb, "handle_request", self._handle_request)
        patch(dynamodb, "_replica_group", lambda _: self._regions_of)
        patch(dynamodb, "_set_replica_group", lambda _: lambda *_: None)
        patch(dynamodb, "_apply_replica_updates", lambda _: self._update_replicas)

    def removal_refused(self, account: str, region: str, table: str) -> str:
        """The source-region rule's text when it holds for this table, else ""."""
        global_table = self._global_tables.of(account, table, region)
        return SOURCE_RULE if global_table is not None and global_table.is_source(region, self._scheduler.now()) else ""

    def clear(self) -> None:
        """Forget the locks of tables that are gone."""
        self._locked.clear()

    def _refusing(self, operation: Callable[[Operation, dict[str, Any]], Any], original: Operation, data: dict[str, Any]) -> Any:
        """One of our operations; a `Refusal` becomes the error response."""
        try:
            return operation(original, data)
        except Refusal as refusal:
            return self._error(refusal)

    async def _handle_request(
        self, original: Callable[..., Awaitable[Any]], method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Any:
        """Around every request: a table that is CREATING is not found yet; afterwards, whatever is due at once happens."""
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action not in EARLY and self._lifecycle.anything_creating() and self._names_creating_table(body):
            return self._error(Refusal("ResourceNotFoundException", MISSING))
        response = await original(method, path, headers, body, query)
        self._scheduler.run_due()
        return response

    def _names_creating_table(self, body: bytes) -> bool:
        try:
            named = _tables_named(self._dynamodb.json.loads(body)) if body else set()
        except (ValueError, RecursionError):
            return False
        account, region = self._here()
        records = (self._store.get(account, region, self._name(name)) for name in named)
        return any(record is not None and record["TableStatus"] == "CREATING" for record in records)

    def _create(self, original: Operation, data: dict[str, Any]) -> Any:
        target = self._target(data)
        if target.global_table is not None:
            raise in_use(f"Table already exists: {target.name}")
        response = original(data)
        if response[0] != 200:
            return response
        record = self._store.get(target.account, target.region, target.name)
        if record is not None:
            record["CreationDateTime"] = milliseconds(self._scheduler.now())
        self._lifecycle.table_created(target.account, target.region, target.name)
        return self._described(target.name)

    def _describe_creating(self, original: Operation, data: dict[str, Any]) -> Any:
        """A replica that is CREATING can be described before it exists for anything else."""
        target = self._target(data)
        if target.global_table is None:
            return original(data)
        replica = target.global_table.replicas[target.region]
        origin = self._store.get(target.account, replica.source, target.name)
        if origin is None or replica.status != "CREATING" or not replica.visible:
            return original(data)
        with self._dynamodb.request_scope(target.account, replica.source):
            shown = self._describe(target.name)
        outline = self._store.outline(target.account, target.region, origin, replica.added)
        shown.update({key: outline[key] for key in shown if key in outline and key not in ("items", "Replicas")})
        shown.update(TableStatus="CREATING", **_global_members(target.global_table, target.region))
        return self._dynamodb.json_response({"Table": shown})

    def _description(self, name: str) -> dict[str, Any]:
        shown: dict[str, Any] = self._describe(name)
        account, region = self._here()
        global_table = self._global_tables.of(account, name, region)
        for key in ("GlobalTableVersion", "Replicas"):
            shown.pop(key, None)
        if global_table is not None:
            shown.update(_global_members(global_table, region))
        return shown

    def _update(self, original: Operation, data: dict[str, Any]) -> Any:
        target = self._target(data)
        if target.record is None:
            return original(data)
        if "ReplicaUpdates" in data:
            self._replicas.update(target.account, target.region, target.name, data)
            return self._described(target.name)
        if target.global_table is not None:
            return self._update_replicated(original, target, target.record, target.global_table, data)
        if target.record["TableStatus"] != "ACTIVE":
            raise in_use()
        return original(data)

    def _update_replicated(
        self, original: Operation, target: _Target, record: dict[str, Any], global_table: GlobalTable, data: dict[str, Any]
    ) -> Any:
        """UpdateTable on one region of a global table: some settings apply to all of its regions."""
        before = record["DeletionProtectionEnabled"]
        toggled = data.get("DeletionProtectionEnabled", before) != before
        lock = f"protection:{record['TableArn']}"
        if toggled and self._is_locked(lock):
            raise Refusal("ThrottlingException", "Rate exceeded")
        if record["TableStatus"] != "ACTIVE" or global_table.changing:
            raise in_use()
        _check_stream(data, target.name)
        response = original(data)
        if response[0] != 200:
            return response
        if toggled:
            self._lock(lock, "protection.again")
            self._lifecycle.protection_changed(target.account, target.region, target.name)
        self._share(original, target, global_table, data)
        return self._described(target.name)

    def _share(self, original: Operation, target: _Target, global_table: GlobalTable, data: dict[str, Any]) -> None:
        shared = {key: data[key] for key in SHARED if key in data}
        if set(shared) - {"AttributeDefinitions"}:
            for other in global_table.writable():
                if other != target.region:
                    with self._dynamodb.request_scope(target.account, other):
                        original({"TableName": global_table.name, **shared})

    def _delete(self, original: Operation, data: dict[str, Any]) -> Any:
        target = self._target(data)
        record, global_table = target.record, target.global_table
        if record is None:
            if global_table is not None and global_table.replicas[target.region].visible:
                raise in_use()
            return original(data)
        if record["TableStatus"] == "DELETING":
            return self._described(target.name)
        if record["TableStatus"] != "ACTIVE":
            raise in_use()
        if record.get("DeletionProtectionEnabled"):
            raise Refusal("ValidationException", PROTECTED)
        if reason := self.removal_refused(target.account, target.region, target.name):
            raise Refusal("ValidationException", reason)
        if (global_table is not None and global_table.changing) or self._is_locked(record["TableArn"]):
            raise in_use()
        self._lifecycle.table_deleted(target.account, target.region, target.name)
        return self._described(target.name)

    def _tag(self, original: Operation, data: dict[str, Any]) -> Any:
        """A tag write locks the table for a moment (docs/aws-behaviours.md, section 1.7)."""
        arn = str(data.get("ResourceArn"))
        if self._is_locked(arn):
            raise Refusal("LimitExceededException", "Table tags are being updated")
        response = original(data)
        if response[0] == 200:
            self._lock(arn, "tags")
        return response

    def _update_ttl(self, original: Operation, data: dict[str, Any]) -> Any:
        target = self._target(data)
        replicas = target.global_table.replicas if target.global_table is not None and target.record is not None else {}
        for replica in replicas.values():
            if replica.status == "CREATING" and (replica.listed or replica.filled):
                raise Refusal("ValidationException", TTL.format(table=target.name, region=replica.region))
        return original(data)

    def _update_replicas(self, name: str, _: dict[str, Any], updates: list[Any]) -> Any:
        """ReplicaUpdates from inside MiniStack follow the same rules; returns the error response, or None."""
        account, region = self._here()
        try:
            self._replicas.update(account, region, name, {"TableName": name, "ReplicaUpdates": updates})
        except Refusal as refusal:
            return self._error(refusal)
        return None

    def _regions_of(self, record: dict[str, Any]) -> list[str]:
        _, _, _, region, account, _ = record["TableArn"].split(":", 5)
        global_table = self._global_tables.of(account, record["TableName"], region)
        return global_table.writable() if global_table is not None else []

    def _target(self, data: dict[str, Any]) -> _Target:
        account, region = self._here()
        name = self._name(data.get("TableName"))
        record = self._store.get(account, region, name)
        return _Target(account, region, name, record, self._global_tables.of(account, name, region))

    def _here(self) -> tuple[str, str]:
        return self._dynamodb.get_account_id(), self._dynamodb.get_region()

    def _name(self, value: Any) -> str:
        return str(self._dynamodb._normalize_table_name(value))

    def _described(self, name: str) -> Any:
        return self._dynamodb.json_response({"TableDescription": self._description(name)})

    def _error(self, refusal: Refusal) -> Any:
        return self._dynamodb.error_response_json(refusal.code, refusal.message, 400)

    def _is_locked(self, name: str) -> bool:
        return self._locked.get(name, 0) > self._scheduler.now()

    def _lock(self, name: str, wait: Wait) -> None:
        self._locked[name] = self._scheduler.now() + self._timing.seconds(wait)


def _global_members(global_table: GlobalTable, region: str) -> dict[str, Any]:
    return {
        "GlobalTableVersion": "2019.11.21",
        "GlobalTableSettingsReplicationMode": "ENABLED_WITH_OVERRIDES",
        "Replicas": global_table.view(region),
    }


def _check_stream(data: dict[str, Any], table: str) -> None:
    """With replicas the stream cannot be changed (docs/aws-behaviours.md, section 1.4)."""
    if "StreamSpecification" not in data:
        return
    if not data["StreamSpecification"].get("StreamEnabled"):
        raise Refusal("ValidationException", STREAM_OFF)
    raise Refusal("ValidationException", STREAM_ON.format(table=table))


def _tables_named(data: Any) -> set[str]:
    """Every table that an item or table operation names, by name or ARN."""
    if not isinstance(data, dict):
        return set()
    named = {data.get("TableName"), *_strings(data.get("RequestItems"))}
    for entry in data.get("TransactItems") or []:
        for operation in entry.values() if isinstance(entry, dict) else ():
            if isinstance(operation, dict):
                named.add(operation.get("TableName"))
    arn = data.get("ResourceArn")
    if isinstance(arn, str):
        named.add(arn.split("/index/")[0])
    return {name for name in named if isinstance(name, str)}


def _strings(value: Any) -> list[str]:
    return [key for key in value if isinstance(key, str)] if isinstance(value, dict) else []
