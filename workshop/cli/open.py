"""`workshop open`: the rendered web app in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workshop.app.invocation import Invocation
from workshop.cli.options import common_options
from workshop.cli.terminal import asynchronous, opened
from workshop.console.echo import say
from workshop.errors import ExitCode

if TYPE_CHECKING:
    from workshop.app.inspect import Page

__all__ = ["command"]


@click.command("open")
@click.argument("page", required=False)
@click.option("--print", "only_print", is_flag=True, help="Print the address; start no browser and no server.")
@common_options
def command(invocation: Invocation, page: str | None, only_print: bool) -> int:
    """Open a page of the workshop's web app.

    The local cloud serves its pages itself, a distribution those that are uploaded. Other pages of a run on AWS are served on
    127.0.0.1 until Ctrl-C; their folder can also be downloaded and opened as files.

    \b
    Examples:
      workshop open
      workshop open globalflix
      workshop open harness --print
    """
    found = _find(invocation, page)
    if invocation.json:
        from workshop.console.document import print_document

        print_document("open", True, {"url": found.url, "folder": found.folder})
        return ExitCode.DONE
    if only_print:
        say(found.url)
        return ExitCode.DONE
    return _browse(found.url) if found.served else _serve(found)


@asynchronous
async def _find(invocation: Invocation, name: str | None) -> Page:
    from workshop.app.inspect import page

    async with opened(invocation, silent=True) as (session, _):
        return await page(session, name)


def _browse(url: str) -> int:
    import webbrowser

    say(url)
    if not webbrowser.open(url):
        say("No browser could be started here; open the address yourself.", err=True)
    return ExitCode.DONE


def _serve(page: Page) -> int:
    """Serve the page's folder on loopback until Ctrl-C."""
    from workshop.app.site_server import site_server

    with site_server(page.folder) as server:
        host, port = server.server_address[:2]
        _browse(f"http://{host!s}:{port}/{page.url.rpartition('/')[2]}")
        say("Serving until Ctrl-C.", err=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("Stopped.", err=True)
    return ExitCode.DONE
