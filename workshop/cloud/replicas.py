"""What one `ReplicaUpdates` may contain, and what AWS answers when it may not be.

What comes in: the request of an UpdateTable call. What goes out: None after the change has begun, or the refusal with the code
and text of docs/aws-behaviours.md, sections 1.4 to 1.7. AWS's texts carry typographic quotes and AWS's own grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workshop.cloud.groups import Group, Groups
from workshop.cloud.lifecycle import Lifecycle
from workshop.cloud.regions import ENABLED, OPT_IN
from workshop.cloud.store import Store

__all__ = ["IN_USE", "SOURCE_RULE", "Refusal", "ReplicaRules"]

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
BESIDE = {"TableName", "ReplicaUpdates"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as AWS answers it: HTTP 400 with this code and text."""

    code: str
    message: str


def _invalid(message: str, **values: str) -> Refusal:
    return Refusal("ValidationException", message.format(**values))


class ReplicaRules:
    """`is_disabled` and `is_doomed` ask the faults that were ordered: a disabled region, a creation that will vanish."""

    def __init__(
        self,
        groups: Groups,
        store: Store,
        lifecycle: Lifecycle,
        now: Callable[[], float],
        *,
        is_disabled: Callable[[str], bool],
        is_doomed: Callable[[str, str], bool],
    ) -> None:
        self._groups, self._store, self._lifecycle, self._now = groups, store, lifecycle, now
        self._is_disabled, self._is_doomed = is_disabled, is_doomed

    def update(self, account: str, region: str, table: str, data: dict[str, Any]) -> Refusal | None:
        """Begin the one change that `data` asks for, or say why not."""
        wanted = _single_action(data)
        if isinstance(wanted, Refusal):
            return wanted
        action, target = wanted
        refusal = self._place(account, region, target)
        if refusal is not None:
            return refusal
        group = self._groups.of(account, table, region)
        record = self._store.get(account, region, table) or {}
        if action == "Create":
            refusal = self._may_add(account, table, target, group, record)
        else:
            refusal = self._may_change(target, group, record)
        if refusal is not None:
            return refusal
        if action == "Create":
            self._lifecycle.replica_added(account, region, target, table, doomed=self._is_doomed(target, table))
        elif action == "Delete":
            refusal = self._may_remove(account, table, target, group)
            if refusal is None:
                self._lifecycle.replica_removed(account, region, target, table)
        return refusal

    def _place(self, account: str, region: str, target: str) -> Refusal | None:
        if target == region:
            return _invalid(LOCAL)
        if not target:
            arn = f"arn:aws:dynamodb::{account}:table/*"
            return Refusal("AccessDeniedException", f"User is not authorized to perform: dynamodb:Scan on resource: {arn}")
        if target not in ENABLED | OPT_IN:
            return _invalid(UNKNOWN, region=target, regions=", ".join(sorted(ENABLED | OPT_IN)))
        if target in OPT_IN or self._is_disabled(target):
            return _invalid(DISABLED, region=target)
        return None

    def _may_add(self, account: str, table: str, target: str, group: Group | None, record: dict[str, Any]) -> Refusal | None:
        if group is not None and group.changing:
            member = group.members.get(target)
            if member is not None and member.status == "CREATING":
                regions = ", ".join(name for name in group.members)
                return Refusal("ResourceInUseException", EXISTS.format(table=table, regions=f"[{regions}]"))
            return Refusal("ResourceInUseException", IN_USE)
        if record.get("TableStatus") != "ACTIVE":
            return Refusal("ResourceInUseException", IN_USE)
        if record.get("BillingModeSummary", {}).get("BillingMode") == "PROVISIONED":
            return _invalid(PROVISIONED)
        if self._store.get(account, target, table) is not None:
            return _invalid(FOREIGN, table=table)
        return None

    def _may_change(self, target: str, group: Group | None, record: dict[str, Any]) -> Refusal | None:
        member = group.members.get(target) if group is not None else None
        if group is not None and (member is None or member.listed) and group.changing:
            return Refusal("ResourceInUseException", IN_USE)
        if group is None or member is None or not member.listed:
            return _invalid(NOT_A_MEMBER, region=target)
        if record.get("TableStatus") != "ACTIVE":
            return Refusal("ResourceInUseException", IN_USE)
        return None

    def _may_remove(self, account: str, table: str, target: str, group: Group | None) -> Refusal | None:
        if group is not None and group.sourced(target, self._now()):
            return _invalid(SOURCE_RULE)
        remote = self._store.get(account, target, table)
        if remote is not None and remote.get("DeletionProtectionEnabled"):
            return _invalid(PROTECTED, table=table, region=target)
        return None


def _single_action(data: dict[str, Any]) -> tuple[str, str] | Refusal:
    """The one action and the region it names; identical actions count once (docs/aws-behaviours.md, section 1.4)."""
    if set(data) - BESIDE:
        return _invalid(ONLY)
    updates = data["ReplicaUpdates"]
    actions = set()
    for update in updates if isinstance(updates, list) else [None]:
        action, values = next(iter(update.items()), ("", None)) if isinstance(update, dict) and len(update) == 1 else ("", None)
        if action not in ("Create", "Delete", "Update") or not isinstance(values, dict):
            return _invalid("One or more parameter values were invalid: One of Create, Update, or Delete is required")
        name = values.get("RegionName")
        actions.add((action, name if isinstance(name, str) else ""))
    if not actions:
        return _invalid(
            "1 validation error detected: Value at 'replicaUpdates' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    if len(actions) > 1:
        return _invalid(ONE)
    return actions.pop()
