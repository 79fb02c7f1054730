"""Shows a drill: a line for each moment while it runs, a verdict at its end, and its JSON documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from workshop.console.document import print_document
from workshop.console.style import hanging, print_table, stream
from workshop.drill.name_report import name_sentences
from workshop.drill.report import ReportFiles, Targets, Verdict, cards, figures
from workshop.drill.run import DrillResult
from workshop.drill.timeline import Milestone, Moment
from workshop.drill.undo_log import Undone
from workshop.drill.wiring import WiringResult
from workshop.durations import format_duration

__all__ = [
    "INDENT",
    "drill_document",
    "moment_line",
    "print_drill",
    "print_restored",
    "print_wiring",
    "restored_document",
    "wiring_document",
]

WORDS = {
    Milestone.LOAD: "load",
    Milestone.INJECTED: "fault",
    Milestone.FIRST_FAILURE: "failing",
    Milestone.SEEN: "seen",
    Milestone.DNS: "dns",
    Milestone.PEOPLE: "left",
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
    for sentence in name_sentences(result, result.name) if result.name else []:
        print_table(console, hanging("  ", escape(sentence)))
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


def wiring_document(head: dict[str, Any], result: WiringResult, drawing: Path) -> None:
    """The JSON document of `drill wiring`."""
    print_document(
        "drill wiring",
        result.shown and result.undone,
        {
            **head,
            "name": result.name,
            "region": result.region,
            "found": [each.text for each in result.found],
            "fix": next((each.fix for each in result.found), ""),
            "queries": result.queries,
            "answers": result.answers,
            "failed_requests": result.failed,
            "detection_seconds": round(result.turned, 3),
            "undone": result.undone,
            "restored": [each.document() for each in result.restored],
            "report": {"svg": str(drawing)},
        },
    )


def print_wiring(result: WiringResult, drawing: Path) -> None:
    """What the mistake did, for people."""
    console = stream()
    word, colour = ("shown", "green") if result.shown and result.undone else ("not shown", "red")
    console.print(f"[bold {colour}]Crossed wiring {word}[/]: {escape(result.name)}, {escape(result.region)} was broken")
    led = ", ".join(f"{region} {count}" for region, count in result.answers.items())
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    rows = (
        (bool(result.found), "The proof", f"{len(result.found)} mismatches named", "before anything failed"),
        (
            result.answers == {result.region: result.queries},
            "Answers of DNS",
            led,
            f"of {result.queries}; all name the broken region",
        ),
        (result.failed == result.queries, "Failed calls", str(result.failed), "although the other region is healthy"),
        (result.undone, "Put back", "yes" if result.undone else "no", "each record carries its own health check"),
    )
    for good, name, value, beside in rows:
        mark = "[green]✓[/]" if good else "[red]✗[/]"
        table.add_row(mark, name, f"[bold]{escape(value)}[/]", f"[bright_black]{escape(beside)}[/]")
    print_table(console, table)
    console.print(f"Drawing: {drawing}", soft_wrap=True, markup=False)
