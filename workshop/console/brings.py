"""How the list of what a workshop brings looks.

In: the entries, whose texts come from the definition: they are shown without anything that a terminal obeys. Out: a table on a
console, or the part of a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from workshop.console.style import SafeConsole, print_table
from workshop.engine.brings import Brings
from workshop.quoting import shown

__all__ = ["brings_entries", "print_brings"]

MOST = 40
"""Entries on a console; a document has them all."""
LONGEST = 400


def brings_entries(found: Sequence[Brings]) -> list[dict[str, Any]]:
    """The list in a `--json` document."""
    return [
        {"step": each.step, "kind": each.kind, "name": each.name, "detail": each.detail, "regions": list(each.regions)}
        for each in found
    ]


def print_brings(console: SafeConsole, found: Sequence[Brings]) -> None:
    """The list as a table of two columns."""
    if not found:
        console.print("It brings no function, no role and no custom resource, and calls no address.", style="bright_black")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black", show_edge=False)
    table.add_column("it brings", overflow="fold")
    table.add_column("of step", overflow="fold")
    table.add_column("which", overflow="fold")
    for each in found[:MOST]:
        which = ": ".join(text for text in (each.name, each.detail) if text)
        table.add_row(shown(each.kind), escape(shown(each.step)), escape(shown(which, LONGEST)))
    print_table(console, table)
    if len(found) > MOST:
        console.print(f"and {len(found) - MOST} more: setup --plan --json lists them all", style="yellow")
