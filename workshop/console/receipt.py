"""How a receipt looks: one page of HTML beside its JSON file, to be printed, mailed and projected.

In: a receipt. Out: a page that needs nothing but itself. Everything in it is escaped: names of resources and errors are
foreign texts.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop.engine.inventory import InventoryEntry
from workshop.engine.receipt import Left, Receipt
from workshop.quoting import visible
from workshop.redaction import redact
from workshop.state_dir import write_private
from workshop.steps.base import UNKNOWN
from workshop.steps.registry import resource_type

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["receipt_page", "write_page"]


@dataclass(frozen=True, slots=True)
class Group:
    """What was deployed in one region. `region` is empty for this machine."""

    region: str
    holdings: tuple[InventoryEntry, ...]

    @property
    def gone(self) -> int:
        return sum(bool(holding.gone) for holding in self.holdings)


def write_page(path: Path, receipt: Receipt) -> Path:
    """Write the page beside the JSON file at `path` (mode 0600) and return its path."""
    page = path.with_suffix(".html")
    write_private(page, receipt_page(receipt))
    return page


def receipt_page(receipt: Receipt) -> str:
    """The page."""
    ours = [left for left in receipt.left if left.ours]
    page = _template().render(
        receipt=receipt,
        groups=_groups(receipt.made),
        ours=ours,
        foreign=[left for left in receipt.left if not left.ours],
        failed=_unexplained(receipt),
        verdict=_verdict(receipt, ours),
        gone=sum(bool(holding.gone) for holding in receipt.made),
        when=_when,
        kind=_title,
        makers=sorted({holding.by for holding in receipt.made if holding.by}),
    )
    return visible(redact(page))


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("receipt.html.j2")


def _title(kind: str) -> str:
    """What people read for a kind of resource; what could not be read is a whole step."""
    declared = resource_type(kind)
    return declared.title if declared else "step" if kind == UNKNOWN else kind


def _groups(made: Sequence[InventoryEntry]) -> list[Group]:
    ordered = sorted(made, key=lambda holding: (holding.region == "", holding.region, holding.kind, holding.name))
    return [Group(region, tuple(holdings)) for region, holdings in groupby(ordered, key=lambda holding: holding.region)]


def _verdict(receipt: Receipt, ours: Sequence[Left]) -> str:
    if receipt.clean:
        return "Nothing of ours left" if receipt.left else "Nothing left"
    things = sum(left.usd_a_month is not None for left in ours)
    if things:
        return f"{things} {'thing' if things == 1 else 'things'} left"
    return "Not finished"


def _unexplained(receipt: Receipt) -> list[dict[str, Any]]:
    """The steps that failed, but for those whose error is given as the reason of something left."""
    given = {left.why for left in receipt.left}
    return [s for s in receipt.steps if s["error"] and f"{s['error']['what']} {s['error']['why']}".strip() not in given]


def _when(moment: str) -> str:
    """An ISO 8601 time as people read it; UTC, as the page states once."""
    if not moment:
        return "not known here"
    return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M:%S")
