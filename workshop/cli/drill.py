"""`workshop drill`: fail a region on purpose, watch the failover, measure it, and put everything back."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import click

from workshop.cli.options import Common, common_options, retyped
from workshop.console.echo import ask, say
from workshop.errors import ExitCode, UsageError, WorkshopError

if TYPE_CHECKING:
    from workshop.cli.compose import Opened
    from workshop.console.progress import Progress
    from workshop.drill.fault import Fault, Means
    from workshop.drill.ledger import Ledger
    from workshop.drill.run import Drilled
    from workshop.drill.scene import Scene
    from workshop.drill.settings import FailoverSettings
    from workshop.drill.verdict import Targets

__all__ = ["command"]

FAULTS = ("throttle", "health", "bad-deploy", "replication")
LONG = "15m"


class Duration(click.ParamType[float]):
    """Seconds, from `90s`, `15m`, `1h` or a number."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from workshop.drill.durations import seconds_of

        if isinstance(value, float):
            return value
        try:
            return seconds_of(str(value))
        except ValueError as error:
            return self.fail(f"{error}.", param, ctx)


@click.group("drill")
def command() -> None:
    """Fail a region on purpose, prove the failover and zero loss, measure RTO and RPO, and always put everything back.

    \b
    Examples:
      workshop drill run                        fail the home region, 30 seconds, with a report
      workshop drill fail --region us-west-2    fail it by hand, while the player runs
      workshop drill recover                    mend it
    """


def _fault(function: Any) -> Any:
    return click.option(
        "--fault", type=click.Choice(FAULTS), default="throttle", show_default=True, envvar="WORKSHOP_FAULT",
        help="How the region is failed; see docs/drills.md.",
    )(function)  # fmt: skip


@command.command("run")
@_fault
@click.option("--rto", type=Duration(), default=LONG, show_default=True, envvar="WORKSHOP_RTO", help="The target: 90s, 15m.")
@click.option("--rpo", type=Duration(), default=LONG, show_default=True, envvar="WORKSHOP_RPO", help="The target.")
@click.option("--failures", type=click.IntRange(1, 1000), envvar="WORKSHOP_FAILURES", help="Failed writes before a switch.")
@click.option("--countdown", type=Duration(), envvar="WORKSHOP_COUNTDOWN", help="The least time before a switch.")
@common_options
def run_command(common: Common, fault: str, rto: float, rpo: float, failures: int | None, countdown: float | None) -> int:
    """Fail a region under load, watch failover and failback, compare every write, and judge by the targets.

    --region names the region to fail (the home region otherwise). The failover's figures are the player's own; --failures and
    --countdown try others. Exits 1 when a target is missed.

    \b
    Examples:
      workshop drill run
      workshop drill run --region eu-west-1 --rto 30s
      workshop drill run --fault replication
    """
    from workshop.cli.running import run

    return run(_run(common, fault, (rto, rpo), (failures, countdown)))


@command.command("fail")
@_fault
@common_options
def fail_command(common: Common, fault: str) -> int:
    """Fail a region by hand. It stays failed until `workshop drill recover`.

    \b
    Example:
      workshop drill fail --region us-west-2
    """
    from workshop.cli.running import run

    return run(_fail(common, fault))


@command.command("recover")
@common_options
def recover_command(common: Common) -> int:
    """Put back everything that a killed drill or `drill fail` has left; with --region, only in that region.

    \b
    Example:
      workshop drill recover
    """
    from workshop.cli.running import run

    return run(_recover(common))


async def _run(common: Common, fault: str, limits: tuple[float, float], tried: tuple[int | None, float | None]) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.grant import require_grant
    from workshop.cli.guard import guard
    from workshop.cli.scene import ledger_of, means_of, scene_of, settings_of
    from workshop.console.progress import progress
    from workshop.drill.registry import FAULTS as KNOWN
    from workshop.drill.verdict import Targets

    common, wanted = _without_region(common)
    shown = progress()
    try:
        async with open_workspace(common, shown.notice) as opened:
            _say_where(opened, shown)
            async with guard(opened, "drill run", shown):
                ledger, means = ledger_of(opened), means_of(opened, shown.notice)
                scene, region = await _scene_and_region(scene_of, opened, wanted)
                require_grant(common, opened, "drill run", shown)
                settings = _tried(settings_of(opened), *tried)
                await _free_of_faults(ledger, means, shown)
                await _confirm(common, opened, shown, KNOWN[fault], scene, region, means)
                drilled = await _drill(opened, shown, (scene, region, KNOWN[fault], settings), means, ledger)
            return _finish(common, opened, shown, drilled, Targets(*limits))
    finally:
        shown.close()


