"""Serves the web folder on loopback the way a plain web server does, with a configuration of the test's choosing.

In: the web folder, the configuration (or None: config.js is missing), files to replace. Out: an address that ends in "/".
"""

from __future__ import annotations

import json
import mimetypes
import re
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["Site"]

TYPES = {
    ".js": "text/javascript",
    ".webm": "video/webm",
    ".svg": "image/svg+xml",
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
}


class Site:
    """The rendered site: `roots` are the folders of its files, `replace` maps a path to the text that is served instead of the
    file."""

    def __init__(self, roots: Sequence[Path], config: dict[str, Any] | None, replace: dict[str, str] | None = None) -> None:
        self.replace = dict(replace or {})
        self.ranges = True
        self.requested: list[str] = []
        if config is not None:
            self.replace["config.json"] = json.dumps(config)
            self.replace["config.js"] = f"window.WORKSHOP_CONFIG = {json.dumps(config)};\n"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, roots))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def start(self) -> None:
        """Answer in threads until `stop`."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()


def _inside(root: Path, path: str) -> Path | None:
    file = (root / path).resolve()
    return file if file.is_file() and file.is_relative_to(root.resolve()) else None


def _handler(site: Site, roots: Sequence[Path]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the tests read `site.requested`."""

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).lstrip("/") or "index.html"
            site.requested.append(path)
            file = next((file for root in roots if (file := _inside(root, path))), None)
            if path in site.replace:
                body = site.replace[path].encode()
            elif file:
                body = file.read_bytes()
            else:
                return self._reply(404, b"not here", {})
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if not (wanted and site.ranges):
                return self._reply(200, body, {"Accept-Ranges": "bytes"} if site.ranges else {})
            first, last = int(wanted[1]), min(int(wanted[2] or len(body) - 1), len(body) - 1)
            return self._reply(
                206, body[first : last + 1], {"Accept-Ranges": "bytes", "Content-Range": f"bytes {first}-{last}/{len(body)}"}
            )

        def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            suffix = Path(urlsplit(self.path).path).suffix or ".html"
            try:
                self.send_response(status)
                self.send_header("Content-Type", TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream"))
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the browser has seen enough

    return Handler
