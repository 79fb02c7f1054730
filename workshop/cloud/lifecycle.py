"""The life of tables and replicas: each documented state, one after the other, at its time.

What comes in: a change that the rules have let through. What goes out: statuses in the regional tables and in the group, at once
and later. Every later step is a value that is saved, so a cloud that was killed goes on where it was
(docs/aws-behaviours.md, sections 1.3 and 1.7).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from workshop.cloud.agenda import Agenda
from workshop.cloud.groups import Group, Groups, Member
from workshop.cloud.pacing import Pacing, Wait
from workshop.cloud.replication import Replication
from workshop.cloud.store import Store

__all__ = ["Lifecycle"]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that will have happened at `at` (seconds since the epoch) to `table` in `region`; `peer` is the other region."""

    at: float
    name: str
    account: str
    table: str
    region: str
    peer: str = ""


class Lifecycle:
    """`changed` is called after every step, because it happens without a request."""

    def __init__(
        self, groups: Groups, store: Store, replication: Replication, agenda: Agenda, pacing: Pacing, changed: Callable[[], None]
    ) -> None:
        self._groups, self._store, self._replication = groups, store, replication
        self._agenda, self._pacing, self._changed = agenda, pacing, changed
        self._steps: dict[int, Step] = {}
        self._numbers = itertools.count()

    def table_created(self, account: str, region: str, table: str) -> None:
        record = self._store.get(account, region, table)
        if record is not None:
            record["TableStatus"] = "CREATING"
            self._later(
                "table.active.indexed" if record.get("GlobalSecondaryIndexes") else "table.active", _of(account, table, region)
            )

    def table_deleted(self, account: str, region: str, table: str) -> None:
        """A table of its own, or the table of a replica that is addressed in its own region."""
        self._store.status(account, region, table, "DELETING")
        group = self._groups.of(account, table, region)
        if group is None:
            self._later("table.gone", _of(account, table, region))
            return
        member = group.members[region]
        member.status, group.changing = "DELETING", True
        self._leave(group, "", member)

    def protection_changed(self, account: str, region: str, table: str) -> None:
        self._store.status(account, region, table, "UPDATING")
        self._later("protection", _of(account, table, region))

    def replica_added(self, account: str, source: str, target: str, table: str, *, doomed: bool) -> None:
        """`doomed`: it will vanish from the list without ever having been there, as seen on AWS (section 1.3)."""
        now = self._agenda.now()
        group = self._groups.of(account, table, source)
        if group is None:
            group = Group(account, table, {source: Member(source, added=now)})
            self._groups.add(group)
        record = self._store.get(account, source, table)
        member = Member(target, "CREATING", source, now, listed=False, visible=False, doomed=doomed)
        member.filled = bool(record and record["items"])
        group.members[target], group.changing = member, True
        self._store.stream(account, source, table)
        self._store.status(account, source, table, "UPDATING")
        if member.filled:
            ways: list[Wait] = ["fill.listed", "fill.visible", "fill.updating", "fill.active"]
        else:
            ways = ["create.listed", "create.visible", "create.active"]
        for wait in ways:
            self._later(wait, _of(account, table, source, target))

    def replica_removed(self, account: str, source: str, target: str, table: str) -> None:
        group = self._groups.of(account, table, source)
        if group is not None:
            group.changing = True
            self._store.status(account, source, table, "UPDATING")
            for wait in ("remove.deleting", "remove.updating"):
                self._later(wait, _of(account, table, source, target))
            self._leave(group, source, group.members[target])

    def anything_creating(self) -> bool:
        """Whether some table is on its way to its first ACTIVE."""
        return any(step.name in ("table.active", "table.active.indexed") for step in self._steps.values())

    def document(self) -> list[dict[str, Any]]:
        return [asdict(step) for step in self._steps.values()]

    def restore(self, document: list[dict[str, Any]]) -> None:
        for row in document:
            self._plan(Step(**row))

    def clear(self) -> None:
        self._steps.clear()

    def _leave(self, group: Group, source: str, member: Member) -> None:
        gone: Wait = "remove.gone.filled" if member.filled else "remove.gone"
        self._later(gone, _of(group.account, group.table, source, member.region))
        self._later("remove.absent", _of(group.account, group.table, member.region), self._pacing.seconds(gone))

    def _later(self, wait: Wait, where: dict[str, str], plus: float = 0.0) -> None:
        self._plan(Step(self._agenda.now() + plus + self._pacing.seconds(wait), wait, **where))

    def _plan(self, step: Step) -> None:
        number = next(self._numbers)
        self._steps[number] = step
        self._agenda.at(step.at, functools.partial(self._happen, number))

    def _happen(self, number: int) -> None:
        step = self._steps.pop(number, None)
        if step is None:
            return
        account, table, region = step.account, step.table, step.region
        if step.name in ("table.active", "table.active.indexed", "protection"):
            record = self._store.get(account, region, table)
            if record is not None and record["TableStatus"] in ("CREATING", "UPDATING"):
                record["TableStatus"] = "ACTIVE"
        elif step.name in ("table.gone", "remove.absent"):
            record = self._store.get(account, region, table)
            if record is not None and record["TableStatus"] == "DELETING":
                self._store.remove(account, region, table)
        else:
            group = self._groups.named(account, table)
            member = group.members.get(step.peer) if group else None
            if group is not None and member is not None:
                self._replica(step, group, member)
        self._changed()

    def _replica(self, step: Step, group: Group, member: Member) -> None:
        source = functools.partial(self._store.status, step.account, step.region, step.table)
        match step.name:
            case "create.listed":
                member.listed = True
            case "fill.listed":
                member.listed = True
                source("ACTIVE")
            case "create.visible" | "fill.visible":
                member.visible = not member.doomed
            case "fill.updating" | "remove.updating":
                source("UPDATING")
            case "create.active" | "fill.active" if member.doomed:
                self._left(group, member)
                source("ACTIVE")
            case "create.active" | "fill.active":
                self._store.fill(step.account, step.region, member.region, step.table, member.added)
                member.status, member.listed, group.changing = "ACTIVE", True, False
                source("ACTIVE")
                self._replication.joined(group, member.region)
            case "remove.deleting":
                member.status = "DELETING"
                self._store.status(step.account, member.region, step.table, "DELETING")
                source("ACTIVE")
            case "remove.gone" | "remove.gone.filled":
                self._left(group, member)
                source("ACTIVE")

    def _left(self, group: Group, member: Member) -> None:
        del group.members[member.region]
        group.changing = False
        if len(group.members) < 2:
            self._groups.drop(group)


def _of(account: str, table: str, region: str, peer: str = "") -> dict[str, str]:
    return {"account": account, "table": table, "region": region, "peer": peer}
