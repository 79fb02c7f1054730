"""`workshop open`: the rendered web app in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workshop.cli.options import Common, common_options, retyped
from workshop.console.echo import say
from workshop.errors import ExitCode, UsageError, WorkshopError

if TYPE_CHECKING:
    from workshop.cli.compose import Opened

__all__ = ["command"]


@click.command("open")
@click.argument("page", required=False)
@click.option("--print", "only_print", is_flag=True, help="Print the address; start no browser and no server.")
@common_options
def command(common: Common, page: str | None, only_print: bool) -> int:
    """Open a page of the workshop's web app: harness, globalflix.

    The local cloud serves its pages itself. Those of a run on AWS are served on 127.0.0.1 until Ctrl-C; their folder can also
    be downloaded and opened as files.

    \b
    Examples:
      workshop open
      workshop open globalflix
      workshop open harness --print
    """
    from workshop.cli.running import run

    found, folder, served = run(_address(common, page))
    if common.json:
        from workshop.console.document import print_document

        print_document("open", True, {"url": found, "folder": folder})
        return ExitCode.DONE
    if only_print:
        say(found)
        return ExitCode.DONE
    return _browse(found) if served else _serve(folder, found.rpartition("/")[2])


async def _address(common: Common, page: str | None) -> tuple[str, str, bool]:
    from workshop.cli.compose import open_workspace
    from workshop.console.progress import progress
    from workshop.engine.survey import survey
    from workshop.engine.workspace import Contexts

    shown = progress()
    shown.close()
    async with open_workspace(common, shown.notice) as opened:
        contexts = Contexts(opened.workspace, lambda _: None)
        await survey(opened.workspace, opened.workspace.plan(), contexts)
        links = contexts.links(opened.account)
        name = _chosen(opened, page)
        if name not in links:
            fix = f"Run: {retyped(common, 'setup', opened.workspace.target.name)}"
            raise WorkshopError("The pages are not there yet.", "No site stands.", fix, code="NoSite")
        folder = str(opened.workspace.target.site_folder(opened.workspace.name))
        return links[name], folder, opened.workspace.target.serves_sites


def _chosen(opened: Opened, page: str | None) -> str:
    names = list(opened.workspace.workshop.definition.links)
    if not names:
        raise UsageError(f"{opened.workspace.name} has no web pages.", "Its definition lists no links.", "", code="NoLinks")
    if page is not None and page not in names:
        raise UsageError(f"There is no page {page!r}.", "", f"Pages: {', '.join(names)}", code="UnknownPage")
    return page or names[0]


def _browse(url: str) -> int:
    import webbrowser

    say(url)
    if not webbrowser.open(url):
        say("No browser could be started here; open the address yourself.", err=True)
    return ExitCode.DONE


def _serve(folder: str, page: str) -> int:
    """Serve the folder on loopback until Ctrl-C."""
    from workshop.cli.serving import site_server

    with site_server(folder) as server:
        host, port = server.server_address[:2]
        _browse(f"http://{host!s}:{port}/{page}")
        say("Serving until Ctrl-C.", err=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("Stopped.", err=True)
    return ExitCode.DONE
