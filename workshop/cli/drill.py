"""`workshop drill`: fail a region on purpose, watch the failover, measure it, and put everything back."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import click

from workshop.cli.options import Common, common_options
from workshop.console.echo import ask, say
from workshop.drill.durations import parse_duration
from workshop.drill.registry import DEFAULT_FAULT, FAULTS
from workshop.errors import ExitCode, UsageError, WorkshopError

if TYPE_CHECKING:
    from workshop.cli.compose import Opened
    from workshop.cli.drill_session import DrillRequest, PreparedDrill
    from workshop.console.progress import Progress
    from workshop.drill.commands import Commands
    from workshop.drill.report import Targets
    from workshop.drill.run import DrillResult

__all__ = ["command"]

TARGET = "15m"
"""The default of --rto and --rpo."""


class Duration(click.ParamType[float]):
    """Seconds, from `90s`, `15m`, `1h` or a number."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            return self.fail(f"{error}.", param, ctx)


@click.group("drill")
def command() -> None:
    """Fail a region on purpose, prove the failover and zero loss, measure RTO and RPO, and always put everything back.

    \b
    Examples:
      workshop drill run                        fail the home region, 30 seconds, with a report
      workshop drill fail --region us-west-2    fail it by hand, while the player runs
      workshop drill recover                    put it back
    """


fault_option = click.option(
    "--fault",
    type=click.Choice(list(FAULTS)),
    default=DEFAULT_FAULT,
    show_default=True,
    envvar="WORKSHOP_FAULT",
    help="How the region is failed; see docs/drills.md.",
)


@command.command("run")
@fault_option
@click.option("--rto", type=Duration(), default=TARGET, show_default=True, envvar="WORKSHOP_RTO", help="The target: 90s, 15m.")
@click.option("--rpo", type=Duration(), default=TARGET, show_default=True, envvar="WORKSHOP_RPO", help="The target.")
@click.option("--failures", type=click.IntRange(1, 1000), envvar="WORKSHOP_FAILURES", help="Failed writes before a switch.")
@click.option("--countdown", type=Duration(), envvar="WORKSHOP_COUNTDOWN", help="The least time before a switch.")
@common_options
def run_command(common: Common, fault: str, rto: float, rpo: float, failures: int | None, countdown: float | None) -> int:
    """Fail a region under load, watch failover and failback, compare every write, and judge by the targets.

    --region names the region to fail (the home region otherwise). The failover's settings are the player's own; --failures and
    --countdown try others. Exits 1 when a target is missed.

    \b
    Examples:
      workshop drill run
      workshop drill run --region eu-west-1 --rto 30s
      workshop drill run --fault replication
    """
    from workshop.cli.drill_session import DrillRequest
    from workshop.cli.running import run
    from workshop.drill.report import Targets

    common, region = _without_region(common)
    return run(_run(common, DrillRequest(fault, region, failures, countdown), Targets(rto, rpo)))


@command.command("fail")
@fault_option
@common_options
def fail_command(common: Common, fault: str) -> int:
    """Fail a region by hand. It stays failed until `workshop drill recover`.

    \b
    Example:
      workshop drill fail --region us-west-2
    """
    from workshop.cli.drill_session import DrillRequest
    from workshop.cli.running import run

    common, region = _without_region(common)
    return run(_fail(common, DrillRequest(fault, region)))


@command.command("recover")
@common_options
def recover_command(common: Common) -> int:
    """Put back everything that a killed drill or `drill fail` has left; with --region, only in that region.

    \b
    Example:
      workshop drill recover
    """
    from workshop.cli.running import run

    common, region = _without_region(common)
    return run(_recover(common, region))


async def _run(common: Common, request: DrillRequest, targets: Targets) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.drill_session import commands_for, prepare, run_prepared
    from workshop.cli.grant import require_grant
    from workshop.cli.guard import guard
    from workshop.cli.running import interruptible
    from workshop.console.drill import moment_line
    from workshop.console.progress import progress as open_progress

    progress = open_progress()
    try:
        async with open_workspace(common, progress.notice) as opened:
            _notice_target(opened, progress)
            commands, words = commands_for(common, opened), _words("drill run", request, targets)
            async with guard(opened, "drill run", progress):
                require_grant(dataclasses.replace(common, regions=()), opened, words, progress)
                prepared = await prepare(opened, request, commands, progress.notice)
                _confirm(common, opened, prepared, commands.line(words), progress)
                async with interruptible(progress) as stop:
                    result = await run_prepared(
                        opened, prepared, stop, progress.notice, lambda moment: progress.notice(moment_line(moment))
                    )
            progress.close()
            if result is None:
                raise _interrupted(opened, commands, commands.line(words))
            return _show(common, opened, result, targets)
    finally:
        progress.close()


