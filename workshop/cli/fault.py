"""`workshop cloud fault`: break the local cloud on purpose."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from workshop.cli.options import json_option
from workshop.cloud.fault_model import DIRECTIONS, KINDS, CloudFault
from workshop.console.echo import say
from workshop.errors import ExitCode

__all__ = ["command"]

NAMED = ("service", "operation", "region", "table", "check", "name")
"""The members that say what a fault applies to."""


@click.group("fault")
def command() -> None:
    """Break the local cloud on purpose: errors, latency, lost connections, a region cut off.

    \b
    Examples:
      workshop cloud fault add error --service dynamodb --operation PutItem --times 3
      workshop cloud fault add cut --region eu-west-1
      workshop cloud fault add gateway-down --region eu-west-1
      workshop cloud fault list
      workshop cloud fault clear
    """


@command.command("add")
@click.argument("kind", type=click.Choice(tuple(KINDS)))
@click.option("--service", default="", help="Only this service, such as dynamodb.")
@click.option("--operation", default="", help="Only this operation, such as PutItem.")
@click.option("--region", default="", help="Only this region.")
@click.option("--table", default="", help="Only this table (replica-abort, cut).")
@click.option("--check", default="", help="Only this health check, by its id (checkers-blind, checker-noise).")
@click.option("--count", type=int, default=None, help="So many of its checkers (checkers-blind).  [default: all]")
@click.option("--name", default="", help="Only this domain name (unvalidated).")
@click.option("--code", default=None, help="The error's code.  [default: InternalServerError]")
@click.option("--message", default=None, help="The error's text.")
@click.option("--status", type=int, default=None, help="The error's HTTP status.  [default: 500]")
@click.option(
    "--seconds", type=float, default=None, help="How much later it responds (latency), or how long an answer outlives its TTL."
)
@click.option("--direction", type=click.Choice(DIRECTIONS), default=None, help="Which way is cut.  [default: both]")
@click.option("--times", type=int, default=None, help="How many calls it hits; 0 until it is cleared.  [default: 0]")
@click.option("--probability", type=float, default=None, help="The share of matching calls that it hits.  [default: 1]")
@click.option("--limit", type=int, default=None, help="Functions at once (small-account).  [default: 10]")
@json_option
def add(as_json: bool, **given: Any) -> int:
    """Add a fault; an option that is left out means any.

    \b
    Example:
      workshop cloud fault add latency --service dynamodb --region eu-west-1 --seconds 2
    """
    from workshop.cloud.faults import fault_add
    from workshop.state_dir import folder_to_read

    fault = fault_add(folder_to_read(), CloudFault(**{name: value for name, value in given.items() if value not in (None, "")}))
    if as_json:
        _document("cloud fault add", fault=asdict(fault))
    else:
        say(f"{fault.id} is in force. End it: workshop cloud fault clear {fault.id}")
    return ExitCode.DONE


@command.command("list")
@json_option
def list_faults(as_json: bool) -> int:
    """List the faults in force and how many calls each has hit.

    \b
    Example:
      workshop cloud fault list
    """
    from workshop.cloud.faults import faults_list
    from workshop.state_dir import folder_to_read

    found = faults_list(folder_to_read())
    if as_json:
        _document("cloud fault list", faults=[asdict(fault) for fault in found])
        return ExitCode.DONE
    for fault in found:
        say(_line(fault))
    if not found:
        say("No fault is in force.")
    return ExitCode.DONE


@command.command("clear")
@click.argument("ids", nargs=-1)
@json_option
def clear(ids: tuple[str, ...], as_json: bool) -> int:
    """End the named faults, or all. Replication that was held back is delivered at once.

    \b
    Example:
      workshop cloud fault clear f2
    """
    from workshop.cloud.faults import faults_clear
    from workshop.state_dir import folder_to_read

    cleared = faults_clear(folder_to_read(), ids)
    if as_json:
        _document("cloud fault clear", cleared=cleared)
    else:
        say(f"{cleared} {'fault' if cleared == 1 else 'faults'} ended.")
    return ExitCode.DONE


def _line(fault: CloudFault) -> str:
    where = " ".join(f"{name}={value}" for name in NAMED if (value := getattr(fault, name)))
    return f"{fault.id}  {fault.kind}  {where or 'any'}  {fault.hits} {'hit' if fault.hits == 1 else 'hits'}"


def _document(name: str, **content: Any) -> None:
    from workshop.console.document import print_document

    print_document(name, True, content)
