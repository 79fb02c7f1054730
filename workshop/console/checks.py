"""How the report of `workshop check` looks: a list like a doctor's on the terminal, a JSON document, one page of HTML.

In: a report and what it is about. Out: text. Account numbers can be masked in all three, because reports are mailed around.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.markup import escape

from workshop.checks.base import Check, CheckStatus, Finding, Key, Result
from workshop.checks.runner import CheckReport
from workshop.console.document import print_document
from workshop.console.echo import say
from workshop.console.style import hanging, print_table, stream
from workshop.durations import format_duration
from workshop.errors import ExitCode, UsageError
from workshop.quoting import visible
from workshop.state_dir import write_private
from workshop.steps.route53.proof import Proof

__all__ = ["MARKS", "About", "Waiting", "check_document", "html_page", "masked", "print_report", "verdict", "write_page"]

MARKS = {
    CheckStatus.PASS: ("✓", "green"),
    CheckStatus.SKIP: ("-", "bright_black"),
    CheckStatus.WARN: ("!", "yellow"),
    CheckStatus.FAIL: ("✗", "red"),
    CheckStatus.CRASH: ("☠", "magenta"),
}
BAD = (CheckStatus.FAIL, CheckStatus.CRASH)
SLOW = 4.0
"""Seconds after which a check that is still running is named."""


@dataclass(frozen=True, slots=True)
class About:
    """What a report is about: workshop, target, account, caller, regions, participants, time."""

    workshop: str
    target: str
    account: str
    caller: str
    regions: tuple[str, ...]
    participants: int
    when: datetime


def verdict(report: CheckReport) -> str:
    """`go` or `no-go`."""
    return "go" if report.go else "no-go"


def check_document(report: CheckReport, about: About, code: ExitCode) -> None:
    """The JSON document of `check`."""
    print_document(
        "check",
        code == ExitCode.DONE,
        {
            "workshop": about.workshop,
            "target": about.target,
            "account": about.account,
            "caller": about.caller,
            "regions": list(about.regions),
            "verdict": verdict(report),
            "seconds": round(report.seconds, 3),
            "counts": {status.value: len(report.of(status)) for status in CheckStatus},
            "checks": [result.document() for result in report.results],
        },
    )


def print_report(report: CheckReport, about: About, code: ExitCode) -> None:
    """The report for people: what stops the event first, then everything by family, then the verdict."""
    console = stream()
    console.print(
        f"[bold]{escape(about.workshop)}[/] on [bold]{about.target}[/], account {escape(about.account)},"
        f" {', '.join(about.regions)}"
    )
    bad = report.of(*BAD)
    if bad:
        console.print(f"\n[bold red]What stops the event ({len(bad)})[/]")
        for result in bad:
            _print(console, result)
    for family, title in report.families.items():
        results = [result for result in report.results if result.family == family]
        if results:
            console.print(f"\n[bold]{escape(title)}[/]")
        for result in results:
            if result.status in BAD:
                mark, colour = MARKS[result.status]
                console.print(f"[{colour}]\\[{mark}] {escape(_title(result))}[/] [bright_black](above)[/]")
            else:
                _print(console, result)
    console.print()
    colour = "green" if report.go else "red"
    word = "Go" if report.go else "No-go"
    console.print(f"[bold {colour}]{word}[/]: {_counts(report)} in {format_duration(report.seconds)}", soft_wrap=True)
    if code == ExitCode.WARNINGS:
        console.print("[yellow]--strict: the warnings count.[/]")


def html_page(report: CheckReport, about: About) -> str:
    """The report as one page that needs nothing but itself: to be mailed, printed and projected."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from workshop.drill.wiring_plot import draw_wiring

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["format_duration"] = format_duration
    groups = [(title, [r for r in report.results if r.family == family]) for family, title in report.families.items()]
    return visible(
        environment.get_template("check.html.j2").render(
            about=about,
            report=report,
            verdict=verdict(report),
            bad=report.of(*BAD),
            warnings=report.of(CheckStatus.WARN),
            groups=[(title, results) for title, results in groups if results],
            marks={s.value: m for s, (m, _) in MARKS.items()},
            counts=_counts(report),
            title=_title,
            drawings=[Markup(draw_wiring(proof)) for proof in _wirings(report)],  # noqa: S704 - every text in it is escaped
        )
    )


