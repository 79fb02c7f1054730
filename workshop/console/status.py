"""How `workshop status` looks."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from workshop.console.document import print_document
from workshop.console.results import print_addresses
from workshop.console.style import STATES, stream
from workshop.drill.pending import FailedRegion
from workshop.engine.observe import NodeState
from workshop.engine.workspace import Contexts, Workspace
from workshop.steps.base import State

__all__ = ["print_status", "status_document"]


def status_document(
    workspace: Workspace, account: str, points: Sequence[NodeState], contexts: Contexts, failed: Sequence[FailedRegion]
) -> None:
    """The JSON document of `status`."""
    print_document("status", True, {
        "workshop": workspace.name,
        "target": workspace.target.name,
        "account": account,
        "regions": list(workspace.settings.regions),
        "module": _reached(workspace, points),
        "steps": [
            {
                "id": p.node.key.step, "module": p.node.module, "region": p.node.key.region, "kind": p.node.spec.kind,
                "account": p.node.key.account, "state": p.observed.state.value, "detail": p.observed.detail,
                "fix": p.observed.fix or (p.error.fix if p.error else ""),
            }
            for p in points
        ],
        "failed_regions": [{"region": f.region, "fault": f.fault, "since": f.since, "fix": f.fix} for f in failed],
        "apis": contexts.apis(account),
        "web": contexts.links(account),
    })  # fmt: skip


def print_status(
    workspace: Workspace,
    account: str,
    points: Sequence[NodeState],
    contexts: Contexts,
    failed: Sequence[FailedRegion],
    again: str,
) -> None:
    """The same for people; `again` is the command that brings everything to ready."""
    console = stream()
    console.print(f"[bold]{escape(workspace.name)}[/] on [bold]{workspace.target.name}[/], account {account}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for title in ("step", "region", "state", "detail"):
        table.add_column(title, overflow="fold")
    module = ""
    for point in _by_module(workspace, points):
        if point.node.module != module:
            module = point.node.module
            table.add_row(f"[bold]{escape(module)}[/]")
        word, colour = STATES[point.observed.state]
        detail = escape(point.observed.detail)
        table.add_row(
            f"  {escape(point.node.key.step)}", point.node.key.region, f"[{colour}]{word}[/]", f"[bright_black]{detail}[/]"
        )
    console.print(table)
    for point in points:
        if point.observed.fix and point.observed.state in (State.FOREIGN, State.BROKEN):
            console.print(f"[yellow]! {escape(str(point.node.key))}[/] → {escape(point.observed.fix)}", soft_wrap=True)
    for region in failed:
        how = "by hand" if region.manual else "by a drill that was killed"
        words = f"is failed {how} ({region.fault}) since {region.since}"
        console.print(f"[red]✗ {region.region}[/] {words} → [bold]{escape(region.fix)}[/]", soft_wrap=True)
    print_addresses(console, contexts.apis(account), contexts.links(account))
    if all(point.observed.state is State.ABSENT for point in points):
        console.print(f"Nothing stands. Set it up: [bold]{escape(again)}[/]", soft_wrap=True)
    elif any(p.observed.state is not State.READY and p.node.key.region not in {f.region for f in failed} for p in points):
        console.print(f"Not everything stands. Bring it to ready: [bold]{escape(again)}[/]", soft_wrap=True)


def _by_module(workspace: Workspace, points: Sequence[NodeState]) -> list[NodeState]:
    order = {spec.id: number for number, spec in enumerate(workspace.workshop.definition.steps())}
    return sorted(points, key=lambda point: order[point.node.key.step])


def _reached(workspace: Workspace, points: Sequence[NodeState]) -> str:
    """The last module up to which everything is ready; empty when the first is not."""
    reached = ""
    for module in workspace.workshop.definition.module_names():
        if any(p.observed.state is not State.READY for p in points if p.node.module == module):
            break
        reached = module
    return reached
