"""Shows an observation: each round in a sentence, each call of the last one, and the JSON document."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from workshop.console.document import print_document
from workshop.console.style import print_table, stream
from workshop.drill.observe import CounterCall, Experiment, ReplicationLatency, lags
from workshop.durations import format_duration

__all__ = ["observation_document", "print_observation"]

MOST_ROWS = 12


def observation_document(
    head: dict[str, Any], kind: str, rounds: Sequence[Experiment], latency: ReplicationLatency, svg: Path
) -> None:
    """The JSON document of `observe`; times in seconds since the first call."""
    ok = all(each.ok for each in rounds)
    measured = lags(rounds)
    print_document(
        f"observe {kind}",
        ok,
        {
            **head,
            "rounds": [_round(each) for each in rounds],
            "lag": {
                "count": len(measured),
                "median": round(statistics.median(measured), 3) if measured else None,
                "max": round(max(measured), 3) if measured else None,
            },
            "replication_latency": latency.document(),
            "svg": str(svg),
        },
    )


def print_observation(kind: str, rounds: Sequence[Experiment], latency: ReplicationLatency, svg: Path) -> None:
    """The same for people."""
    console = stream()
    for number, each in enumerate(rounds, 1):
        mark = "[green]✓[/]" if each.ok else "[red]✗[/]"
        console.print(f"{mark} {number}. {escape(each.words)}")
    _print_calls(rounds[-1].calls)
    measured = lags(rounds)
    if measured and kind == "replication":
        median, longest = format_duration(statistics.median(measured)), format_duration(max(measured))
        console.print(f"Measured lag: median [bold]{median}[/], longest {longest}, in {len(measured)} rounds")
    if latency.samples:
        console.print(
            f"CloudWatch ReplicationLatency, {latency.source} to {latency.region}: average {latency.average:g} ms,"
            f" {latency.least:g} to {latency.most:g} ms, {latency.samples} samples in 15 minutes"
        )
    else:
        console.print(f"CloudWatch ReplicationLatency: {escape(latency.why)}", style="bright_black")
    console.print(f"Plot: {svg}", soft_wrap=True, markup=False)


def _print_calls(calls: Sequence[CounterCall]) -> None:
    """Every call of one round; of many equal reads only the first and the last."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="bright_black")
    for title in ("second", "region", "call", "counter"):
        table.add_column(title, justify="right" if title in ("second", "counter") else "left")
    shown = _condensed(calls)
    zero = calls[0].sent if calls else 0.0
    for call in shown:
        if call is None:
            table.add_row("...", "", "", "")
            continue
        what = "[bright_black]read[/]" if call.by is None else f"[bold]write {call.by:+d}[/]"
        table.add_row(f"{call.answered - zero:.3f}", call.region, what, str(call.value))
    print_table(stream(), table)


def _condensed(calls: Sequence[CounterCall]) -> list[CounterCall | None]:
    """The calls whose value is new, and the last before each; None in place of those left out."""
    if len(calls) <= MOST_ROWS:
        return list(calls)
    news: set[int] = {0, len(calls) - 1}
    last: dict[str, int] = {}
    for number, call in enumerate(calls):
        before = last.get(call.region)
        if before is None or calls[before].value != call.value or call.by is not None:
            news |= {number} if before is None else {number, before}
        last[call.region] = number
    kept: list[CounterCall | None] = []
    for number, call in enumerate(calls):
        if number in news:
            kept.append(call)
        elif kept and kept[-1] is not None:
            kept.append(None)
    return kept


def _round(each: Experiment) -> dict[str, Any]:
    return {
        "outcome": each.outcome.value,
        "words": each.words,
        "winner": each.winner or None,
        "final": each.final,
        "lag": None if each.lag is None else {"least": round(each.lag[0], 3), "most": round(each.lag[1], 3)},
        "calls": [
            {
                "region": c.region,
                "call": "read" if c.by is None else "write",
                "by": c.by,
                "sent": round(c.sent, 3),
                "answered": round(c.answered, 3),
                "value": c.value,
            }
            for c in each.calls
        ],
    }
