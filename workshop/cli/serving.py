"""A loopback web server for one folder, with byte ranges, because a video without them cannot be resumed in the middle."""

from __future__ import annotations

import io
import os
import re
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

from workshop.web_headers import SECURITY_HEADERS

__all__ = ["site_server"]


def site_server(folder: str, port: int = 0) -> ThreadingHTTPServer:
    """A server of `folder` on 127.0.0.1; port 0 takes a free one. The caller runs and closes it."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, directory=folder))


class _Handler(SimpleHTTPRequestHandler):
    """The standard handler plus one byte range per request."""

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        """Not every machine's table of types knows these two."""
        known = {".webm": "video/webm", ".js": "text/javascript"}
        return known.get(Path(path).suffix, super().guess_type(path))

    def send_head(self) -> BinaryIO | None:
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if not wanted or not path.is_file():
            return super().send_head()
        size = path.stat().st_size
        first, last = _range(wanted[1], wanted[2], size)
        if first > last:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        with path.open("rb") as file:
            file.seek(first)
            part = file.read(last - first + 1)
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        return io.BytesIO(part)

    def end_headers(self) -> None:
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-cache")
        for name, value in SECURITY_HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line each."""


def _range(first: str, last: str, size: int) -> tuple[int, int]:
    """The first and last byte that a range asks for; first > last when it cannot be satisfied."""
    if not first:
        return (max(0, size - int(last)), size - 1) if last and int(last) else (1, 0)
    return int(first), min(int(last), size - 1) if last else size - 1
