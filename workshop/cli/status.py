"""`workshop status`: what stands, in which region, and the addresses."""

from __future__ import annotations

import click

from workshop.cli.options import Common, common_options, retyped
from workshop.errors import ExitCode

__all__ = ["command"]


@click.command("status")
@common_options
def command(common: Common) -> int:
    """Say what stands, in which region, up to which module, which regions a drill has failed, and the addresses.

    Asks the cloud itself, not the notes of earlier runs. Changes nothing.

    \b
    Examples:
      workshop status
      workshop status --json
    """
    from workshop.cli.running import run

    return run(_status(common))


async def _status(common: Common) -> int:
    from workshop.cli.compose import open_workspace
    from workshop.console.progress import progress
    from workshop.console.status import print_status, status_document
    from workshop.drill.pending import failed_regions
    from workshop.engine.survey import survey
    from workshop.engine.workspace import Contexts

    shown = progress()
    try:
        async with open_workspace(common, shown.notice) as opened:
            contexts = Contexts(opened.workspace, lambda _: None)
            points = await survey(opened.workspace, opened.workspace.plan(), contexts)
            failed = failed_regions(opened.folder, opened.workspace.journal, opened.scope)
            shown.close()
            if common.json:
                status_document(opened.workspace, opened.account, points, contexts, failed)
            else:
                again = retyped(common, "setup", opened.workspace.target.name)
                print_status(opened.workspace, opened.account, points, contexts, failed, again)
            return ExitCode.DONE
    finally:
        shown.close()
