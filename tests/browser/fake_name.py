"""A name in front of two regions, for the pages of multi-region-backend: requests of the page are answered here, nothing listens.

In: a page, whose requests to names below `.localhost` are taken over. Out: what a test changes (statuses, who is given out,
what the feed shows) and what was stored. Replication takes as long as the test says.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Page, Route

__all__ = ["HOME", "HOST", "OTHER", "FakeName", "config"]

HOME, OTHER, HOST = "us-west-2", "us-east-1", "api.backend.localhost"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Workshop-Region, X-Workshop-Dns"}


def config(**more: Any) -> dict[str, Any]:
    """What setup would render for it."""
    address = "http://a.execute-api.{}.localhost:4566/prod/"
    return {
        "workshop": "multi-region-backend", "title": "Build an active-active backend in two regions", "target": "local",
        "table": "multi-region-backend", "home": HOME, "regions": [HOME, OTHER],
        "apis": {region: {"url": address.format(region), "path_url": address.format(region)} for region in (HOME, OTHER)},
        "name": {"host": HOST, "url": f"http://{HOST}:4566/"}, "policy": "weighted", "ttl": "60", "interval": "10",
        "threshold": "3", **more,
    }  # fmt: skip


class FakeName:
    """`given` are the regions that DNS gives out in turn; one answer is kept for `keeps` requests, as for a TTL."""

    def __init__(self) -> None:
        self.status = {HOME: 200, OTHER: 200}
        self.given = [HOME, OTHER]
        self.keeps = 1_000_000
        self.lag = 0.0
        self.crossed = False
        self.items: dict[str, tuple[dict[str, str], float]] = {}
        self.clients: list[str] = []
        self._asked = 0
        self._used = 0
        self._region = ""

    def attach(self, page: Page) -> None:
        """Take over what the page asks of names and of the feed."""
        page.route("**/_feed/names.json", lambda route: route.fulfill(json=self.feed()))
        page.route("http://*.localhost:4566/**", self._answer)

    def _answer(self, route: Route) -> None:
        request, address = route.request, urlsplit(route.request.url)
        host, source = address.hostname or "", ""
        region = next((each for each in (HOME, OTHER) if f".{each}." in host), "")
        path = unquote(address.path).removeprefix("/prod").lstrip("/")
        if not region:
            region, source = self._resolve(request.headers.get("x-workshop-client", ""))
        headers = {**CORS, **({"X-Workshop-Region": region, "X-Workshop-Dns": source} if source else {})}
        status, body = self._call(region, request.method, path, request.post_data)
        route.fulfill(status=status, headers=headers, json=body)

    def _resolve(self, client: str) -> tuple[str, str]:
        self.clients.append(client)
        if client or not self._region or self._used >= self.keeps or self._region not in self.given:
            region = self.given[self._asked % len(self.given)]
            self._asked += 1
            if not client:
                self._region, self._used = region, 0
            return region, "asked"
        self._used += 1
        return self._region, "cache"

    def _call(self, region: str, method: str, path: str, data: str | None) -> tuple[int, dict[str, Any]]:
        if path == "health":
            well = self.status[region] < 400
            return self.status[region], {"region": region, "status": "ok" if well else "failing"}
        if method == "POST":
            item = {**json.loads(data or "{}"), "region": region}
            self.items[item["item_id"]] = (item, time.monotonic())
            return 200, item
        item, written = self.items.get(path, ({}, 0.0))
        if not item or (item["region"] != region and time.monotonic() - written < self.lag):
            return 404, {"Error": f"item_id {path} is not in {region}", "field": "item_id"}
        return 200, {**item, "read_in": region}

    def feed(self) -> dict[str, Any]:
        """What the local cloud shows of names."""
        watched = {HOME: OTHER, OTHER: HOME} if self.crossed else {HOME: HOME, OTHER: OTHER}
        well = {region: self.status[watched[region]] < 400 for region in (HOME, OTHER)}
        flowing = [region for region in (HOME, OTHER) if well[region]] or [HOME, OTHER]
        records = [
            {
                "id": f"multi-region-backend:{region}", "values": [f"d-1.execute-api.{region}.localhost"], "ttl": 60, "weight": 1,
                "region": region, "health_check": f"check-{watched[region]}", "healthy": well[region],
                "share": 1 / len(flowing) if region in flowing else 0,
            }
            for region in (HOME, OTHER)
        ]  # fmt: skip
        group = {"name": HOST, "type": "CNAME", "policy": "weighted", "records": records}
        kept = {"client": "127.0.0.1", "name": HOST, "region": self._region, "seconds": 4.2}
        return {
            "version": 1, "clock": 0.1, "checks": [self._check(region) for region in (HOME, OTHER)],
            "zones": [{"name": "backend.localhost", "groups": [group]}], "cache": [kept] if self._region else [],
        }  # fmt: skip

    def _check(self, region: str) -> dict[str, Any]:
        well = self.status[region] < 400
        seen = {"healthy": well, "streak": 0, "last": f"Success: HTTP Status Code {self.status[region]}", "checked": 1.0}
        return {
            "id": f"check-{region}", "host": f"a.execute-api.{region}.localhost", "path": "/prod/health", "interval": 10,
            "threshold": 3, "inverted": False, "disabled": False, "healthy": well, "percentage": 100.0 if well else 0.0,
            "checkers": [{"region": each, **seen} for each in ("us-east-1", "eu-west-1", "ap-southeast-1")],
        }  # fmt: skip
