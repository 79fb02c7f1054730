"""What one `ReplicaUpdates` may contain, and the errors that AWS returns otherwise.

In: the request of an UpdateTable call. Out: the change begun, or a `Refusal` with the code and text of docs/aws-behaviours.md,
sections 1.4 to 1.7. AWS's texts carry typographic quotes and AWS's own grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workshop.cloud.global_tables import GlobalTable, GlobalTables
from workshop.cloud.lifecycle import Lifecycle
from workshop.cloud.regions import ENABLED, OPT_IN
from workshop.cloud.store import Store

__all__ = ["SOURCE_RULE", "Refusal", "ReplicaRules", "in_use"]

IN_USE = "The resource which you are attempting to change is in use."
SOURCE_RULE = (
    "Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the table in the last "
    "24 hours."
)
FOREIGN = (
    "Failed to create a the new replica of table with name: ‘{table}’ because one or more replicas already existed as tables."
)
NOT_A_MEMBER = (
    "Update global table operation failed because one or more replicas were not part of the global table. Please retry the "
    "request without these replicas: [{region}]."
)
LOCAL = "Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required."
UNKNOWN = (
    "Region {region} is not supported. The latest version of global tables are only supported in the following regions: "
    "[{regions}]"
)
DISABLED = "Failed to access the region: ‘{region}’. User is missing the permissions since the region is disabled."
ONLY = "One or more parameter values were invalid: Replica modification must be the only operation in the request"
ONE = "Update table operation with more than one create or delete replica actions not allowed"
PROVISIONED = "Table write capacity should either be Pay-Per-Request or AutoScaled."
PROTECTED = (
    "Cannot delete table {table} in region {region} because it has deletion protection enabled. Disable deletion protection "
    "first."
)
EXISTS = "Global table with name: {table} already exists with replicas in regions: {regions}"
NO_ACTION = "One or more parameter values were invalid: One of Create, Update, or Delete is required"
NO_UPDATES = (
    "1 validation error detected: Value at 'replicaUpdates' failed to satisfy constraint: "
    "Member must have length greater than or equal to 1"
)
AUTOSCALED = "_autoscaled"
"""The mark on a provisioned table's record that its write capacity scales by itself: such a table may have replicas."""
MEMBERS = {"TableName", "ReplicaUpdates"}
"""All that a request with replica updates may contain."""


class Refusal(Exception):
    """A call that AWS refuses: HTTP 400 with this code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


def _invalid(message: str, **values: str) -> Refusal:
    return Refusal("ValidationException", message.format(**values))


def in_use(message: str = IN_USE) -> Refusal:
    """The refusal of a table that is busy with another change."""
    return Refusal("ResourceInUseException", message)


class ReplicaRules:
    """`is_disabled(region)` and `aborts_replica(region, table)` come from the faults: a disabled region, a creation that will
    vanish."""

    def __init__(
        self,
        global_tables: GlobalTables,
        store: Store,
        lifecycle: Lifecycle,
        now: Callable[[], float],
        *,
        is_disabled: Callable[[str], bool],
        aborts_replica: Callable[[str, str], bool],
    ) -> None:
        self._global_tables, self._store, self._lifecycle, self._now = global_tables, store, lifecycle, now
        self._is_disabled, self._aborts_replica = is_disabled, aborts_replica

    def update(self, account: str, region: str, table: str, data: dict[str, Any]) -> None:
        """Begin the one change that `data` asks for. Raises `Refusal`."""
        action, target = _single_action(data)
        self._check_region(account, region, target)
        global_table = self._global_tables.of(account, table, region)
        record = self._store.get(account, region, table) or {}
        if action == "Create":
            self._check_add(account, table, target, global_table, record)
            aborts = self._aborts_replica(target, table)
            self._lifecycle.replica_added(account, region, target, table, aborts=aborts)
            return
        self._check_change(target, global_table, record)
        if action == "Delete":
            self._check_remove(account, table, target, global_table)
            self._lifecycle.replica_removed(account, region, target, table)

    def _check_region(self, account: str, region: str, target: str) -> None:
        if target == region:
            raise _invalid(LOCAL)
        if not target:
            arn = f"arn:aws:dynamodb::{account}:table/*"
            raise Refusal("AccessDeniedException", f"User is not authorized to perform: dynamodb:Scan on resource: {arn}")
        if target not in ENABLED | OPT_IN:
            raise _invalid(UNKNOWN, region=target, regions=", ".join(sorted(ENABLED | OPT_IN)))
        if target in OPT_IN or self._is_disabled(target):
            raise _invalid(DISABLED, region=target)

    def _check_add(self, account: str, table: str, target: str, global_table: GlobalTable | None, record: dict[str, Any]) -> None:
        if global_table is not None and global_table.changing:
            replica = global_table.replicas.get(target)
            if replica is not None and replica.status == "CREATING":
                raise in_use(EXISTS.format(table=table, regions=f"[{', '.join(global_table.replicas)}]"))
            raise in_use()
        if record.get("TableStatus") != "ACTIVE":
            raise in_use()
        if record.get("BillingModeSummary", {}).get("BillingMode") == "PROVISIONED" and not record.get(AUTOSCALED):
            raise _invalid(PROVISIONED)
        if self._store.get(account, target, table) is not None:
            raise _invalid(FOREIGN, table=table)

    def _check_change(self, target: str, global_table: GlobalTable | None, record: dict[str, Any]) -> None:
        replica = global_table.replicas.get(target) if global_table is not None else None
        if global_table is not None and (replica is None or replica.listed) and global_table.changing:
            raise in_use()
        if replica is None or not replica.listed:
            raise _invalid(NOT_A_MEMBER, region=target)
        if record.get("TableStatus") != "ACTIVE":
            raise in_use()

    def _check_remove(self, account: str, table: str, target: str, global_table: GlobalTable | None) -> None:
        if global_table is not None and global_table.is_source(target, self._now()):
            raise _invalid(SOURCE_RULE)
        remote = self._store.get(account, target, table)
        if remote is not None and remote.get("DeletionProtectionEnabled"):
            raise _invalid(PROTECTED, table=table, region=target)


def _single_action(data: dict[str, Any]) -> tuple[str, str]:
    """The one action and the region it names; identical actions count once (docs/aws-behaviours.md, section 1.4)."""
    if set(data) - MEMBERS:
        raise _invalid(ONLY)
    updates = data["ReplicaUpdates"]
    actions = {_action(update) for update in (updates if isinstance(updates, list) else [None])}
    if not actions:
        raise _invalid(NO_UPDATES)
    if len(actions) > 1:
        raise _invalid(ONE)
    return actions.pop()


def _action(update: Any) -> tuple[str, str]:
    """Action and region name of one entry, "" for a missing name."""
    action, values = next(iter(update.items())) if isinstance(update, dict) and len(update) == 1 else ("", None)
    if action not in ("Create", "Delete", "Update") or not isinstance(values, dict):
        raise _invalid(NO_ACTION)
    name = values.get("RegionName")
    return action, name if isinstance(name, str) else ""