async def _drill(
    opened: Opened, shown: Progress, what: tuple[Scene, str, Fault, FailoverSettings], means: Means, ledger: Ledger
) -> Drilled | None:
    """The drill itself; None when it was interrupted, with everything put back."""
    import asyncio

    from workshop.cli.running import interruptible
    from workshop.console.drill import moment_line
    from workshop.drill.caller import http_caller
    from workshop.drill.run import Order, run_drill

    scene, region, fault, settings = what
    workspace, journal = opened.workspace, opened.workspace.journal
    order = Order(workspace.run, region, fault, settings)
    journal.begin_run(workspace.run, "drill run", opened.scope)
    done = False
    try:
        async with interruptible(shown) as stop, http_caller() as caller:
            task = asyncio.create_task(
                run_drill(scene, order, means, caller, ledger, lambda moment: shown.notice(moment_line(moment)))
            )

            def asked() -> None:
                shown.notice("Stopping: everything is being put back. Press Ctrl-C again to end at once.")
                task.cancel()

            stop.listen(asked)
            try:
                drilled = await task
            except asyncio.CancelledError:
                return None
        done = True
        return drilled
    finally:
        journal.end_run(workspace.run, ok=done)


def _finish(common: Common, opened: Opened, shown: Progress, drilled: Drilled | None, targets: Targets) -> int:
    from datetime import datetime

    from workshop.console.drill import drill_document, print_drill
    from workshop.drill.report import About, write_report
    from workshop.drill.verdict import judge

    shown.close()
    if drilled is None:
        left = ledger_pending(opened)
        again, target = dataclasses.replace(common, parameters={}), opened.workspace.target.name
        raise _Interrupted(
            "The drill was interrupted.", "Not everything could be put back." if left else "Everything is put back.",
            f"Put it back: {retyped(again, 'drill recover', target)}" if left
            else f"Run it again: {retyped(again, 'drill run', target)}", code="Interrupted",
        )  # fmt: skip
    verdict = judge(drilled, targets)
    workspace = opened.workspace
    about = About(workspace.name, workspace.target.name, opened.account, f"{datetime.now().astimezone():%d %B %Y, %H:%M %Z}")
    written = write_report(opened.folder / "reports", drilled, targets, verdict, about)
    if common.json:
        drill_document(_head(opened), drilled, targets, verdict, written)
    else:
        print_drill(drilled, targets, verdict, written)
    return ExitCode.DONE if verdict.ok else ExitCode.FAILED


class _Interrupted(WorkshopError):
    exit_code = ExitCode.INTERRUPTED


def ledger_pending(opened: Opened) -> bool:
    """Whether this run still owes an undo."""
    return any(undo.run == opened.workspace.run for undo in opened.workspace.journal.undos.pending(opened.scope))


async def _fail(common: Common, name: str) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.grant import require_grant
    from workshop.cli.guard import guard
    from workshop.cli.scene import ledger_of, means_of, scene_of, settings_of
    from workshop.console.document import print_document
    from workshop.console.progress import progress
    from workshop.drill.by_hand import fail_by_hand
    from workshop.drill.caller import http_caller
    from workshop.drill.registry import FAULTS as KNOWN

    common, wanted = _without_region(common)
    shown = progress()
    try:
        async with open_workspace(common, shown.notice) as opened:
            _say_where(opened, shown)
            async with guard(opened, "drill fail", shown):
                ledger, means = ledger_of(opened), means_of(opened, shown.notice)
                scene, region = await _scene_and_region(scene_of, opened, wanted)
                require_grant(common, opened, "drill fail", shown)
                await _free_of_faults(ledger, means, shown)
                await _confirm(common, opened, shown, KNOWN[name], scene, region, means)
                async with http_caller() as caller:
                    text = await fail_by_hand(scene, region, KNOWN[name], settings_of(opened), means, caller, ledger)
            shown.close()
            if common.json:
                print_document("drill fail", True, {**_head(opened), "region": region, "fault": name, "changed": text})
            else:
                recover = retyped(
                    dataclasses.replace(common, regions=(), parameters={}), "drill recover", opened.workspace.target.name
                )
                say(f"{region} is failed ({name}). {text}\nIt stays so until: {recover}")
            return ExitCode.DONE
    finally:
        shown.close()


