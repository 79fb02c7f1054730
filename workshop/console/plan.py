"""How a plan looks before it is run: every step, what is deployed, what would happen, minutes and cost.

In: a `PlanReport`. Out: text for people, or the JSON document.
"""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from workshop.console.brings import brings_entries, print_brings
from workshop.console.document import print_document
from workshop.console.report import PlanReport
from workshop.console.style import STATES, SafeConsole, print_table, stream
from workshop.engine.observe import NodeState
from workshop.engine.plan import Plan, estimate_of
from workshop.steps.base import Resource, State
from workshop.steps.registry import kinds

__all__ = ["adoption_text", "print_plan", "show_plan"]

MAKING = {
    State.READY: "unchanged",
    State.ABSENT: "create",
    State.PARTIAL: "complete",
    State.BROKEN: "repair",
    State.FOREIGN: "stop: in the way",
}
REMOVING = {
    State.READY: "remove",
    State.ABSENT: "nothing",
    State.PARTIAL: "remove",
    State.BROKEN: "remove",
    State.FOREIGN: "leave alone",
}


def show_plan(report: PlanReport, *, json: bool) -> None:
    """What `--plan` shows: for people, or as one JSON document."""
    (_document if json else print_plan)(report)


def _document(report: PlanReport) -> None:
    content: dict[str, Any] = {
        "workshop": report.workshop,
        "target": report.target,
        "account": report.account,
        "regions": list(report.regions),
        "plan": True,
        "minutes": round(_minutes(report), 2),
        "usd": round(_usd(report), 2),
        "steps": [_step(report, point) for point in report.points],
    }
    if not report.removes:
        content["brings"] = brings_entries(report.brings)
    print_document(report.command, True, content)


def print_plan(report: PlanReport, *, err: bool = False) -> None:
    """The plan as a table."""
    console = stream(err=err)
    console.print(f"[bold]{report.command}[/] of [bold]{escape(report.workshop)}[/] on [bold]{report.target}[/]")
    console.print(f"  as       {escape(report.identity)}", soft_wrap=True)
    console.print(f"  regions  {', '.join(report.regions)} [bright_black](the first is home)[/]", soft_wrap=True)
    _print_steps(console, report)
    for point in report.points:
        if point.observed.state in (State.FOREIGN, State.BROKEN) and point.observed.detail:
            console.print(f"[yellow]! {escape(str(point.node.key))}: {escape(point.observed.detail)}[/]")
            adopted = report.adopts and all(each.adoption for each in point.observed.foreign)
            if point.observed.fix and not adopted and not report.removes:
                console.print(f"  → {escape(point.observed.fix)}", soft_wrap=True)
            for each in point.observed.foreign if adopted else ():
                console.print(f"  → {escape(adoption_text(each))}")
    for point in report.points:
        if point.data_at_risk:
            console.print(f"[yellow]! {escape(str(point.node.key))} goes with {escape(point.data_at_risk)}[/]")
    if not report.removes:
        print_brings(console, report.brings)
    cost = "" if report.removes else f", about ${_usd(report):.2f} for a day's event"
    console.print(f"About {max(_minutes(report), 0.1):.1f} minutes on AWS{cost}.", style="bright_black")


def adoption_text(resource: Resource) -> str:
    """What adoption does with a foreign thing."""
    known = f" ({resource.age_and_size})" if resource.age_and_size else ""
    return f"Adopt the {resource.kind.replace('-', ' ')} {resource.name} in {resource.region}{known}: {resource.adoption}"


def _print_steps(console: SafeConsole, report: PlanReport) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for title in ("step", "region", "kind", "now", "then"):
        table.add_column(title, overflow="fold")
    for point in report.points:
        word, colour = STATES[point.observed.state]
        table.add_row(
            escape(point.node.key.step),
            point.node.key.region,
            escape(point.node.spec.kind),
            f"[{colour}]{word}[/]",
            _action(report, point),
        )
    print_table(console, table)


def _action(report: PlanReport, point: NodeState) -> str:
    if report.removes and not point.observed.ours and point.observed.state is not State.ABSENT:
        return "leave alone"
    if report.removes and point.observed.kept:
        return "keep"
    if report.adopts and point.observed.foreign and all(each.adoption for each in point.observed.foreign):
        return "adopt"
    if kinds()[point.node.spec.kind].is_verification:
        return "nothing" if report.removes else "check"
    return (REMOVING if report.removes else MAKING)[point.observed.state]


def _minutes(report: PlanReport) -> float:
    """The longest chain of what is still to do."""
    idle = State.ABSENT if report.removes else State.READY
    todo = {point.node.key for point in report.points if point.observed.state is not idle}
    plan = Plan(tuple(point.node for point in report.points)).select(lambda _: True)  # without needs that are not shown
    return plan.minutes(lambda node: estimate_of(node.spec).minutes if node.key in todo else 0.0)


def _usd(report: PlanReport) -> float:
    """What the workshop costs an event; taking it down costs nothing."""
    return 0.0 if report.removes else sum(estimate_of(point.node.spec).usd for point in report.points)


def _step(report: PlanReport, point: NodeState) -> dict[str, Any]:
    key, estimate = point.node.key, estimate_of(point.node.spec)
    return {
        "id": key.step,
        "module": point.node.module,
        "region": key.region,
        "kind": point.node.spec.kind,
        "account": key.account,
        "state": point.observed.state.value,
        "detail": point.observed.detail,
        "action": _action(report, point),
        "data_at_risk": point.data_at_risk,
        "adopted": point.observed.adopted or None,
        "foreign": [
            {
                "kind": each.kind,
                "name": each.name,
                "region": each.region,
                "created": each.created or None,
                "size": each.size,
                "adoption": each.adoption,
            }
            for each in point.observed.foreign
        ],
        "minutes": estimate.minutes,
        "usd": estimate.usd,
    }
