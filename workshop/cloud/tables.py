"""DynamoDB's table operations with AWS's rules: what may be called when, and what a table shows of itself.

What comes in: MiniStack's operations by name. What goes out: the same operations that refuse what AWS refuses and hand the rest
to `lifecycle`. Items are none of its business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from workshop.cloud.agenda import Agenda
from workshop.cloud.groups import Group, Groups
from workshop.cloud.lifecycle import Lifecycle
from workshop.cloud.pacing import Pacing
from workshop.cloud.patches import point, replace_point
from workshop.cloud.replicas import IN_USE, SOURCE_RULE, Refusal, ReplicaRules
from workshop.cloud.store import Store

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
# Answered while a table is CREATING; everything else finds no table (docs/aws-behaviours.md, section 1.3).
EARLY = ("CreateTable", "DescribeTable", "DeleteTable", "UpdateTable", "ListTables", "DescribeLimits", "DescribeEndpoints")
# Settings that all regions of a global table share (docs/aws-behaviours.md, section 1.9).
SHARED = ("BillingMode", "ProvisionedThroughput", "GlobalSecondaryIndexUpdates", "AttributeDefinitions", "SSESpecification")


class TableRules:
    """Replaces MiniStack's table operations by ones that follow the rules."""

    def __init__(
        self,
        dynamodb: Any,
        groups: Groups,
        store: Store,
        lifecycle: Lifecycle,
        replicas: ReplicaRules,
        agenda: Agenda,
        pacing: Pacing,
    ) -> None:
        self._dynamodb, self._groups, self._store = dynamodb, groups, store
        self._lifecycle, self._replicas, self._agenda, self._pacing = lifecycle, replicas, agenda, pacing
        self._locked: dict[str, float] = {}
        self._describe = point(dynamodb, "_table_description")
        replace_point(dynamodb, "_table_description", lambda _: self._description)
        for name, wrap in {
            "_create_table": self._create,
            "_describe_table": self._describe_hidden,
            "_update_table": self._update,
            "_delete_table": self._delete,
            "_tag_resource": self._tag,
            "_untag_resource": self._tag,
            "_update_ttl": self._ttl,
        }.items():
            replace_point(dynamodb, name, wrap)
        replace_point(dynamodb, "handle_request", self._guard)
        replace_point(dynamodb, "_replica_group", lambda _: self._regions_of)
        replace_point(dynamodb, "_set_replica_group", lambda _: lambda *_: None)
        replace_point(dynamodb, "_apply_replica_updates", lambda _: self._from_elsewhere)

    def removal_refused(self, account: str, region: str, table: str) -> str:
        """The source-region rule's text when it holds for this table, else ""."""
        group = self._groups.of(account, table, region)
        return SOURCE_RULE if group is not None and group.sourced(region, self._agenda.now()) else ""

    def clear(self) -> None:
        """Forget the locks of tables that are gone."""
        self._locked.clear()

    def _guard(self, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Around every request: a table that is CREATING is not there yet; afterwards, whatever is due at once happens."""
        loads = self._dynamodb.json.loads

        async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            if action not in EARLY and self._lifecycle.anything_creating():
                try:
                    named = _tables_named(loads(body)) if body else set()
                except ValueError:
                    named = set()
                account, region = self._here()
                for name in named:
                    record = self._store.get(account, region, self._name(name))
                    if record is not None and record["TableStatus"] == "CREATING":
                        return self._error("ResourceNotFoundException", MISSING)
            answer = await original(method, path, headers, body, query)
            self._agenda.run_due()
            return answer

        return handle

    def _create(self, original: Operation) -> Operation:
        def create(data: dict[str, Any]) -> Any:
            account, region = self._here()
            name = self._name(data.get("TableName"))
            if self._groups.of(account, name, region) is not None:
                return self._error("ResourceInUseException", f"Table already exists: {name}")
            answer = original(data)
            if answer[0] != 200:
                return answer
            self._lifecycle.table_created(account, region, name)
            return self._dynamodb.json_response({"TableDescription": self._description(name)})

        return create

    def _describe_hidden(self, original: Operation) -> Operation:
        """A replica that is CREATING can be described before it exists for anything else."""

        def describe(data: dict[str, Any]) -> Any:
            account, region = self._here()
            name = self._name(data.get("TableName"))
            group = self._groups.of(account, name, region)
            member = group.members[region] if group is not None else None
            origin = self._store.get(account, member.source, name) if member is not None else None
            if group is None or member is None or origin is None or member.status != "CREATING" or not member.visible:
                return original(data)
            with self._dynamodb.request_scope(account, member.source):
                shown = self._describe(name)
            outline = self._store.outline(account, region, origin, member.added)
            shown.update({key: outline[key] for key in shown if key in outline and key not in ("items", "Replicas")})
            shown.update(TableStatus="CREATING", **_global(group, region))
            return self._dynamodb.json_response({"Table": shown})

        return describe

    def _description(self, name: str) -> dict[str, Any]:
        shown: dict[str, Any] = self._describe(name)
        account, region = self._here()
        group = self._groups.of(account, name, region)
        for key in ("GlobalTableVersion", "Replicas"):
            shown.pop(key, None)
        if group is not None:
            shown.update(_global(group, region))
        return shown

    def _update(self, original: Operation) -> Operation:
        def update(data: dict[str, Any]) -> Any:
            account, region = self._here()
            name = self._name(data.get("TableName"))
            record = self._store.get(account, region, name)
            group = self._groups.of(account, name, region)
            if record is None:
                return original(data)
            if "ReplicaUpdates" in data:
                refusal = self._replicas.update(account, region, name, data)
                return self._answer(refusal) or self._dynamodb.json_response({"TableDescription": self._description(name)})
            before = record["DeletionProtectionEnabled"]
            toggled = group is not None and data.get("DeletionProtectionEnabled", before) != before
            lock = f"protection:{record['TableArn']}"
            refused = None
            if toggled and self._locked.get(lock, 0) > self._agenda.now():
                refused = self._error("ThrottlingException", "Rate exceeded")
            if refused is None and (record["TableStatus"] != "ACTIVE" or (group is not None and group.changing)):
                refused = self._error("ResourceInUseException", IN_USE)
            if refused is None and group is not None:
                refused = self._answer(_stream_refusal(data, name))
            if refused is not None:
                return refused
            answer = original(data)
            if answer[0] == 200 and group is not None:
                if toggled:
                    self._locked[lock] = self._agenda.now() + self._pacing.seconds("protection.again")
                    self._lifecycle.protection_changed(account, region, name)
                self._share(original, account, region, group, data)
                answer = self._dynamodb.json_response({"TableDescription": self._description(name)})
            return answer

        return update

    def _share(self, original: Operation, account: str, region: str, group: Group, data: dict[str, Any]) -> None:
        shared = {key: data[key] for key in SHARED if key in data}
        if set(shared) - {"AttributeDefinitions"}:
            for other in group.writable():
                if other != region:
                    with self._dynamodb.request_scope(account, other):
                        original({"TableName": group.table, **shared})

    def _delete(self, original: Operation) -> Operation:
        def delete(data: dict[str, Any]) -> Any:
            account, region = self._here()
            name = self._name(data.get("TableName"))
            record = self._store.get(account, region, name)
            group = self._groups.of(account, name, region)
            if record is None:
                if group is not None and group.members[region].visible:
                    return self._error("ResourceInUseException", IN_USE)
                return original(data)
            if record["TableStatus"] == "DELETING":
                return self._dynamodb.json_response({"TableDescription": self._description(name)})
            if record["TableStatus"] != "ACTIVE":
                return self._error("ResourceInUseException", IN_USE)
            if record.get("DeletionProtectionEnabled"):
                return self._error("ValidationException", PROTECTED)
            refused = self.removal_refused(account, region, name)
            if refused:
                return self._error("ValidationException", refused)
            if (group is not None and group.changing) or self._locked.get(record["TableArn"], 0) > self._agenda.now():
                return self._error("ResourceInUseException", IN_USE)
            self._lifecycle.table_deleted(account, region, name)
            return self._dynamodb.json_response({"TableDescription": self._description(name)})

        return delete

    def _tag(self, original: Operation) -> Operation:
        """A tag write locks the table for a moment (docs/aws-behaviours.md, section 1.7)."""

        def tag(data: dict[str, Any]) -> Any:
            arn = str(data.get("ResourceArn"))
            held = self._locked.get(arn, 0) > self._agenda.now()
            if held:
                return self._error("LimitExceededException", "Table tags are being updated")
            answer = original(data)
            if answer[0] == 200:
                self._locked[arn] = self._agenda.now() + self._pacing.seconds("tags")
            return answer

        return tag

    def _ttl(self, original: Operation) -> Operation:
        def update(data: dict[str, Any]) -> Any:
            account, region = self._here()
            name = self._name(data.get("TableName"))
            group = self._groups.of(account, name, region)
            here = self._store.get(account, region, name)
            for member in group.members.values() if group is not None and here is not None else ():
                if member.status == "CREATING" and (member.listed or member.filled):
                    return self._error("ValidationException", TTL.format(table=name, region=member.region))
            return original(data)

        return update

    def _from_elsewhere(self, name: str, _: dict[str, Any], updates: list[Any]) -> Any:
        """ReplicaUpdates from inside MiniStack follow the same rules."""
        account, region = self._here()
        return self._answer(self._replicas.update(account, region, name, {"TableName": name, "ReplicaUpdates": updates}))

    def _regions_of(self, record: dict[str, Any]) -> list[str]:
        _, _, _, region, account, _ = record["TableArn"].split(":", 5)
        group = self._groups.of(account, record["TableName"], region)
        return group.writable() if group is not None else []

    def _here(self) -> tuple[str, str]:
        return self._dynamodb.get_account_id(), self._dynamodb.get_region()

    def _name(self, value: Any) -> str:
        return str(self._dynamodb._normalize_table_name(value))

    def _answer(self, refusal: Refusal | None) -> Any:
        return None if refusal is None else self._error(refusal.code, refusal.message)

    def _error(self, code: str, message: str) -> Any:
        return self._dynamodb.error_response_json(code, message, 400)


def _global(group: Group, region: str) -> dict[str, Any]:
    return {
        "GlobalTableVersion": "2019.11.21",
        "GlobalTableSettingsReplicationMode": "ENABLED_WITH_OVERRIDES",
        "Replicas": group.view(region),
    }


def _stream_refusal(data: dict[str, Any], table: str) -> Refusal | None:
    """With replicas the stream cannot be changed (docs/aws-behaviours.md, section 1.4)."""
    if "StreamSpecification" not in data:
        return None
    if not data["StreamSpecification"].get("StreamEnabled"):
        return Refusal("ValidationException", STREAM_OFF)
    return Refusal("ValidationException", STREAM_ON.format(table=table))


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
