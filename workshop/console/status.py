"""How `workshop status` looks.

In: a `StatusReport`. Out: text for people, or the JSON document.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from workshop.console.document import print_document
from workshop.console.report import StatusReport
from workshop.console.results import addresses_document, print_addresses
from workshop.console.style import STATES, SafeConsole, print_table, stream
from workshop.engine.observe import NodeState
from workshop.steps.base import State

__all__ = ["show_status"]


def show_status(report: StatusReport, *, json: bool) -> None:
    """What is deployed: for people, or as one JSON document."""
    (_document if json else _print)(report)


def _document(report: StatusReport) -> None:
    content = {
        "workshop": report.workshop,
        "target": report.target,
        "account": report.account,
        "regions": list(report.regions),
        "module": report.module,
        "steps": [
            {
                "id": p.node.key.step,
                "module": p.node.module,
                "region": p.node.key.region,
                "kind": p.node.spec.kind,
                "account": p.node.key.account,
                "state": p.observed.state.value,
                "detail": p.observed.detail,
                "fix": p.observed.fix or (p.error.fix if p.error else ""),
            }
            for p in report.points
        ],
        "failed_regions": [{"region": f.region, "fault": f.fault, "since": f.since, "fix": f.fix} for f in report.failed],
        **addresses_document(report),
    }
    print_document("status", True, content)


def _print(report: StatusReport) -> None:
    console = stream()
    console.print(f"[bold]{escape(report.workshop)}[/] on [bold]{report.target}[/], account {report.account}")
    _print_steps(console, sorted(report.points, key=lambda point: report.order.index(point.node.key.step)))
    for point in report.points:
        if point.observed.fix and point.observed.state in (State.FOREIGN, State.BROKEN):
            console.print(f"[yellow]! {escape(str(point.node.key))}[/] → {escape(point.observed.fix)}", soft_wrap=True)
    for region in report.failed:
        how = "by hand" if region.manual else "by a drill that was killed"
        words = f"is failed {how} ({region.fault}) since {region.since}"
        console.print(f"[red]✗ {region.region}[/] {words} → [bold]{escape(region.fix)}[/]", soft_wrap=True)
    print_addresses(console, report)
    failed = {region.region for region in report.failed}
    if all(point.observed.state is State.ABSENT for point in report.points):
        console.print(f"Nothing is deployed. Set it up: [bold]{escape(report.setup)}[/]", soft_wrap=True)
    elif any(
        p.observed.state is not State.READY and not p.node.former and p.node.key.region not in failed for p in report.points
    ):
        console.print(f"Not everything is ready. Bring it to ready: [bold]{escape(report.setup)}[/]", soft_wrap=True)


def _print_steps(console: SafeConsole, points: Sequence[NodeState]) -> None:
    """One line for each node, below the name of its module."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for title in ("step", "region", "state", "detail"):
        table.add_column(title, overflow="fold")
    module = ""
    for point in points:
        if point.node.module != module:
            module = point.node.module
            table.add_row(f"[bold]{escape(module)}[/]")
        word, colour = STATES[point.observed.state]
        table.add_row(
            f"  {escape(point.node.key.step)}",
            point.node.key.region,
            f"[{colour}]{word}[/]",
            f"[bright_black]{escape(point.observed.detail)}[/]",
        )
    print_table(console, table)
