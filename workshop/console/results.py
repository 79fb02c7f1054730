"""How the end of a setup or a teardown looks: what came of it, where everything is, what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from workshop.console.document import print_document
from workshop.console.style import SafeConsole, print_error, stream
from workshop.engine.results import NodeResult, Outcome
from workshop.engine.workspace import Contexts, Workspace
from workshop.errors import ExitCode
from workshop.steps.base import Resource

__all__ = ["leftover_documents", "print_addresses", "print_setup", "print_teardown", "setup_document", "teardown_document"]


def setup_document(
    command: str,
    workspace: Workspace,
    account: str,
    results: Sequence[NodeResult],
    contexts: Contexts,
    seconds: float,
    code: int,
) -> None:
    """The JSON document of `setup`, and of `step run`, which is one step of it."""
    print_document(command, code == ExitCode.DONE, {
        **_head(workspace, account, results, seconds), "apis": contexts.apis(account), "web": contexts.links(account),
    })  # fmt: skip


def teardown_document(
    workspace: Workspace,
    account: str,
    results: Sequence[NodeResult],
    leftovers: Sequence[Resource],
    receipt: Path | None,
    seconds: float,
    code: int,
    unsearched: Sequence[str],
) -> None:
    """The JSON document of `teardown`."""
    print_document("teardown", code == ExitCode.DONE, {
        **_head(workspace, account, results, seconds), "leftovers": leftover_documents(leftovers),
        "receipt": str(receipt) if receipt else None, "unsearched": list(unsearched),
    })  # fmt: skip


def leftover_documents(leftovers: Sequence[Resource]) -> list[dict[str, Any]]:
    """Leftovers as they stand in JSON documents."""
    return [
        {"kind": r.kind, "name": r.name, "region": r.region, "why": r.why, "fix": r.fix, "earliest": r.earliest,
         "show": r.show, "ours": r.ours}
        for r in leftovers
    ]  # fmt: skip


def print_setup(
    workspace: Workspace,
    account: str,
    results: Sequence[NodeResult],
    contexts: Contexts,
    seconds: float,
    code: int,
    again: str,
    onward: Callable[[str], str],
) -> None:
    """The end of a setup for people; `again` is the command that goes on, `onward` makes the command of a verb (`open`)."""
    console = stream()
    _print_failures(results)
    counts = ", ".join(f"{n} {outcome.value}" for outcome in Outcome if (n := sum(r.outcome is outcome for r in results)))
    title = "is ready" if code == ExitCode.DONE else "is not ready"
    colour = "green" if code == ExitCode.DONE else "red"
    console.print(f"[bold {colour}]{escape(workspace.name)} {title}[/] on {workspace.target.name} in {_time(seconds)}: {counts}")
    print_addresses(console, contexts.apis(account), contexts.links(account))
    if code == ExitCode.INTERRUPTED:
        console.print(f"Interrupted. Go on with: [bold]{escape(again)}[/]", soft_wrap=True)
    elif code != ExitCode.DONE:
        console.print(f"What was made stays. When the cause is mended, go on with: [bold]{escape(again)}[/]", soft_wrap=True)
    else:
        shows = f"[bold]{escape(onward('open'))}[/] shows it, " if contexts.links(account) else ""
        console.print(
            f"Next: {shows}[bold]{escape(onward('status'))}[/] says what stands,",
            f"[bold]{escape(onward('teardown'))}[/] removes it.", soft_wrap=True,
        )  # fmt: skip


def print_teardown(
    workspace: Workspace,
    account: str,
    results: Sequence[NodeResult],
    leftovers: Sequence[Resource],
    receipt: Path | None,
    seconds: float,
    code: int,
    again: str,
    unsearched: Sequence[str],
) -> None:
    """The end of a teardown for people; `again` is the command that goes on, `unsearched` where it is denied to look."""
    console = stream()
    _print_failures(results)
    removed = sum(result.outcome is Outcome.REMOVED for result in results)
    where = f"on {workspace.target.name} ({account})"
    if code == ExitCode.DONE:
        console.print(
            f"[bold green]{escape(workspace.name)} is gone[/] {where} in {_time(seconds)}: {removed} removed, nothing left."
        )
    else:
        console.print(f"[bold red]{escape(workspace.name)} is not gone[/] {where} after {_time(seconds)}: {removed} removed.")
    if leftovers:
        console.print("[bold]Left:[/]")
    for resource in leftovers:
        note = f" [bright_black]({escape(resource.why)})[/]" if resource.why else ""
        console.print(f"  [yellow]![/] {resource.kind} {escape(resource.name)} in {resource.region or 'this machine'}{note}")
        console.print(f"    {escape(resource.fix)}", soft_wrap=True)
    if unsearched:
        console.print(f"[yellow]![/] Not searched, because it is denied: {', '.join(unsearched)}")
    if receipt:
        # The page for people lies beside the JSON file that the document names.
        console.print(f"Receipt: {receipt.with_suffix('.html')}", style="bright_black", soft_wrap=True, markup=False)
    if code == ExitCode.INTERRUPTED:
        console.print(f"Interrupted. Go on with: [bold]{escape(again)}[/]", soft_wrap=True)
    elif any(result.error for result in results) or any(resource.ours for resource in leftovers):
        console.print(f"When the cause is mended, go on with: [bold]{escape(again)}[/]", soft_wrap=True)


def print_addresses(console: SafeConsole, apis: Mapping[str, Mapping[str, str]], links: Mapping[str, str]) -> None:
    """The addresses, each on a line of its own that is never broken, so that it can be clicked and copied."""
    for region, api in apis.items():
        console.print(f"  API {region:<12} {api['url']}", soft_wrap=True, markup=False)
    for name, url in links.items():
        console.print(f"  {name:<16} {url}", soft_wrap=True, markup=False)


def _print_failures(results: Sequence[NodeResult]) -> None:
    """All failures, the earliest first, because later ones are often its echo. Cancelled nodes are only counted."""
    console = stream(err=True)
    for result in sorted((r for r in results if r.error), key=lambda r: r.at):
        if result.error:
            print_error(console, result.error)


def _head(workspace: Workspace, account: str, results: Sequence[NodeResult], seconds: float) -> dict[str, Any]:
    return {
        "workshop": workspace.name, "target": workspace.target.name, "account": account,
        "regions": list(workspace.settings.regions), "seconds": round(seconds, 3), "steps": [r.document() for r in results],
    }  # fmt: skip


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"
