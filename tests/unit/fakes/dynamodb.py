"""DynamoDB in virtual time: tables, global tables and items, as `docs/aws-behaviours.md`, sections 1.3 to 1.7 and 2, tell it.

Knobs are plain attributes; each says what goes wrong next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from tests.unit.fakes.agenda import Agenda
from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.errors import AwsError

__all__ = ["FakeDynamoDB", "FakeTable"]

IN_USE = "The resource which you are attempting to change is in use."
SOURCE_RULE = (
    "Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the table in the"
    " last 24 hours."
)


@dataclass
class FakeTable:
    """One table in one region."""

    name: str
    region: str
    keys: list[tuple[str, str]]
    status: str = "ACTIVE"
    replicas: dict[str, str] = field(default_factory=dict)
    is_global: bool = False
    protected: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    locked_until: float = 0.0
    detail: str = ""
    created: datetime | None = None
    """When it was made in this region; left out of the answer when None."""

    def key(self, attributes: dict[str, Any]) -> str:
        return repr([attributes[name] for name, _ in self.keys])


class FakeDynamoDB:
    """The tables of one account in all regions."""

    def __init__(self, clock: VirtualClock, account: str) -> None:
        self._clock, self._account, self._agenda = clock, account, Agenda(clock)
        self.tables: dict[tuple[str, str], FakeTable] = {}
        self.vanishing = 0
        """How many accepted replica creations are dropped without a word."""
        self.replica_fails = ""
        """The status in which the next replica ends instead of ACTIVE."""
        self.region_lags = 0.0
        """Seconds for which the replica's own region is behind its entry."""
        self.source_rule = 0.0
        """Second until which the home table counts as a source although it has no replica any more."""
        self.disabled_regions: set[str] = set()
        self.drops_tags = False
        self.replication_lag = 1.0
        self.takes: Callable[[int], int] = lambda offered: offered
        """How many of the offered writes one BatchWriteItem takes."""
        self.reads: Callable[[int], int] = lambda offered: offered
        """How many of the offered keys one BatchGetItem reads."""

    def arn(self, region: str, name: str) -> str:
        return f"arn:aws:dynamodb:{region}:{self._account}:table/{name}"

    def put(self, region: str, name: str, keys: dict[str, str] | None = None, **more: Any) -> FakeTable:
        """A table that stands already, made by somebody else."""
        table = FakeTable(name, region, list((keys or {"PK": "S", "SK": "S"}).items()), **more)
        self.tables[region, name] = table
        return table

    def link(self, home: str, region: str, name: str, status: str = "ACTIVE") -> FakeTable:
        """A replica of a standing table that stands already."""
        source = self.tables[home, name]
        source.replicas[region], source.is_global = status, True
        return self.put(region, name, dict(source.keys), replicas={home: "ACTIVE"}, is_global=True)

    def find(self, region: str, name: str) -> FakeTable | None:
        """The table as it is now."""
        self._agenda.catch_up()
        return self.tables.get((region, name))

    # The operations, under their botocore names.

    def describe_table(self, region: str, TableName: str) -> dict[str, Any]:
        table = self._table(region, TableName, "DescribeTable")
        roles = ("HASH", "RANGE")
        found: dict[str, Any] = {
            "TableName": table.name,
            "TableArn": self.arn(region, table.name),
            "TableStatus": table.status,
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in sorted(table.keys, reverse=True)],
            "KeySchema": [{"AttributeName": n, "KeyType": r} for (n, _), r in zip(table.keys, roles, strict=False)],
            "DeletionProtectionEnabled": table.protected,
        }
        if table.created is not None:
            found["CreationDateTime"] = table.created
        if table.is_global:
            found["GlobalTableVersion"] = "2019.11.21"
            found["Replicas"] = [{"RegionName": r, "ReplicaStatus": s} for r, s in table.replicas.items()]
            for entry in found["Replicas"]:
                if table.detail:
                    entry["ReplicaStatusDescription"] = table.detail
        return {"Table": found}

    def list_tables(self, region: str, ExclusiveStartTableName: str = "") -> dict[str, Any]:
        self._agenda.catch_up()
        names = sorted(name for where, name in self.tables if where == region and name > ExclusiveStartTableName)
        return {"TableNames": names[:2], **({"LastEvaluatedTableName": names[1]} if len(names) > 2 else {})}

    def create_table(
        self, region: str, TableName: str, AttributeDefinitions: list[dict[str, str]], KeySchema: list[dict[str, str]],
        BillingMode: str, Tags: list[dict[str, str]], StreamSpecification: dict[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        self._agenda.catch_up()
        if (region, TableName) in self.tables:
            _refuse("ResourceInUseException", f"Table already exists: {TableName}", "CreateTable", region)
        types = {a["AttributeName"]: a["AttributeType"] for a in AttributeDefinitions}
        keys = {k["AttributeName"]: types[k["AttributeName"]] for k in KeySchema}
        table = self.put(region, TableName, keys, status="CREATING", created=self._clock.now())
        if not self.drops_tags:
            table.tags = {tag["Key"]: tag["Value"] for tag in Tags}
        self._agenda.after(4, lambda: _become(table, "ACTIVE"))
        return {"TableDescription": {"TableStatus": "CREATING"}}

    def update_table(self, region: str, TableName: str, ReplicaUpdates: list[dict[str, Any]]) -> dict[str, Any]:
        table = self._table(region, TableName, "UpdateTable")
        if len(ReplicaUpdates) != 1:
            message = "Update table operation with more than one create or delete replica actions not allowed"
            _refuse("ValidationException", message, "UpdateTable", region)
        ((action, wanted),) = ReplicaUpdates[0].items()
        target = wanted["RegionName"]
        if table.status != "ACTIVE":
            _refuse("ResourceInUseException", IN_USE, "UpdateTable", region)
        if action == "Create":
            self._add(table, target)
        else:
            self._remove(table, target)
        return {"TableDescription": {"TableStatus": "UPDATING"}}

    def delete_table(self, region: str, TableName: str) -> dict[str, Any]:
        table = self._table(region, TableName, "DeleteTable")
        if table.protected:
            message = (
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
            )
            _refuse("ValidationException", message, "DeleteTable", region)
        if table.status in ("CREATING", "UPDATING") or self._clock.monotonic() < table.locked_until:
            _refuse("ResourceInUseException", IN_USE, "DeleteTable", region)
        if table.replicas or self._clock.monotonic() < self.source_rule:
            _refuse("ValidationException", SOURCE_RULE, "DeleteTable", region)
        table.status = "DELETING"
        self._agenda.after(5, lambda: self._forget(region, TableName))
        return {}

    def list_tags_of_resource(self, region: str, ResourceArn: str) -> dict[str, Any]:
        table = self._by_arn(region, ResourceArn, "ListTagsOfResource")
        return {"Tags": [{"Key": k, "Value": v} for k, v in table.tags.items()]}

    def tag_resource(self, region: str, ResourceArn: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
        table = self._by_arn(region, ResourceArn, "TagResource")
        if self._clock.monotonic() < table.locked_until:
            _refuse("LimitExceededException", "Table tags are being updated", "TagResource", region)
        table.locked_until = self._clock.monotonic() + 1.8
        fresh = {tag["Key"]: tag["Value"] for tag in Tags}
        self._agenda.after(1.0, lambda: table.tags.update(fresh))
        return {}

    def batch_write_item(self, region: str, RequestItems: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
        ((name, requests),) = RequestItems.items()
        table = self._table(region, name, "BatchWriteItem")
        puts = [request["PutRequest"]["Item"] for request in requests]
        if not 1 <= len(puts) <= 25:
            _refuse("ValidationException", "Member must have length less than or equal to 25", "BatchWriteItem", region)
        if len({table.key(put) for put in puts}) != len(puts):
            _refuse("ValidationException", "Provided list of item keys contains duplicates", "BatchWriteItem", region)
        taken = self.takes(len(puts))
        for put in puts[:taken]:
            table.items[table.key(put)] = put
            for other in table.replicas:
                self._agenda.after(self.replication_lag, self._copy(other, name, put))
        rest = requests[taken:]
        return {"UnprocessedItems": {name: rest} if rest else {}}

    def batch_get_item(self, region: str, RequestItems: dict[str, dict[str, Any]]) -> dict[str, Any]:
        ((name, request),) = RequestItems.items()
        table = self._table(region, name, "BatchGetItem")
        keys = request["Keys"]
        if not 1 <= len(keys) <= 100 or len({repr(key) for key in keys}) != len(keys):
            _refuse("ValidationException", "Provided list of item keys contains duplicates", "BatchGetItem", region)
        read = self.reads(len(keys))
        found = [table.items[key] for each in keys[:read] if (key := table.key(each)) in table.items]
        names = [key for key, _ in table.keys]
        shown = [{name: item[name] for name in names} for item in found]
        unread = {name: {**request, "Keys": keys[read:]}} if keys[read:] else {}
        return {"Responses": {name: shown}, "UnprocessedKeys": unread}

    # What goes on behind them.

    def _add(self, source: FakeTable, target: str) -> None:
        if target in self.disabled_regions:
            message = f"Failed to access the region: ‘{target}’. User is missing the permissions since the region is disabled."
            _refuse("ValidationException", message, "UpdateTable", source.region)
        if target in source.replicas or (target, source.name) in self.tables:
            message = (
                f"Failed to create a the new replica of table with name: ‘{source.name}’ because one or more replicas already"
                " existed as tables."
            )
            _refuse("ValidationException", message, "UpdateTable", source.region)
        source.status, source.is_global = "UPDATING", True
        if self.vanishing:
            self.vanishing -= 1
            self._agenda.after(15, lambda: _become(source, "ACTIVE"))
            return
        slow = bool(source.items)
        entry, region, done = (27.0, 65.0, 640.0) if slow else (6.0, 10.0, 22.0)
        self._agenda.after(entry, lambda: self._list(source, target, listed_as="ACTIVE" if slow else "UPDATING"))
        self._agenda.after(region, lambda: self._appear(source, target))
        self._agenda.after(done, lambda: self._complete(source, target))
        self._agenda.after(done + self.region_lags, lambda: _become(self.tables[target, source.name], "ACTIVE"))

    def _list(self, source: FakeTable, target: str, listed_as: str) -> None:
        source.replicas[target], source.status = "CREATING", listed_as

    def _appear(self, source: FakeTable, target: str) -> None:
        self.put(
            target, source.name, dict(source.keys), status="CREATING", is_global=True, replicas={source.region: "ACTIVE"},
            created=self._clock.now(),
        )  # fmt: skip

    def _complete(self, source: FakeTable, target: str) -> None:
        source.replicas[target], source.status = self.replica_fails or "ACTIVE", "ACTIVE"
        if self.replica_fails:
            source.detail = "It could not be done."
        self.tables[target, source.name].items.update(source.items)

    def _remove(self, source: FakeTable, target: str) -> None:
        if target not in source.replicas:
            message = (
                "Update global table operation failed because one or more replicas were not part of the global table."
                f" Please retry the request without these replicas: [{target}]."
            )
            _refuse("ValidationException", message, "UpdateTable", source.region)
        local = self.tables.get((target, source.name))
        if local is not None and local.protected:
            message = (
                f"Cannot delete table {source.name} in region {target} because it has deletion protection enabled."
                " Disable deletion protection first."
            )
            _refuse("ValidationException", message, "UpdateTable", source.region)
        source.status = "UPDATING"
        self._agenda.after(36, lambda: self._going(source, target))
        self._agenda.after(125, lambda: self._unlist(source, target))
        self._agenda.after(145, lambda: self._forget(target, source.name))

    def _going(self, source: FakeTable, target: str) -> None:
        source.replicas[target], source.status = "DELETING", "ACTIVE"
        if (target, source.name) in self.tables:
            self.tables[target, source.name].status = "DELETING"

    def _unlist(self, source: FakeTable, target: str) -> None:
        source.replicas.pop(target, None)
        source.is_global = bool(source.replicas)

    def _forget(self, region: str, name: str) -> None:
        self.tables.pop((region, name), None)
        for (_, other), table in self.tables.items():
            if other == name:
                self._unlist(table, region)

    def _copy(self, region: str, name: str, item: dict[str, Any]) -> Callable[[], None]:
        def arrive() -> None:
            table = self.tables.get((region, name))
            if table is not None:
                table.items[table.key(item)] = item

        return arrive

    def _table(self, region: str, name: str, operation: str) -> FakeTable:
        self._agenda.catch_up()
        table = self.tables.get((region, name))
        if table is None:
            _refuse("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found", operation, region)
        if table.status == "CREATING" and operation not in ("DescribeTable", "DeleteTable", "UpdateTable"):
            _refuse("ResourceNotFoundException", "Requested resource not found", operation, region)
        return table

    def _by_arn(self, region: str, arn: str, operation: str) -> FakeTable:
        assert arn.split(":")[3] == region, "a table's tags live in its own region"
        return self._table(region, arn.rpartition("/")[2], operation)


def _become(table: FakeTable, status: str) -> None:
    table.status = status


def _refuse(code: str, message: str, operation: str, region: str) -> NoReturn:
    raise AwsError(code, message, service="dynamodb", operation=operation, region=region, status=400)
