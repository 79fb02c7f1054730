"""A web server on loopback for the folder of a site, for targets that serve no pages themselves.

In: a folder, a port. Out: a server that the caller runs and closes. What it responds is decided by `workshop.site_files`.
"""

from __future__ import annotations

from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from workshop.site_files import serve_site

__all__ = ["site_server"]


def site_server(folder: str, port: int = 0) -> ThreadingHTTPServer:
    """A server of `folder` on 127.0.0.1; port 0 takes a free one. The caller runs and closes it."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, Path(folder)))


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, root: Path, *connection: Any) -> None:
        self._root = root  # the base class handles the request in its constructor
        super().__init__(*connection)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].lstrip("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, more, body = serve_site(self._root, self.command, path, headers)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line each."""
