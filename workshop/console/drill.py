"""Shows a drill: a line for each moment while it runs, a verdict at its end, and its JSON documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from workshop.console.document import print_document
from workshop.console.style import hanging, print_table, stream
from workshop.drill.report import ReportFiles, Targets, Verdict, cards, figures
from workshop.drill.run import DrillResult
from workshop.drill.timeline import Milestone, Moment
from workshop.drill.undo_log import Undone
from workshop.durations import format_duration

__all__ = ["INDENT", "drill_document", "moment_line", "print_drill", "print_restored", "restored_document"]

WORDS = {
    Milestone.LOAD: "load",
    Milestone.INJECTED: "fault",
    Milestone.FIRST_FAILURE: "failing",
    Milestone.SWITCHED: "failover",
    Milestone.REVERTED: "put back",
    Milestone.OFFERED: "healthy",
    Milestone.RETURNED: "failback",
    Milestone.STOPPED: "load",
    Milestone.CONVERGED: "compared",
    Milestone.NOTE: "",
}


INDENT = len("1234.56 s  failover  ")
"""Where the text of a line of the timeline begins."""


def moment_line(moment: Moment) -> str:
    """One line of the timeline."""
    return f"{moment.at:7.2f} s  {WORDS[moment.milestone]:<9} {moment.text}"


def drill_document(head: dict[str, Any], result: DrillResult, targets: Targets, verdict: Verdict, files: ReportFiles) -> None:
    """The JSON document of `drill run`."""
    print_document("drill run", verdict.ok, {**head, **figures(result, targets, verdict), "report": files.document()})


def print_drill(result: DrillResult, targets: Targets, verdict: Verdict, files: ReportFiles) -> None:
    """The verdict for people."""
    console, spec = stream(), result.spec
    word, colour = ("passed", "green") if verdict.ok else ("missed", "red")
    length = format_duration(result.seconds)
    console.print(f"[bold {colour}]Drill {word}[/]: {spec.region} failed by {spec.fault.name}, {length}")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for card in cards(result, targets, verdict):
        mark = "[green]✓[/]" if card.good else "[red]✗[/]"
        table.add_row(mark, card.name, f"[bold]{escape(card.value)}[/]", f"[bright_black]{escape(card.beside)}[/]")
    print_table(console, table)
    for reason in verdict.reasons:
        console.print(f"[red]✗ {escape(reason)}[/]")
    for undone in result.restored:
        print_table(console, hanging("  ", f"[bright_black]{escape(undone.text)}[/]"))
    console.print(f"Report: {files.html}", soft_wrap=True, markup=False)


def restored_document(command: str, head: dict[str, Any], restored: Sequence[Undone]) -> None:
    """The JSON document of `drill recover`."""
    print_document(command, True, {**head, "undone": True, "restored": [each.document() for each in restored]})


def print_restored(restored: Sequence[Undone]) -> None:
    """What was put back, for people."""
    console = stream()
    if not restored:
        console.print("Nothing to put back: no drill was killed, and no region is failed by hand.")
    for each in restored:
        console.print(f"[green]✓[/] {escape(each.text)}")
