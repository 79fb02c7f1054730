"""How a drill looks: a line for each moment while it runs, a verdict at its end, and its JSON documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from workshop.console.document import print_document
from workshop.console.style import stream
from workshop.drill.document import figures
from workshop.drill.durations import spoken
from workshop.drill.ledger import Settled
from workshop.drill.report import Written, cards
from workshop.drill.run import Drilled
from workshop.drill.timeline import Mark, Moment
from workshop.drill.verdict import Targets, Verdict

__all__ = ["drill_document", "moment_line", "print_drill", "print_settled", "settled_document"]

WORDS = {
    Mark.LOAD: "load", Mark.STRUCK: "fault", Mark.FIRST_FAILURE: "failing", Mark.SWITCHED: "failover", Mark.MENDED: "put back",
    Mark.OFFERED: "answers", Mark.RETURNED: "failback", Mark.STOPPED: "load", Mark.CONVERGED: "compared", Mark.NOTE: "",
}  # fmt: skip


def moment_line(moment: Moment) -> str:
    """One line of the timeline."""
    return f"{moment.at:7.2f} s  {WORDS[moment.mark]:<9} {moment.text}"


def drill_document(head: dict[str, Any], drilled: Drilled, targets: Targets, verdict: Verdict, report: Written) -> None:
    """The JSON document of `drill run`."""
    print_document("drill run", verdict.ok, {**head, **figures(drilled, targets, verdict), "report": report.document()})


def print_drill(drilled: Drilled, targets: Targets, verdict: Verdict, report: Written) -> None:
    """The verdict for people."""
    console = stream()
    word, colour = ("passed", "green") if verdict.ok else ("missed", "red")
    console.print(
        f"[bold {colour}]Drill {word}[/]: {drilled.order.region} failed by {drilled.order.fault.name}, {spoken(drilled.seconds)}"
    )
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    for card in cards(drilled, targets, verdict):
        mark = "[green]✓[/]" if card.good else "[red]✗[/]"
        table.add_row(mark, card.name, f"[bold]{escape(card.value)}[/]", f"[bright_black]{escape(card.beside)}[/]")
    console.print(table)
    for reason in verdict.reasons:
        console.print(f"[red]✗ {escape(reason)}[/]")
    for settled in drilled.settled:
        console.print(f"  {escape(settled.text)}", style="bright_black")
    console.print(f"Report: {report.html}", soft_wrap=True, markup=False)


def settled_document(command: str, head: dict[str, Any], settled: Sequence[Settled]) -> None:
    """The JSON document of `drill recover`."""
    print_document(command, True, {**head, "undone": True, "restored": [each.document() for each in settled]})


def print_settled(settled: Sequence[Settled]) -> None:
    """What was put back, for people."""
    console = stream()
    if not settled:
        console.print("Nothing is to be put back: no drill was killed, and no region is failed by hand.")
    for each in settled:
        console.print(f"[green]✓[/] {escape(each.text)}")