async def _fail(common: Common, request: DrillRequest) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.drill_session import commands_for, fail, prepare
    from workshop.cli.grant import require_grant
    from workshop.cli.guard import guard
    from workshop.console.document import print_document
    from workshop.console.progress import progress as open_progress

    progress = open_progress()
    try:
        async with open_workspace(common, progress.notice) as opened:
            _notice_target(opened, progress)
            commands, words = commands_for(common, opened), _words("drill fail", request)
            async with guard(opened, "drill fail", progress):
                require_grant(dataclasses.replace(common, regions=()), opened, words, progress)
                prepared = await prepare(opened, request, commands, progress.notice)
                _confirm(common, opened, prepared, commands.line(words), progress)
                changed = await fail(prepared)
            progress.close()
            region, fault = prepared.spec.region, prepared.spec.fault.name
            if common.json:
                print_document("drill fail", True, {**_head(opened), "region": region, "fault": fault, "changed": changed})
            else:
                say(f"{region} is failed ({fault}). {changed}\nIt stays so until: {commands.recover}")
            return ExitCode.DONE
    finally:
        progress.close()


async def _recover(common: Common, region: str) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.drill_session import commands_for, recover
    from workshop.console.drill import print_restored, restored_document
    from workshop.console.progress import progress as open_progress
    from workshop.engine import lock

    progress = open_progress()
    try:
        async with open_workspace(common, progress.notice) as opened:
            _notice_target(opened, progress)
            with lock.hold(opened.folder / "locks", opened.scope, "drill recover"):
                restored = await recover(opened, region, commands_for(common, opened))
            progress.close()
            if common.json:
                restored_document("drill recover", _head(opened), restored)
            else:
                print_restored(restored)
            return ExitCode.DONE
    finally:
        progress.close()


class _Interrupted(WorkshopError):
    exit_code = ExitCode.INTERRUPTED


def _interrupted(opened: Opened, commands: Commands, again: str) -> WorkshopError:
    from workshop.cli.drill_session import anything_pending

    pending = anything_pending(opened)
    return _Interrupted(
        what="The drill was interrupted.",
        why="Not everything could be put back." if pending else "Everything is put back.",
        fix=f"Put it back: {commands.recover}" if pending else f"Run it again: {again}",
        code="Interrupted",
    )


def _show(common: Common, opened: Opened, result: DrillResult, targets: Targets) -> int:
    """Write the report and print the verdict; returns the exit code."""
    from workshop.cli.drill_session import report
    from workshop.console.drill import drill_document, print_drill

    found = report(opened, result, targets)
    if common.json:
        drill_document(_head(opened), result, targets, found.verdict, found.files)
    else:
        print_drill(result, targets, found.verdict, found.files)
    return ExitCode.DONE if found.verdict.ok else ExitCode.FAILED


def _words(command: str, request: DrillRequest, targets: Targets | None = None) -> str:
    """The command with those of its own options that were given, as it may be typed again; none of their values has a space."""
    words = [command]
    if request.region:
        words.append(f"--region {request.region}")
    if request.fault != DEFAULT_FAULT:
        words.append(f"--fault {request.fault}")
    default = parse_duration(TARGET)
    if targets is not None:
        wanted = {"rto": targets.rto, "rpo": targets.rpo}
        words += [f"--{name} {seconds:.10g}s" for name, seconds in wanted.items() if seconds != default]
    if request.failures is not None:
        words.append(f"--failures {request.failures}")
    if request.countdown is not None:
        words.append(f"--countdown {request.countdown:.10g}s")
    return " ".join(words)


def _without_region(common: Common) -> tuple[Common, str]:
    """For drills `--region` names the region to fail; the workshop's regions are those it is deployed in, or the variable's."""
    from click.core import ParameterSource

    if click.get_current_context().get_parameter_source("region") is not ParameterSource.COMMANDLINE:
        return common, ""
    if len(common.regions) > 1:
        raise UsageError(what="A drill fails one region.", fix="Name one: --region us-west-2", code="Usage")
    return dataclasses.replace(common, regions=()), common.regions[0]


def _confirm(common: Common, opened: Opened, prepared: PreparedDrill, again: str, progress: Progress) -> None:
    """On AWS: print what will be changed in which account, and go on only after a yes. The local cloud needs none.

    `again` is the command as it was typed.
    """
    if opened.workspace.target.name != "aws":
        return
    progress.close()
    say(f"drill of {opened.workspace.name} on aws, as {opened.identity}\n  {prepared.change}", err=True)
    say("  Clients of that region see failures meanwhile. Calls and items of the drill cost less than a cent.", err=True)
    if common.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            what="A drill on AWS asks before the first change, and there is no terminal to ask on.",
            why="Nothing was changed.",
            fix=f"Say yes beforehand: {again} --yes",
            code="Confirmation",
        )
    ask(f"Fail {prepared.spec.region} in account {opened.account}?")


def _notice_target(opened: Opened, progress: Progress) -> None:
    progress.notice(f"Target: {opened.workspace.target.name}, account {opened.account}")


def _head(opened: Opened) -> dict[str, Any]:
    workspace = opened.workspace
    return {
        "workshop": workspace.name,
        "target": workspace.target.name,
        "account": opened.account,
        "regions": list(workspace.settings.regions),
    }
