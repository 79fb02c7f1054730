"""The command group and the one place where exceptions become messages and exit codes.

Commands are files of this room, loaded when they are called, so that start-up stays quick: nothing here imports boto3,
rich or pydantic.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import traceback
from types import FrameType
from typing import Any

import click

from workshop import __version__
from workshop.console.echo import say, say_headline, say_json
from workshop.console.streams import guard_streams, lost_result
from workshop.errors import ExitCode, UsageError, WorkshopError
from workshop.redaction import redact
from workshop.state_dir import unwritable

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "setup": ("workshop.cli.setup", "Bring every step of every module to ready."),
    "teardown": ("workshop.cli.teardown", "Remove everything that setup made, and report what is left."),
    "check": ("workshop.cli.check", "Decide before an event whether it can go ahead: go or no-go."),
    "status": ("workshop.cli.status", "Show what is deployed, and the addresses."),
    "step": ("workshop.cli.step", "List the steps, show one, or run one by itself."),
    "explain": ("workshop.cli.explain", "Print the AWS CLI commands of a step, with real values."),
    "open": ("workshop.cli.open", "Open a page of the workshop's web app."),
    "observe": ("workshop.cli.observe", "Measure replication, conflicts of writes, and what DNS answers."),
    "domain": ("workshop.cli.domain", "Delegate the workshop's zone from the zone above it."),
    "drill": ("workshop.cli.drill", "Fail a region on purpose, measure the failover, and undo it."),
    "cloud": ("workshop.cli.cloud", "Run the local cloud: AWS on this machine, without an account."),
    "definition": ("workshop.cli.definition", "Check, describe and create workshops (for authors)."),
    "policy": ("workshop.cli.policy", "Print the least-privilege IAM policy of a workshop."),
}
"""Every command, the module whose attribute `command` it is, and the first line of its help, in the order of the help."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; the list of them needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": None})
@click.version_option(__version__, "-V", "--version", prog_name="workshop")
def cli() -> None:
    """Provision, check, drill and remove a hands-on AWS workshop.

    Runs on an embedded local cloud unless --target aws is given. Start with:

    \b
      workshop setup          bring the workshop to ready
      workshop status         what is deployed, and the addresses
      workshop teardown       remove everything again
    """


def main() -> None:
    """Run the command line and end the process with the exit code of the contract."""
    collect_rarely()
    guard_streams()
    end_like_ctrl_c()
    arguments = sys.argv[1:]
    sys.exit(_with_its_result(arguments, run(arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code. `--debug` is accepted anywhere, because any command can have a defect."""
    debug = "--debug" in arguments or bool(os.environ.get("WORKSHOP_DEBUG"))
    try:
        code = cli.main([word for word in arguments if word != "--debug"], prog_name="workshop", standalone_mode=False)
    except click.exceptions.Abort as aborted:
        if isinstance(aborted.__cause__, KeyboardInterrupt):  # click makes Ctrl-C an abort too
            return _report(arguments, _interrupted(), ExitCode.INTERRUPTED)
        return _report(
            arguments, WorkshopError(what="Stopped before anything was changed.", code="Aborted"), ExitCode.INTERRUPTED
        )
    except KeyboardInterrupt:
        return _report(arguments, _interrupted(), ExitCode.INTERRUPTED)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message(), err=True)
        return ExitCode.USAGE
    except click.ClickException as error:
        return _report(arguments, _from_click(error), ExitCode.USAGE)
    except WorkshopError as error:
        return _report(arguments, error, error.exit_code)
    except Exception as error:
        if debug:
            say(redact(traceback.format_exc()), err=True)
        return _report(arguments, unwritable(error) or _defect(error), ExitCode.FAILED)
    return code if isinstance(code, int) else ExitCode.DONE


def _with_its_result(arguments: list[str], code: int) -> int:
    """The exit code of the work; of work that was done and whose result could not be written, a failure."""
    lost = lost_result()
    if lost is None:
        return code
    unwritten = WorkshopError(
        what="The result could not be written on stdout.",
        why=f"{lost.strerror}." + ("" if code else " The command itself ended well."),
        fix=f"Send it elsewhere: workshop {_command(arguments)} > FILE",
        code="Stdout",
    )
    return _report([], unwritten, code or ExitCode.FAILED)


def _from_click(error: click.ClickException) -> UsageError:
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx else "workshop"
    return UsageError(what=error.format_message(), fix=f"See: {path} --help", code="Usage")


def _interrupted() -> WorkshopError:
    return WorkshopError(
        what="Interrupted.",
        fix="Run the same workshop command again: it goes on where it stopped.",
        code="Interrupted",
    )


def _defect(error: Exception) -> WorkshopError:
    text = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return WorkshopError(
        what="workshop met an error that it does not know.",
        why=f"{text}.",
        fix="Run the same command with --debug and report what it prints.",
        code="Defect",
    )


def _report(arguments: list[str], error: WorkshopError, code: int) -> int:
    if "--json" in arguments or os.environ.get("WORKSHOP_JSON"):
        document: dict[str, Any] = {
            "version": 1,
            "command": _command(arguments),
            "ok": False,
            "error": error.document(),
        }
        say_json(document)
    say_headline(f"Error: {error.args[0]}")
    for text in (error.why, error.fix and f"→ {error.fix}"):
        if text:
            say(f"  {text}", err=True)
    return int(code)


def _command(arguments: list[str]) -> str:
    """The words of the command that was typed: `cloud start`."""
    words: list[str] = []
    group: click.Command = cli
    ctx = click.Context(cli)
    for word in arguments:
        child = group.get_command(ctx, word) if isinstance(group, click.Group) else None
        if child is None:
            break
        words.append(word)
        group = child
    return " ".join(words)


def collect_rarely() -> None:
    """A command ends before its garbage matters: without this, a fifth of its processor time is spent looking for cycles among
    the modules and service models that it loads and never drops.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def end_like_ctrl_c() -> None:
    """From now on SIGTERM and SIGHUP (the terminal was closed, an ssh was dropped) do what Ctrl-C does: locks are released
    and claims removed. `nohup` is respected: what is ignored stays ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _as_ctrl_c)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Hand the signal to the handler of Ctrl-C: that of asyncio while a loop runs. In the background Ctrl-C may be ignored."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(number, frame)
