"""Notice every write to a table, whichever of MiniStack's operations makes it, and hand it to the replication.

What comes in: MiniStack's two functions through which all items pass. What goes out: the same functions, overheard. A cancelled
transaction has written nothing; a write from another thread (expiry, a stack) is taken up by the loop's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workshop.cloud.groups import Groups
from workshop.cloud.patches import replace_point
from workshop.cloud.replication import Replication
from workshop.cloud.store import Store

__all__ = ["Writes"]

Note = tuple[str, str, str, tuple[str, str], Any]


class Writes:
    """`defer` takes work that another thread found and answers True, or answers False when this is the loop's thread."""

    def __init__(
        self,
        dynamodb: Any,
        groups: Groups,
        store: Store,
        replication: Replication,
        defer: Callable[[Callable[[], None]], bool],
    ) -> None:
        self._groups, self._store, self._replication, self._defer = groups, store, replication, defer
        self._held: list[Note] | None = None
        replace_point(dynamodb, "_set_item", self._set)
        replace_point(dynamodb, "_remove_item", self._remove)
        replace_point(dynamodb, "_replicate_write", lambda _: lambda *_: None)
        replace_point(dynamodb, "_execute_transaction", self._transaction)

    def _set(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def put(record: dict[str, Any], part: str, sort: str, item: dict[str, Any]) -> Any:
            before = original(record, part, sort, item)
            self._note(record, (part, sort), item)
            return before

        return put

    def _remove(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def take(record: dict[str, Any], part: str, sort: str) -> Any:
            before = original(record, part, sort)
            if before is not None:
                self._note(record, (part, sort), None)
            return before

        return take

    def _note(self, record: dict[str, Any], key: tuple[str, str], item: dict[str, Any] | None) -> None:
        if not self._groups:
            return
        _, _, _, region, account, _ = record["TableArn"].split(":", 5)
        table = record["TableName"]
        if self._defer(lambda: self._touched(account, region, table, key)):
            return
        if self._held is not None:
            self._held.append((account, region, table, key, item))
        else:
            self._replication.wrote(account, region, table, key, item)

    def _touched(self, account: str, region: str, table: str, key: tuple[str, str]) -> None:
        """Another thread wrote this item a moment ago: what stands now is what counts."""
        record = self._store.get(account, region, table)
        if record is not None:
            self._replication.wrote(account, region, table, key, record["items"].get(key[0], {}).get(key[1]))

    def _transaction(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """PartiQL transactions undo their writes when one statement fails; nothing of that leaves the region."""

        def execute(data: Any) -> Any:
            self._held = []
            try:
                answer = original(data)
            finally:
                notes, self._held = self._held, None
            for note in notes if answer[0] == 200 else ():
                self._replication.wrote(*note)
            return answer

        return execute
