"""Global tables as data: which regions belong together, who added whom, and what each region shows of the others.

What comes in: the region's steps of life, told by `lifecycle`. What goes out: the replica list that a region's DescribeTable
shows, and the answer whether a region may go. Pure; it knows neither MiniStack nor time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Group", "Groups", "Member"]

DAY = 86_400.0


@dataclass(slots=True)
class Member:
    """One region of a global table. `source` is the region that added it, "" for the first; `listed`,
    whether others show it; `visible`, whether it can be described; `filled`, whether it was added to a table with items."""

    region: str
    status: str = "ACTIVE"
    source: str = ""
    added: float = 0.0
    listed: bool = True
    visible: bool = True
    doomed: bool = False
    filled: bool = False


@dataclass(slots=True)
class Group:
    """One global table, its members in the order in which they were added."""

    account: str
    table: str
    members: dict[str, Member] = field(default_factory=dict)
    changing: bool = False

    def view(self, region: str) -> list[dict[str, str]]:
        """The replica list as `region` shows it; a region never lists itself (docs/aws-behaviours.md, section 1.3)."""
        return [
            {"RegionName": member.region, "ReplicaStatus": member.status}
            for member in self.members.values()
            if member.region != region and member.listed
        ]

    def writable(self) -> list[str]:
        """Regions that hold the items: writes come from them and go to them."""
        return [member.region for member in self.members.values() if member.status != "CREATING"]

    def sourced(self, region: str, now: float) -> bool:
        """Whether `region` added a replica within a day that is still there (docs/aws-behaviours.md, section 1.6)."""
        return any(member.source == region and now - member.added < DAY for member in self.members.values())


class Groups:
    """All global tables of all accounts."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Group] = {}

    def of(self, account: str, table: str, region: str) -> Group | None:
        """The group that `region`'s table of this name belongs to."""
        group = self._all.get((account, table))
        return group if group is not None and region in group.members else None

    def named(self, account: str, table: str) -> Group | None:
        """The group of this name, whoever asks."""
        return self._all.get((account, table))

    def add(self, group: Group) -> None:
        self._all[group.account, group.table] = group

    def drop(self, group: Group) -> None:
        self._all.pop((group.account, group.table), None)

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Group]:
        return iter(list(self._all.values()))

    def clear(self) -> None:
        self._all.clear()

    def document(self) -> list[dict[str, Any]]:
        return [asdict(group) for group in self._all.values()]

    def restore(self, document: list[dict[str, Any]]) -> None:
        for row in document:
            members = {name: Member(**member) for name, member in row["members"].items()}
            self.add(Group(row["account"], row["table"], members, row["changing"]))
