"""DynamoDB's tables as the steps need them: described, tagged, with the texts of its refusals distinguished.

In: an `AwsClient`, a region, a name. Out: frozen descriptions. It decides nothing and waits for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError

__all__ = [
    "Index",
    "Replica",
    "Table",
    "as_table",
    "count_items",
    "describe_table",
    "is_busy",
    "is_protected",
    "is_source_region_rule",
    "list_tables",
    "table_tags",
    "tag_table",
]


@dataclass(frozen=True, slots=True)
class Replica:
    """One entry of a table's replica list. Only the region and the status are ever certain (section 1.1)."""

    region: str
    status: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index in one region. `keys` as those of a table; `projection` is ALL, KEYS_ONLY or INCLUDE."""

    name: str
    keys: tuple[tuple[str, str], ...]
    projection: str
    status: str

    @property
    def readable(self) -> bool:
        """Whether queries may be sent to it: an index that is being filled refuses them (section 1.13)."""
        return self.status in ("ACTIVE", "UPDATING", "")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as DescribeTable describes it in one region. `keys` is `((name, type), ...)`, HASH before RANGE."""

    name: str
    region: str
    arn: str
    status: str
    keys: tuple[tuple[str, str], ...]
    replicas: tuple[Replica, ...]
    protected: bool
    created: datetime | None
    id: str = ""
    """Another table of the same name, later or in another region, has another one; an emulator may give none."""
    counted: int = 0
    """Its items as DynamoDB counted them some hours ago (section 2)."""
    indexes: tuple[Index, ...] = ()
    """Its global secondary indexes in this region."""

    @property
    def identity(self) -> str:
        """What no other table has: the id, or else when it was created."""
        return self.id or (f"{self.arn} {self.created_at}" if self.created else "")

    @property
    def created_at(self) -> str:
        """When it was created, ISO 8601 in UTC; empty when that is not known."""
        return self.created.astimezone(UTC).isoformat(timespec="seconds") if self.created else ""

    @property
    def members(self) -> tuple[str, ...]:
        """The other regions that the table is replicated into and that are not leaving."""
        return tuple(replica.region for replica in self.replicas if replica.status != "DELETING")

    def replica(self, region: str) -> Replica | None:
        """The entry of one region; a table never lists itself."""
        return next((r for r in self.replicas if r.region == region), None)


async def describe_table(aws: AwsClient, region: str, name: str) -> Table | None:
    """The table, or None when the region does not have it (yet)."""
    try:
        response = await aws.call("dynamodb", region, "describe_table", TableName=name)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    return as_table(response["Table"], region)


async def list_tables(aws: AwsClient, region: str) -> list[str]:
    """The names of all tables of a region."""
    names: list[str] = []
    start: dict[str, str] = {}
    while True:
        response = await aws.call("dynamodb", region, "list_tables", **start)
        names += response.get("TableNames", [])
        if not response.get("LastEvaluatedTableName"):
            return names
        start = {"ExclusiveStartTableName": response["LastEvaluatedTableName"]}


async def table_tags(aws: AwsClient, region: str, arn: str) -> dict[str, str]:
    """The tags of a table; none while DynamoDB does not know the table yet (section 1.3)."""
    try:
        response = await aws.call("dynamodb", region, "list_tags_of_resource", ResourceArn=arn)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return {}
        raise
    return {tag["Key"]: tag["Value"] for tag in response.get("Tags", [])}


async def tag_table(aws: AwsClient, region: str, arn: str, tags: Mapping[str, str]) -> None:
    """Tag a table in its own region: tags do not propagate to replicas (section 1.9)."""
    await aws.call("dynamodb", region, "tag_resource", ResourceArn=arn, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])


def is_busy(error: AwsError) -> bool:
    """Whether the refusal passes by itself: another change of the table, or of its tags, is in flight (sections 1.4, 1.7)."""
    if error.code == "ResourceInUseException":
        return not error.mentions("already exists")
    if error.code == "LimitExceededException":
        return True
    return error.code == "ValidationException" and error.mentions("while the replica is being added")


def is_source_region_rule(error: AwsError) -> bool:
    """Whether a delete is refused because the table was the source of a replica in the last 24 hours (section 1.6)."""
    return error.mentions("acted as a source region")


def is_protected(error: AwsError) -> bool:
    """Whether a delete is refused because deletion protection is on (section 1.5)."""
    return any(
        error.mentions(text) for text in ("deletion protection", "protected against deletion", "DeletionProtectionEnabled")
    )


async def count_items(aws: AwsClient, region: str, name: str, most_pages: int, **limit: int) -> str:
    """The items of a table, counted in itself (ItemCount is hours old, section 2): `13 items`, or `more than 900 items` when they
    are on more pages than those.
    """
    count = 0
    start: dict[str, Any] = {}
    for _ in range(most_pages):
        page = await aws.call("dynamodb", region, "scan", TableName=name, Select="COUNT", **limit, **start)
        count += page["Count"]
        if not page.get("LastEvaluatedKey"):
            return f"{count:,} {'item' if count == 1 else 'items'}"
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return f"more than {count:,} items"


def as_table(found: Mapping[str, Any], region: str) -> Table:
    """A table as a response of DynamoDB in `region` describes it."""
    types = {a["AttributeName"]: a["AttributeType"] for a in found.get("AttributeDefinitions", [])}
    created = found.get("CreationDateTime")
    return Table(
        name=found["TableName"],
        region=region,
        arn=found.get("TableArn", ""),
        status=found["TableStatus"],
        keys=_keys(found, types),
        replicas=tuple(
            Replica(r["RegionName"], r.get("ReplicaStatus", ""), r.get("ReplicaStatusDescription", ""))
            for r in found.get("Replicas", [])
        ),
        protected=bool(found.get("DeletionProtectionEnabled")),
        created=created if isinstance(created, datetime) else None,
        id=str(found.get("TableId", "")),
        counted=int(found.get("ItemCount", 0)),
        indexes=tuple(
            Index(
                index["IndexName"],
                _keys(index, types),
                index.get("Projection", {}).get("ProjectionType", ""),
                index.get("IndexStatus", ""),
            )
            for index in found.get("GlobalSecondaryIndexes", [])
        ),
    )


def _keys(found: Mapping[str, Any], types: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    schema = sorted(found.get("KeySchema", []), key=lambda key: key["KeyType"] != "HASH")
    return tuple((key["AttributeName"], types.get(key["AttributeName"], "")) for key in schema)
