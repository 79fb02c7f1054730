"""A replica seen from both of its regions, which disagree for a while when it comes or goes (docs/aws-behaviours.md, section 1).

In: the home table and the regional one, each as its own region describes it. Out: what both together mean. No call is made.
"""

from __future__ import annotations

from dataclasses import dataclass

from workshop.aws.resources.tables import Replica, Table

__all__ = ["FAILURES", "TAGS_NOT_READABLE", "TERMINAL", "Sides"]

TERMINAL = frozenset({"INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVING", "ARCHIVED", "REPLICATION_NOT_AUTHORIZED"})
"""Statuses of a table that do not end by themselves (section 1.3)."""
TAGS_NOT_READABLE = frozenset({"CREATING", "DELETING"})
"""Statuses in which DynamoDB may not return the tags of a table (section 1.3)."""
FAILURES = {
    "CREATION_FAILED": "DynamoDB could not create the replica",
    "REGION_DISABLED": "the region was disabled for this account",
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": "the table's encryption key cannot be used",
    "ARCHIVING": "the replica is being archived because its encryption key is gone",
    "ARCHIVED": "the replica was archived because its encryption key is gone",
    "REPLICATION_NOT_AUTHORIZED": "a policy forbids replication",
}
"""Statuses of a replica that do not end by themselves, and what each means."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The home table and the regional table of the same name; None where a region has none."""

    home: Table | None
    local: Table | None
    home_region: str
    region: str

    @property
    def entry(self) -> Replica | None:
        """The replica as the home table lists it."""
        return self.home.replica(self.region) if self.home else None

    @property
    def nothing_seen(self) -> bool:
        """Whether neither region has anything of the replica."""
        return self.entry is None and self.local is None

    @property
    def home_is_updating(self) -> bool:
        return self.home is not None and self.home.status == "UPDATING"

    @property
    def home_is_active(self) -> bool:
        return self.home is not None and self.home.status == "ACTIVE"

    @property
    def points_home(self) -> bool:
        """Whether the regional table lists the home region. A global table of others may have the same name, and does not."""
        return self.local is not None and self.local.replica(self.home_region) is not None

    @property
    def is_linked(self) -> bool:
        """Whether the tables list each other; while the regional one comes or goes, one of them is enough (1.3 and 1.7)."""
        listed = [self.entry is not None, self.points_home]
        return any(listed) if self.local is None or self.local.status in TAGS_NOT_READABLE else all(listed)

    @property
    def separate(self) -> Table | None:
        """The regional table when it is one by itself, so that AWS cannot create a replica there."""
        blocks = self.local is not None and self.local.status != "DELETING" and not self.points_home
        return self.local if self.entry is None and blocks else None

    @property
    def abandoned(self) -> Table | None:
        """The regional table when it was disassociated or lost its home table: it is deleted in its own region (section 1.7)."""
        if self.entry is not None or self.local is None or self.local.status in TAGS_NOT_READABLE:
            return None
        return None if self.home is not None and self.points_home else self.local

    @property
    def is_removable(self) -> bool:
        """Whether the home table takes a request to remove the replica."""
        return self.entry is not None and self.entry.status != "DELETING" and self.home_is_active

    @property
    def settled(self) -> Table | None:
        """The regional table when the replica is ready as seen from both sides (section 1.3)."""
        ready = self.entry is not None and self.entry.status == "ACTIVE" and self.home_is_active and not self.waiting_indexes
        return self.local if ready and self.local is not None and self.local.status == "ACTIVE" else None

    @property
    def waiting_indexes(self) -> tuple[str, ...]:
        """The indexes of the home table that the regional one cannot be queried by yet (section 1.13)."""
        if self.home is None or self.local is None:
            return ()
        readable = {index.name for index in self.local.indexes if index.readable}
        return tuple(index.name for index in self.home.indexes if index.status != "DELETING" and index.name not in readable)

    @property
    def failure(self) -> str:
        """The status in which the replica, or the table as a whole, has failed; empty when none has."""
        status = self.entry.status if self.entry else ""
        if self.home is not None and self.home.status in TERMINAL:
            status = self.home.status
        return status if status in FAILURES else ""

    @property
    def summary(self) -> str:
        """The status of both tables and of the entry, for people."""
        entry = self.entry.status if self.entry else "not listed"
        home, local = (table.status if table else "no table" for table in (self.home, self.local))
        indexes = f", index {', '.join(self.waiting_indexes)} not ready" if self.waiting_indexes else ""
        return f"source {home}, entry {entry}, region {local}{indexes}"
