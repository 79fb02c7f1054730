"""How the end of a setup or a teardown looks: the outcome, the addresses, what to do next.

In: a `SetupReport` or a `TeardownReport`. Out: text for people, or the JSON document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape

from workshop.console.document import print_document
from workshop.console.report import RunReport, SetupReport, StatusReport, TeardownReport
from workshop.console.style import SafeConsole, print_error, stream
from workshop.durations import format_duration, format_moment
from workshop.engine.results import NodeResult, Outcome
from workshop.errors import ExitCode
from workshop.steps.base import Resource

__all__ = ["addresses_document", "leftover_documents", "print_addresses", "show_setup", "show_teardown"]


NEXT = {"open": "opens the web app", "status": "shows what is deployed", "teardown": "removes it again"}
"""What each command that is offered after a setup does."""


SIGN_IN = ("issuer", "authorize_url", "token_url", "client_id", "redirect_uri", "scope", "user", "password")
"""What JSON documents have of a sign-in."""


def show_setup(report: SetupReport, *, json: bool) -> None:
    """The end of a setup, or of a `step run`: for people, or as one JSON document."""
    (_setup_document if json else _print_setup)(report)


def show_teardown(report: TeardownReport, *, json: bool) -> None:
    """The end of a teardown: for people, or as one JSON document."""
    (_teardown_document if json else _print_teardown)(report)


def _setup_document(report: SetupReport) -> None:
    content = {**_head(report), **addresses_document(report)}
    print_document(report.command, report.code == ExitCode.DONE, content)


def _teardown_document(report: TeardownReport) -> None:
    content = {
        **_head(report),
        "leftovers": leftover_documents(report.leftovers),
        "receipt": str(report.receipt) if report.receipt else None,
        "searched": list(report.searched),
        "unsearched": list(report.unsearched),
    }
    print_document(report.command, report.exit_code == ExitCode.DONE, content)


def addresses_document(report: SetupReport | StatusReport) -> dict[str, Any]:
    """The addresses as they are in JSON documents; `names` and `signin` only for a workshop that has some."""
    names = {} if report.names is None else {"names": report.names}
    signin = {} if report.signin is None else {"signin": {key: report.signin[key] for key in SIGN_IN if key in report.signin}}
    return {"apis": report.apis, **names, **signin, "web": report.links}


def leftover_documents(leftovers: Sequence[Resource]) -> list[dict[str, Any]]:
    """Leftovers as they are in JSON documents."""
    return [
        {
            "kind": r.kind,
            "name": r.name,
            "region": r.region,
            "why": r.why,
            "fix": r.fix,
            "earliest": r.earliest,
            "show": r.show,
            "ours": r.ours,
            "created": r.created or None,
            "size": r.size,
            "adopted": r.adopted or None,
        }
        for r in leftovers
    ]


def _print_setup(report: SetupReport) -> None:
    console = stream()
    _print_failures(report.results)
    outcomes = [result.outcome for result in report.results]
    counts = ", ".join(f"{count} {outcome.value}" for outcome in Outcome if (count := outcomes.count(outcome)))
    title = "is ready" if report.code == ExitCode.DONE else "is not ready"
    colour = "green" if report.code == ExitCode.DONE else "red"
    name, seconds = escape(report.workshop), format_duration(report.seconds)
    console.print(f"[bold {colour}]{name} {title}[/] on {report.target} in {seconds}: {counts}")
    print_addresses(console, report)
    if report.code == ExitCode.INTERRUPTED:
        console.print(f"Interrupted. Go on with: [bold]{escape(report.resume)}[/]", soft_wrap=True)
    elif report.code != ExitCode.DONE:
        console.print(
            f"What was deployed stays. When the cause is fixed, go on with: [bold]{escape(report.resume)}[/]", soft_wrap=True
        )
    else:
        console.print("Next:")
        width = max(map(len, report.next_commands.values()), default=0)
        for command, line in report.next_commands.items():
            console.print(f"  [bold]{escape(line)}[/]{' ' * (width - len(line))}  {NEXT[command]}", soft_wrap=True)


def _print_teardown(report: TeardownReport) -> None:
    console = stream()
    if report.code == ExitCode.DONE:
        _print_overcome(report.results)
    else:
        _print_failures(report.results)
    removed = sum(result.outcome is Outcome.REMOVED for result in report.results)
    name, where, seconds = escape(report.workshop), f"on {report.target} ({report.account})", format_duration(report.seconds)
    if report.code == ExitCode.DONE:
        console.print(
            f"[bold green]{name} is gone[/] {where} in {seconds}: {removed} removed, nothing left in {_regions(report.searched)}."
        )
    else:
        console.print(f"[bold red]{name} is not gone[/] {where} after {seconds}: {removed} removed.")
    if report.leftovers:
        console.print("[bold]Left:[/]")
    for resource in report.leftovers:
        about = "; ".join(part for part in (resource.why, _origin(resource)) if part)
        note = f" [bright_black]({escape(about)})[/]" if about else ""
        console.print(f"  [yellow]![/] {resource.kind} {escape(resource.name)} in {resource.region or 'this machine'}{note}")
        console.print(f"    {escape(resource.fix)}", soft_wrap=True)
    if report.unsearched:
        console.print(f"[yellow]![/] Not searched, because access is denied: {', '.join(report.unsearched)}")
    if report.receipt:
        # The page for people lies beside the JSON file that the document names.
        console.print(f"Receipt: {report.receipt.with_suffix('.html')}", style="bright_black", soft_wrap=True, markup=False)
    if report.code == ExitCode.INTERRUPTED:
        console.print(f"Interrupted. Go on with: [bold]{escape(report.resume)}[/]", soft_wrap=True)
    elif report.code != ExitCode.DONE and (_failed(report) or any(resource.ours for resource in report.leftovers)):
        console.print(f"When the cause is fixed, go on with: [bold]{escape(report.resume)}[/]", soft_wrap=True)


def _origin(resource: Resource) -> str:
    """For what is not ours or was adopted: when and how it came."""
    if resource.adopted:
        return f"adopted {format_moment(resource.adopted)}"
    return "" if resource.ours else resource.age_and_size


def _regions(names: Sequence[str]) -> str:
    """Three regions at most by name, more by their number."""
    if len(names) > 3:
        return f"any of {len(names)} regions"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def print_addresses(console: SafeConsole, report: SetupReport | StatusReport) -> None:
    """The addresses, each on a line of its own that is never broken, so that it can be clicked and copied."""
    lines = [(f"API {region}", api["url"]) for region, api in report.apis.items()]
    for name, routed in (report.names or {}).items():
        lines.append((name, routed["url"] or f"{routed['host']} (not delegated: no browser resolves it)"))
    if report.signin and "user" in report.signin:
        lines.append(("sign in", f"as {report.signin['user']} with the password {report.signin['password']}"))
    elif report.signin:
        lines.append(("sign in", report.signin["redirect_uri"]))
    lines += report.links.items()
    width = max([16, *(len(label) for label, _ in lines)])
    for label, address in lines:
        console.print(f"  {label:<{width}} {address}", soft_wrap=True, markup=False)


def _failed(report: RunReport) -> bool:
    return any(result.error for result in report.results)


def _print_overcome(results: Sequence[NodeResult]) -> None:
    """What failed on the way to an end at which nothing is left: no error, and not kept quiet."""
    console = stream(err=True)
    for result in results:
        if result.error:
            text = f"{result.node.key} failed on the way, and nothing of it is left: {result.error.what} {result.error.why}"
            console.print(f"[yellow]![/] {escape(text)}", soft_wrap=True)


def _print_failures(results: Sequence[NodeResult]) -> None:
    """All failures, the earliest first, because later ones are often its echo. Cancelled nodes are only counted."""
    console = stream(err=True)
    for result in sorted((r for r in results if r.error), key=lambda r: r.at):
        if result.error:
            print_error(console, result.error)


def _head(report: RunReport) -> dict[str, Any]:
    return {
        "workshop": report.workshop,
        "target": report.target,
        "account": report.account,
        "regions": list(report.regions),
        "seconds": round(report.seconds, 3),
        "steps": [result.document() for result in report.results],
    }
