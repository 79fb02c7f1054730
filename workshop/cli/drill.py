"""`workshop drill`: fail a region on purpose, watch the failover, measure it, and put everything back."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.questions import ask, require_grant
from workshop.cli.terminal import asynchronous, interruptible, opened
from workshop.console.echo import say
from workshop.drill.registry import DEFAULT_FAULT, FAULTS
from workshop.durations import parse_duration
from workshop.errors import ExitCode, UsageError, WorkshopError

if TYPE_CHECKING:
    from workshop.app.drill import DrillRequest
    from workshop.app.session import Session
    from workshop.console.progress import Progress
    from workshop.drill.commands import Commands

__all__ = ["command"]


DEFAULT = "By default that of the workshop's definition."


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
    """Fail a region on purpose, measure the failover, and undo it.

    A drill proves failover and zero loss, measures RTO and RPO, and always puts everything back.

    \b
    Examples:
      workshop drill run                        fail the home region for 30 seconds, write a report
      workshop drill fail --region us-west-2    fail it by hand, while the player runs
      workshop drill recover                    put it back
      workshop drill wiring                     exchange two health checks, and see what a failure does then
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
@click.option("--rto", type=Duration(), envvar="WORKSHOP_RTO", help=f"The target for the recovery time: 90s, 15m. {DEFAULT}")
@click.option("--rpo", type=Duration(), envvar="WORKSHOP_RPO", help=f"The target for lost writes. {DEFAULT}")
@click.option("--failures", type=click.IntRange(1, 1000), envvar="WORKSHOP_FAILURES", help="Failed writes before a switch.")
@click.option("--countdown", type=Duration(), envvar="WORKSHOP_COUNTDOWN", help="The least time before a switch.")
@click.option(
    "--path",
    type=click.Choice(["dns", "direct"]),
    envvar="WORKSHOP_PATH",
    help="What the load calls: the name that DNS routes (where there is one), or each region, failing over by itself.",
)
@click.option("--anyway", is_flag=True, envvar="WORKSHOP_ANYWAY", help="Drill a name whose health checks are wired wrong.")
@common_options
@asynchronous
async def run_command(invocation: Invocation, **given: Any) -> int:
    """Fail a region under load, and measure failover, failback and lost writes.

    --region names the region to fail (home by default). Through a name, health checks and DNS lead its clients away. Else they
    fail over by the player's own settings; --failures and --countdown try others. Every acknowledged write is compared.
    Exits 1 when a target is missed.

    \b
    Examples:
      workshop drill run
      workshop drill run --region eu-west-1 --rto 30s
      workshop drill run --fault replication
      workshop drill run --workshop multi-region-backend --fault health
    """
    from workshop.app.drill import DrillRequest, commands_for, prepare, report, run_prepared, targets_of
    from workshop.app.locking import locked
    from workshop.console.drill import INDENT, drill_document, moment_line, print_drill

    invocation, region = _without_region(invocation)
    wanted = {name: given.pop(name) for name in ("rto", "rpo")}
    request = DrillRequest(region=region, **{**given, "path": given["path"] or ""})
    async with opened(invocation, named=True) as (session, progress):
        commands = commands_for(session)
        line = commands.line(_words("drill run", request, wanted))
        session = require_grant(session, line, progress)  # noqa: PLW2901
        async with locked(session, "drill run", progress.notice):
            prepared = await prepare(session, request, progress.notice)
            _confirm(session, prepared.change, prepared.spec.region, line, progress)
            async with interruptible(progress) as watch:
                result = await run_prepared(session, prepared, watch, lambda moment: progress.notice(moment_line(moment), INDENT))
        progress.close()
        if result is None:
            raise _interrupted(session, commands, line)
        targets = targets_of(session, **wanted)
        found = report(session, result, targets)
        if invocation.json:
            drill_document(_head(session), result, targets, found.verdict, found.files)
        else:
            print_drill(result, targets, found.verdict, found.files)
        return ExitCode.DONE if found.verdict.ok else ExitCode.FAILED


@command.command("fail")
@fault_option
@common_options
@asynchronous
async def fail_command(invocation: Invocation, fault: str) -> int:
    """Fail a region by hand. It stays failed until `workshop drill recover`.

    \b
    Example:
      workshop drill fail --region us-west-2
    """
    from workshop.app.drill import DrillRequest, commands_for, fail, prepare
    from workshop.app.locking import locked
    from workshop.console.document import print_document

    invocation, region = _without_region(invocation)
    request = DrillRequest(fault, region, path="direct")
    async with opened(invocation, named=True) as (session, progress):
        commands = commands_for(session)
        line = commands.line(_words("drill fail", request))
        session = require_grant(session, line, progress)  # noqa: PLW2901
        async with locked(session, "drill fail", progress.notice):
            prepared = await prepare(session, request, progress.notice)
            _confirm(session, prepared.change, prepared.spec.region, line, progress)
            changed = await fail(prepared)
        progress.close()
        failed, name = prepared.spec.region, prepared.spec.fault.name
        if invocation.json:
            print_document("drill fail", True, {**_head(session), "region": failed, "fault": name, "changed": changed})
        else:
            say(f"{failed} is failed ({name}). {changed}\nIt stays failed until: {commands.recover}")
        return ExitCode.DONE


