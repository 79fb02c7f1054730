"""Two (or more) regions of the workshop's API on loopback, with replication lag and ways to fail.

In: region names, a lag in seconds. Out: one HTTP server per region that serves the routes of the workshop, over one replicated
table. Never leaves 127.0.0.1, never sleeps.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from tests.unit.fakes.workshop_api import Item, ReplicatedTable, respond

__all__ = ["FakeRegions", "Region"]


@dataclass
class Region:
    """One region: its server, and how it behaves at the moment.

    `mode`: up, error (500 with CORS), bare-error (500 without), hang (accepts and stays silent), drop (closes the connection),
    body-error (status 200 with an Error in the body, as the original of the API does), html (200, not JSON).
    """

    name: str
    mode: str = "up"
    calls: list[tuple[float, str]] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None
    changed: threading.Event = field(default_factory=threading.Event)

    def set_mode(self, mode: str) -> None:
        """Behave differently from now on; calls that hang are released."""
        self.mode = mode
        self.changed.set()
        self.changed = threading.Event()

    @property
    def port(self) -> int:
        assert self.server is not None
        return self.server.server_address[1]

    @property
    def url(self) -> str:
        """The address as API Gateway forms it, on a name that Chromium resolves to loopback."""
        return f"http://fake1234.execute-api.{self.name}.localhost:{self.port}/api/"

    @property
    def path_url(self) -> str:
        """The address that needs no name."""
        return f"http://127.0.0.1:{self.port}/api/"


class FakeRegions:
    """The regions of one global table, with `items` in each of them."""

    def __init__(self, names: list[str], items: list[Item], lag: float = 0.6) -> None:
        self.table = ReplicatedTable(names, time.monotonic, lag=lag)
        self.regions = {name: Region(name) for name in names}
        for item in items:
            self.table.load(item)

    def start(self) -> None:
        """Bind one free port per region and serve in threads."""
        for region in self.regions.values():
            region.server = _Server(("127.0.0.1", 0), _handler(self.table, region))
            threading.Thread(target=region.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Release hanging calls and close every port."""
        for region in self.regions.values():
            region.set_mode("drop")
            if region.server is not None:
                region.server.shutdown()
                region.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that closes a connection is no event."""


def _handler(table: ReplicatedTable, region: Region) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the tests read `region.calls`."""

        def do_GET(self) -> None:
            region.calls.append((time.monotonic(), self.path))
            match region.mode:
                case "hang":
                    region.changed.wait(30)
                    self.close_connection = True
                case "drop":
                    self.close_connection = True
                case "error":
                    self._send(500, {"Error": "The table is resting"}, cors=True)
                case "bare-error":
                    self._send(500, {"message": "Internal server error"}, cors=False)
                case "body-error":
                    self._send(200, {"Error": "The table is resting"}, cors=True)
                case "html":
                    self._reply(200, b"<html>hello</html>", "text/html", cors=True)
                case _:
                    parts = [unquote(part) for part in self.path.split("?")[0].removeprefix("/api").split("/") if part]
                    response = respond(table, region.name, parts)
                    if response is None:
                        self._send(403, {"message": "Missing Authentication Token"}, cors=True)
                    else:
                        self._send(200, response, cors=True)

        def _send(self, status: int, body: dict[str, Any], *, cors: bool) -> None:
            self._reply(status, json.dumps(body).encode(), "application/json", cors=cors)

        def _reply(self, status: int, body: bytes, kind: str, *, cors: bool) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                if cors:
                    self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the browser gave the call up

    return Handler
