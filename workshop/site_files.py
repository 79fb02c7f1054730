"""The responses of a web server for one folder: nothing above it, nothing behind a link that leads out of it.

In: a folder, a method, a path, the request's headers. Out: a status, headers and a body. Opens no socket: the local cloud
and `workshop open` serve the pages with it. Byte ranges are there because a video player requests them; nothing is cached
without being validated again.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

__all__ = ["SECURITY_HEADERS", "Response", "content_type", "serve_site"]

Response = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""
SECURITY_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""A page may be framed by no other page, read by no other origin, and sends no referrer. Its own `<meta>` policy counts beside
these: what either forbids is forbidden."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".webm": "video/webm",
    ".mp4": "video/mp4",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".vtt": "text/vtt",
    ".md": "text/markdown",
}


def serve_site(root: Path, method: str, path: str, headers: Mapping[str, str]) -> Response:
    """The response for `path`, percent-encoded and relative to `root`; that of a folder is its `index.html`."""
    status, more, body = _served(root, method, path, headers)
    return status, {**more, **SECURITY_HEADERS}, body


def content_type(name: str) -> str:
    """The Content-Type of a file with this name; text is UTF-8."""
    kind = _TYPES.get(PurePosixPath(name).suffix.lower()) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind == "application/json" else kind


def _served(root: Path, method: str, path: str, headers: Mapping[str, str]) -> Response:
    if method not in ("GET", "HEAD"):
        return (
            405,
            {"Content-Type": "text/plain; charset=utf-8", "Allow": "GET, HEAD"},
            b"Only GET and HEAD are served here.\n",
        )
    file = _inside(root, unquote(path))
    if file is not None and file.is_dir():
        if path and not path.endswith("/"):
            return 301, {"Location": quote(unquote(path).rsplit("/", 1)[-1]) + "/"}, b""
        file = _inside(root, unquote(path) + "/index.html")
    if file is None or not file.is_file():
        return (
            404,
            {"Content-Type": "text/plain; charset=utf-8"},
            b"There is no such page. Render the site: workshop setup\n",
        )
    return _content(file, method, headers)


def _inside(root: Path, relative: str) -> Path | None:
    """The real file, or None when it lies, after following links, outside `root`, or cannot be a path at all."""
    if "\0" in relative or "\\" in relative:
        return None
    try:
        base = root.resolve()
        file = (base / relative.lstrip("/")).resolve()
        return file if file.is_relative_to(base) and file.exists() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _content(file: Path, method: str, headers: Mapping[str, str]) -> Response:
    stat = file.stat()
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    shared = {
        "Content-Type": content_type(file.name),
        "ETag": tag,
        "Last-Modified": formatdate(stat.st_mtime, usegmt=True),
        "Cache-Control": "no-cache",
        "Accept-Ranges": "bytes",
    }
    if tag in [part.strip() for part in headers.get("if-none-match", "").split(",")]:
        return 304, shared, b""
    wanted = _span(headers, tag, stat.st_size)
    if wanted is None:
        return 416, {**shared, "Content-Range": f"bytes */{stat.st_size}"}, b""
    first, last = wanted
    length = last - first + 1
    if (first, length) != (0, stat.st_size):
        shared["Content-Range"] = f"bytes {first}-{last}/{stat.st_size}"
    body = b""
    if method == "GET":
        with file.open("rb") as source:
            source.seek(first)
            body = source.read(length)
    shared["Content-Length"] = str(length if method == "HEAD" else len(body))
    return 206 if "Content-Range" in shared else 200, shared, body


def _span(headers: Mapping[str, str], tag: str, size: int) -> tuple[int, int] | None:
    """First and last byte to send (the whole file when no usable range was asked for), or None when it cannot be met."""
    whole = (0, size - 1)
    found = _RANGE.fullmatch(headers.get("range", "").strip())
    if not found or found.groups() == ("", "") or headers.get("if-range", tag) != tag:
        return whole
    start, end = found.groups()
    if start and end and int(end) < int(start):
        return whole
    if not start:
        return (max(0, size - int(end)), size - 1) if int(end) and size else None
    if int(start) >= size:
        return None
    return int(start), min(int(end), size - 1) if end else size - 1
