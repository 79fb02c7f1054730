"""What became of each node and of the whole run: plain values for the console, the journal and `--json`."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workshop.engine.plan import Node
from workshop.errors import WorkshopError

__all__ = ["NodeResult", "Outcome"]


class Outcome(enum.StrEnum):
    """How a node ended."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    ABSENT = "absent"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def good(self) -> bool:
        """Whether what depends on the node may go on."""
        return self not in (Outcome.FAILED, Outcome.CANCELLED)


@dataclass(frozen=True, slots=True)
class NodeResult:
    """One node's outcome. `at` is the event loop's second at which it ended, which orders failures by cause."""

    node: Node
    outcome: Outcome
    seconds: float = 0.0
    outputs: Mapping[str, str] = field(default_factory=dict)
    error: WorkshopError | None = None
    detail: str = ""
    at: float = 0.0

    def document(self) -> dict[str, Any]:
        """The step as `--json` documents have it."""
        return {
            "id": self.node.key.step,
            "module": self.node.module,
            "region": self.node.key.region,
            "kind": self.node.spec.kind,
            "account": self.node.key.account,
            "outcome": self.outcome.value,
            "seconds": round(self.seconds, 3),
            "outputs": dict(self.outputs),
            "error": self.error.document() if self.error else None,
        }
