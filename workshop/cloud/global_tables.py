"""Global tables as data: which regions belong together, which region added which, and what each region shows of the others.

In: changes made by `lifecycle`. Out: the replica list that a region's DescribeTable shows, and whether a region may be removed.
Pure; it knows neither MiniStack nor time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["GlobalTable", "GlobalTables", "TableReplica"]

DAY = 86_400.0


@dataclass(slots=True)
class TableReplica:
    """One region of a global table, the first one included.

    `source` is the region that added it, "" for the first; `added` the time in seconds since the epoch; `listed`: other regions
    show it; `visible`: it can be described in its own region; `aborts`: its creation will end without a replica; `filled`: it
    was added to a table with items.
    """

    region: str
    status: str = "ACTIVE"
    source: str = ""
    added: float = 0.0
    listed: bool = True
    visible: bool = True
    aborts: bool = False
    filled: bool = False

    def document(self) -> dict[str, Any]:
        """The saved form: `aborts` is called "doomed" in it, as in older state files."""
        row = asdict(self)
        row["doomed"] = row.pop("aborts")
        return row

    @classmethod
    def restored(cls, row: dict[str, Any]) -> TableReplica:
        values = dict(row)
        return cls(aborts=values.pop("doomed"), **values)


@dataclass(slots=True)
class GlobalTable:
    """One global table, its replicas in the order in which they were added. `changing`: a replica is being added or removed."""

    account: str
    name: str
    replicas: dict[str, TableReplica] = field(default_factory=dict)
    changing: bool = False

    def view(self, region: str) -> list[dict[str, str]]:
        """The replica list as `region` shows it; a region never lists itself (docs/aws-behaviours.md, section 1.3)."""
        return [
            {"RegionName": replica.region, "ReplicaStatus": replica.status}
            for replica in self.replicas.values()
            if replica.region != region and replica.listed
        ]

    def writable(self) -> list[str]:
        """Regions that hold the items: they accept writes and receive those of the others."""
        return [replica.region for replica in self.replicas.values() if replica.status != "CREATING"]

    def is_source(self, region: str, now: float) -> bool:
        """Whether `region` added, within a day, a replica that still exists (docs/aws-behaviours.md, section 1.6)."""
        return any(replica.source == region and now - replica.added < DAY for replica in self.replicas.values())


class GlobalTables:
    """All global tables of all accounts."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], GlobalTable] = {}

    def of(self, account: str, table: str, region: str) -> GlobalTable | None:
        """The global table that `region`'s table of this name belongs to."""
        found = self._all.get((account, table))
        return found if found is not None and region in found.replicas else None

    def named(self, account: str, table: str) -> GlobalTable | None:
        """The global table of this name, in whatever regions."""
        return self._all.get((account, table))

    def add(self, global_table: GlobalTable) -> None:
        self._all[global_table.account, global_table.name] = global_table

    def drop(self, global_table: GlobalTable) -> None:
        self._all.pop((global_table.account, global_table.name), None)

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[GlobalTable]:
        return iter(list(self._all.values()))

    def clear(self) -> None:
        self._all.clear()

    def document(self) -> list[dict[str, Any]]:
        """The saved form."""
        return [
            {
                "account": global_table.account,
                "table": global_table.name,
                "members": {region: replica.document() for region, replica in global_table.replicas.items()},
                "changing": global_table.changing,
            }
            for global_table in self
        ]

    def restore(self, document: list[dict[str, Any]]) -> None:
        for row in document:
            replicas = {region: TableReplica.restored(replica) for region, replica in row["members"].items()}
            self.add(GlobalTable(row["account"], row["table"], replicas, row["changing"]))
