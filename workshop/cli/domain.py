"""`workshop domain`: the zone of the workshop and the zone above it."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.questions import ask
from workshop.cli.terminal import asynchronous, opened
from workshop.console.echo import say, say_json
from workshop.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from workshop.app.domain import DelegationPlan, ZoneServers

__all__ = ["command"]


@click.group("domain")
def command() -> None:
    """Delegate the workshop's zone from the zone above it.

    \b
    Examples:
      workshop domain delegate --workshop multi-region-backend
      workshop domain delegate --profile facilitator --parent event.example.com
    """


@command.command("delegate")
@click.option("--parent", default="", metavar="ZONE", help="Write the record into this zone, of the account of --profile.")
@click.option("--zone", default="", metavar="NAME", help="The zone to delegate, where it was set up on another machine.")
@click.option("--server", "servers", multiple=True, metavar="NS", help="A name server of --zone; repeat it.")
@click.option("--replace", is_flag=True, help="Write over a delegation to other name servers.")
@click.option("--remove", is_flag=True, help="Remove the record: before the teardown of the zone.")
@common_options
@asynchronous
async def delegate_command(
    invocation: Invocation, parent: str, zone: str, servers: tuple[str, ...], replace: bool, remove: bool
) -> int:
    """Print the NS record that the parent of the workshop's zone needs, or write it there with --parent.

    --profile is that of the parent's account here. The record has a TTL of 60 seconds. Nothing else in the parent is changed,
    and a delegation to other name servers is written over only with --replace.

    \b
    Examples:
      workshop domain delegate
      workshop domain delegate --profile facilitator --parent event.example.com
      workshop domain delegate --profile facilitator --parent event.example.com --remove
    """
    from workshop.app.domain import delegate, given_servers, planned_delegation, recorded_servers, undelegate

    _require_whole(parent, zone, servers, remove=remove)
    # The account that is expected, and the profile, are those of the parent: the workshop itself is only remembered.
    remembered = dataclasses.replace(invocation, expect_account="")
    async with opened(remembered, no_calls=True) as (session, progress):
        wanted = given_servers(zone, servers) if zone else recorded_servers(session)
        if not parent:
            progress.close()
            _show(invocation, wanted, None, "printed")
            return ExitCode.DONE
        async with planned_delegation(session, wanted, parent, progress.notice) as (aws, plan):
            _require(plan, invocation.expect_account)
            progress.close()
            done = plan.present is None if remove else plan.is_written
            if not done and session.on_aws and not invocation.yes:
                _confirm(plan, remove=remove)
            if remove:
                await undelegate(aws, plan, notice=progress.notice)
            else:
                await delegate(aws, plan, replace=replace, notice=progress.notice)
        _show(invocation, wanted, plan, "unchanged" if done else "removed" if remove else "written")
    return ExitCode.DONE


def _require_whole(parent: str, zone: str, servers: tuple[str, ...], *, remove: bool) -> None:
    """Raises `UsageError` for options that mean nothing without others."""
    if bool(zone) != bool(servers) or (remove and not parent):
        what = "--zone and --server go together." if bool(zone) != bool(servers) else "--remove needs --parent."
        raise UsageError(
            what=what, fix="workshop domain delegate --zone NAME --server NS --server NS --parent ZONE", code="Usage"
        )


def _require(plan: DelegationPlan, expected: str) -> None:
    if expected and expected != plan.account:
        raise UsageError(
            what=f"This is account {plan.account}, not {expected}.",
            why="--expect-account guards the account of the parent; nothing was changed.",
            fix="Choose the right profile (--profile NAME) or correct --expect-account",
            code="WrongAccount",
        )


def _confirm(plan: DelegationPlan, *, remove: bool) -> None:
    """Go on after a yes: the parent is not the workshop's own."""
    if not sys.stdin.isatty():
        raise UsageError(
            what="Writing into a zone on AWS asks before the change, and there is no terminal to ask on.",
            why="Nothing was changed.",
            fix="Give --yes",
            code="Confirmation",
        )
    verb = "Remove the NS record of" if remove else "Write the NS record of"
    ask(f"{verb} {plan.zone.name} in {plan.parent.name} ({plan.parent.id}) of account {plan.account}?")


def _show(invocation: Invocation, zone: ZoneServers, plan: DelegationPlan | None, outcome: str) -> None:
    """The lines for pasting, or what was done, as text or JSON."""
    if invocation.json:
        say_json(
            {
                "version": 1,
                "command": "domain delegate",
                "ok": True,
                "zone": zone.name,
                "servers": list(zone.servers),
                "lines": zone.lines,
                "parent": plan.parent.name if plan else None,
                "account": plan.account if plan else None,
                "outcome": outcome,
            }
        )
        return
    if plan is None:
        say("\n".join(zone.lines))
        return
    words = {"unchanged": "needed no change", "removed": "delegates it no more", "written": "delegates it now"}[outcome]
    say(f"{zone.name}: {plan.parent.name} (account {plan.account}) {words}.")
