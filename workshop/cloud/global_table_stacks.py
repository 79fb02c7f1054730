"""AWS::DynamoDB::GlobalTable in stacks: a table and its replicas, through the same life cycle, lag and conflicts as UpdateTable.

In: the properties of the type. Out: calls of DynamoDB's own operations, one replica at a time, each waited for; what they refuse
fails the resource (docs/aws-behaviours.md, sections 1.3 to 1.7 and 3.8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import responses

from workshop.cloud.stack_types import (
    forget_beginning,
    handled,
    is_being_deleted,
    note_beginning,
    register,
    tags_of,
    work_in_threads,
)
from workshop.cloud.stack_waits import StackWaits
from workshop.cloud.table_calls import TableCalls, check_attributes, table_request

__all__ = ["GlobalTableStacks"]

KIND = "AWS::DynamoDB::GlobalTable"
Properties = dict[str, Any]
CANCELLED = "Resource creation cancelled"
NO_HOME = "Invalid request provided: The Replicas section must contain an entry for the current region"


class GlobalTableStacks:
    """The handlers of the type. `name_of` gives the name of a table that the template does not name, of a stack and a logical
    id."""

    def __init__(self, waits: StackWaits, name_of: Callable[[str, str], str]) -> None:
        self._waits, self._name_of = waits, name_of

    def apply(self) -> None:
        """Register the type."""
        check_attributes()
        self._update_original = handled(KIND, "update")
        register(KIND, create=self._create, update=self._update, delete=self._delete)
        work_in_threads({KIND})

    def _create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        home, replicas = responses.get_region(), _replicas(properties)
        if home not in replicas:
            raise ValueError(NO_HOME)
        name = properties.get("TableName") or self._name_of(stack, logical_id)
        calls = self._calls(name)
        calls.create(table_request(name, properties))
        note_beginning(stack, logical_id, KIND, name, properties)
        try:
            calls.await_active(home)
            self._set_up(calls, home, {}, replicas[home])
            calls.set_ttl(home, properties.get("TimeToLiveSpecification"))
            for region in [region for region in replicas if region != home]:
                if is_being_deleted(stack):
                    raise ValueError(CANCELLED)
                self._add(calls, region, replicas[region])
        except Exception:
            if not is_being_deleted(stack):
                self._undo(calls)
            forget_beginning(stack, logical_id)
            raise
        return name, calls.attributes()

    def _update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None
    ) -> tuple[str, Properties]:
        """Replicas that are no longer named go first, then the table changes, then new replicas come, one after the other."""
        home, before, after = responses.get_region(), _replicas(old), _replicas(new)
        if home not in after:
            raise ValueError(NO_HOME)
        if new.get("TableName") not in (None, physical_id):
            return self._create(logical_id or physical_id, new, stack)
        calls = self._calls(physical_id)
        for region in reversed([region for region in before if region not in after]):
            calls.remove_replica(region)
        calls.await_active(home)
        self._update_original(physical_id, old, new, stack)
        calls.await_active(home)
        for region, settings in after.items():
            if region in before:
                self._set_up(calls, region, before[region], settings)
            else:
                self._add(calls, region, settings)
        if old.get("TimeToLiveSpecification") != new.get("TimeToLiveSpecification"):
            for region in after:
                calls.set_ttl(region, new.get("TimeToLiveSpecification"))
        return physical_id, calls.attributes()

    def _delete(self, name: str, _: Properties) -> None:
        """Every replica goes, then the table: the source-region rule allows no other order (section 1.6)."""
        calls = self._calls(name)
        if calls.status(responses.get_region()):
            calls.remove_all()

    def _calls(self, name: str) -> TableCalls:
        return TableCalls(name, self._waits)

    def _add(self, calls: TableCalls, region: str, settings: Properties) -> None:
        calls.add_replica(region)
        self._set_up(calls, region, {}, settings)

    def _set_up(self, calls: TableCalls, region: str, before: Properties, after: Properties) -> None:
        """What each region has for itself: tags, deletion protection and recovery (section 1.9)."""
        calls.set_tags(region, tags_of(before), tags_of(after))
        protected = bool(after.get("DeletionProtectionEnabled", False))
        if protected != bool(before.get("DeletionProtectionEnabled", False)):
            calls.set_protection(region, protected)
        recovered = _recovers(after)
        if recovered != _recovers(before):
            calls.set_recovery(region, recovered)

    def _undo(self, calls: TableCalls) -> None:
        """Take away what a creation that failed has made; what cannot go now stays."""
        try:
            calls.remove_all()
        except ValueError:
            return


def _recovers(settings: Mapping[str, Any]) -> bool:
    """Whether a regional table can be recovered to a point in time."""
    return bool((settings.get("PointInTimeRecoverySpecification") or {}).get("PointInTimeRecoveryEnabled", False))


def _replicas(properties: Mapping[str, Any]) -> dict[str, Properties]:
    """The settings of each region, in the template's order."""
    return {str(replica["Region"]): dict(replica) for replica in properties.get("Replicas") or ()}
