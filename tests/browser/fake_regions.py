"""Two (or more) regions of the workshop's API on loopback, with replication lag and ways to fail.

In: region names, a lag in seconds. Out: one HTTP server per region that answers the routes of the workshop, and the tables
behind them. Never leaves 127.0.0.1, never sleeps: replication is applied when somebody looks.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

__all__ = ["FakeRegions", "Region"]

Key = tuple[str, str]
Item = dict[str, Any]


@dataclass
class Region:
    """One region: its table (item and the stamp of its last write), its server, and how it behaves at the moment.

    `mode`: up, error (500 with CORS), bare-error (500 without), hang (accepts and stays silent), drop (closes the connection),
    body-error (status 200 with an Error in the body, as the original of the API does), html (200, not JSON).
    """

    name: str
    mode: str = "up"
    table: dict[Key, tuple[Item, float]] = field(default_factory=dict)
    calls: list[tuple[float, str]] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None
    changed: threading.Event = field(default_factory=threading.Event)

    def set_mode(self, mode: str) -> None:
        """Behave differently from now on; calls that hang are let go."""
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
    """The regions of one global table; the later write wins, after `lag` seconds."""

    def __init__(self, names: list[str], items: list[Item], lag: float = 0.6) -> None:
        self.lag = lag
        self._lock = threading.Lock()
        self._under_way: list[tuple[float, str, Key, Item, float]] = []
        self.regions = {name: Region(name) for name in names}
        for region in self.regions.values():
            region.table = {(item["PK"]["S"], item["SK"]["S"]): (dict(item), 0.0) for item in items}

    def start(self) -> None:
        """Bind one free port per region and answer in threads."""
        for region in self.regions.values():
            region.server = _Server(("127.0.0.1", 0), _handler(self, region))
            threading.Thread(target=region.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Let go of hanging calls and close every port."""
        for region in self.regions.values():
            region.set_mode("drop")
            if region.server is not None:
                region.server.shutdown()
                region.server.server_close()

    def item(self, region: str, pk: str, sk: str) -> Item | None:
        """The item as that region has it now."""
        with self._lock:
            self._deliver()
            held = self.regions[region].table.get((pk, sk))
            return dict(held[0]) if held else None

    def query(self, region: str, pk: str) -> list[Item]:
        """All items under one partition key, in the order of their sort keys."""
        with self._lock:
            self._deliver()
            return [dict(item) for (p, _), (item, _) in sorted(self.regions[region].table.items()) if p == pk]

    def write(self, region: str, pk: str, sk: str, *, add: int | None = None, put: Item | None = None) -> Item:
        """Change one item in one region and send it on its way to the others."""
        with self._lock:
            self._deliver()
            now = time.monotonic()
            item = dict(self.regions[region].table.get((pk, sk), ({"PK": {"S": pk}, "SK": {"S": sk}}, 0.0))[0])
            if add is not None:
                item["Bookmark"] = {"N": str(int(item.get("Bookmark", {"N": "0"})["N"]) + add)}
            item.update(put or {})
            self.regions[region].table[pk, sk] = (item, now)
            self._under_way += [(now + self.lag, other, (pk, sk), item, now) for other in self.regions if other != region]
            return dict(item)

    def catch_up(self) -> None:
        """Let everything that is under way arrive now."""
        with self._lock:
            self._deliver(float("inf"))

    def _deliver(self, until: float | None = None) -> None:
        now = time.monotonic() if until is None else until
        due = [entry for entry in self._under_way if entry[0] <= now]
        self._under_way = [entry for entry in self._under_way if entry[0] > now]
        for _, name, key, item, stamp in due:
            held = self.regions[name].table.get(key)
            if held is None or held[1] < stamp:
                self.regions[name].table[key] = (item, stamp)

    def answer(self, region: Region, parts: list[str]) -> dict[str, Any] | None:
        """The JSON answer of a route, or None when there is no such route."""
        match parts:
            case []:
                return {"ping": "ok"}
            case ["scan"]:
                return {"Items": [dict(item) for item, _ in region.table.values()], "Latency": 3}
            case ["query", pk]:
                return {"Items": self.query(region.name, pk), "Latency": 2}
            case ["get", pk, sk]:
                return {"Item": self.item(region.name, pk, sk), "Latency": 2}
            case ["update", pk, sk, value]:
                item = self.write(region.name, pk, sk, add=int(value))
            case ["update", pk, sk, value, thumb]:
                item = self.write(region.name, pk, sk, put={"bookmark": {"S": value}, "thumb": {"S": thumb}})
            case _:
                return None
        return {"Attributes": {k: v for k, v in item.items() if k not in ("PK", "SK")}, "PK": pk, "SK": sk, "Latency": 4}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that closes a connection is no event."""


def _handler(regions: FakeRegions, region: Region) -> type[BaseHTTPRequestHandler]:
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
                    answer = regions.answer(region, parts)
                    if answer is None:
                        self._send(403, {"message": "Missing Authentication Token"}, cors=True)
                    else:
                        self._send(200, answer, cors=True)

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
