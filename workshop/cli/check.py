"""`workshop check`: go or no-go, before the doors open."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workshop.cli.options import Common, common_options, retyped
from workshop.console.echo import say
from workshop.errors import UsageError

if TYPE_CHECKING:
    from workshop.checks.interface import Check, Result
    from workshop.checks.run import Report
    from workshop.checks.subject import Subject
    from workshop.console.checks import About, Waiting

__all__ = ["command"]

TICK = 0.5


@click.command("check")
@click.option("--only", multiple=True, metavar="FAMILY", help="Ask the checks of this family alone; repeat it.")
@click.option("--skip", multiple=True, metavar="FAMILY", help="Leave the checks of this family out; repeat it.")
@click.option("--strict", is_flag=True, help="Let warnings count: exit 4.")
@click.option(
    "--html", "page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as one page, too."
)
@click.option("--mask", is_flag=True, help="Hide account numbers but for their last four digits.")
@click.option(
    "--participants",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    help="How many people take part, each with an account.",
)
@click.option(
    "--minutes", type=click.FloatRange(1, 10_080), default=120.0, show_default=True, help="How long the event is planned to take."
)
@click.option("--rehearse", is_flag=True, help="Do it all for real: setup, verify, drill, teardown, with the time of each.")
@common_options  # fmt: skip
def command(common: Common, **options: object) -> int:
    """Find out before the event what would otherwise be found in front of the room.

    Looks at the caller, regions, network, permissions, quotas, names, leftovers, files, this machine, time and cost. Changes
    nothing, unless --rehearse is given. Exits 0 for go, 3 for no-go, 4 for warnings under --strict.

    \b
    Families: identity regions endpoints clock permissions quotas leftovers
              stacks definition machine cost
    Examples:
      workshop check                                  on the local cloud
      workshop check --target aws --expect-account 111122223333
      workshop check --only quotas --only permissions
      workshop check --html report.html --mask        to be mailed
      workshop check --rehearse                       the dress rehearsal
    """
    from workshop.cli.running import run

    return run(_check(common, options))


async def _check(common: Common, options: dict[str, object]) -> int:
    from workshop.checks.catalogue import FAMILIES, all_checks, chosen
    from workshop.checks.run import Report
    from workshop.cli.subject import Wanted, open_subject
    from workshop.console.checks import Waiting

    families = chosen(_texts(options["only"]), _texts(options["skip"]))
    if common.target == "aws" and options["rehearse"] and not common.yes:
        _refuse_without_terminal(common)
    start = time.monotonic()
    wanted = Wanted(int(str(options["participants"])), float(str(options["minutes"])))
    async with open_subject(common, wanted, _say) as subject:
        results = await _ask(all_checks(subject, families), Waiting())
        about = _about(subject)
    titles = {name: FAMILIES[name][0] for name in families}
    report = Report(tuple(results), time.monotonic() - start, titles)
    if options["rehearse"]:
        report = await _rehearsed(common, report, start)
    return _render(common, report, about, options)


async def _ask(checks: list[Check], waiting: Waiting) -> list[Result]:
    import asyncio

    from workshop.checks.run import run_checks

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK)
            waiting.tick()

    ticking = asyncio.create_task(tick())
    try:
        return await run_checks(checks, waiting)
    finally:
        ticking.cancel()


async def _rehearsed(common: Common, report: Report, start: float) -> Report:
    """The report with the rehearsal's results; a no-go is not rehearsed."""
    from dataclasses import replace

    from workshop.cli.rehearse import TITLE, not_rehearsed, rehearse

    results = await rehearse(common, _say) if report.go else not_rehearsed()
    return replace(
        report, results=(*report.results, *results), seconds=time.monotonic() - start,
        families={**report.families, "rehearsal": TITLE},
    )  # fmt: skip


def _render(common: Common, report: Report, about: About, options: dict[str, object]) -> int:
    from workshop.console.checks import check_document, html_page, masked, print_report

    if options["mask"]:
        report, about = masked(report, about)
    code = report.exit_code(strict=bool(options["strict"]))
    page = options["page"]
    if isinstance(page, Path):
        try:
            _write(page, html_page(report, about))
        except OSError as error:
            raise UsageError(
                f"The page {page} cannot be written.", f"{error.strerror}.", "Name another place: --html FILE", code="HtmlFile"
            ) from error
        _say(f"Wrote {page}")
    render = check_document if common.json else print_report
    render(report, about, code)
    return code


def _write(page: Path, text: str) -> None:
    """The page names account and caller, so it is private; what is no file, such as /dev/stdout, is written to as it is."""
    from workshop.home import write_private

    if page.exists() and not page.is_file():
        page.write_text(text, encoding="utf-8")
    else:
        write_private(page.resolve(), text)


def _about(subject: Subject) -> About:
    from workshop.console.checks import About

    arn = subject.caller.arn if subject.caller else ""
    account = subject.account if subject.caller else "unknown"
    return About(
        subject.workshop, subject.target, account, arn, subject.regions, subject.event.participants, subject.clock.now()
    )  # fmt: skip


def _refuse_without_terminal(common: Common) -> None:
    import sys

    if not sys.stdin.isatty():
        raise UsageError(
            "A rehearsal on AWS makes real resources and asks before, and there is no terminal to ask on.",
            "Nothing was changed.", f"Say yes beforehand: {retyped(common, 'check --rehearse', 'aws')} --yes",
            code="Confirmation",
        )  # fmt: skip


def _texts(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, tuple) else ()


def _say(text: str) -> None:
    say(text, err=True)
