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
    """Show what is deployed, in which region, up to which module, which regions a drill has failed, and the addresses.

    Queries the cloud itself, not the notes of earlier runs. Changes nothing.

    \b
    Examples:
      workshop status
      workshop status --json
    """
    from workshop.app.inspect import status
    from workshop.console.status import print_status, status_document

    async with opened(invocation) as (session, progress):
        found = await status(session)
        progress.close()
        if invocation.json:
            status_document(session.workspace, session.account, found.points, found.contexts, found.failed)
        else:
            resume = session.command_line("setup")
            print_status(session.workspace, session.account, found.points, found.contexts, found.failed, resume)
        return ExitCode.DONE
