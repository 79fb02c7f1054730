"""DynamoDB as the steps call it: the product's own cloud over MiniStack, in the virtual time of the tests.

In: calls under their botocore names. Out: MiniStack's answers as botocore hands them on, or `AwsError`. Nothing of DynamoDB is
told again here; the knobs change one request or one answer, for what the cloud does not do by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.unit.fakes.virtual_time import START, VirtualClock
from tests.virtual_cloud import Refused, VirtualCloud
from workshop.aws.errors import AwsError
from workshop.cloud.faults import CloudFault
from workshop.cloud.timing import Wait

__all__ = ["CloudDynamoDB", "StandingTable", "close_cloud"]

_open: list[tuple[VirtualClock, VirtualCloud]] = []


def _cloud_of(clock: VirtualClock) -> VirtualCloud:
    """The cloud of this clock, for all of its accounts. MiniStack has one DynamoDB per process, so there is one at a time."""
    if not _open:
        _open.append((clock, VirtualCloud(profile="realistic", start=START.timestamp())))
    owner, cloud = _open[0]
    assert owner is clock, "another test's cloud is still open"
    return cloud


def close_cloud() -> None:
    """Restore MiniStack; every test ends with it."""
    while _open:
        _open.pop()[1].close()


class CloudDynamoDB:
    """The tables of one account in all regions."""

    def __init__(self, clock: VirtualClock, account: str) -> None:
        self._clock, self._account = clock, account
        self.replica_fails = ""
        """The status in which DescribeTable shows replicas that are created from now on, once they are ACTIVE."""
        self.behind: dict[str, float] = {}
        """The second until which a region describes its replica as CREATING although the entry is ACTIVE."""
        self.drops_tags = False
        """Whether CreateTable is called without the tags."""
        self.takes: Callable[[int], int] = lambda offered: offered
        """How many of the offered writes are handed on; the rest comes back unprocessed."""
        self.reads: Callable[[int], int] = lambda offered: offered
        """How many of the offered keys are handed on."""
        self._failed: dict[tuple[str, str], str] = {}

    @property
    def cloud(self) -> VirtualCloud:
        """The cloud, caught up with the clock."""
        cloud = _cloud_of(self._clock)
        try:
            seconds = asyncio.get_running_loop().time()
        except RuntimeError:  # a fixture, before the test's loop runs, or another thread: it starts at 0 and never goes back
            seconds = 0.0
        cloud.advance_to(START.timestamp() + seconds)
        return cloud

    def call(self, region: str, operation: str, **request: Any) -> dict[str, Any]:
        """One call of a step."""
        if operation == "create_table" and self.drops_tags:
            del request["Tags"]
        elif operation == "list_tables":
            request["Limit"] = 2
        elif operation == "batch_write_item":
            return self._write(region, **request)
        elif operation == "batch_get_item":
            return self._read(region, **request)
        response = self._ask(region, operation, **request)
        if operation == "describe_table":
            self._alter(region, response["Table"])
        if operation == "update_table":
            self._expect_failures(request["TableName"], request.get("ReplicaUpdates", []))
        return response

    # What stands before a test, and what somebody else does meanwhile.

    def arn(self, region: str, name: str) -> str:
        return f"arn:aws:dynamodb:{region}:{self._account}:table/{name}"

    def put(
        self, region: str, name: str, keys: dict[str, str] | None = None, *, tags: dict[str, str] | None = None,
        status: str = "ACTIVE", created: datetime | None = None, creating: float = 0.0,
    ) -> StandingTable:  # fmt: skip
        """A table that somebody made; for `creating` seconds from now on it is CREATING."""
        keys = keys or {"PK": "S", "SK": "S"}
        with self._taking(creating, "table.active"):
            self._ask(
                region, "create_table", TableName=name, BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
                KeySchema=[{"AttributeName": k, "KeyType": r} for k, r in zip(keys, ("HASH", "RANGE"), strict=False)],
                Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
            )  # fmt: skip
        table = StandingTable(self, region, name)
        if status != "ACTIVE":
            table.status = status
        if created is not None:
            table.record["CreationDateTime"] = int(created.timestamp())
        return table

    def link(self, home: str, region: str, name: str, tags: dict[str, str] | None = None) -> StandingTable:
        """A replica that somebody added to a standing table, ACTIVE in both regions."""
        with self._taking():
            self._ask(home, "update_table", TableName=name, ReplicaUpdates=[{"Create": {"RegionName": region}}])
            if tags:
                marks = [{"Key": key, "Value": value} for key, value in tags.items()]
                self._ask(region, "tag_resource", ResourceArn=self.arn(region, name), Tags=marks)
        return StandingTable(self, region, name)

    def add_replica(self, home: str, region: str, name: str) -> None:
        """Somebody asks for a replica, which takes its time."""
        self._ask(home, "update_table", TableName=name, ReplicaUpdates=[{"Create": {"RegionName": region}}])

    def remove_replica(self, home: str, region: str, name: str) -> None:
        """Somebody asks for a replica's removal, which takes its time."""
        self._ask(home, "update_table", TableName=name, ReplicaUpdates=[{"Delete": {"RegionName": region}}])

    def remove(self, region: str, name: str) -> None:
        """Somebody deletes a table, and it is gone at once. A source of replicas goes a day later at the earliest."""
        with self._taking():
            self._ask(region, "delete_table", TableName=name)

    def find(self, region: str, name: str) -> StandingTable | None:
        """The table as it is now."""
        return None if self.cloud.record(region, name, self._account) is None else StandingTable(self, region, name)

    def tables(self) -> list[tuple[str, str]]:
        """The region and the name of each table of the account."""
        return self.cloud.tables(self._account)

    def items(self, region: str, name: str) -> list[dict[str, Any]]:
        """The items of a table, of none when there is no table."""
        record = self.cloud.record(region, name, self._account) or {"items": {}}
        return [item for part in record["items"].values() for item in part.values()]

    def fault(self, fault: CloudFault) -> None:
        """A fault of the cloud's own."""
        self.cloud.faults.add(fault)

    def heal(self) -> None:
        """End all faults; what was held back arrives."""
        self.cloud.heal()

    # How a call gets to the cloud.

    def _ask(self, region: str, operation: str, **request: Any) -> dict[str, Any]:
        name = "".join(part.capitalize() for part in operation.split("_"))
        try:
            response = self.cloud.call(region, name, self._account, **request)
        except Refused as refused:
            raise AwsError(
                refused.code, refused.message, service="dynamodb", operation=name, region=region, status=400
            ) from refused
        if created := response.get("Table", {}).get("CreationDateTime"):
            response["Table"]["CreationDateTime"] = datetime.fromtimestamp(created, UTC)
        return response

    def _write(self, region: str, RequestItems: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
        ((name, requests),) = RequestItems.items()
        taken = self.takes(len(requests))
        if taken:
            self._ask(region, "batch_write_item", RequestItems={name: requests[:taken]})
        return {"UnprocessedItems": {name: requests[taken:]} if requests[taken:] else {}}

    def _read(self, region: str, RequestItems: dict[str, dict[str, Any]]) -> dict[str, Any]:
        ((name, request),) = RequestItems.items()
        keys, read = request["Keys"], self.reads(len(request["Keys"]))
        unread = {name: {**request, "Keys": keys[read:]}} if keys[read:] else {}
        if not read:
            return {"Responses": {name: []}, "UnprocessedKeys": unread}
        found = self._ask(region, "batch_get_item", RequestItems={name: {**request, "Keys": keys[:read]}})
        return {"Responses": found["Responses"], "UnprocessedKeys": unread}

    def _expect_failures(self, table: str, updates: list[dict[str, Any]]) -> None:
        for update in updates:
            if "Create" in update:
                self._failed[table, update["Create"]["RegionName"]] = self.replica_fails

    def _alter(self, region: str, shown: dict[str, Any]) -> None:
        """Change what DescribeTable shows as `replica_fails` and `behind` say."""
        for entry in shown.get("Replicas", []):
            status = self._failed.get((shown["TableName"], entry["RegionName"]))
            if status and entry["ReplicaStatus"] == "ACTIVE":
                entry.update(ReplicaStatus=status, ReplicaStatusDescription="It could not be done.")
        if shown["TableStatus"] == "ACTIVE" and self._clock.monotonic() < self.behind.get(region, 0.0):
            shown["TableStatus"] = "CREATING"

    @contextmanager
    def _taking(self, seconds: float = 0.0, wait: Wait = "table.active") -> Iterator[None]:
        """What begins in the block happens at once, or `wait` takes so many seconds."""
        timing = self.cloud.timing
        before = timing.profile, timing.scale
        timing.change(timing.profile if seconds else "instant", seconds / timing.seconds(wait))
        try:
            yield
        finally:
            timing.change(*before)


class StandingTable:
    """A table in one region as the cloud shows it now. A status that is set is written over MiniStack's own."""

    def __init__(self, dynamodb: CloudDynamoDB, region: str, name: str) -> None:
        self._dynamodb, self.region, self.name = dynamodb, region, name
        self.id = self.record["TableId"]
        """Another table of the same name has another one."""

    @property
    def record(self) -> dict[str, Any]:
        """What MiniStack keeps of it."""
        found = self._dynamodb.cloud.record(self.region, self.name, self._dynamodb._account)
        assert found is not None, f"{self.name} is gone from {self.region}"
        return found

    @property
    def status(self) -> str:
        return str(self.record["TableStatus"])

    @status.setter
    def status(self, status: str) -> None:
        self.record["TableStatus"] = status

    @property
    def keys(self) -> list[tuple[str, str]]:
        types = {each["AttributeName"]: each["AttributeType"] for each in self.record["AttributeDefinitions"]}
        return [(key["AttributeName"], types[key["AttributeName"]]) for key in self.record["KeySchema"]]

    @property
    def replicas(self) -> dict[str, str]:
        """The status of each entry of its replica list."""
        shown = self._dynamodb._ask(self.region, "describe_table", TableName=self.name)["Table"]
        return {entry["RegionName"]: entry["ReplicaStatus"] for entry in shown.get("Replicas", [])}

    @property
    def items(self) -> list[dict[str, Any]]:
        return self._dynamodb.items(self.region, self.name)

    @property
    def tags(self) -> dict[str, str]:
        found = self._dynamodb._ask(self.region, "list_tags_of_resource", ResourceArn=self._arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    @property
    def protected(self) -> bool:
        return bool(self.record["DeletionProtectionEnabled"])

    def protect(self) -> None:
        """Somebody switches deletion protection on."""
        with self._dynamodb._taking():
            self._dynamodb._ask(self.region, "update_table", TableName=self.name, DeletionProtectionEnabled=True)

    def untag(self, locked: float = 0.0) -> None:
        """Somebody removes all tags; for `locked` seconds from now on they cannot be changed again."""
        with self._dynamodb._taking(locked, "tags"):
            self._dynamodb._ask(self.region, "untag_resource", ResourceArn=self._arn, TagKeys=list(self.tags))

    def write(self, item: dict[str, Any]) -> None:
        """Somebody puts an item."""
        self._dynamodb._ask(self.region, "put_item", TableName=self.name, Item=item)

    def lose(self, part: str, sort: str) -> None:
        """An item is gone from this region and from no other."""
        del self.record["items"][part][sort]

    @property
    def _arn(self) -> str:
        return self._dynamodb.arn(self.region, self.name)