async def _recover(common: Common) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.cli.scene import ledger_of, means_of
    from workshop.console.drill import print_settled, settled_document
    from workshop.console.progress import progress
    from workshop.engine import lock

    common, wanted = _without_region(common)
    shown = progress()
    try:
        async with open_workspace(common, shown.notice) as opened:
            _say_where(opened, shown)
            with lock.hold(opened.folder / "locks", opened.scope, "drill recover"):
                ledger = ledger_of(opened)
                pending = ledger.pending(lambda undo: wanted in ("", undo.region))
                settled = await ledger.settle_all(means_of(opened, shown.notice), pending)
            shown.close()
            if common.json:
                settled_document("drill recover", _head(opened), settled)
            else:
                print_settled(settled)
            return ExitCode.DONE
    finally:
        shown.close()


def _without_region(common: Common) -> tuple[Common, str]:
    """For drills `--region` names the region to fail; the workshop's regions are those it stands in (or the variable's)."""
    from click.core import ParameterSource

    if click.get_current_context().get_parameter_source("region") is not ParameterSource.COMMANDLINE:
        return common, ""
    if len(common.regions) > 1:
        raise UsageError("A drill fails one region.", "", "Name one: --region us-west-2", code="Usage")
    return dataclasses.replace(common, regions=()), common.regions[0]


async def _scene_and_region(find: Any, opened: Opened, wanted: str) -> tuple[Scene, str]:
    regions = opened.workspace.settings.regions
    if wanted and wanted not in regions:
        raise UsageError(
            f"{opened.workspace.name} does not stand in {wanted}.", "A drill fails one of the workshop's regions.",
            f"Name one of: {', '.join(regions)}", code="UnknownRegion",
        )  # fmt: skip
    scene: Scene = await find(opened)
    return scene, wanted or regions[0]


def _tried(settings: FailoverSettings, failures: int | None, countdown: float | None) -> FailoverSettings:
    if failures is not None:
        settings = dataclasses.replace(settings, min_failures=failures)
    if countdown is not None:
        settings = dataclasses.replace(settings, countdown_ms=round(countdown * 1000))
    return settings


async def _free_of_faults(ledger: Ledger, means: Means, shown: Progress) -> None:
    """What a killed drill left is put back first; what was failed by hand is not ours to mend, so the drill is refused."""
    from workshop.drill.pending import recover_command
    from workshop.engine.undos import BY_HAND

    by_hand = ledger.pending(lambda undo: undo.by == BY_HAND)
    if by_hand:
        raise WorkshopError(
            f"{by_hand[0].region} is failed by hand ({by_hand[0].kind}) since {by_hand[0].since}.",
            "A drill begins with every region well.", f"Put it back first: {recover_command(by_hand[0])}",
            code="AlreadyFailing",
        )  # fmt: skip
    for settled in await ledger.settle_all(means, ledger.pending()):
        shown.notice(f"Put back, left by a drill that was killed: {settled.text}")


async def _confirm(
    common: Common, opened: Opened, shown: Progress, fault: Fault, scene: Scene, region: str, means: Means
) -> None:
    """On AWS: say what will be changed in which account, and go on only after a yes. On the local cloud nobody is asked."""
    place = scene.place(region)
    memory = await fault.remember(means, scene, place)
    if opened.workspace.target.name != "aws":
        return
    shown.close()
    say(f"drill of {opened.workspace.name} on aws, as {opened.identity}\n  {fault.plan(place, memory)}", err=True)
    say("  Clients of that region see failures meanwhile. Calls and items of the drill cost less than a cent.", err=True)
    if common.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "A drill on AWS asks before the first change, and there is no terminal to ask on.",
            "Nothing was changed.", f"Say yes beforehand: {retyped(common, 'drill run', 'aws')} --yes", code="Confirmation",
        )  # fmt: skip
    ask(f"Fail {region} in account {opened.account}?")


def _say_where(opened: Opened, shown: Progress) -> None:
    shown.notice(f"Target: {opened.workspace.target.name}, account {opened.account}")


def _head(opened: Opened) -> dict[str, Any]:
    workspace = opened.workspace
    return {
        "workshop": workspace.name, "target": workspace.target.name, "account": opened.account,
        "regions": list(workspace.settings.regions),
    }  # fmt: skip
