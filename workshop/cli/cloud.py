"""`workshop cloud`: the embedded local cloud."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import click

from workshop.cli.fault import command as fault
from workshop.cli.options import json_option
from workshop.console.echo import say
from workshop.errors import ExitCode, WorkshopError
from workshop.shell import command_line

if TYPE_CHECKING:
    from workshop.cloud.daemon import CloudState

__all__ = ["command"]

UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


@click.group("cloud")
def command() -> None:
    """Run the local cloud: AWS on this machine, without an account.

    \b
    Examples:
      workshop cloud start
      eval "$(workshop cloud env)"            point any AWS client at it
      workshop cloud stop
    """


command.add_command(fault)


def _starting(function: Any) -> Any:
    """The options of everything that starts the cloud."""
    for option in reversed(
        [
            click.option(
                "--port", type=click.IntRange(1, 65535), envvar="WORKSHOP_PORT", help="The port; else 4566 or the next."
            ),
            click.option("--timing", type=click.Choice(["instant", "fast", "realistic"]), help="How long state changes take."),
            click.option("--time-scale", type=float, help="Multiplies every time of the timing."),
            click.option(
                "--allow-other-users/--no-allow-other-users",
                "other_users",
                default=None,
                envvar="WORKSHOP_ALLOW_OTHER_USERS",
                help="Serve every user of this machine, who can then run code as you: for containers and shared machines.",
            ),
        ]
    ):
        function = option(function)
    return function


@command.command("start")
@_starting
@json_option
def start(port: int | None, timing: str | None, time_scale: float | None, other_users: bool | None, as_json: bool) -> int:
    """Start it in the background and wait until it is ready; a running one is kept.

    \b
    Example:
      workshop cloud start --timing realistic
    """
    from workshop.cloud import daemon

    folder = _folder()
    before = daemon.status(folder).running
    state = daemon.start(folder, port=port, timing=timing, scale=time_scale, other_users=other_users)
    return _show("cloud start", state, as_json, "is already running" if before else "is ready")


@command.command("run")
@_starting
def run(port: int | None, timing: str | None, time_scale: float | None, other_users: bool | None) -> int:
    """Serve it in the foreground, its log on the terminal, until Ctrl-C.

    \b
    Example:
      workshop cloud run --port 4600
    """
    from workshop.cloud import daemon

    if other_users:
        say(daemon.OPEN_TO_ALL, err=True)
    return daemon.run(_folder(), port=port, timing=timing, scale=time_scale, other_users=bool(other_users))


@command.command("stop")
@json_option
def stop(as_json: bool) -> int:
    """Stop it; its resources are kept for the next start.

    \b
    Example:
      workshop cloud stop
    """
    from workshop.cloud import daemon

    folder = _folder()
    stopped = daemon.stop(folder)
    if as_json:
        _document("cloud stop", daemon.status(folder), stopped=stopped)
    else:
        say("The local cloud is stopped." if stopped else "The local cloud was not running.")
    return ExitCode.DONE


@command.command("status")
@json_option
def status(as_json: bool) -> int:
    """Show whether it runs, and where.

    \b
    Example:
      workshop cloud status --json
    """
    from workshop.cloud import daemon

    state = daemon.status(_folder())
    return _show("cloud status", state, as_json, "is running" if state.running else "is not running")


@command.command("reset")
@json_option
def reset(as_json: bool) -> int:
    """Delete every resource in it. Workshops on AWS are not touched.

    \b
    Example:
      workshop cloud reset
    """
    from workshop.cloud import daemon

    return _show("cloud reset", daemon.reset(_folder()), as_json, "is empty")


@command.command("env")
@json_option
def env(as_json: bool) -> int:
    """Print the variables that point any AWS client at it.

    \b
    Example:
      eval "$(workshop cloud env)" && aws dynamodb list-tables
    """
    from workshop.cloud import daemon

    state = daemon.status(_folder())
    if not state.running:
        raise WorkshopError(what="The local cloud is not running.", fix="Start it: workshop cloud start", code="CloudStopped")
    if as_json:
        _document("cloud env", state, variables=daemon.environment(state), unset=list(UNSET))
        return ExitCode.DONE
    say(command_line(["unset", *UNSET]))
    for name, value in daemon.environment(state).items():
        say(command_line(["export", f"{name}={value}"]))
    return ExitCode.DONE


@command.command("logs")
@click.option("-n", "--lines", type=click.IntRange(1), default=50, show_default=True, help="How many of the last lines.")
@json_option
def logs(lines: int, as_json: bool) -> int:
    """Print the end of its log.

    \b
    Example:
      workshop cloud logs -n 200
    """
    from workshop.cloud import daemon

    folder = _folder()
    path = daemon.log_path(folder)
    if not path.is_file():
        raise WorkshopError(
            what="There is no log yet.",
            why="The local cloud never ran here.",
            fix="Start it: workshop cloud start",
            code="NoLog",
        )
    with path.open(encoding="utf-8", errors="replace") as file:
        last = deque(file, maxlen=lines)
    if as_json:
        _document("cloud logs", daemon.status(folder), lines=[line.rstrip("\n") for line in last])
        return ExitCode.DONE
    for line in last:
        say(line, nl=False)
    return ExitCode.DONE


def _folder() -> Any:
    from workshop.state_dir import folder_to_read

    return folder_to_read()


def _show(name: str, state: CloudState, as_json: bool, words: str) -> int:
    if as_json:
        _document(name, state)
        return ExitCode.DONE
    where = f" on {state.endpoint} (process {state.pid}, timing {state.timing})" if state.running else ""
    say(f"The local cloud {words}{where}.")
    for notice in state.notices:
        say(notice, err=True)
    return ExitCode.DONE


def _document(name: str, state: CloudState, **more: Any) -> None:
    from workshop.console.document import print_document

    print_document(
        name,
        True,
        {
            "running": state.running,
            "pid": state.pid,
            "port": state.port,
            "endpoint": state.endpoint,
            "timing": state.timing,
            "scale": state.scale,
            "other_users": state.other_users,
            "log": str(state.log),
            "notices": list(state.notices),
            **more,
        },
    )
