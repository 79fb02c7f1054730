"""The receipt of a teardown: what was made, when, by whom, when each was seen gone, what is left and why.

In: a workspace, the results of its teardown, what two sweeps still found in one account. Out: a `Receipt`, and its JSON file,
which outlives the run. How it looks to people is the console's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workshop.engine.inventory import InventoryEntry
from workshop.engine.results import NodeResult
from workshop.engine.workspace import Workspace
from workshop.quoting import json_text
from workshop.redaction import redact
from workshop.state_dir import prepare, refuse_link, write_private
from workshop.steps.base import UNKNOWN, Resource
from workshop.steps.declarations import ResourceType
from workshop.steps.registry import resource_type

__all__ = ["Left", "Receipt", "make_receipt", "write_receipt"]


@dataclass(frozen=True, slots=True)
class Left:
    """Something that still exists, and what to do about it. `usd_a_month` is an estimate; None when its kind is unknown."""

    kind: str
    name: str
    region: str
    why: str
    fix: str
    earliest: str
    show: str
    ours: bool
    usd_a_month: float | None
    upkeep: str
    created: str
    size: str
    adopted: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything in a receipt. Times are ISO 8601 in UTC, empty where this machine's journal does not know."""

    workshop: str
    title: str
    target: str
    endpoint: str
    account: str
    regions: tuple[str, ...]
    run: str
    set_up: str
    torn_down: str
    by: str
    finish: str
    """The command that goes on when something is left; empty when nothing is."""
    made: tuple[InventoryEntry, ...]
    steps: tuple[dict[str, Any], ...]
    left: tuple[Left, ...]
    unsearched: tuple[str, ...] = ()
    """Regions that a search had to leave out because it is denied to look there."""

    @property
    def clean(self) -> bool:
        """Nothing of ours is left, whatever failed on the way."""
        return not self.finish

    @property
    def usd_a_month(self) -> float:
        """What everything that is ours and left costs a month, as far as it is known."""
        return sum(left.usd_a_month or 0.0 for left in self.left if left.ours)

    def document(self) -> dict[str, Any]:
        """The receipt as its JSON file holds it."""
        return {
            "version": 1,
            "workshop": self.workshop,
            "title": self.title,
            "target": self.target,
            "endpoint": self.endpoint,
            "account": self.account,
            "regions": list(self.regions),
            "run": self.run,
            "set_up": self.set_up or None,
            "torn_down": self.torn_down,
            "by": self.by,
            "clean": self.clean,
            "finish": self.finish,
            "usd_a_month": round(self.usd_a_month, 2),
            "made": [asdict(entry) for entry in self.made],
            "steps": list(self.steps),
            "leftovers": [asdict(left) for left in self.left],
            "unsearched": list(self.unsearched),
        }


def make_receipt(
    workspace: Workspace,
    account: str,
    results: Sequence[NodeResult],
    leftovers: Sequence[Resource],
    *,
    since: str,
    by: str,
    again: str,
    unsearched: Sequence[str] = (),
) -> Receipt:
    """The receipt. `since` is when the workshop was set up, `by` who takes it down (an ARN), `again` the command that goes on."""
    own, made = workspace.of_account(account), workspace.journal.inventory.of(workspace.scope(account))
    results = [result for result in results if result.node.key.account == account]
    reasons = {
        (result.node.key.step, result.node.key.region): f"{result.error.what} {result.error.why}".strip()
        for result in results
        if result.error
    }
    owners = {(h.kind, h.name, h.region): (h.step, h.place) for h in made}
    left = [_left(resource, reasons.get(owners.get(resource.label, ("", "")), "")) for resource in leftovers]
    return Receipt(
        workshop=workspace.name,
        title=workspace.workshop.definition.title,
        target=workspace.target.name,
        endpoint=workspace.target.endpoint,
        account=account,
        regions=own.everywhere(former=True),
        run=own.run,
        set_up=since,
        torn_down=workspace.clock.now().isoformat(timespec="seconds"),
        by=by,
        finish=again if unsearched or any(each.ours for each in left) else "",
        made=tuple(made),
        steps=tuple(result.document() for result in results),
        left=tuple(left),
        unsearched=tuple(unsearched),
    )


def write_receipt(folder: Path, receipt: Receipt) -> Path:
    """Write `receipts/<workshop>-<target>-<run>.json` (mode 0600, no secrets) and return its path."""
    refuse_link(folder)
    path = prepare(folder) / f"{receipt.workshop}-{receipt.target}-{receipt.run}.json"
    write_private(path, redact(json_text(receipt.document())) + "\n")
    return path


def _left(resource: Resource, reason: str) -> Left:
    known = resource.kind != UNKNOWN
    cost = resource_type(resource.kind) or ResourceType(resource.kind, resource.kind)
    return Left(
        kind=resource.kind,
        name=resource.name,
        region=resource.region,
        why=reason if resource.ours and reason else resource.why,
        fix=resource.fix,
        earliest=resource.earliest,
        show=resource.show,
        ours=resource.ours,
        usd_a_month=cost.usd_a_month if known else None,
        upkeep=cost.upkeep if known else "unknown until it can be read",
        created=resource.created,
        size=resource.size,
        adopted=resource.adopted,
    )
