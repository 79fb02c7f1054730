"""Shows what DNS answers: a row for each region, what one resolver kept, and the JSON document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from workshop.console.document import print_document
from workshop.console.style import print_table, stream
from workshop.drill.answers import RoutedAnswers
from workshop.quoting import shown
from workshop.steps.route53.sampling import band

__all__ = ["answers_document", "print_answers"]


def answers_document(head: dict[str, Any], found: RoutedAnswers, svg: Path) -> None:
    """The JSON document of `observe answers`; shares are fractions of 1, `cached` is in seconds."""
    expected = found.expected
    print_document(
        "observe answers",
        found.ok,
        {
            **head,
            "name": found.name,
            "from": found.source or None,
            "policy": expected.policy,
            "queries": found.sample.queries,
            "answers": dict(found.sample.answers),
            "expected": {region: round(share, 4) for region, share in expected.shares.items()},
            "band": {r: [round(edge, 4) for edge in band(s, found.sample.queries)] for r, s in expected.shares.items()},
            "may_answer": list(expected.regions),
            "words": found.problem or expected.words,
            "ttl": found.sample.ttl,
            "via": list(found.sample.via),
            "cached": [{"at": round(each.at, 1), "ttl": each.ttl, "region": each.region} for each in found.cached],
            "svg": str(svg),
        },
    )


def print_answers(found: RoutedAnswers, svg: Path) -> None:
    """The same for people."""
    console, expected, sample = stream(), found.expected, found.sample
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="bright_black")
    for title in ("region", "answers", "share", "promised", "99.9 % within"):
        table.add_column(title, justify="left" if title == "region" else "right")
    for region in dict.fromkeys([*expected.regions, *sample.answers]):
        count, share = sample.answers.get(region, 0), expected.shares.get(region)
        low, high = band(share, sample.queries) if share is not None else (0.0, 0.0)
        table.add_row(
            escape(shown(region)),
            str(count),
            f"{count / sample.queries:.1%}",
            "" if share is None else f"{share:.1%}",
            "" if share is None else f"{low:.1%} to {high:.1%}",
        )
    mark = "[green]✓[/]" if found.ok else "[red]✗[/]"
    asker = f" from {found.source}" if found.source else ""
    console.print(f"{mark} {escape(found.name)}{escape(asker)}: {expected.policy}, {sample.queries} queries, TTL {sample.ttl} s")
    print_table(console, table)
    console.print(escape(found.problem or f"Promised: {expected.words}."))
    if "https" in sample.via:
        console.print("Port 53 is blocked here: resolvers were asked by HTTPS, which keep answers for their TTL.", style="yellow")
    kept = ", then ".join(f"{shown(each.region)} for {each.ttl} s" for each in found.cached)
    console.print(f"One resolver keeps each answer for its TTL: {escape(kept)}")
    console.print(f"Plot: {svg}", soft_wrap=True, markup=False)
