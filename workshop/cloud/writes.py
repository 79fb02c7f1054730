"""Report every write to a table to the replication, whichever of MiniStack's operations makes it.

In: MiniStack's two functions through which all items pass. Out: the same functions, which report. A cancelled transaction has
written nothing; a write from another thread (expiry, a stack) is handed to the server's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from workshop.cloud.global_tables import GlobalTables
from workshop.cloud.patches import patch, patch_around
from workshop.cloud.replication import Replication
from workshop.cloud.store import Store
from workshop.cloud.write_log import ItemLog, LoggedWrite

__all__ = ["Writes"]

Original = Callable[..., Any]
Write = tuple[str, str, str, tuple[str, str], Any]


class Writes:
    """`defer` takes work that another thread found and returns True, or returns False when this is the server's thread; every
    write goes into the log before it is reported."""

    def __init__(
        self,
        dynamodb: Any,
        global_tables: GlobalTables,
        store: Store,
        replication: Replication,
        defer: Callable[[Callable[[], None]], bool],
        log: ItemLog,
    ) -> None:
        self._global_tables, self._store, self._replication, self._defer = global_tables, store, replication, defer
        self._dynamodb, self._log = dynamodb, log
        self._held: list[Write] | None = None

    def apply(self) -> None:
        """Patch MiniStack's DynamoDB."""
        patch_around(self._dynamodb, "_set_item", self._set_item)
        patch_around(self._dynamodb, "_remove_item", self._remove_item)
        patch(self._dynamodb, "_replicate_write", lambda _: lambda *_: None)
        patch_around(self._dynamodb, "_execute_transaction", self._execute_transaction)

    def _set_item(self, original: Original, record: dict[str, Any], part: str, sort: str, item: dict[str, Any]) -> Any:
        with self._log.in_order():
            before = original(record, part, sort, item)
            self._log.add(record, (part, sort), item)
        self._report(record, (part, sort), item)
        return before

    def _remove_item(self, original: Original, record: dict[str, Any], part: str, sort: str) -> Any:
        with self._log.in_order():
            before = original(record, part, sort)
            if before is not None:
                self._log.add(record, (part, sort), None)
        if before is not None:
            self._report(record, (part, sort), None)
        return before

    def replay(self, writes: Iterable[LoggedWrite]) -> None:
        """Make these writes once more, in their order; those to a table that is gone, or was made again since, are left out.

        A deletion is reported even where the item is not: the region that deleted it may have got it from another one, and
        that delivery may be on its way again.
        """
        for write in writes:
            record = self._store.get(write.account, write.region, write.table)
            if record is None or record["TableId"] != write.table_id:
                continue
            if write.item is not None:
                self._dynamodb._set_item(record, *write.key, write.item)
            elif self._dynamodb._remove_item(record, *write.key) is None:
                self._report(record, write.key, None)

    def _report(self, record: dict[str, Any], key: tuple[str, str], item: dict[str, Any] | None) -> None:
        if not self._global_tables:
            return
        _, _, _, region, account, _ = record["TableArn"].split(":", 5)
        table = record["TableName"]
        if self._defer(lambda: self._report_later(account, region, table, key)):
            return
        if self._held is not None:
            self._held.append((account, region, table, key, item))
        else:
            self._replication.wrote(account, region, table, key, item)

    def _report_later(self, account: str, region: str, table: str, key: tuple[str, str]) -> None:
        """Another thread wrote this item a moment ago: its present value is what counts."""
        record = self._store.get(account, region, table)
        if record is not None:
            self._replication.wrote(account, region, table, key, record["items"].get(key[0], {}).get(key[1]))

    def _execute_transaction(self, original: Original, data: Any) -> Any:
        """PartiQL transactions undo their writes when one statement fails; none of these leaves the region, or is logged."""
        with self._log.call():
            before, self._held = self._log.pending(), []
            try:
                response = original(data)
            finally:
                writes, self._held = self._held, None
            if response[0] != 200:
                self._log.take_back(before)
        for write in writes if response[0] == 200 else ():
            self._replication.wrote(*write)
        return response