@command.command("recover")
@common_options
@asynchronous
async def recover_command(invocation: Invocation) -> int:
    """Put back what a killed drill or `drill fail` left.

    With --region only in that region.

    \b
    Example:
      workshop drill recover
    """
    from workshop.app.drill import recover
    from workshop.app.locking import locked_here
    from workshop.console.drill import print_restored, restored_document

    invocation, region = _without_region(invocation)
    async with opened(invocation, named=True) as (session, progress):
        with locked_here(session, "drill recover"):
            restored = await recover(session, region)
        progress.close()
        if invocation.json:
            restored_document("drill recover", _head(session), restored)
        else:
            print_restored(restored)
        return ExitCode.DONE


@command.command("wiring")
@click.option(
    "--queries",
    type=click.IntRange(10, 1000),
    default=60,
    show_default=True,
    envvar="WORKSHOP_QUERIES",
    help="How often DNS is asked while the region is broken.",
)
@common_options
@asynchronous
async def wiring_command(invocation: Invocation, queries: int) -> int:
    """Exchange the health checks of two regions, and see what a failure does then.

    The proof of the wiring has to find the mistake. Then the region (--region, home by default) is broken: all traffic goes
    to it, because the healthy region is the one that is withdrawn. Everything is put back. Exits 1 when that did not show.

    \b
    Example:
      workshop drill wiring --workshop multi-region-backend
    """
    from workshop.app.drill import commands_for
    from workshop.app.drill_wiring import prepare_wiring, run_prepared_wiring
    from workshop.app.locking import locked
    from workshop.console.drill import print_wiring, wiring_document

    invocation, region = _without_region(invocation)
    async with opened(invocation, named=True) as (session, progress):
        commands = commands_for(session)
        line = commands.line("drill wiring", *([region] if region else []))
        session = require_grant(session, line, progress)  # noqa: PLW2901
        async with locked(session, "drill wiring", progress.notice):
            prepared = await prepare_wiring(session, region, queries, progress.notice)
            _confirm(session, prepared.change, prepared.drill.region, line, progress)
            async with interruptible(progress) as watch:
                found = await run_prepared_wiring(session, prepared, watch)
        progress.close()
        if found is None:
            raise _interrupted(session, commands, line)
        result, drawing = found
        if invocation.json:
            wiring_document(_head(session), result, drawing)
        else:
            print_wiring(result, drawing)
        return ExitCode.DONE if result.shown and result.undone else ExitCode.FAILED


class _Interrupted(WorkshopError):
    exit_code = ExitCode.INTERRUPTED


def _interrupted(session: Session, commands: Commands, line: str) -> WorkshopError:
    from workshop.app.drill import anything_pending

    pending = anything_pending(session)
    return _Interrupted(
        what="The drill was interrupted.",
        why="Not everything could be put back." if pending else "Everything is put back.",
        fix=f"Put it back: {commands.recover}" if pending else f"Run it again: {line}",
        code="Interrupted",
    )


def _words(command: str, request: DrillRequest, targets: Mapping[str, float | None] | None = None) -> str:
    """The command with those of its own options that were given, as it may be typed again; none of their values has a space."""
    words = [command]
    if request.region:
        words.append(f"--region {request.region}")
    if request.fault != DEFAULT_FAULT:
        words.append(f"--fault {request.fault}")
    words += [f"--{name} {seconds:.10g}s" for name, seconds in (targets or {}).items() if seconds is not None]
    if request.failures is not None:
        words.append(f"--failures {request.failures}")
    if request.countdown is not None:
        words.append(f"--countdown {request.countdown:.10g}s")
    if request.path and command == "drill run":
        words.append(f"--path {request.path}")
    if request.anyway:
        words.append("--anyway")
    return " ".join(words)


def _without_region(invocation: Invocation) -> tuple[Invocation, str]:
    """For drills `--region` names the region to fail; the workshop's regions are those it is deployed in, or the variable's."""
    from click.core import ParameterSource

    if click.get_current_context().get_parameter_source("region") is not ParameterSource.COMMANDLINE:
        return invocation, ""
    if len(invocation.regions) > 1:
        raise UsageError(what="A drill fails one region.", fix="Name one: --region us-west-2", code="Usage")
    return dataclasses.replace(invocation, regions=()), invocation.regions[0]


def _confirm(session: Session, change: str, region: str, line: str, progress: Progress) -> None:
    """On AWS: print what will be changed in which account, and go on only after a yes. The local cloud needs none.

    `change` is one sentence about what, `region` is the one that fails, `line` the command line as it was typed.
    """
    if not session.on_aws:
        return
    progress.close()
    say(f"drill of {session.workspace.name} on aws, as {session.identity}\n  {change}", err=True)
    say("  Clients of that region see failures meanwhile. Calls and items of the drill cost less than a cent.", err=True)
    if session.invocation.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            what="A drill on AWS asks before the first change, and there is no terminal to ask on.",
            why="Nothing was changed.",
            fix=f"Give --yes beforehand: {line} --yes",
            code="Confirmation",
        )
    ask(f"Fail {region} in account {session.account}?")


def _head(session: Session) -> dict[str, Any]:
    workspace = session.workspace
    return {
        "workshop": workspace.name,
        "target": workspace.target.name,
        "account": session.account,
        "regions": list(workspace.settings.regions),
    }
