"""How a plan looks before it is run: every step, what stands, what would happen, minutes and cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from workshop.console.brings import brings_entries, print_brings
from workshop.console.document import print_document
from workshop.console.style import STATES, stream
from workshop.engine.brings import brought
from workshop.engine.observe import NodeState
from workshop.engine.plan import Plan
from workshop.engine.workspace import Workspace
from workshop.steps.base import State
from workshop.steps.registry import kinds

__all__ = ["plan_document", "print_plan"]

ACTIONS = {
    "setup": {
        State.READY: "unchanged", State.ABSENT: "create", State.PARTIAL: "complete", State.BROKEN: "mend",
        State.FOREIGN: "stop: in the way",
    },
    "teardown": {
        State.READY: "remove", State.ABSENT: "nothing", State.PARTIAL: "remove", State.BROKEN: "remove",
        State.FOREIGN: "leave alone",
    },
}  # fmt: skip


def plan_document(verb: str, workspace: Workspace, account: str, points: Sequence[NodeState]) -> None:
    """The plan as the JSON document of `--plan --json`."""
    print_document(verb, True, {
        "workshop": workspace.name,
        "target": workspace.target.name,
        "account": account,
        "regions": list(workspace.settings.regions),
        "plan": True,
        "minutes": round(_minutes(verb, points), 2),
        "usd": round(_usd(verb, points), 2),
        "steps": [_step(verb, point) for point in points],
        **({"brings": brings_entries(brought(workspace))} if verb != "teardown" else {}),
    })  # fmt: skip


def print_plan(verb: str, workspace: Workspace, identity: str, points: Sequence[NodeState], *, err: bool = False) -> None:
    """The plan as a table."""
    console = stream(err=err)
    console.print(f"[bold]{verb}[/] of [bold]{escape(workspace.name)}[/] on [bold]{workspace.target.name}[/]")
    console.print(f"  as       {escape(identity)}")
    console.print(f"  regions  {', '.join(workspace.settings.regions)} [bright_black](the first is home)[/]")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for title in ("step", "region", "kind", "now", "then"):
        table.add_column(title, overflow="fold")
    for point in points:
        word, colour = STATES[point.observed.state]
        table.add_row(
            escape(point.node.key.step), point.node.key.region, escape(point.node.spec.kind), f"[{colour}]{word}[/]",
            _action(verb, point),
        )  # fmt: skip
    console.print(table)
    for point in points:
        if point.observed.state in (State.FOREIGN, State.BROKEN) and point.observed.detail:
            console.print(f"[yellow]! {escape(str(point.node.key))}: {escape(point.observed.detail)}[/]")
    for point in points:
        if point.data_at_risk:
            console.print(f"[yellow]! {escape(str(point.node.key))} goes with {escape(point.data_at_risk)}[/]")
    if verb != "teardown":
        print_brings(console, brought(workspace))
    cost = f", about ${_usd(verb, points):.2f} for a day's event" if verb == "setup" else ""
    console.print(f"About {max(_minutes(verb, points), 0.1):.1f} minutes on AWS{cost}.", style="bright_black")


def _action(verb: str, point: NodeState) -> str:
    if verb == "teardown" and not point.observed.ours and point.observed.state is not State.ABSENT:
        return "leave alone"
    if kinds()[point.node.spec.kind].is_verification:
        return "check" if verb == "setup" else "nothing"
    return ACTIONS[verb][point.observed.state]


def _minutes(verb: str, points: Sequence[NodeState]) -> float:
    """The longest chain of what is still to do."""
    idle = State.READY if verb == "setup" else State.ABSENT
    todo = {point.node.key for point in points if point.observed.state is not idle}
    plan = Plan(tuple(point.node for point in points))
    return plan.minutes(lambda node: kinds()[node.spec.kind].estimate.minutes if node.key in todo else 0.0)


def _usd(verb: str, points: Sequence[NodeState]) -> float:
    """What the workshop costs an event; taking it down costs nothing."""
    return 0.0 if verb != "setup" else sum(kinds()[point.node.spec.kind].estimate.usd for point in points)


def _step(verb: str, point: NodeState) -> dict[str, Any]:
    key, estimate = point.node.key, kinds()[point.node.spec.kind].estimate
    return {
        "id": key.step, "module": point.node.module, "region": key.region, "kind": point.node.spec.kind, "account": key.account,
        "state": point.observed.state.value, "detail": point.observed.detail, "action": _action(verb, point),
        "data_at_risk": point.data_at_risk, "minutes": estimate.minutes, "usd": estimate.usd,
    }  # fmt: skip