def _wirings(report: CheckReport) -> list[Proof]:
    """The wirings that were proven or not, each once."""
    return [result.finding.wiring for result in report.results if result.finding.wiring is not None]


def write_page(page: Path, report: CheckReport, about: About) -> None:
    """The report as one page in a file; it names account and caller, so it is private. Raises `UsageError` when it cannot be
    written.

    What is no file, such as /dev/stdout, is written to as it is.
    """
    text = html_page(report, about)
    try:
        if page.exists() and not page.is_file():
            page.write_text(text, encoding="utf-8")
        else:
            write_private(page.resolve(), text)
    except OSError as error:
        raise UsageError(
            what=f"The page {page} cannot be written.",
            why=f"{error.strerror}.",
            fix="Name another place: --html FILE",
            code="HtmlFile",
        ) from error


def masked(report: CheckReport, about: About) -> tuple[CheckReport, About]:
    """Both with every account number but for its last four digits hidden."""
    results = tuple(replace(r, finding=_masked_finding(r.finding), title=_mask(r.title)) for r in report.results)
    return replace(report, results=results), replace(about, account=_mask(about.account), caller=_mask(about.caller))


class Waiting:
    """Listens to the checks and names on stderr those that take long."""

    def __init__(self) -> None:
        self._running: dict[Key, tuple[str, float]] = {}
        self._said: set[Key] = set()

    def __call__(self, check: Check, result: Result | None) -> None:
        if result is None:
            self._running[check.key] = (check.heading, time.monotonic())
        else:
            self._running.pop(check.key, None)

    def tick(self) -> None:
        """Name what has been waited for longer than a few seconds, each once."""
        for key, (title, start) in list(self._running.items()):
            waited = time.monotonic() - start
            if waited > SLOW and key not in self._said:
                self._said.add(key)
                where = f" in {key[1]}" if key[1] else ""
                say(f"Still waiting after {format_duration(round(waited))}{where}: {title}", err=True)


def _print(console: Any, result: Result) -> None:
    mark, colour = MARKS[result.status]
    detail, slow = result.finding.detail, f" ({format_duration(result.seconds)})" if result.seconds >= SLOW else ""
    quiet = result.status in (CheckStatus.PASS, CheckStatus.SKIP)
    text = escape(_title(result))
    if quiet and detail:
        text += f"[bright_black]: {escape(detail)}[/]"
    print_table(console, hanging(f"[{colour}]\\[{mark}][/] ", f"{text}[bright_black]{slow}[/]"))
    if not quiet and detail:
        print_table(console, hanging("    ", escape(detail)))
    if result.finding.fix and not quiet:
        console.print(f"    [bold]→ {escape(result.finding.fix)}[/]", soft_wrap=True)


def _title(result: Result) -> str:
    return f"{result.title} ({result.region})" if result.region else result.title


def _counts(report: CheckReport) -> str:
    words = {
        CheckStatus.PASS: "passed",
        CheckStatus.WARN: "warned",
        CheckStatus.FAIL: "failed",
        CheckStatus.CRASH: "crashed",
        CheckStatus.SKIP: "skipped",
    }
    return ", ".join(f"{len(found)} {word}" for status, word in words.items() if (found := report.of(status)))


def _masked_finding(finding: Finding) -> Finding:
    return replace(finding, detail=_mask(finding.detail), fix=_mask(finding.fix))


def _mask(text: str) -> str:
    return re.sub(r"(?<!\d)\d{8}(\d{4})(?!\d)", r"********\1", text)
