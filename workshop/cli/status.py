"""`workshop status`: what is deployed, in which region, and the addresses."""

from __future__ import annotations

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.terminal import asynchronous, opened
from workshop.errors import ExitCode

__all__ = ["command"]


@click.command("status")
@common_options
@asynchronous
async def command(invocation: Invocation) -> int:
    """Show what is deployed, and the addresses.

    One line per step and region, and the regions that a drill has failed. Queries the cloud itself, not the notes of earlier
    runs. Changes nothing.

    \b
    Examples:
      workshop status
      workshop status --json
    """
    from workshop.app.inspect import status
    from workshop.app.session import open_journal_if_possible
    from workshop.console.status import show_status

    async with opened(invocation, journal=open_journal_if_possible) as (session, progress):
        report = await status(session)
        progress.close()
        show_status(report, json=invocation.json)
        return ExitCode.DONE
